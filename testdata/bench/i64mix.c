#include "rt.h"
/* 64-bit integer arithmetic: mul, rotate, shift, div */
static uint64_t tbl[1 << 12];
static inline uint64_t rotl(uint64_t x, int r) { return x << r | x >> (64 - r); }
int main(void) {
  uint64_t a = 0x9e3779b97f4a7c15ull, b = 0xbf58476d1ce4e5b9ull, s = 0;
  for (int i = 0; i < 4096; i++) { a = rotl(a * b, 17) + i; tbl[i] = a; }
  for (uint32_t i = 0; i < WORK(300000000u); i++) {
    uint64_t v = tbl[(a >> 20) & 4095]; a = rotl(a ^ v, 23) * b + i; s += (a >> 32) ^ (a < v);
    if ((i & 31) == 0) { s ^= a / ((v >> 40) | 1); tbl[i & 4095] += s; }
  }
  out("i64mix", s + a); return 0;
}
