#include "rt.h"
/* planar-ish 5-body integration in doubles; own constants */
typedef struct { double x, y, z, vx, vy, vz, m; } body;
static body b[5];
static double root(double v) {
#ifdef SOFTFP
  double r = v > 1 ? v * 0.5 : v + 0.5; for (int i = 0; i < 12; i++) r = 0.5 * (r + v / r); return r;
#else
  return __builtin_sqrt(v);
#endif
}
static NOINLINE void step(double dt) {
  for (int i = 0; i < 5; i++)
    for (int j = i + 1; j < 5; j++) {
      double dx = b[i].x - b[j].x, dy = b[i].y - b[j].y, dz = b[i].z - b[j].z;
      double d2 = dx * dx + dy * dy + dz * dz + 1e-3;
      double mag = dt / (d2 * root(d2));
      b[i].vx -= dx * b[j].m * mag; b[i].vy -= dy * b[j].m * mag; b[i].vz -= dz * b[j].m * mag;
      b[j].vx += dx * b[i].m * mag; b[j].vy += dy * b[i].m * mag; b[j].vz += dz * b[i].m * mag;
    }
  for (int i = 0; i < 5; i++) { b[i].x += dt * b[i].vx; b[i].y += dt * b[i].vy; b[i].z += dt * b[i].vz; }
}
int main(void) {
  for (int i = 0; i < 5; i++) {
    b[i].x = i * 3.1 + 0.2; b[i].y = (i * i) * 0.7 - 1.0; b[i].z = (i & 1) ? 0.4 : -0.3;
    b[i].vx = 0.1 * i - 0.2; b[i].vy = 0.3 - 0.07 * i; b[i].vz = 0.01 * i; b[i].m = i ? 0.05 / i : 10.0;
  }
#ifdef SOFTFP
  int n = 60000;
#else
  int n = 12000000;
#endif
  for (int i = 0; i < (int)WORK(n); i++) step(0.001);
  double s = 0; for (int i = 0; i < 5; i++) s += b[i].x + b[i].y * 2 + b[i].z * 3 + b[i].vx;
  out("nbody", dbits(s)); return 0;
}
