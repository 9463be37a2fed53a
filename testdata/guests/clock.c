/* clock_gettime: monotonic time does not go back and moves on; prints nothing that varies. */
#include <stdint.h>
#include <stdio.h>

#include "syscalls.h"

struct timespec64 {
  int64_t sec;
  int64_t nsec;
};

static int64_t now(int clock, int *bad) {
  struct timespec64 t = {-1, -1};
  if (syscall3(SYS_clock_gettime64, clock, (long)&t, 0) != 0) *bad += 1;
  if (t.sec < 0 || t.nsec < 0 || t.nsec >= 1000000000) *bad += 1;
  return t.sec * 1000000000 + t.nsec;
}

int main(void) {
  int bad = 0;
  int64_t first = now(1, &bad), last = first;
  for (int i = 0; i < 2000; i++) {
    int64_t t = now(1, &bad);
    if (t < last) bad++;
    last = t;
  }
  if (last == first) bad++;
  /* CLOCK_REALTIME: after 2020. */
  if (now(0, &bad) < 1577836800ll * 1000000000) bad++;
  printf("%s\n", bad ? "bad" : "ok");
  printf("bad pointer %ld\n", syscall3(SYS_clock_gettime64, 1, 16, 0));
  printf("bad clock %ld\n", syscall3(SYS_clock_gettime64, 12345, (long)&last, 0));
  return bad != 0;
}
