/* Arguments, environment, auxiliary vector and standard input.
 *
 *   args [CODE [ANYTHING...]]   exit code CODE (default 0)
 *
 * Prints argv[1..] and the environment variables that start with GUEST_ (argv[0] and the rest
 * differ from host to host), then standard input with line numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "syscalls.h"

int main(int argc, char **argv, char **envp) {
  printf("argc=%d\n", argc);
  printf("argv[0] %s\n", argv[0] && argv[0][0] ? "present" : "missing");
  for (int i = 1; i < argc; i++) printf("argv[%d]=\"%s\"\n", i, argv[i]);
  printf("argv[argc] %s\n", argv[argc] ? "not null" : "null");
  for (char **e = envp; *e; e++)
    if (!strncmp(*e, "GUEST_", 6)) printf("env %s\n", *e);
  /* Every entry before AT_NULL has a known small type; AT_PAGESZ, where given, is a page. */
  int entries = 0, bad = 0;
  for (uint32_t *a = guest_auxv; a[0] != 0 && entries < 100; a += 2, entries++) {
    if (a[0] > 64) bad++;
    if (a[0] == 6 && a[1] != 4096) bad++;
  }
  printf("auxv %s\n", entries < 100 && !bad ? "ok" : "bad");
  printf("stack pointer at entry %s\n", ((uint32_t)(argv - 1) & 15) ? "misaligned" : "aligned to 16");

  int n = 0, c, last = '\n';
  while ((c = getchar()) != EOF) {
    if (last == '\n') printf("%4d  ", ++n);
    putchar(c);
    last = c;
  }
  if (last != '\n') printf(" (no newline)\n");
  printf("%d lines\n", n);
  return argc > 1 ? atoi(argv[1]) : 0;
}
