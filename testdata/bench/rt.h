/* Tiny runtime shim shared by every bench: main program calls out() to print
   "name=%08x%08x\n".  No libc needed except (on native/wasi) write(2).       */
#ifndef RT_H
#define RT_H
#include <stdint.h>
#include <stddef.h>
#if defined(RV_BARE)
static long rt_write(const char *p, unsigned n) {
  register long a0 __asm__("a0") = 1;
  register long a1 __asm__("a1") = (long)p;
  register long a2 __asm__("a2") = n;
  register long a7 __asm__("a7") = 64;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}
#else
#include <unistd.h>
static long rt_write(const char *p, unsigned n) { return (long)write(1, p, n); }
#endif
__attribute__((unused)) static void out(const char *name, uint64_t v) {
  char b[64]; unsigned n = 0;
  while (*name && n < 40) b[n++] = *name++;
  b[n++] = '=';
  for (int i = 60; i >= 0; i -= 4) b[n++] = "0123456789abcdef"[(v >> i) & 15];
  b[n++] = '\n';
  rt_write(b, n);
}
static inline uint64_t dbits(double d) { union { double d; uint64_t u; } x; x.d = d; return x.u; }
static uint32_t rt_seed = 12345u;
__attribute__((unused)) static inline uint32_t rnd(void) { uint32_t x = rt_seed; x ^= x << 13; x ^= x >> 17; x ^= x << 5; return rt_seed = x; }
#define NOINLINE __attribute__((noinline))
/* Amount of work: -DN_SCALE=k multiplies it, -DTEST_SCALE=k divides it (for tests, which want the
   same code paths in a hundredth of the time). Without either the work and the output are the
   published ones. */
#ifndef N_SCALE
#define N_SCALE 1
#endif
#ifndef TEST_SCALE
#define TEST_SCALE 1
#endif
#define WORK(n) ((uint32_t)((uint64_t)(n) * N_SCALE / TEST_SCALE ? (uint64_t)(n) * N_SCALE / TEST_SCALE : 1))
#endif
