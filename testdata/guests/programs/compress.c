/* Compression there and back: Huffman codes over an LZ77 with hash chains, and a Burrows-Wheeler
 * transform with move-to-front. Reads standard input (or makes N bytes up), compresses, expands,
 * compares.
 *
 *   compress [N] */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *data;
static uint32_t size;

/* --- bits --- */
static uint8_t *out;
static uint32_t out_bits, in_bits;
static void put_bits(uint32_t v, int n) {
  for (int i = n - 1; i >= 0; i--, out_bits++)
    if (v >> i & 1) out[out_bits >> 3] |= (uint8_t)(0x80 >> (out_bits & 7));
}
static uint32_t get_bit(void) {
  uint32_t b = out[in_bits >> 3] >> (7 - (in_bits & 7)) & 1;
  in_bits++;
  return b;
}
static uint32_t get_bits(int n) {
  uint32_t v = 0;
  while (n--) v = v << 1 | get_bit();
  return v;
}

/* --- Huffman: symbols 0..255 are bytes, 256 + n a match of length n + 4, END the end --- */
enum { SYMBOLS = 512, END = 511 };
static uint32_t weight[2 * SYMBOLS], code[SYMBOLS];
static int16_t left[2 * SYMBOLS], right[2 * SYMBOLS];
static uint8_t bits_of[SYMBOLS];
static int tree_root;

static void assign(int node, uint32_t c, int n) {
  if (node < SYMBOLS) {
    code[node] = c;
    bits_of[node] = (uint8_t)n;
    return;
  }
  assign(left[node], c << 1, n + 1);
  assign(right[node], c << 1 | 1, n + 1);
}

static void build(void) {
  int live[2 * SYMBOLS], n = 0, next = SYMBOLS;
  for (int i = 0; i < SYMBOLS; i++)
    if (weight[i]) live[n++] = i;
  while (n > 1) {
    int pick[2];
    for (int k = 0; k < 2; k++) {
      int best = 0;
      for (int i = 1; i < n; i++)
        if (weight[live[i]] < weight[live[best]]) best = i;
      pick[k] = live[best];
      live[best] = live[--n];
    }
    left[next] = (int16_t)pick[0];
    right[next] = (int16_t)pick[1];
    weight[next] = weight[pick[0]] + weight[pick[1]];
    live[n++] = next++;
  }
  tree_root = live[0];
  assign(tree_root, 0, tree_root < SYMBOLS);
}
static int get_symbol(void) {
  int node = tree_root;
  if (node < SYMBOLS) in_bits++;
  while (node >= SYMBOLS) node = get_bit() ? right[node] : left[node];
  return node;
}

/* --- LZ77: pass 0 counts symbols, pass 1 writes them --- */
static uint32_t head[4096], *chain;
static uint32_t matches;
static void lz(int pass) {
  memset(head, 0xff, sizeof head);
  matches = 0;
  for (uint32_t i = 0; i < size;) {
    uint32_t best = 0, where = 0, h = 0;
    if (i + 4 <= size) {
      uint32_t w;
      memcpy(&w, data + i, 4); /* misaligned as often as not */
      h = w * 2654435761u >> 20;
      int tries = 16;
      for (uint32_t c = head[h]; c != 0xffffffff && tries-- && i - c < 32768; c = chain[c]) {
        uint32_t n = 0;
        while (n < 258 && i + n < size && data[c + n] == data[i + n]) n++;
        if (n > best) best = n, where = i - c;
      }
    }
    uint32_t step = best >= 4 ? (best > 258 ? 258 : best) : 1;
    if (step > 1) {
      matches++;
      if (pass == 0) weight[256 + step - 4]++;
      else put_bits(code[256 + step - 4], bits_of[256 + step - 4]), put_bits(where, 15);
    } else if (pass == 0) {
      weight[data[i]]++;
    } else {
      put_bits(code[data[i]], bits_of[data[i]]);
    }
    for (; step; step--, i++)
      if (i + 4 <= size) {
        uint32_t w;
        memcpy(&w, data + i, 4);
        h = w * 2654435761u >> 20;
        chain[i] = head[h];
        head[h] = i;
      }
  }
  if (pass == 0) weight[END]++;
  else put_bits(code[END], bits_of[END]);
}

static uint32_t expand(uint8_t *to) {
  uint32_t n = 0;
  for (;;) {
    int s = get_symbol();
    if (s == END) return n;
    if (s < 256) {
      to[n++] = (uint8_t)s;
      continue;
    }
    uint32_t length = (uint32_t)s - 256 + 4, where = get_bits(15);
    for (; length; length--, n++) to[n] = to[n - where];
  }
}

/* --- Burrows-Wheeler by qsort, of the first part of the data --- */
static uint32_t part;
static int by_rotation(const void *pa, const void *pb) {
  uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
  if (a == b) return 0;
  for (uint32_t k = 0; k < part; k++) {
    if (data[a] != data[b]) return data[a] - data[b];
    if (++a == part) a = 0;
    if (++b == part) b = 0;
  }
  return *(const uint32_t *)pa < *(const uint32_t *)pb ? -1 : 1;
}
static void bwt(void) {
  part = size < 3000 ? size : 3000;
  if (!part) return;
  uint32_t *order = malloc(part * 4), first = 0, zeros = 0;
  uint8_t *last = malloc(part), *moved = malloc(part), *back = malloc(part), table[256];
  for (uint32_t i = 0; i < part; i++) order[i] = i;
  qsort(order, part, 4, by_rotation);
  for (uint32_t i = 0; i < part; i++) {
    last[i] = data[(order[i] + part - 1) % part];
    if (order[i] == 0) first = i;
  }
  for (int i = 0; i < 256; i++) table[i] = (uint8_t)i;
  for (uint32_t i = 0; i < part; i++) {
    uint8_t k = 0;
    while (table[k] != last[i]) k++;
    moved[i] = k;
    zeros += k == 0;
    memmove(table + 1, table, k);
    table[0] = last[i];
  }
  /* and back */
  for (int i = 0; i < 256; i++) table[i] = (uint8_t)i;
  uint32_t start[257] = {0};
  for (uint32_t i = 0; i < part; i++) {
    uint8_t v = table[moved[i]];
    memmove(table + 1, table, moved[i]);
    table[0] = v;
    last[i] = v;
    start[v + 1]++;
  }
  for (int i = 0; i < 256; i++) start[i + 1] += start[i];
  for (uint32_t i = 0; i < part; i++) order[i] = start[last[i]]++;
  for (uint32_t i = part, at = first; i-- > 0; at = order[at]) back[i] = last[at];
  printf("transform of %lu bytes: row %lu, %lu zeros, %s\n", (unsigned long)part, (unsigned long)first,
         (unsigned long)zeros, memcmp(back, data, part) ? "BROKEN" : "restored");
}

int main(int argc, char **argv) {
  if (argc > 1) {
    size = (uint32_t)atoi(argv[1]);
    data = malloc(size + 1);
    uint32_t x = 12345;
    for (uint32_t i = 0; i < size; i++) {
      x = x * 1664525 + 1013904223;
      /* Repeats, runs and noise. */
      data[i] = i > 100 && (x >> 28) > 3 ? data[i - 1 - (x >> 20 & 63)] : (uint8_t)(x >> 24 & (i & 512 ? 0x3f : 0xff));
    }
  } else {
    uint32_t room = 0;
    int c;
    while ((c = getchar()) != EOF) {
      if (size == room) data = realloc(data, room = room ? room * 2 : 1024);
      data[size++] = (uint8_t)c;
    }
  }
  chain = malloc(size * 4 + 4);
  out = calloc(size * 4 + 64, 1);
  uint8_t *back = malloc(size + 300);
  lz(0);
  build();
  lz(1);
  uint32_t sum = 0;
  for (uint32_t i = 0; i < (out_bits + 7) / 8; i++) sum = sum * 31 + out[i];
  uint32_t n = expand(back);
  int ok = n == size && (!size || !memcmp(back, data, size)) && in_bits == out_bits;
  printf("%lu bytes to %lu bits, %lu matches, sum %08lx, %s\n", (unsigned long)size, (unsigned long)out_bits,
         (unsigned long)matches, (unsigned long)sum, ok ? "restored" : "BROKEN");
  bwt();
  return !ok;
}
