/* Floating point without a floating-point unit: libgcc's float and double, picolibc's libm and
 * printf. Everything printed is also shown as bits, so that a wrong rounding is seen. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(const char *what, double d) {
  uint64_t u;
  memcpy(&u, &d, sizeof u);
  printf("%-14s %.17g %08lx%08lx\n", what, d, (unsigned long)(u >> 32), (unsigned long)u);
}
static void showf(const char *what, float f) {
  uint32_t u;
  memcpy(&u, &f, sizeof u);
  printf("%-14s %.9g %08lx\n", what, (double)f, (unsigned long)u);
}

int main(void) {
  volatile double one = 1, three = 3, tiny = 5e-324, huge = DBL_MAX, zero = 0;
  show("1/3", one / three);
  show("0.1+0.2", 0.1 * one + 0.2 * one);
  show("tiny/2", tiny / 2);
  show("min normal", 2.2250738585072014e-308 * one);
  show("denormal sum", 3e-310 * one + 4e-310 * one);
  show("huge*2", huge * 2);
  show("-1/0", -one / zero);
  show("-0", -zero);
  volatile double nan = zero / zero;
  printf("nan compares %d%d%d%d%d\n", nan < one, nan > one, nan == nan, nan != nan, !(nan >= one));
  printf("compares %d%d%d%d\n", -zero == zero, tiny > zero, -huge < -one, one <= one);
  volatile float f1 = 1, f3 = 3, f7 = 16777217.0f;
  showf("1/3f", f1 / f3);
  showf("2^24+1", f7);
  showf("sum", f1 * 0.1f + f3 * 0.7f);
  showf("denormal", 1e-40f * f3);
  showf("overflow", FLT_MAX * f3);
  showf("to float", (float)(one / three));
  static const double kX[] = {0, 0.5, 1, 2, 3.14159265358979, 10, 123.456, -0.75, -20};
  for (unsigned i = 0; i < sizeof kX / sizeof *kX; i++) {
    volatile double x = kX[i];
    printf("x = %g\n", x);
    show(" sqrt", sqrt(fabs(x)));
    show(" sin", sin(x));
    show(" cos", cos(x));
    show(" atan", atan(x));
    show(" exp", exp(x));
    show(" log", log(fabs(x) + 0.25));
    show(" pow", pow(fabs(x), 1.7));
    show(" fmod", fmod(x, 0.7));
    show(" floor", floor(x));
    showf(" sinf", sinf((float)x));
    showf(" sqrtf", sqrtf((float)fabs(x)));
  }
  static const double kConvert[] = {0, 0.999, -0.999, 2147483647.5, -2147483648.0, 4294967295.0, 1e15,
                                    -1e15, 123456.789};
  for (unsigned i = 0; i < sizeof kConvert / sizeof *kConvert; i++) {
    volatile double x = kConvert[i];
    int64_t l = (int64_t)x;
    printf("%.3f: %08lx%08lx", x, (unsigned long)((uint64_t)l >> 32), (unsigned long)l);
    if (x >= -2147483648.0 && x < 2147483648.0) printf(" %ld", (long)x);
    if (x >= 0 && x < 4294967296.0) printf(" %lu", (unsigned long)x);
    printf("\n");
  }
  volatile int64_t big = 0x7fffffffffffffff;
  volatile uint64_t ubig = 0xfffffffffffff400;
  volatile int32_t neg = -7;
  show("from i64", (double)big);
  show("from u64", (double)ubig);
  show("from i32", (double)neg);
  showf("i64 to float", (float)big);
  printf("%g %e %.3f %10.2f %-8.1f| %G %a\n", 1234567.0, 0.00012345, 2.0 / 3, -1.005, 9.96, 1e-10, 1.0);
  show("strtod", strtod("-12.5e-3xyz", NULL));
  show("strtod max", strtod("1.7976931348623157e308", NULL));
  /* A series, a root and an integral: many operations whose errors would add up. */
  double e = 1, term = 1;
  for (int i = 1; i < 25; i++) e += term /= i;
  show("e", e);
  double root = 1;
  for (int i = 0; i < 30; i++) root = (root + 2 / root) / 2;
  show("sqrt 2", root);
  double area = 0;
  for (int i = 0; i < 1000; i++) area += sin((i + 0.5) * M_PI / 1000) * (M_PI / 1000);
  show("integral", area);
  float fsum = 0;
  for (int i = 1; i < 2000; i++) fsum += 1.0f / (float)(i * i);
  showf("basel", fsum);
  return 0;
}
