#include "rt.h"
#if TEST_SCALE >= 50
#define W 40
#define IT 30
#elif defined(SOFTFP)
#define W 160
#define IT 60
#elif TEST_SCALE > 1
#define W 500
#define IT 800
#else
#define W 1600
#define IT 800
#endif
static uint8_t img[W];
int main(void) {
  uint64_t s = 0;
  for (int y = 0; y < W; y++) {
    double ci = 2.4 * y / W - 1.2;
    for (int x = 0; x < W; x++) {
      double cr = 3.0 * x / W - 2.1, zr = 0, zi = 0; int k = 0;
      for (; k < IT; k++) { double r2 = zr * zr, i2 = zi * zi; if (r2 + i2 > 4.0) break; zi = 2 * zr * zi + ci; zr = r2 - i2 + cr; }
      img[x] = (uint8_t)k;
    }
    for (int x = 0; x < W; x++) s = s * 31 + img[x];
  }
  out("mandel", s); return 0;
}
