#include "rt.h"
/* indirect calls through a table + pointer-linked list walk */
typedef uint32_t (*fn)(uint32_t, uint32_t);
static NOINLINE uint32_t f0(uint32_t a, uint32_t b) { return a + b; }
static NOINLINE uint32_t f1(uint32_t a, uint32_t b) { return a * 3 ^ b; }
static NOINLINE uint32_t f2(uint32_t a, uint32_t b) { return (a >> 3) + (b << 2); }
static NOINLINE uint32_t f3(uint32_t a, uint32_t b) { return a - b * 7; }
static NOINLINE uint32_t f4(uint32_t a, uint32_t b) { return (a << 5 | a >> 27) + b; }
static NOINLINE uint32_t f5(uint32_t a, uint32_t b) { return ~a ^ b; }
static NOINLINE uint32_t f6(uint32_t a, uint32_t b) { return a | (b & 0x55555555u); }
static NOINLINE uint32_t f7(uint32_t a, uint32_t b) { return a & (b | 0xff00ff0fu); }
static fn volatile tab[8] = {f0, f1, f2, f3, f4, f5, f6, f7};
struct node { struct node *next; uint32_t op, v; };
static struct node nodes[256];
int main(void) {
  for (int i = 0; i < 256; i++) { nodes[i].next = &nodes[(i * 5 + 1) & 255]; nodes[i].op = rnd() >> 29; nodes[i].v = rnd(); }
  uint32_t acc = 1; struct node *p = nodes;
  for (uint32_t i = 0; i < WORK(300000000u); i++) { acc = tab[(p->op + (i >> 16)) & 7](acc, p->v); p = p->next; }
  out("callind", acc); return 0;
}
