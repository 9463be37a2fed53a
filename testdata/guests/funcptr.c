/* Indirect calls: tables of functions, qsort and bsearch with comparators, callbacks in structs,
 * function pointers computed at run time and returned from functions. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*binary)(int, int);
static int add(int a, int b) { return a + b; }
static int sub(int a, int b) { return a - b; }
static int mul(int a, int b) { return a * b; }
static int max(int a, int b) { return a > b ? a : b; }
static const struct {
  const char *name;
  binary f;
} kTable[] = {{"add", add}, {"sub", sub}, {"mul", mul}, {"max", max}};

static unsigned compared;
static int by_value(const void *a, const void *b) {
  compared++;
  int x = *(const int *)a, y = *(const int *)b;
  return (x > y) - (x < y);
}
static int by_value_down(const void *a, const void *b) { return -by_value(a, b); }
static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct shape;
struct shape_ops {
  int (*area)(const struct shape *);
  void (*scale)(struct shape *, int);
  const char *(*name)(void);
};
struct shape {
  const struct shape_ops *ops;
  int w, h;
};
static int rect_area(const struct shape *s) { return s->w * s->h; }
static int tri_area(const struct shape *s) { return s->w * s->h / 2; }
static void both_scale(struct shape *s, int k) { s->w *= k, s->h *= k; }
static void wide_scale(struct shape *s, int k) { s->w *= k; }
static const char *rect_name(void) { return "rect"; }
static const char *tri_name(void) { return "tri"; }
static const struct shape_ops kRect = {rect_area, both_scale, rect_name};
static const struct shape_ops kTri = {tri_area, wide_scale, tri_name};

static binary choose(int i) { return kTable[i & 3].f; }

static int fold(const int *v, int n, int start, binary f) {
  for (int i = 0; i < n; i++) start = f(start, v[i]);
  return start;
}

/* A state machine whose states are functions that return the next one. */
struct machine;
typedef void *(*state)(struct machine *, char);
struct machine {
  int words, digits, others;
};
static void *in_word(struct machine *, char);
static void *in_number(struct machine *, char);
static void *between(struct machine *m, char c) {
  if (c >= 'a' && c <= 'z') return m->words++, (void *)in_word;
  if (c >= '0' && c <= '9') return m->digits++, (void *)in_number;
  m->others++;
  return (void *)between;
}
static void *in_word(struct machine *m, char c) {
  return c >= 'a' && c <= 'z' ? (void *)in_word : between(m, c);
}
static void *in_number(struct machine *m, char c) {
  return c >= '0' && c <= '9' ? (m->digits++, (void *)in_number) : between(m, c);
}

/* Pointers kept disguised in memory, as a hash table or a compressed heap would. */
static uint32_t hidden[4];

int main(void) {
  for (int i = 0; i < 4; i++) printf("%s(7, 5) = %d\n", kTable[i].name, kTable[i].f(7, 5));
  int v[200], n = 200;
  uint32_t x = 1;
  for (int i = 0; i < n; i++) v[i] = (int)((x = x * 1664525 + 1013904223) >> 16) % 1000 - 300;
  qsort(v, (size_t)n, sizeof v[0], by_value);
  int sorted = 1;
  for (int i = 1; i < n; i++) sorted &= v[i - 1] <= v[i];
  printf("sorted up %d: %d .. %d\n", sorted, v[0], v[n - 1]);
  int key = v[57];
  int *found = bsearch(&key, v, (size_t)n, sizeof v[0], by_value);
  printf("found %d\n", found && *found == key);
  qsort(v, (size_t)n, sizeof v[0], by_value_down);
  sorted = 1;
  for (int i = 1; i < n; i++) sorted &= v[i - 1] >= v[i];
  printf("sorted down %d, compared %s\n", sorted, compared > 500 ? "often" : "seldom");
  const char *words[] = {"pear", "apple", "fig", "banana", "cherry", "date", "elder", "grape"};
  qsort(words, 8, sizeof words[0], by_text);
  for (int i = 0; i < 8; i++) printf("%s%s", words[i], i < 7 ? " " : "\n");

  struct shape shapes[] = {{&kRect, 3, 4}, {&kTri, 6, 5}, {&kRect, 2, 2}};
  for (int r = 0; r < 3; r++)
    for (int i = 0; i < 3; i++) {
      struct shape *s = &shapes[i];
      s->ops->scale(s, r + 1);
      printf("%s %d%s", s->ops->name(), s->ops->area(s), i < 2 ? ", " : "\n");
    }
  int sum = 0;
  for (int i = 0; i < 1000; i++) sum = choose(i * 7 >> 2)(sum & 0xffff, i);
  printf("choose %d\n", sum);
  int few[] = {3, 1, 4, 1, 5, 9};
  printf("fold %d %d %d\n", fold(few, 6, 0, add), fold(few, 6, 1, mul), fold(few, 6, -9, max));

  struct machine m = {0, 0, 0};
  state s = between;
  for (const char *p = "abc 12 def! 345 x9y"; *p; p++) s = (state)s(&m, *p);
  printf("words %d digits %d others %d\n", m.words, m.digits, m.others);

  for (int i = 0; i < 4; i++) hidden[i] = (uint32_t)(uintptr_t)kTable[i].f ^ 0x5a5a5a5a;
  int h = 1;
  for (int i = 0; i < 12; i++) h = ((binary)(uintptr_t)(hidden[i % 4] ^ 0x5a5a5a5a))(h, i + 1);
  printf("hidden %d\n", h);
  return 0;
}
