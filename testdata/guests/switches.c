/* Jump tables: dense, sparse, nested and offset switches, switches on chars and 64-bit values, and
 * an interpreter with computed goto. */
#include <stdint.h>
#include <stdio.h>

#define NOINLINE __attribute__((noinline))

static NOINLINE int dense(int x) {
  switch (x) {
    case 0: return 17;
    case 1: return x * 3 + 1;
    case 2: return -5;
    case 3: return x << 7;
    case 4: return x ^ 0x55;
    case 5: return 1000 - x;
    case 6: return 99;
    case 7: return x * x * x;
    case 8: return ~x;
    case 9: return 12345;
    case 10: return x % 3;
    case 11: return x | 64;
    default: return -1;
  }
}

static NOINLINE int offset(int x) { /* the table starts at a negative value and has holes */
  switch (x) {
    case -5: return 1;
    case -4: return 20;
    case -3:
    case -2: return 300;
    case 0: return 4000;
    case 1: return 50000;
    case 2: return 7;
    case 4: return 77;
    case 5: return 777;
  }
  return 0;
}

static NOINLINE int sparse(uint32_t x) {
  switch (x) {
    case 3: return 1;
    case 1000: return 2;
    case 65536: return 3;
    case 0x7fffffff: return 4;
    case 0x80000000: return 5;
    case 0xffffffff: return 6;
    case 123456789: return 7;
    default: return 0;
  }
}

static NOINLINE int nested(int a, int b) {
  int r = 0;
  switch (a) {
    case 0:
      switch (b) {
        case 0: r = 1; break;
        case 1: r = 2; /* falls through */
        case 2: r += 3; break;
        case 3: return 44;
        case 4: r = 9; break;
        case 5: r = 14; break;
        default: r = -1;
      }
      break;
    case 1: r = 10; /* falls through */
    case 2: r += 20; /* falls through */
    case 3:
      switch (b & 7) {
        case 0: r += 1; break;
        case 1: r ^= 2; break;
        case 2: r *= 3; break;
        case 3: r -= 4; break;
        case 4: r <<= 2; break;
        case 5: r = ~r; break;
        case 6: r = b; break;
        case 7: r = a; break;
      }
      r += 5;
      break;
    case 4: r = b * 2; break;
    case 5: return b - 1;
    default: r = 1000 + b;
  }
  return r * 2 + a;
}

static NOINLINE int classify(char c) {
  switch (c) {
    case 'a' ... 'f': return 1;
    case 'g' ... 'z': return 2;
    case '0' ... '9': return 3;
    case ' ':
    case '\t':
    case '\n': return 4;
    case '(':
    case '[':
    case '{': return 5;
    case ')':
    case ']':
    case '}': return 6;
    case '+':
    case '-':
    case '*':
    case '/': return 7;
    default: return 0;
  }
}

static NOINLINE int wide(uint64_t x) {
  switch (x) {
    case 0: return 1;
    case 0x100000000ull: return 2;
    case 0x100000001ull: return 3;
    case 0xffffffffffffffffull: return 4;
    default: return 5;
  }
}

/* 256 cases, most of them different code. */
#define ONE(n) case (n): return x * (2 * (n) + 1) + (n) % 13;
#define TEN(n) ONE(n) ONE(n + 1) ONE(n + 2) ONE(n + 3) ONE(n + 4) ONE(n + 5) ONE(n + 6) ONE(n + 7)
#define ROW(n) TEN(n) TEN(n + 8) TEN(n + 16) TEN(n + 24)
static NOINLINE unsigned big(unsigned k, unsigned x) {
  switch (k) {
    ROW(0) ROW(32) ROW(64) ROW(96) ROW(128) ROW(160) ROW(192) ROW(224)
  }
  return 0;
}

enum { LIT, ADD, MUL, SUB, SWAP, DUP, JNZ, DEC, DROP, ROT, END };
static NOINLINE uint32_t interpret(const uint8_t *code, uint64_t *executed) {
  static const void *const kLabels[] = {&&lit, &&add, &&mul, &&sub, &&swap, &&dup,
                                        &&jnz, &&dec, &&drop, &&rot, &&end};
  uint32_t stack[16], *sp = stack, t;
  const uint8_t *pc = code;
  uint64_t n = 0;
#define NEXT() do { n++; goto *kLabels[*pc++]; } while (0)
  NEXT();
lit: *sp++ = *pc++; NEXT();
add: sp--; sp[-1] += sp[0]; NEXT();
mul: sp--; sp[-1] *= sp[0]; NEXT();
sub: sp--; sp[-1] -= sp[0]; NEXT();
swap: t = sp[-1]; sp[-1] = sp[-2]; sp[-2] = t; NEXT();
dup: sp[0] = sp[-1]; sp++; NEXT();
jnz: if (sp[-1]) pc = code + *pc; else pc++; NEXT();
dec: sp[-1]--; NEXT();
drop: sp--; NEXT();
rot: t = sp[-1]; sp[-1] = sp[-3]; sp[-3] = sp[-2]; sp[-2] = t; NEXT();
end: *executed = n; return sp[-1];
}

int main(void) {
  uint32_t h = 1;
  for (int i = -2; i < 14; i++) h = h * 31 + (uint32_t)dense(i);
  printf("dense %08lx\n", (unsigned long)h);
  for (int i = -8; i < 9; i++) h = h * 31 + (uint32_t)offset(i);
  printf("offset %08lx\n", (unsigned long)h);
  static const uint32_t kKeys[] = {0, 3, 4, 999, 1000, 1001, 65536, 0x7fffffff, 0x80000000,
                                   0xffffffff, 123456789, 0x80000001};
  for (unsigned i = 0; i < sizeof kKeys / sizeof *kKeys; i++) printf("%d", sparse(kKeys[i]));
  printf(" sparse\n");
  for (int a = -1; a < 8; a++)
    for (int b = -1; b < 10; b++) h = h * 31 + (uint32_t)nested(a, b);
  printf("nested %08lx\n", (unsigned long)h);
  for (const char *p = "if (x1 + y_2) { z[3] = 'Q'; }\t"; *p; p++) printf("%d", classify(*p));
  printf(" classify\n");
  printf("wide %d%d%d%d%d\n", wide(0), wide(1), wide(0x100000000ull), wide(0x100000001ull), wide(-1));
  for (unsigned i = 0; i < 300; i++) h = h * 31 + big(i, i * 7 + 3);
  printf("big %08lx\n", (unsigned long)h);
  static const uint8_t kCode[] = {LIT, 1, LIT, 250, /* acc counter */
                                  SWAP, LIT, 3, MUL, LIT, 7, ADD, SWAP, DEC, JNZ, 4, DROP, END};
  uint64_t n = 0;
  uint32_t r = interpret(kCode, &n);
  printf("interpret %08lx in %lu\n", (unsigned long)r, (unsigned long)n);
  return 0;
}
