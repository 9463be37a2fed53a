#include "rt.h"
static uint32_t K[64], H[8];
static uint8_t buf[1 << 20];
static uint32_t ror(uint32_t x, int n) { return x >> n | x << (32 - n); }
/* constants generated from primes by integer root (no table, no float) */
static uint32_t fracroot(uint32_t p, int cube) {
  /* frac(p^(1/2|1/3))*2^32 by bisection on 64-bit fixed point (8.32) */
  uint64_t lo = 0, hi = (uint64_t)20 << 32;
  for (int it = 0; it < 70 && hi - lo > 1; it++) {
    uint64_t m = lo + (hi - lo) / 2;
    /* 128-bit product by 32-bit limbs: compare m^k with p<<(32k) */
    uint32_t a[6] = {(uint32_t)m, (uint32_t)(m >> 32), 0, 0, 0, 0}, c[6] = {1, 0, 0, 0, 0, 0};
    int k = cube ? 3 : 2;
    for (int e = 0; e < k; e++) {
      uint32_t t[6] = {0, 0, 0, 0, 0, 0};
      for (int i = 0; i < 6; i++) { uint64_t cy = 0; for (int j = 0; j < 2 && i + j < 6; j++) { uint64_t v = (uint64_t)c[i] * a[j] + t[i + j] + cy; t[i + j] = (uint32_t)v; cy = v >> 32; } if (i + 2 < 6) { uint64_t v = (uint64_t)t[i + 2] + cy; t[i + 2] = (uint32_t)v; if (v >> 32 && i + 3 < 6) t[i + 3]++; } }
      for (int i = 0; i < 6; i++) c[i] = t[i];
    }
    int gt = 0; for (int i = 5; i > k; i--) if (c[i]) gt = 1;
    if (!gt) gt = c[k] >= p;   /* m^k >= p*2^(32k) */
    if (gt) hi = m; else lo = m;
  }
  return (uint32_t)lo;
}
static NOINLINE void block(const uint8_t *p) {
  uint32_t w[64], a, b, c, d, e, f, g, h;
  for (int i = 0; i < 16; i++) w[i] = (uint32_t)p[i * 4] << 24 | (uint32_t)p[i * 4 + 1] << 16 | (uint32_t)p[i * 4 + 2] << 8 | p[i * 4 + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t s0 = ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3, s1 = ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  a = H[0]; b = H[1]; c = H[2]; d = H[3]; e = H[4]; f = H[5]; g = H[6]; h = H[7];
  for (int i = 0; i < 64; i++) {
    uint32_t t1 = h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i];
    uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;
  }
  H[0] += a; H[1] += b; H[2] += c; H[3] += d; H[4] += e; H[5] += f; H[6] += g; H[7] += h;
}
int main(void) {
  int n = 0; for (uint32_t p = 2; n < 64; p++) { int pr = 1; for (uint32_t q = 2; q * q <= p; q++) if (p % q == 0) { pr = 0; break; } if (pr) { K[n] = fracroot(p, 1); if (n < 8) H[n] = fracroot(p, 0); n++; } }
  for (unsigned i = 0; i < sizeof buf; i++) buf[i] = (uint8_t)rnd();
  /* 4 x 64 MiB */
  for (int r = 0; r < (int)WORK(256); r++) { buf[r * 17] ^= r; for (unsigned i = 0; i < sizeof buf; i += 64) block(buf + i); }
  out("K0K63", (uint64_t)K[0] << 32 | K[63]);
  out("sha256", (uint64_t)H[0] << 32 | H[7]); return 0;
}
