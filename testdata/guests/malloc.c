/* The heap: many blocks of many sizes, each filled and checked, realloc, calloc, and growth of the
 * break by megabytes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "syscalls.h"

#define SLOTS 300
static struct {
  uint8_t *p;
  uint32_t size, tag;
} slot[SLOTS];
static uint32_t seed = 2463534242u;
static uint32_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  return seed ^= seed << 5;
}

static void fill(int i) {
  for (uint32_t k = 0; k < slot[i].size; k++) slot[i].p[k] = (uint8_t)(slot[i].tag + k * 7);
}
static int wrong(int i, uint32_t n) {
  int bad = 0;
  for (uint32_t k = 0; k < n; k++) bad += slot[i].p[k] != (uint8_t)(slot[i].tag + k * 7);
  return bad;
}

int main(void) {
  int bad = 0, allocated = 0, released = 0, moved = 0;
  uint64_t total = 0;
  for (int round = 0; round < 8000; round++) {
    int i = (int)(next() % SLOTS);
    if (!slot[i].p) {
      slot[i].size = next() % 16 == 0 ? next() % 20000 : next() % 200;
      slot[i].tag = next();
      slot[i].p = next() % 8 == 0 ? calloc(1, slot[i].size + 1) : malloc(slot[i].size + 1);
      if (!slot[i].p) return printf("out of memory\n"), 1;
      bad += ((uintptr_t)slot[i].p & 7) != 0;
      total += slot[i].size;
      allocated++;
      fill(i);
    } else if (next() % 3 == 0) {
      uint32_t size = next() % 400, n = size < slot[i].size ? size : slot[i].size;
      slot[i].p = realloc(slot[i].p, size + 1);
      if (!slot[i].p) return printf("out of memory\n"), 1;
      bad += wrong(i, n);
      slot[i].size = size;
      fill(i);
      moved++;
    } else {
      bad += wrong(i, slot[i].size);
      free(slot[i].p);
      slot[i].p = NULL;
      released++;
    }
  }
  printf("%d allocated, %d released, %d resized, %lu bytes, %d wrong\n", allocated, released, moved,
         (unsigned long)total, bad);
  for (int i = 0; i < SLOTS; i++) {
    if (slot[i].p) bad += wrong(i, slot[i].size);
    free(slot[i].p);
  }
  printf("end: %d wrong\n", bad);

  /* A block of 8 MiB is fresh zeroed memory from the break. */
  uint32_t n = 8u << 20;
  uint8_t *big = malloc(n);
  if (!big) return printf("no big block\n"), 1;
  for (uint32_t i = 0; i < n; i += 4096) big[i] = (uint8_t)(i >> 12);
  uint32_t sum = 0;
  for (uint32_t i = 0; i < n; i += 4096) sum = sum * 31 + big[i];
  printf("big block %08lx\n", (unsigned long)sum);
  free(big);

  /* brk itself: it grows, what is new is zero, it shrinks, an absurd request changes nothing. */
  uint32_t end = (uint32_t)syscall3(SYS_brk, 0, 0, 0);
  uint32_t want = end + 3 * 4096 + 5;
  uint32_t got = (uint32_t)syscall3(SYS_brk, (long)want, 0, 0);
  int zero = 1;
  for (uint32_t i = (end + 4095) & ~4095u; i < want; i++) zero &= *(uint8_t *)i == 0;
  printf("brk grows %s, zeroed %d\n", got == want ? "yes" : "no", zero);
  printf("brk(16) unchanged %d\n", (uint32_t)syscall3(SYS_brk, 16, 0, 0) == want);
  printf("brk(-4096) unchanged %d\n", (uint32_t)syscall3(SYS_brk, -4096, 0, 0) == want);
  printf("brk back %d\n", (uint32_t)syscall3(SYS_brk, (long)end, 0, 0) == end);
  return 0;
}
