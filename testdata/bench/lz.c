#include "rt.h"
/* small LZ77 (hash chain of depth 1, byte tokens) compress + decompress + byte shuffle */
#define N (TEST_SCALE >= 50 ? 1 << 18 : 4 << 20)
static uint8_t src[N], dst[N + N / 8 + 64], back[N];
static uint32_t tab[1 << 15];
static inline uint32_t ld4(const uint8_t *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }
static NOINLINE uint32_t comp(const uint8_t *s, uint32_t n, uint8_t *d) {
  uint32_t i = 0, o = 0, lit = 0;
  for (uint32_t k = 0; k < 1u << 15; k++) tab[k] = 0;
  while (i + 8 < n) {
    uint32_t v = ld4(s + i), h = (v * 2654435761u) >> 17, c = tab[h]; tab[h] = i + 1;
    if (c && i - (c - 1) < 65535 && ld4(s + c - 1) == v) {
      uint32_t m = c - 1, l = 4; while (i + l < n && l < 259 && s[m + l] == s[i + l]) l++;
      while (lit) { uint32_t t = lit > 127 ? 127 : lit; d[o++] = t; for (uint32_t k = 0; k < t; k++) d[o++] = s[i - lit + k]; lit -= t; }
      uint32_t off = i - m; d[o++] = 128; d[o++] = l - 4; d[o++] = off; d[o++] = off >> 8; i += l;
    } else { i++; lit++; }
  }
  lit += n - i;
  while (lit) { uint32_t t = lit > 127 ? 127 : lit; d[o++] = t; for (uint32_t k = 0; k < t; k++) d[o++] = s[n - lit + k]; lit -= t; }
  return o;
}
static NOINLINE uint32_t decomp(const uint8_t *s, uint32_t n, uint8_t *d) {
  uint32_t i = 0, o = 0;
  while (i < n) {
    uint32_t t = s[i++];
    if (t < 128) { for (uint32_t k = 0; k < t; k++) d[o++] = s[i++]; }
    else { uint32_t l = s[i] + 4u, off = s[i + 1] | s[i + 2] << 8; i += 3; for (uint32_t k = 0; k < l; k++) { d[o] = d[o - off]; o++; } }
  }
  return o;
}
static NOINLINE void shuffle4(const uint8_t *s, uint32_t n, uint8_t *d) { uint32_t q = n / 4; for (uint32_t i = 0; i < q; i++) { d[i] = s[4 * i]; d[q + i] = s[4 * i + 1]; d[2 * q + i] = s[4 * i + 2]; d[3 * q + i] = s[4 * i + 3]; } }
int main(void) {
  /* word-ish text: 256 random "words" picked with skew */
  static uint8_t words[256][12]; for (int i = 0; i < 256; i++) for (int j = 0; j < 12; j++) words[i][j] = 'a' + rnd() % 26;
  for (uint32_t i = 0; i < N;) { uint32_t w = rnd(); w = (w & 255) & (w >> 8); uint32_t l = 3 + (w % 9); for (uint32_t k = 0; k < l && i < N; k++) src[i++] = words[w & 255][k]; if (i < N) src[i++] = ' '; if (i < N && (rnd() & 15) == 0) src[i++] = (uint8_t)rnd(); }
  uint64_t s = 0;
  for (int r = 0; r < (int)(TEST_SCALE >= 50 ? 3 : TEST_SCALE > 1 ? 6 : 56 * N_SCALE); r++) {
    src[(r * 7919) % N] ^= 1; uint32_t c = comp(src, N, dst), u = decomp(dst, c, back);
    uint32_t bad = 0; for (uint32_t i = 0; i < N; i++) bad += back[i] != src[i];
    shuffle4(src, N, back); for (uint32_t i = 0; i < N; i += 97) s = s * 31 + back[i];
    s = s * 131 + c + u + bad * 77777u;
    if (r == 0) out("lzsize", c);
  }
  out("lz", s); return 0;
}
