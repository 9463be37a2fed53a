/* The Linux-style system calls a guest makes, raw: result or -errno, as the kernel returns it. */
#ifndef GUEST_SYSCALLS_H
#define GUEST_SYSCALLS_H
#include <stdint.h>

enum {
  SYS_openat = 56,
  SYS_close = 57,
  SYS_llseek = 62, /* rv32: (fd, offset_hi, offset_lo, int64_t *result, whence) */
  SYS_read = 63,
  SYS_write = 64,
  SYS_fstat = 80,
  SYS_exit = 93,
  SYS_exit_group = 94,
  SYS_brk = 214,
  SYS_statx = 291,
  SYS_clock_gettime64 = 403,
};

static inline long syscall5(long n, long a, long b, long c, long d, long e) {
  register long a0 __asm__("a0") = a;
  register long a1 __asm__("a1") = b;
  register long a2 __asm__("a2") = c;
  register long a3 __asm__("a3") = d;
  register long a4 __asm__("a4") = e;
  register long a7 __asm__("a7") = n;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7) : "memory");
  return a0;
}
static inline long syscall3(long n, long a, long b, long c) { return syscall5(n, a, b, c, 0, 0); }

/* The initial stack, as _start found it. */
extern char **guest_argv;
extern char **guest_envp;
extern uint32_t *guest_auxv;
#endif
