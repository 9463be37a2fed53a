/* Exact arithmetic: a calculator for integers of any size. One expression a line on standard input:
 * + - * / % ^ ! ( ) and names (x = 12). Division truncates. */
#include <ctype.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  int negative, n;
  uint32_t *d; /* base 2^32, least first, no leading zeros */
} big;

static jmp_buf on_error;
static void fail(const char *what) {
  printf("error: %s\n", what);
  longjmp(on_error, 1);
}

/* Everything allocated for one line is released with it. */
static void *owned[20000];
static int owned_count;
static uint32_t *digits(int n) {
  if (owned_count == 20000) fail("too long");
  uint32_t *d = calloc((size_t)n + 1, 4);
  if (!d) fail("out of memory");
  owned[owned_count++] = d;
  return d;
}
static big make(int n) { return (big){0, n, digits(n)}; }
static big trim(big a) {
  while (a.n && !a.d[a.n - 1]) a.n--;
  if (!a.n) a.negative = 0;
  return a;
}
static big small(uint32_t v) {
  big r = make(1);
  r.d[0] = v;
  return trim(r);
}
static int compare(big a, big b) {
  if (a.n != b.n) return a.n < b.n ? -1 : 1;
  for (int i = a.n - 1; i >= 0; i--)
    if (a.d[i] != b.d[i]) return a.d[i] < b.d[i] ? -1 : 1;
  return 0;
}
static big add_magnitude(big a, big b) {
  if (a.n < b.n) return add_magnitude(b, a);
  big r = make(a.n + 1);
  uint64_t carry = 0;
  for (int i = 0; i < a.n; i++) {
    carry += (uint64_t)a.d[i] + (i < b.n ? b.d[i] : 0);
    r.d[i] = (uint32_t)carry;
    carry >>= 32;
  }
  r.d[a.n] = (uint32_t)carry;
  return trim(r);
}
static big sub_magnitude(big a, big b) { /* a >= b */
  big r = make(a.n);
  int64_t borrow = 0;
  for (int i = 0; i < a.n; i++) {
    borrow += (int64_t)a.d[i] - (i < b.n ? b.d[i] : 0);
    r.d[i] = (uint32_t)borrow;
    borrow >>= 32;
  }
  return trim(r);
}
static big add(big a, big b) {
  big r;
  if (a.negative == b.negative) {
    r = add_magnitude(a, b);
    r.negative = a.negative;
  } else if (compare(a, b) >= 0) {
    r = sub_magnitude(a, b);
    r.negative = a.negative;
  } else {
    r = sub_magnitude(b, a);
    r.negative = b.negative;
  }
  return trim(r);
}
static big negate(big a) {
  a.negative = !a.negative;
  return trim(a);
}
static big multiply(big a, big b) {
  if (a.n + b.n > 3000) fail("too big");
  big r = make(a.n + b.n);
  for (int i = 0; i < a.n; i++) {
    uint64_t carry = 0;
    for (int j = 0; j < b.n; j++) {
      carry += (uint64_t)a.d[i] * b.d[j] + r.d[i + j];
      r.d[i + j] = (uint32_t)carry;
      carry >>= 32;
    }
    r.d[i + b.n] = (uint32_t)carry;
  }
  r.negative = a.negative != b.negative;
  return trim(r);
}
static uint32_t divide_small(big *a, uint32_t b) { /* in place; the remainder */
  uint64_t rest = 0;
  for (int i = a->n - 1; i >= 0; i--) {
    rest = rest << 32 | a->d[i];
    a->d[i] = (uint32_t)(rest / b);
    rest %= b;
  }
  *a = trim(*a);
  return (uint32_t)rest;
}
/* Long division with normalized operands. */
static big divide(big a, big b, big *rest) {
  if (!b.n) fail("division by zero");
  big q = make(a.n + 1), r;
  if (compare(a, b) < 0) {
    r = a;
  } else if (b.n == 1) {
    memcpy(q.d, a.d, (size_t)a.n * 4);
    q.n = a.n;
    r = small(divide_small(&q, b.d[0]));
  } else {
    int s = __builtin_clz(b.d[b.n - 1]);
    big u = make(a.n + 1), v = make(b.n);
    for (int i = a.n; i >= 0; i--) {
      uint32_t high = i < a.n ? a.d[i] : 0, low = i ? a.d[i - 1] : 0;
      u.d[i] = s ? high << s | low >> (32 - s) : high;
    }
    for (int i = b.n - 1; i >= 0; i--)
      v.d[i] = s ? b.d[i] << s | (i ? b.d[i - 1] >> (32 - s) : 0) : b.d[i];
    for (int j = a.n - b.n; j >= 0; j--) {
      uint64_t top = (uint64_t)u.d[j + b.n] << 32 | u.d[j + b.n - 1];
      uint64_t guess = top / v.d[b.n - 1], left = top % v.d[b.n - 1];
      while (guess >> 32 || guess * v.d[b.n - 2] > (left << 32 | u.d[j + b.n - 2])) {
        guess--;
        left += v.d[b.n - 1];
        if (left >> 32) break;
      }
      int64_t borrow = 0;
      uint64_t carry = 0;
      for (int i = 0; i < b.n; i++) {
        carry += guess * v.d[i];
        borrow += (int64_t)u.d[i + j] - (uint32_t)carry;
        u.d[i + j] = (uint32_t)borrow;
        borrow >>= 32;
        carry >>= 32;
      }
      borrow += (int64_t)u.d[j + b.n] - (int64_t)carry;
      u.d[j + b.n] = (uint32_t)borrow;
      if (borrow < 0) {
        guess--;
        carry = 0;
        for (int i = 0; i < b.n; i++) {
          carry += (uint64_t)u.d[i + j] + v.d[i];
          u.d[i + j] = (uint32_t)carry;
          carry >>= 32;
        }
        u.d[j + b.n] += (uint32_t)carry;
      }
      q.d[j] = (uint32_t)guess;
    }
    r = make(b.n);
    for (int i = 0; i < b.n; i++) r.d[i] = s ? u.d[i] >> s | u.d[i + 1] << (32 - s) : u.d[i];
  }
  q.negative = a.negative != b.negative;
  r.negative = a.negative;
  *rest = trim(r);
  return trim(q);
}
static void print(big a) {
  if (!a.n) {
    printf("0\n");
    return;
  }
  big t = make(a.n);
  memcpy(t.d, a.d, (size_t)a.n * 4);
  uint32_t *parts = digits(a.n * 2);
  int n = 0;
  while (t.n) parts[n++] = divide_small(&t, 1000000000);
  printf("%s%lu", a.negative ? "-" : "", (unsigned long)parts[--n]);
  while (n) printf("%09lu", (unsigned long)parts[--n]);
  printf("\n");
}

static const char *p;
static big names[26];
static big sum(void);
static char peek(void) {
  while (*p == ' ') p++;
  return *p;
}
static big atom(void) {
  char c = peek();
  if (c == '(') {
    p++;
    big r = sum();
    if (peek() != ')') fail("missing )");
    p++;
    return r;
  }
  if (c == '-') return p++, negate(atom());
  if (c >= 'a' && c <= 'z') return p++, names[c - 'a'];
  if (!isdigit((unsigned char)c)) fail("a number is missing");
  big r = small(0);
  while (isdigit((unsigned char)*p)) {
    uint32_t v = 0, scale = 1;
    while (isdigit((unsigned char)*p) && scale < 100000000) v = v * 10 + (uint32_t)(*p++ - '0'), scale *= 10;
    r = add(multiply(r, small(scale)), small(v));
  }
  return r;
}
static uint32_t modest(big a) {
  if (a.negative || a.n > 1 || (a.n && a.d[0] > 5000)) fail("out of range");
  return a.n ? a.d[0] : 0;
}
static big power(void) {
  big a = atom();
  while (peek() == '!') {
    p++;
    uint32_t n = modest(a);
    a = small(1);
    for (uint32_t i = 2; i <= n; i++) a = multiply(a, small(i));
  }
  if (peek() != '^') return a;
  p++;
  uint32_t n = modest(power());
  big r = small(1);
  for (; n; n >>= 1) {
    if (n & 1) r = multiply(r, a);
    if (n > 1) a = multiply(a, a);
  }
  return r;
}
static big product(void) {
  big a = power();
  for (;;) {
    char c = peek();
    if (c != '*' && c != '/' && c != '%') return a;
    p++;
    big b = power(), rest;
    if (c == '*') {
      a = multiply(a, b);
    } else {
      big q = divide(a, b, &rest);
      a = c == '/' ? q : rest;
    }
  }
}
static big sum(void) {
  big a = product();
  for (;;) {
    char c = peek();
    if (c != '+' && c != '-') return a;
    p++;
    big b = product();
    a = add(a, c == '+' ? b : negate(b));
  }
}

int main(void) {
  static char line[2000];
  static uint32_t kept[26][3000];
  for (int i = 0; i < 26; i++) names[i].d = kept[i];
  int n = 0, c;
  volatile int errors = 0;
  do {
    c = getchar();
    if (c != '\n' && c != EOF) {
      if (n < 1999) line[n++] = (char)c;
      continue;
    }
    line[n] = 0;
    n = 0;
    p = line;
    if (!peek() || *p == '#') continue;
    if (setjmp(on_error) == 0) {
      int name = -1;
      if (*p >= 'a' && *p <= 'z') {
        const char *q = p + 1;
        while (*q == ' ') q++;
        if (*q == '=') name = *p - 'a', p = q + 1;
      }
      big r = sum();
      if (peek()) fail("something follows");
      if (name >= 0) {
        memmove(kept[name], r.d, (size_t)r.n * 4);
        names[name] = (big){r.negative, r.n, kept[name]};
      } else {
        print(r);
      }
    } else {
      errors++;
    }
    while (owned_count) free(owned[--owned_count]);
  } while (c != EOF);
  return errors;
}
