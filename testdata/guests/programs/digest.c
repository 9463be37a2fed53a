/* Base64 and checksums of standard input: what command-line tools print, so that a mistake is easy
 * to see.
 *
 *   digest [md5|sha1|crc32|adler32|base64|unbase64]     all checksums without an argument */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *data;
static uint32_t size;

static uint32_t rotl(uint32_t x, int n) { return x << n | x >> (32 - n); }

/* Appends the padding of MD5 and SHA-1 to a copy of the data; returns the number of 64-byte blocks. */
static uint32_t padded(uint8_t **copy, int big_endian) {
  uint32_t blocks = (size + 8) / 64 + 1;
  uint8_t *p = calloc(blocks, 64);
  memcpy(p, data, size);
  p[size] = 0x80;
  uint64_t bits = (uint64_t)size * 8;
  for (int i = 0; i < 8; i++) p[blocks * 64 - 8 + (uint32_t)(big_endian ? 7 - i : i)] = (uint8_t)(bits >> (8 * i));
  *copy = p;
  return blocks;
}

static void md5(void) {
  static const uint8_t kShift[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  static uint32_t k[64];
  /* The constants are floor(2^32 * |sin(i + 1)|). */
  for (int i = 0; i < 64; i++) k[i] = (uint32_t)(4294967296.0 * fabs(sin(i + 1)));
  uint32_t h[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  uint8_t *p;
  uint32_t blocks = padded(&p, 0);
  for (uint32_t b = 0; b < blocks; b++) {
    uint32_t w[16], A = h[0], B = h[1], C = h[2], D = h[3];
    memcpy(w, p + 64 * b, 64); /* both are little-endian */
    for (int i = 0; i < 64; i++) {
      uint32_t f;
      int g;
      switch (i / 16) {
        case 0: f = (B & C) | (~B & D); g = i; break;
        case 1: f = (D & B) | (~D & C); g = (5 * i + 1) & 15; break;
        case 2: f = B ^ C ^ D; g = (3 * i + 5) & 15; break;
        default: f = C ^ (B | ~D); g = (7 * i) & 15; break;
      }
      uint32_t t = A + f + k[i] + w[g];
      A = D;
      D = C;
      C = B;
      B += rotl(t, kShift[i / 16][i & 3]);
    }
    h[0] += A, h[1] += B, h[2] += C, h[3] += D;
  }
  free(p);
  printf("md5      ");
  for (int i = 0; i < 16; i++) printf("%02x", (unsigned)(h[i / 4] >> (8 * (i & 3)) & 255));
  printf("\n");
}

static void sha1(void) {
  uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  uint8_t *p;
  uint32_t blocks = padded(&p, 1);
  for (uint32_t b = 0; b < blocks; b++) {
    uint32_t w[80], v[5];
    for (int i = 0; i < 16; i++) {
      const uint8_t *q = p + 64 * b + 4 * i;
      w[i] = (uint32_t)q[0] << 24 | (uint32_t)q[1] << 16 | (uint32_t)q[2] << 8 | q[3];
    }
    for (int i = 16; i < 80; i++) w[i] = rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 80; i++) {
      uint32_t f, k;
      if (i < 20) f = (v[1] & v[2]) | (~v[1] & v[3]), k = 0x5a827999;
      else if (i < 40) f = v[1] ^ v[2] ^ v[3], k = 0x6ed9eba1;
      else if (i < 60) f = (v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3]), k = 0x8f1bbcdc;
      else f = v[1] ^ v[2] ^ v[3], k = 0xca62c1d6;
      uint32_t t = rotl(v[0], 5) + f + v[4] + k + w[i];
      v[4] = v[3], v[3] = v[2], v[2] = rotl(v[1], 30), v[1] = v[0], v[0] = t;
    }
    for (int i = 0; i < 5; i++) h[i] += v[i];
  }
  free(p);
  printf("sha1     ");
  for (int i = 0; i < 5; i++) printf("%08lx", (unsigned long)h[i]);
  printf("\n");
}

static void crc32(void) {
  uint32_t table[256], c = 0xffffffff;
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t t = i;
    for (int k = 0; k < 8; k++) t = t & 1 ? t >> 1 ^ 0xedb88320 : t >> 1;
    table[i] = t;
  }
  for (uint32_t i = 0; i < size; i++) c = table[(c ^ data[i]) & 255] ^ c >> 8;
  printf("crc32    %08lx\n", (unsigned long)~c);
}

static void adler32(void) {
  uint32_t a = 1, b = 0;
  for (uint32_t i = 0; i < size; i++) a = (a + data[i]) % 65521, b = (b + a) % 65521;
  printf("adler32  %08lx\n", (unsigned long)(b << 16 | a));
}

static const char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void base64(void) {
  for (uint32_t i = 0, column = 0; i < size; i += 3) {
    uint32_t n = size - i, v = (uint32_t)data[i] << 16;
    if (n > 1) v |= (uint32_t)data[i + 1] << 8;
    if (n > 2) v |= data[i + 2];
    putchar(kDigits[v >> 18]);
    putchar(kDigits[v >> 12 & 63]);
    putchar(n > 1 ? kDigits[v >> 6 & 63] : '=');
    putchar(n > 2 ? kDigits[v & 63] : '=');
    column += 4;
    if (column == 76 || n <= 3) putchar('\n'), column = 0;
  }
}

static int unbase64(void) {
  uint32_t v = 0, bits = 0;
  for (uint32_t i = 0; i < size; i++) {
    if (data[i] == '\n' || data[i] == '=') continue;
    const char *d = memchr(kDigits, data[i], 64);
    if (!d) return printf("bad character at %lu\n", (unsigned long)i), 1;
    v = v << 6 | (uint32_t)(d - kDigits);
    bits += 6;
    if (bits >= 8) bits -= 8, putchar((int)(v >> bits & 255));
  }
  return 0;
}

int main(int argc, char **argv) {
  uint32_t room = 0;
  int c;
  while ((c = getchar()) != EOF) {
    if (size == room) data = realloc(data, room = room ? room * 2 : 1024);
    data[size++] = (uint8_t)c;
  }
  const char *what = argc > 1 ? argv[1] : "all";
  int all = !strcmp(what, "all");
  if (!strcmp(what, "base64")) return base64(), 0;
  if (!strcmp(what, "unbase64")) return unbase64();
  int known = all;
  if (all || !strcmp(what, "md5")) md5(), known = 1;
  if (all || !strcmp(what, "sha1")) sha1(), known = 1;
  if (all || !strcmp(what, "crc32")) crc32(), known = 1;
  if (all || !strcmp(what, "adler32")) adler32(), known = 1;
  return known ? 0 : (printf("unknown: %s\n", what), 2);
}
