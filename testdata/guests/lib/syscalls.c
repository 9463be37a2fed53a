/* What picolibc needs below it: start, exit, heap and file descriptors on Linux-style ecalls.
 * The streams are in stdio.c. */
#include "syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

char **guest_argv;
char **guest_envp;
uint32_t *guest_auxv;

void guest_flush(void);
int main(int argc, char **argv, char **envp);
extern void (*__init_array_start[])(void);
extern void (*__init_array_end[])(void);

void guest_start(uint32_t *sp) {
  int argc = (int)sp[0];
  guest_argv = (char **)(sp + 1);
  guest_envp = guest_argv + argc + 1;
  char **p = guest_envp;
  while (*p) p++;
  guest_auxv = (uint32_t *)(p + 1);
  for (void (**f)(void) = __init_array_start; f < __init_array_end; f++) (*f)();
  exit(main(argc, guest_argv, guest_envp));
}

static long checked(long r) {
  if (r < 0 && r > -4096) {
    errno = (int)-r;
    return -1;
  }
  return r;
}

void _exit(int code) {
  guest_flush();
  syscall3(SYS_exit_group, code, 0, 0);
  for (;;) syscall3(SYS_exit, code, 0, 0);
}

/* Nothing here registers exit handlers. picolibc's own exit looks for them through a GOT entry, and
 * a guest needs no GOT. */
void exit(int code) { _exit(code); }

ssize_t read(int fd, void *buf, size_t n) { return checked(syscall3(SYS_read, fd, (long)buf, (long)n)); }

ssize_t write(int fd, const void *buf, size_t n) {
  return checked(syscall3(SYS_write, fd, (long)buf, (long)n));
}

/* picolibc's O_ flags are not Linux's. */
int open(const char *path, int flags, ...) {
  long f = flags & O_ACCMODE;
  if (flags & O_CREAT) f |= 0100;
  if (flags & O_EXCL) f |= 0200;
  if (flags & O_TRUNC) f |= 01000;
  if (flags & O_APPEND) f |= 02000;
  return (int)checked(syscall5(SYS_openat, -100 /* AT_FDCWD */, (long)path, f, 0644, 0));
}

int close(int fd) { return (int)checked(syscall3(SYS_close, fd, 0, 0)); }

off_t lseek(int fd, off_t offset, int whence) {
  int64_t result = 0;
  int64_t o = offset;
  long r = checked(syscall5(SYS_llseek, fd, (long)(o >> 32), (long)o, (long)&result, whence));
  return r < 0 ? (off_t)-1 : (off_t)result;
}

/* The heap grows upwards from the end of the program, as brk(0) says at the first call. */
void *sbrk(ptrdiff_t incr) {
  static uint32_t top;
  if (!top) top = (uint32_t)syscall3(SYS_brk, 0, 0, 0);
  uint32_t want = top + (uint32_t)incr;
  if (incr && (uint32_t)syscall3(SYS_brk, (long)want, 0, 0) != want) {
    errno = ENOMEM;
    return (void *)-1;
  }
  uint32_t old = top;
  top = want;
  return (void *)old;
}
