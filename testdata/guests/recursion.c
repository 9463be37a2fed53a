/* Calls: Ackermann, mutual recursion, hanoi, permutations, and one recursion 30,000 levels deep. */
#include <stdint.h>
#include <stdio.h>

#define NOINLINE __attribute__((noinline, noclone))

static NOINLINE unsigned ackermann(unsigned m, unsigned n) {
  if (m == 0) return n + 1;
  if (n == 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

static int is_odd(unsigned n);
static NOINLINE int is_even(unsigned n) { return n == 0 ? 1 : is_odd(n - 1); }
static NOINLINE int is_odd(unsigned n) { return n == 0 ? 0 : is_even(n - 1); }

/* Hofstadter's pair, which is not tail-recursive. */
static unsigned male(unsigned n);
static NOINLINE unsigned female(unsigned n) { return n == 0 ? 1 : n - male(female(n - 1)); }
static NOINLINE unsigned male(unsigned n) { return n == 0 ? 0 : n - female(male(n - 1)); }

/* A frame per level and work after the call, so that it cannot become a loop. */
static NOINLINE uint32_t deep(uint32_t n, volatile uint32_t *sink) {
  volatile uint32_t local[4] = {n, n * 3, n ^ 0x5555, 0};
  if (n == 0) return 1;
  local[3] = deep(n - 1, sink);
  *sink += local[0];
  return local[3] * 31 + local[1] + local[2];
}

static unsigned moves;
static NOINLINE void hanoi(int n, int from, int to, int via) {
  if (n == 0) return;
  hanoi(n - 1, from, via, to);
  moves = moves * 7 + (unsigned)(from * 3 + to);
  hanoi(n - 1, via, to, from);
}

static unsigned permutations, permutation_sum;
static NOINLINE void permute(char *s, int k, int n) {
  if (k == n) {
    permutations++;
    for (int i = 0; i < n; i++) permutation_sum = permutation_sum * 31 + (unsigned char)s[i];
    return;
  }
  for (int i = k; i < n; i++) {
    char t = s[k];
    s[k] = s[i];
    s[i] = t;
    permute(s, k + 1, n);
    s[i] = s[k];
    s[k] = t;
  }
}

/* Twelve arguments: four of them travel on the stack. */
static NOINLINE uint64_t many(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j,
                              uint64_t k, int l) {
  if (a == 0) return (uint64_t)(b + c * 2 + d * 3 + e * 5 + f * 7 + g * 11 + h * 13) + k + (unsigned)l;
  return many(a - 1, c, d, e, f, g, h, i, j, b, k * 3 + (unsigned)a, l + 1) + (unsigned)i;
}

int main(void) {
  printf("ackermann(2, 9) = %u\n", ackermann(2, 9));
  printf("ackermann(3, 5) = %u\n", ackermann(3, 5));
  printf("even(1001) = %d, odd(1001) = %d\n", is_even(1001), is_odd(1001));
  printf("female(40) = %u, male(40) = %u\n", female(40), male(40));
  volatile uint32_t sink = 0;
  uint32_t d = deep(30000, &sink);
  printf("deep(30000) = %08lx, sum %lu\n", (unsigned long)d, (unsigned long)sink);
  hanoi(14, 1, 3, 2);
  printf("hanoi(14) = %08x\n", moves);
  char s[] = "abcdefg";
  permute(s, 0, 7);
  printf("%u permutations, %08x, then %s\n", permutations, permutation_sum, s);
  uint64_t m = many(20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  printf("many = %08lx%08lx\n", (unsigned long)(m >> 32), (unsigned long)m);
  return 0;
}
