/* Memory and string routines: picolibc's against plain loops of our own, at every alignment, plus
 * misaligned word and halfword accesses. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, optimize("no-tree-loop-distribute-patterns")))

static NOINLINE void own_copy(char *d, const char *s, unsigned n) {
  if (d < s)
    for (unsigned i = 0; i < n; i++) d[i] = s[i];
  else
    for (unsigned i = n; i > 0; i--) d[i - 1] = s[i - 1];
}
static NOINLINE void own_set(char *d, int c, unsigned n) {
  while (n--) *d++ = (char)c;
}
static NOINLINE int own_compare(const char *a, const char *b, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (a[i] != b[i]) return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
  return 0;
}
static NOINLINE unsigned own_length(const char *s) {
  unsigned n = 0;
  while (s[n]) n++;
  return n;
}
static int sign(int x) { return (x > 0) - (x < 0); }

static char a[512], b[512];
static uint32_t seed = 99;
static uint32_t next(void) { return seed = seed * 1103515245 + 12345; }

static void refill(void) {
  for (unsigned i = 0; i < sizeof a; i++) a[i] = b[i] = (char)(next() >> 16);
}

static NOINLINE uint32_t load_word(const char *p) {
  return *(const volatile uint32_t *)(const void *)p;
}
static NOINLINE void store_word(char *p, uint32_t v) { *(volatile uint32_t *)(void *)p = v; }
static NOINLINE int16_t load_half(const char *p) { return *(const volatile int16_t *)(const void *)p; }
static NOINLINE void store_half(char *p, uint16_t v) { *(volatile uint16_t *)(void *)p = v; }

int main(void) {
  int bad = 0, done = 0;
  for (unsigned so = 0; so < 8; so++)
    for (unsigned to = 0; to < 8; to++)
      for (unsigned n = 0; n < 70; n += 1 + n / 9) {
        refill();
        memcpy(a + 128 + to, a + so, n);
        own_copy(b + 128 + to, b + so, n);
        bad += own_compare(a, b, sizeof a) != 0;
        memmove(a + 30 + to, a + 30 + so + n / 2, n);
        own_copy(b + 30 + to, b + 30 + so + n / 2, n);
        bad += own_compare(a, b, sizeof a) != 0;
        memmove(a + 30 + so + n / 3, a + 30 + to, n);
        own_copy(b + 30 + so + n / 3, b + 30 + to, n);
        bad += memcmp(a, b, sizeof a) != 0;
        memset(a + so, (int)to, n);
        own_set(b + so, (int)to, n);
        bad += memcmp(a, b, sizeof a) != 0;
        done += 4;
      }
  printf("copies %d, wrong %d\n", done, bad);

  bad = done = 0;
  for (unsigned o = 0; o < 4; o++)
    for (unsigned p = 0; p < 4; p++)
      for (unsigned n = 0; n < 40; n++) {
        own_set(a, 'x', 64), own_set(b, 'x', 64);
        a[o + n] = 0, b[p + n] = 0;
        bad += strlen(a + o) != own_length(a + o) || strlen(a + o) != n;
        bad += strcmp(a + o, b + p) != 0;
        if (n) {
          b[p + n / 2] = (char)(o & 1 ? 'y' : 0xe0);
          bad += sign(strcmp(a + o, b + p)) != own_compare(a + o, b + p, n + 1);
          bad += sign(memcmp(a + o, b + p, n)) != own_compare(a + o, b + p, n);
          bad += strncmp(a + o, b + p, n / 2) != 0;
          bad += memchr(b + p, b[p + n / 2], n) != b + p + n / 2;
          bad += strchr(b + p, b[p + n / 2]) != b + p + n / 2;
        }
        done++;
      }
  printf("compares %d, wrong %d\n", done, bad);

  char text[] = "the quick,brown;fox  jumps,,over";
  for (char *t = strtok(text, " ,;"); t; t = strtok(NULL, " ,;")) printf("[%s]", t);
  printf("\n");
  strcpy(a, "abc");
  strcat(a, "defabcdef");
  strncpy(b, "0123456789", 6);
  b[6] = 0;
  printf("%s %s %s %s %d %d\n", a, b, strstr(a, "fab"), strrchr(a, 'd'), (int)strspn(a, "cab"),
         (int)strcspn(a, "xf"));
  for (char *p = a; *p; p++) *p = (char)toupper((unsigned char)*p);
  printf("%s %ld %lu %d\n", a, strtol("-0x7fzz", NULL, 0), strtoul("4294967295", NULL, 10),
         atoi("  -98765 "));
  char line[64];
  snprintf(line, sizeof line, "%05d|%-6s|%6s|%x|%#o|%c|%+d|%%|%.3s", 42, "ab", "cd", 0xbeef, 8, '!', 7,
           "xyzzy");
  printf("%s\n", line);

  /* Misaligned accesses are done, byte by byte if need be. */
  for (int i = 0; i < 64; i++) a[i] = (char)(i * 37 + 11);
  uint32_t sum = 0;
  for (int i = 0; i < 16; i++) sum = sum * 31 + load_word(a + i) + (uint32_t)load_half(a + i + 20);
  printf("misaligned loads %08lx\n", (unsigned long)sum);
  for (int i = 0; i < 8; i++) {
    store_word(a + 5 * i + 1, 0x01020304u * (unsigned)(i + 1));
    store_half(a + 5 * i + 43 - i, (uint16_t)(0x8001 + i));
  }
  sum = 0;
  for (int i = 0; i < 90; i++) sum = sum * 31 + (unsigned char)a[i];
  printf("misaligned stores %08lx\n", (unsigned long)sum);
  return 0;
}
