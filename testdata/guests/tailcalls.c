/* Tail calls, and jumps through tables of addresses, of differences and into the middle of code. */
#include <stdint.h>
#include <stdio.h>

uint32_t by_table(uint32_t i, uint32_t x);
uint32_t by_offset32(uint32_t i, uint32_t x);
uint32_t by_offset16(uint32_t i, uint32_t x);
uint32_t into_code(uint32_t n);
uint32_t ping(uint32_t n, uint32_t acc);
uint32_t threaded(const void *const *program, uint32_t x);
extern const char word_double[], word_literal[], word_branch[], word_end[];

/* Tail calls that gcc makes, between functions with different numbers of arguments. */
static __attribute__((noinline)) uint32_t step3(uint32_t a, uint32_t b, uint32_t c);
static __attribute__((noinline)) uint32_t step1(uint32_t a) { return step3(a - 1, a * 3, a ^ 77); }
static __attribute__((noinline)) uint32_t step2(uint32_t a, uint32_t b) {
  return a ? step1(a + (b & 0)) : b;
}
static __attribute__((noinline)) uint32_t step3(uint32_t a, uint32_t b, uint32_t c) {
  return step2(a, b * 31 + c);
}

int main(void) {
  uint32_t h = 0;
  for (uint32_t i = 0; i < 16; i++)
    h = h * 31 + by_table(i, h) + by_offset32(i * 3, h) * 5 + by_offset16(i * 5, h) * 7;
  printf("tables %08lx\n", (unsigned long)h);
  for (uint32_t i = 0; i < 16; i++) printf("%lu ", (unsigned long)into_code(i));
  printf("\nping %08lx\n", (unsigned long)ping(200001, 12345));
  static const void *program[] = {word_literal, (void *)5, word_double, word_literal, (void *)1,
                                  word_branch,  0,         word_double, word_end};
  program[6] = &program[2];
  printf("threaded %lu\n", (unsigned long)threaded(program, 3));
  printf("steps %08lx\n", (unsigned long)step2(5000, 1));
  return 0;
}
