/* Recursion without an end: stack-overflow. */
#include <stdio.h>

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static __attribute__((noinline)) int down(volatile int *p) {
  volatile int frame[64];
  frame[0] = *p + 1;
  int r = down(frame);
  return r + frame[1];
}

int main(void) {
  volatile int zero = 0;
  printf("before the fault\n");
  printf("not reached %d\n", down(&zero));
  return 99;
}
