/* System calls that must fail with the right error instead of harming anyone. */
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "syscalls.h"

int main(void) {
  static char ok[16] = "text";
  printf("unknown 9999: %ld\n", syscall3(9999, 1, 2, 3));
  printf("unknown -1: %ld\n", syscall3(-1, 1, 2, 3));
  printf("write null: %ld\n", syscall3(SYS_write, 1, 0, 5));
  printf("write wild: %ld\n", syscall3(SYS_write, 1, (long)0xc0000000, 5));
  printf("write top: %ld\n", syscall3(SYS_write, 1, -8, 16));
  printf("write huge: %ld\n", syscall3(SYS_write, 1, (long)ok, -1));
  printf("write closed: %ld\n", syscall3(SYS_write, 77, (long)ok, 4));
  printf("write fd -1: %ld\n", syscall3(SYS_write, -1, (long)ok, 4));
  printf("write nothing: %ld\n", syscall3(SYS_write, 1, (long)ok, 0));
  printf("read null: %ld\n", syscall3(SYS_read, 0, 0, 5));
  printf("read into code: %ld\n", syscall3(SYS_read, 0, (long)&main, 5));
  printf("read closed: %ld\n", syscall3(SYS_read, 77, (long)ok, 4));
  printf("read nothing: %ld\n", syscall3(SYS_read, 0, (long)ok, 0));
  printf("close closed: %ld\n", syscall3(SYS_close, 77, 0, 0));
  printf("open null: %ld\n", syscall5(SYS_openat, -100, 0, 0, 0, 0));
  printf("seek closed: %ld\n", syscall5(SYS_llseek, 77, 0, 0, (long)ok, 0));
  printf("still here: %s\n", ok);
  return 0;
}
