#include "rt.h"
#define N (TEST_SCALE >= 50 ? 48 : TEST_SCALE > 1 ? 120 : 256)
static double A[N][N], B[N][N], C[N][N];
static NOINLINE void mm(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) C[i][j] = 0;
  for (int i = 0; i < N; i++)
    for (int k = 0; k < N; k++) {
      double a = A[i][k];
      for (int j = 0; j < N; j++) C[i][j] += a * B[k][j];
    }
}
int main(void) {
  for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) { A[i][j] = (int)(rnd() % 1000) / 1000.0; B[i][j] = (int)(rnd() % 1000) / 1000.0; }
#ifdef SOFTFP
  int reps = 4;
#else
  int reps = 120;
#endif
  for (int r = 0; r < (int)(reps * N_SCALE); r++) { mm(); A[r % N][r % N] += C[(r * 7) % N][r % N] * 1e-3; }
  double s = 0; for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) s += C[i][j];
  out("matmul", dbits(s)); return 0;
}
