/* Division as compilers use it: the RISC-V results for zero and overflow, constants, 64 bits. */
#include <stdint.h>
#include <stdio.h>

#define NOINLINE __attribute__((noinline))

/* The instructions themselves: in C these cases are undefined. */
#define INSN(name)                                                              \
  static NOINLINE uint32_t do_##name(uint32_t a, uint32_t b) {                  \
    uint32_t r;                                                                 \
    __asm__ volatile(#name " %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));           \
    return r;                                                                   \
  }
INSN(div)
INSN(divu)
INSN(rem)
INSN(remu)

static NOINLINE uint64_t udiv64(uint64_t a, uint64_t b) { return a / b; }
static NOINLINE uint64_t umod64(uint64_t a, uint64_t b) { return a % b; }
static NOINLINE int64_t sdiv64(int64_t a, int64_t b) { return a / b; }
static NOINLINE int64_t smod64(int64_t a, int64_t b) { return a % b; }

int main(void) {
  static const uint32_t k[] = {0, 1, 2, 7, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffff9, 0xffffffff};
  enum { N = sizeof k / sizeof *k };
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      printf("%08lx %08lx: %08lx %08lx %08lx %08lx\n", (unsigned long)k[i], (unsigned long)k[j],
             (unsigned long)do_div(k[i], k[j]), (unsigned long)do_divu(k[i], k[j]),
             (unsigned long)do_rem(k[i], k[j]), (unsigned long)do_remu(k[i], k[j]));
  /* Division by a constant zero and by itself, known to an optimizer. */
  uint32_t r1, r2, r3;
  __asm__ volatile("li %0, 5\n div %0, %0, x0" : "=&r"(r1));
  __asm__ volatile("remu %0, %1, x0" : "=r"(r2) : "r"(77));
  __asm__ volatile("li %0, 0\n rem %0, %0, %0" : "=&r"(r3));
  printf("%08lx %lu %lu\n", (unsigned long)r1, (unsigned long)r2, (unsigned long)r3);

  uint64_t sum = 0, x = 0x123456789abcdefull, y = 77;
  for (int i = 0; i < 2000; i++) {
    x = x * 6364136223846793005ull + 1442695040888963407ull;
    y = (x ^ x << 21) >> (i % 60) | 1;
    sum = sum * 31 + udiv64(x, y) + umod64(x, y);
    sum ^= (uint64_t)sdiv64((int64_t)x, (int64_t)y) * 3 + (uint64_t)smod64((int64_t)x, (int64_t)y);
    sum += x / 10 + x % 1000003 + (uint64_t)((int64_t)x / -7) + (uint32_t)x / 10 + (uint32_t)x % 641;
  }
  printf("64 bits %08lx%08lx\n", (unsigned long)(sum >> 32), (unsigned long)sum);
  return 0;
}
