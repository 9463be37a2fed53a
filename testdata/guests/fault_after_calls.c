/* A null store deep in a call chain, after output that ends in a full line: memory-fault. The
 * pointer comes out of a list, as in life. */
#include <stdio.h>
#include <stdlib.h>

struct node {
  struct node *next;
  int value;
};

static __attribute__((noinline)) void bump(struct node *n, int left) {
  n->value += left;
  if (left) bump(n->next, left - 1);
}

int main(void) {
  struct node *list = NULL;
  for (int i = 0; i < 10; i++) {
    struct node *n = malloc(sizeof *n);
    n->next = list;
    n->value = i;
    list = n;
  }
  bump(list, 9);
  printf("ten nodes, the first is %d\n", list->value);
  bump(list, 10);
  printf("not reached\n");
  return 99;
}
