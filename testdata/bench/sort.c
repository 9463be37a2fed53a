#include "rt.h"
#define N (TEST_SCALE >= 50 ? 20000 : TEST_SCALE > 1 ? 200000 : 2000000)
static int32_t a[N];
static NOINLINE void qs(int32_t *v, int lo, int hi) {
  while (hi - lo > 16) {
    int32_t p = v[lo + (hi - lo) / 2]; int i = lo, j = hi;
    while (i <= j) { while (v[i] < p) i++; while (v[j] > p) j--; if (i <= j) { int32_t t = v[i]; v[i] = v[j]; v[j] = t; i++; j--; } }
    if (j - lo < hi - i) { qs(v, lo, j); lo = i; } else { qs(v, i, hi); hi = j; }
  }
  for (int i = lo + 1; i <= hi; i++) { int32_t x = v[i]; int j = i - 1; while (j >= lo && v[j] > x) { v[j + 1] = v[j]; j--; } v[j + 1] = x; }
}
static NOINLINE void sift(int32_t *v, int i, int n) {
  int32_t x = v[i];
  for (;;) { int c = 2 * i + 1; if (c >= n) break; if (c + 1 < n && v[c + 1] > v[c]) c++; if (v[c] <= x) break; v[i] = v[c]; i = c; }
  v[i] = x;
}
static NOINLINE void hs(int32_t *v, int n) {
  for (int i = n / 2 - 1; i >= 0; i--) sift(v, i, n);
  for (int e = n - 1; e > 0; e--) { int32_t t = v[0]; v[0] = v[e]; v[e] = t; sift(v, 0, e); }
}
static void fill(void) { for (int i = 0; i < N; i++) a[i] = (int32_t)rnd(); }
static uint64_t ck(void) { uint64_t s = 0; for (int i = 0; i < N; i++) s = s * 1000003u + (uint32_t)a[i]; for (int i = 1; i < N; i++) if (a[i - 1] > a[i]) return 0; return s; }
int main(void) {
  uint64_t s = 0;
  for (int r = 0; r < 4 * N_SCALE; r++) { fill(); qs(a, 0, N - 1); s = s * 3 + ck(); }
  for (int r = 0; r < 2 * N_SCALE; r++) { fill(); hs(a, N); s = s * 3 + ck(); }
  out("sort", s); return 0;
}
