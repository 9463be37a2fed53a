/* Classic algorithms, sizes by arguments:
 *
 *   puzzles queens N | sudoku (81 cells on standard input) | path (a maze on standard input)
 *           | life STEPS | primes N | knapsack N */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t seed = 1;
static uint32_t rnd(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  return seed ^= seed << 5;
}

/* --- queens by bit masks --- */
static uint32_t all, solutions;
static void place(uint32_t columns, uint32_t left, uint32_t right) {
  if (columns == all) {
    solutions++;
    return;
  }
  for (uint32_t open = all & ~(columns | left | right); open; open &= open - 1) {
    uint32_t bit = open & -open;
    place(columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
}

/* --- sudoku by the cell with the fewest candidates --- */
static uint8_t grid[81];
static uint16_t row[9], column[9], box[9];
static uint32_t tried;
static void put(int cell, int digit, int on) {
  uint16_t bit = (uint16_t)(1 << digit);
  uint16_t *u[3] = {&row[cell / 9], &column[cell % 9], &box[cell / 27 * 3 + cell % 9 / 3]};
  for (int i = 0; i < 3; i++) *u[i] = (uint16_t)(on ? *u[i] | bit : *u[i] & ~bit);
  grid[cell] = (uint8_t)(on ? digit : 0);
}
static int solve(void) {
  int best = -1, fewest = 10, candidates = 0;
  for (int c = 0; c < 81; c++) {
    if (grid[c]) continue;
    int open = 0x3fe & ~(row[c / 9] | column[c % 9] | box[c / 27 * 3 + c % 9 / 3]);
    int n = __builtin_popcount((unsigned)open);
    if (n < fewest) fewest = n, best = c, candidates = open;
  }
  if (best < 0) return 1;
  for (int d = 1; d <= 9; d++) {
    if (!(candidates >> d & 1)) continue;
    tried++;
    put(best, d, 1);
    if (solve()) return 1;
    put(best, d, 0);
  }
  return 0;
}

/* --- Dijkstra over a maze: digits are the price of a cell, # a wall, S and E the ends --- */
static char maze[64][80];
static int width, height;
static uint32_t distance[64 * 80], from[64 * 80], heap[64 * 80 * 4], heap_size;
static void heap_push(uint32_t node) {
  uint32_t i = heap_size++;
  while (i && distance[heap[(i - 1) / 2]] > distance[node]) heap[i] = heap[(i - 1) / 2], i = (i - 1) / 2;
  heap[i] = node;
}
static uint32_t heap_pop(void) {
  uint32_t top = heap[0], last = heap[--heap_size], i = 0;
  for (;;) {
    uint32_t c = 2 * i + 1;
    if (c >= heap_size) break;
    if (c + 1 < heap_size && distance[heap[c + 1]] < distance[heap[c]]) c++;
    if (distance[heap[c]] >= distance[last]) break;
    heap[i] = heap[c];
    i = c;
  }
  heap[i] = last;
  return top;
}
static int path(void) {
  int c, x = 0;
  uint32_t start = 0, end = 0;
  while ((c = getchar()) != EOF && height < 64) {
    if (c == '\n') {
      height++;
      x = 0;
      continue;
    }
    if (x >= 80) continue;
    maze[height][x] = (char)c;
    if (c == 'S') start = (uint32_t)(height * 80 + x);
    if (c == 'E') end = (uint32_t)(height * 80 + x);
    if (++x > width) width = x;
  }
  memset(distance, 0xff, sizeof distance);
  distance[start] = 0;
  heap_push(start);
  while (heap_size) {
    uint32_t n = heap_pop();
    if (n == end) break;
    static const int kStep[4][2] = {{0, 1}, {1, 0}, {0, -1}, {-1, 0}};
    for (int i = 0; i < 4; i++) {
      int ny = (int)(n / 80) + kStep[i][0], nx = (int)(n % 80) + kStep[i][1];
      if (ny < 0 || ny >= height || nx < 0 || nx >= width) continue;
      char m = maze[ny][nx];
      if (m == '#' || m == 0) continue;
      uint32_t d = distance[n] + (m >= '0' && m <= '9' ? (uint32_t)(m - '0') : 1), to = (uint32_t)(ny * 80 + nx);
      if (d < distance[to]) {
        distance[to] = d;
        from[to] = n;
        heap_push(to);
      }
    }
  }
  if (distance[end] == 0xffffffff) return printf("no path\n"), 1;
  int steps = 0;
  for (uint32_t n = from[end]; n != start; n = from[n], steps++) maze[n / 80][n % 80] = '*';
  for (int y = 0; y < height; y++) printf("%.80s\n", maze[y]);
  printf("price %lu, %d steps\n", (unsigned long)distance[end], steps + 1);
  return 0;
}

/* --- Conway's life on a torus of 64 by 64, one row per 64-bit word --- */
static uint64_t shift(uint64_t x, int by) { return by > 0 ? x << 1 | x >> 63 : x >> 1 | x << 63; }
static void life(int steps) {
  static uint64_t now[64], next[64];
  for (int i = 0; i < 64; i++) now[i] = (uint64_t)rnd() << 32 | rnd();
  for (; steps > 0; steps--) {
    for (int y = 0; y < 64; y++) {
      /* Bit-sliced count of the eight neighbours. */
      uint64_t one = 0, two = 0, four = 0;
      for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) {
          if (!dx && !dy) continue;
          uint64_t r = now[(y + dy) & 63], v = dx ? shift(r, dx) : r;
          uint64_t c1 = one & v, c2 = two & c1;
          one ^= v;
          two ^= c1;
          four |= c2;
        }
      next[y] = two & ~four & (one | now[y]);
    }
    memcpy(now, next, sizeof now);
  }
  uint32_t alive = 0, hash = 0;
  for (int y = 0; y < 64; y++) {
    alive += (uint32_t)__builtin_popcountll(now[y]);
    hash = hash * 31 + (uint32_t)now[y] + (uint32_t)(now[y] >> 32) * 7;
  }
  for (int y = 0; y < 8; y++) {
    for (int x = 0; x < 64; x++) putchar(now[y] >> x & 1 ? 'o' : '.');
    putchar('\n');
  }
  printf("%lu alive, %08lx\n", (unsigned long)alive, (unsigned long)hash);
}

static void primes(uint32_t n) {
  uint32_t *bits = calloc(n / 64 + 1, 4), count = n >= 2, last = 2;
  uint64_t sum = n >= 2 ? 2 : 0;
  for (uint32_t i = 3; i <= n; i += 2) {
    if (bits[i >> 6] >> (i >> 1 & 31) & 1) continue;
    count++;
    sum += i;
    last = i;
    if (i < 65536)
      for (uint32_t j = i * i; j <= n; j += 2 * i) bits[j >> 6] |= 1u << (j >> 1 & 31);
  }
  printf("%lu primes up to %lu, the last %lu, sum %08lx%08lx\n", (unsigned long)count, (unsigned long)n,
         (unsigned long)last, (unsigned long)(sum >> 32), (unsigned long)sum);
}

static void knapsack(int n) {
  enum { CAP = 2000 };
  static uint32_t best[CAP + 1];
  for (int i = 0; i < n; i++) {
    uint32_t weight = 5 + rnd() % 95, worth = 10 + rnd() % 990;
    for (uint32_t c = CAP; c >= weight; c--)
      if (best[c - weight] + worth > best[c]) best[c] = best[c - weight] + worth;
  }
  printf("worth %lu of capacity %d\n", (unsigned long)best[CAP], CAP);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  int n = argc > 2 ? atoi(argv[2]) : 8;
  if (!strcmp(what, "queens")) {
    all = (1u << n) - 1;
    place(0, 0, 0);
    printf("%d queens: %lu solutions\n", n, (unsigned long)solutions);
  } else if (!strcmp(what, "sudoku")) {
    for (int i = 0, c; i < 81 && (c = getchar()) != EOF;) {
      if (c >= '1' && c <= '9') put(i, c - '0', 1);
      if (c == '.' || (c >= '0' && c <= '9')) i++;
    }
    int ok = solve();
    for (int i = 0; i < 81; i++) printf("%d%s", grid[i], i % 9 == 8 ? "\n" : i % 3 == 2 ? " " : "");
    printf("%s after %lu tries\n", ok ? "solved" : "no solution", (unsigned long)tried);
    return !ok;
  } else if (!strcmp(what, "path")) {
    return path();
  } else if (!strcmp(what, "life")) {
    life(n);
  } else if (!strcmp(what, "primes")) {
    primes((uint32_t)n);
  } else if (!strcmp(what, "knapsack")) {
    knapsack(n);
  } else {
    printf("usage: puzzles queens|sudoku|path|life|primes|knapsack [N]\n");
    return 2;
  }
  return 0;
}
