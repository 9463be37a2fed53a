/* Coroutines on stacks of their own: returns that do not match calls. A round-robin of workers, a
 * generator, and a recursive tree walk that yields from its depths. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void co_switch(void **save_sp, void *to_sp);
void co_start(void);

struct co {
  void *sp;
  int finished;
  uint32_t out;
  uint32_t stack[2048];
};

static struct co *current;
static void *main_sp;

static void co_init(struct co *c, void (*f)(uintptr_t), uintptr_t arg) {
  uint32_t *sp = c->stack + 2048 - 16;
  sp[0] = (uint32_t)(uintptr_t)co_start; /* ra */
  sp[1] = (uint32_t)arg;                 /* s0 */
  sp[2] = (uint32_t)(uintptr_t)f;        /* s1 */
  c->sp = sp;
  c->finished = 0;
}

static int resume(struct co *c) {
  if (c->finished) return 0;
  current = c;
  co_switch(&main_sp, c->sp);
  return !c->finished;
}

static void yield(uint32_t v) {
  current->out = v;
  co_switch(&current->sp, main_sp);
}

void co_finished(void) {
  current->finished = 1;
  co_switch(&current->sp, main_sp);
}

static void worker(uintptr_t id) {
  for (uint32_t i = 0; i < 3 + id; i++) {
    printf("worker %u step %u\n", (unsigned)id, (unsigned)i);
    yield(i);
  }
}

static void fibonacci(uintptr_t n) {
  uint32_t a = 0, b = 1;
  while (n--) {
    yield(a);
    uint32_t t = a + b;
    a = b;
    b = t;
  }
}

struct tree {
  struct tree *left, *right;
  uint32_t key;
};
static struct tree *insert(struct tree *t, uint32_t key) {
  if (!t) {
    t = calloc(1, sizeof *t);
    t->key = key;
  } else if (key < t->key) {
    t->left = insert(t->left, key);
  } else {
    t->right = insert(t->right, key);
  }
  return t;
}
static void walk(struct tree *t) {
  if (!t) return;
  walk(t->left);
  yield(t->key);
  walk(t->right);
}
static void walker(uintptr_t t) { walk((struct tree *)t); }

int main(void) {
  static struct co c[4];
  for (uintptr_t i = 0; i < 4; i++) co_init(&c[i], worker, i);
  for (int running = 4; running;) {
    running = 0;
    for (int i = 0; i < 4; i++) running += resume(&c[i]);
  }
  co_init(&c[0], fibonacci, 20);
  while (resume(&c[0])) printf("%u ", (unsigned)c[0].out);
  printf("\n");

  /* Two trees with the same keys in another order: compared in step. */
  struct tree *x = NULL, *y = NULL;
  for (uint32_t i = 0; i < 500; i++) {
    x = insert(x, i * 7919 % 10007);
    y = insert(y, (499 - i) * 7919 % 10007);
  }
  co_init(&c[1], walker, (uintptr_t)x);
  co_init(&c[2], walker, (uintptr_t)y);
  uint32_t n = 0, h = 0, equal = 1;
  for (;;) {
    int a = resume(&c[1]), b = resume(&c[2]);
    if (!a && !b) break;
    equal &= a == b && c[1].out == c[2].out;
    h = h * 31 + c[1].out;
    n++;
  }
  printf("%u keys, equal %u, %08lx\n", (unsigned)n, (unsigned)equal, (unsigned long)h);
  return 0;
}
