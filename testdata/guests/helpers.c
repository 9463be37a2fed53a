/* Every libgcc function that --fast-helpers replaces, on edge cases and random operands: a digest of
 * the results' bits per function. With and without the option the output must be the same. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const uint64_t kD[] = {
    0, 1, 2, 0x000fffffffffffff, 0x0010000000000000, 0x0010000000000001, 0x3ca0000000000000,
    0x3fe0000000000000, 0x3fefffffffffffff, 0x3ff0000000000000, 0x3ff0000000000001,
    0x3ff8000000000000, 0x4000000000000000, 0x400921fb54442d18, 0x41dfffffffc00000,
    0x41dfffffffe00000, 0x41e0000000000000, 0x41e0000000100000, 0x41efffffffe00000,
    0x41effffffff00000, 0x41f0000000000000, 0x4330000000000001, 0x43e0000000000000,
    0x47efffffe0000000, 0x47effffff0000000, 0x3810000000000000, 0x36a0000000000000,
    0x3690000000000000, 0x7fe0000000000000, 0x7fefffffffffffff, 0x7ff0000000000000,
    0x7ff0000000000001, 0x7ff8000000000000, 0x7ff8000000001234, 0x7fffffffffffffff};
static const uint32_t kF[] = {0,          1,          2,          0x007fffff, 0x00800000, 0x00800001,
                              0x33800000, 0x3f000000, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x3fc00000,
                              0x40490fdb, 0x4effffff, 0x4f000000, 0x4f000001, 0x4f7fffff, 0x4f800000,
                              0x7f000000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fc01234,
                              0x7fffffff};
static const uint64_t kI[] = {0, 1, 2, 3, 7, 0xff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001,
                              0xfffffffe, 0xffffffff, 0x100000000, 0x100000001, 0x123456789abcdef0,
                              0x001fffffffffffff, 0x0020000000000001, 0x7fffffffffffffff,
                              0x8000000000000000, 0x8000000000000001, 0xfffffffffffffffe};

static uint64_t seed = 0x9e3779b97f4a7c15;
static uint64_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}

enum { kPairs = 3000 };
static uint64_t da, db, ia, ib;
static uint32_t fa, fb;

/* The k-th pair of operands: first all pairs of edge cases with both signs, then random ones. */
static int pick(uint32_t k) {
  const uint32_t nd = 2 * sizeof kD / sizeof *kD, nf = 2 * sizeof kF / sizeof *kF,
                 ni = 2 * sizeof kI / sizeof *kI;
  uint32_t x = k % nd, y = k / nd;
  if (y >= nd + kPairs / nd) return 0;
  if (y >= nd) {
    uint64_t r = next();
    da = next(), db = next(), ia = next() >> (r & 63), ib = next() >> (r >> 6 & 63);
    if (r >> 12 & 1) db = (da & 0xfff0000000000000) | (db & 0x000fffffffffffff);
    if (r >> 13 & 1) db ^= 1ull << 63;
    if (r >> 14 & 1) da = (da & 0x800fffffffffffff) | (0x3f0 + (r >> 20 & 63)) << 52;
    fa = (uint32_t)next(), fb = (uint32_t)next();
    if (r >> 15 & 1) fb = (fa & 0xff800000) | (fb & 0x007fffff);
    if (r >> 16 & 1) fb ^= 1u << 31;
    if (r >> 17 & 1) fa = (fa & 0x807fffff) | (0x70 + (r >> 26 & 63)) << 23;
    return 1;
  }
  da = kD[x / 2] | (uint64_t)(x & 1) << 63, db = kD[y / 2] | (uint64_t)(y & 1) << 63;
  fa = kF[x % nf / 2] | x << 31, fb = kF[y % nf / 2] | y << 31;
  ia = kI[x % ni / 2], ib = kI[y % ni / 2];
  if (x & 1) ia = -ia;
  if (y & 1) ib = -ib;
  return 1;
}

static uint64_t digest;
static void mix(uint64_t v) { digest = (digest ^ v) * 0x100000001b3; }
static double D(uint64_t u) {
  double d;
  memcpy(&d, &u, 8);
  return d;
}
static float F(uint32_t u) {
  float f;
  memcpy(&f, &u, 4);
  return f;
}
static void mixd(double d) {
  uint64_t u;
  memcpy(&u, &d, 8);
  mix(u);
}
static void mixf(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  mix(u);
}

#define ALL(name, statement)                                                   \
  do {                                                                         \
    digest = 0xcbf29ce484222325, seed = 0x9e3779b97f4a7c15;                    \
    for (uint32_t k = 0; pick(k); k++) statement;                              \
    printf("%-14s %08lx%08lx\n", name, (unsigned long)(digest >> 32),          \
           (unsigned long)digest);                                             \
  } while (0)

/* Called by name where C has no way to tell apart, or where it would be undefined. */
int __eqdf2(double, double), __nedf2(double, double), __ltdf2(double, double);
int __ledf2(double, double), __gtdf2(double, double), __gedf2(double, double);
int __unorddf2(double, double);
int __eqsf2(float, float), __nesf2(float, float), __ltsf2(float, float), __lesf2(float, float);
int __gtsf2(float, float), __gesf2(float, float), __unordsf2(float, float);
int32_t __fixdfsi(double), __fixsfsi(float);
uint32_t __fixunsdfsi(double), __fixunssfsi(float);
int64_t __muldi3(int64_t, int64_t);
int __cmpdi2(int64_t, int64_t), __ucmpdi2(uint64_t, uint64_t);
int __clzsi2(uint32_t), __clzdi2(uint64_t);

/* Division by 0 is undefined. */
static uint64_t divisor(void) { return ib != 0 ? ib : 1; }

int main(void) {
  ALL("adddf3", mixd(D(da) + D(db)));
  ALL("subdf3", mixd(D(da) - D(db)));
  ALL("muldf3", mixd(D(da) * D(db)));
  ALL("divdf3", mixd(D(da) / D(db)));
  ALL("addsf3", mixf(F(fa) + F(fb)));
  ALL("subsf3", mixf(F(fa) - F(fb)));
  ALL("mulsf3", mixf(F(fa) * F(fb)));
  ALL("divsf3", mixf(F(fa) / F(fb)));
  ALL("eqdf2", mix((uint32_t)__eqdf2(D(da), D(db))));
  ALL("nedf2", mix((uint32_t)__nedf2(D(da), D(db))));
  ALL("ltdf2", mix((uint32_t)__ltdf2(D(da), D(db))));
  ALL("ledf2", mix((uint32_t)__ledf2(D(da), D(db))));
  ALL("gtdf2", mix((uint32_t)__gtdf2(D(da), D(db))));
  ALL("gedf2", mix((uint32_t)__gedf2(D(da), D(db))));
  ALL("unorddf2", mix((uint32_t)__unorddf2(D(da), D(db))));
  ALL("eqsf2", mix((uint32_t)__eqsf2(F(fa), F(fb))));
  ALL("nesf2", mix((uint32_t)__nesf2(F(fa), F(fb))));
  ALL("ltsf2", mix((uint32_t)__ltsf2(F(fa), F(fb))));
  ALL("lesf2", mix((uint32_t)__lesf2(F(fa), F(fb))));
  ALL("gtsf2", mix((uint32_t)__gtsf2(F(fa), F(fb))));
  ALL("gesf2", mix((uint32_t)__gesf2(F(fa), F(fb))));
  ALL("unordsf2", mix((uint32_t)__unordsf2(F(fa), F(fb))));
  ALL("branches", {
    if (D(da) < D(db)) mix(1);
    if (D(da) <= D(db)) mix(2);
    if (D(da) > D(db)) mix(3);
    if (D(da) >= D(db)) mix(4);
    if (D(da) == D(db)) mix(5);
    if (!(F(fa) < F(fb))) mix(6);
    if (!(F(fa) <= F(fb))) mix(7);
    if (!(F(fa) > F(fb))) mix(8);
    if (!(F(fa) >= F(fb))) mix(9);
    if (F(fa) != F(fb)) mix(10);
  });
  ALL("fixdfsi", mix((uint32_t)__fixdfsi(D(da))));
  ALL("fixunsdfsi", mix(__fixunsdfsi(D(da))));
  ALL("fixsfsi", mix((uint32_t)__fixsfsi(F(fa))));
  ALL("fixunssfsi", mix(__fixunssfsi(F(fa))));
  ALL("floatsidf", mixd((double)(int32_t)ia));
  ALL("floatunsidf", mixd((double)(uint32_t)ia));
  ALL("floatdidf", mixd((double)(int64_t)ia));
  ALL("floatundidf", mixd((double)ia));
  ALL("floatsisf", mixf((float)(int32_t)ia));
  ALL("floatunsisf", mixf((float)(uint32_t)ia));
  ALL("extendsfdf2", mixd((double)F(fa)));
  ALL("truncdfsf2", mixf((float)D(da)));
  ALL("chain", mixd((D(da) + D(db)) * D(da) - (double)F(fa) / D(db)));
  ALL("muldi3", mix((uint64_t)__muldi3((int64_t)ia, (int64_t)ib)));
  ALL("udivdi3", mix(ia / divisor()));
  ALL("umoddi3", mix(ia % divisor()));
  /* The smallest number by -1 overflows. */
  ALL("divdi3", if (ia << 1 != 0 || ~ib != 0) mix((uint64_t)((int64_t)ia / (int64_t)divisor())));
  ALL("moddi3", if (ia << 1 != 0 || ~ib != 0) mix((uint64_t)((int64_t)ia % (int64_t)divisor())));
  ALL("cmpdi2", mix((uint32_t)__cmpdi2((int64_t)ia, (int64_t)ib)));
  ALL("ucmpdi2", mix((uint32_t)__ucmpdi2(ia, ib)));
  ALL("clzsi2", mix((uint32_t)__clzsi2((uint32_t)ia)));
  ALL("clzdi2", mix((uint32_t)__clzdi2(ia)));
  return 0;
}
