/* setjmp and longjmp: across many frames, nested, repeated, out of a comparator that qsort called,
 * and with callee-saved registers that must come back. */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define NOINLINE __attribute__((noinline, noclone))

static jmp_buf outer, inner;

/* It ends by longjmp, which the compiler does not see. */
#pragma GCC diagnostic ignored "-Winfinite-recursion"
static NOINLINE int down(int n, int code) {
  volatile int keep = n;
  if (n == 0) longjmp(outer, code);
  int r = down(n - 1, code);
  return r + keep;
}

static int left;
static int comparator(const void *a, const void *b) {
  if (--left == 0) longjmp(inner, 5);
  return *(const int *)a - *(const int *)b;
}

/* Values live in s-registers across the setjmp that returns twice. */
static NOINLINE uint32_t registers(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e,
                                   uint32_t f) {
  jmp_buf here;
  volatile int rounds = 0;
  int r = setjmp(here);
  rounds++;
  if (r < 5) {
    __asm__ volatile("" ::: "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11");
    longjmp(here, r + 1);
  }
  return (a * 3 + b * 5 + c * 7 + d * 11 + e * 13 + f * 17) * 100 + (uint32_t)rounds;
}

/* Exceptions in C: handlers in a chain. */
struct handler {
  jmp_buf env;
  struct handler *up;
};
static struct handler *top;
static NOINLINE void throw(int code) {
  struct handler *h = top;
  top = h->up;
  longjmp(h->env, code);
}
static NOINLINE int parse(const char *s, int depth) {
  if (*s == '!') throw(depth * 10 + s[1] - '0');
  if (*s == '(') {
    struct handler h;
    h.up = top;
    volatile int before = depth;
    int code = setjmp(h.env);
    if (code == 0) {
      top = &h;
      int r = parse(s + 1, depth + 1);
      top = h.up;
      return r + 1;
    }
    if (code % 10 == 7) throw(code + 100); /* pass it on */
    return code * 1000 + before;
  }
  return *s ? parse(s + 1, depth) : depth;
}

int main(void) {
  for (volatile int i = 1; i <= 3; i++) {
    int r = setjmp(outer);
    if (r == 0)
      down(i * 1000, i);
    else
      printf("back from %d frames with %d\n", i * 1000, r);
  }
  int r = setjmp(outer);
  if (r == 0) longjmp(outer, 0); /* 0 becomes 1 */
  printf("longjmp 0 gives %d\n", r);

  static int v[100];
  for (int i = 0; i < 100; i++) v[i] = i * 7919 % 101;
  left = 150;
  if (setjmp(inner) == 0) {
    qsort(v, 100, sizeof v[0], comparator);
    printf("sorted\n");
  } else {
    printf("out of the comparator, left %d\n", left);
  }
  printf("registers %lu\n", (unsigned long)registers(1, 2, 3, 4, 5, 6));

  struct handler h;
  h.up = NULL;
  static const char *const kTexts[] = {"ab(cd(ef", "a(b!3", "((x!5", "((x!7", "(((!7"};
  for (volatile unsigned i = 0; i < 5; i++) {
    int code = setjmp(h.env);
    if (code == 0) {
      top = &h;
      printf("%s -> %d\n", kTexts[i], parse(kTexts[i], 0));
    } else {
      printf("%s threw %d\n", kTexts[i], code);
    }
  }
  volatile uint32_t sum = 0;
  for (volatile int i = 0; i < 2000; i++) {
    int c = setjmp(outer);
    if (c == 0) down(i % 5, i + 1);
    sum = sum * 31 + (uint32_t)c;
  }
  printf("2000 jumps %08lx\n", (unsigned long)sum);
  return 0;
}
