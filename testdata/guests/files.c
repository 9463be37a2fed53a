/* Files: open, read, seek and close what the first argument names; refusals; with a second argument
 * write a file, read it back and append to it.
 *
 *   files READ_PATH [WRITE_PATH] */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "syscalls.h"

/* Linux has no fstat (80) for rv32, so it may answer -ENOSYS (38); sizes are taken by seeking. */
static uint8_t stat_buffer[256];

static int read_all(int fd, char *buf, int cap) {
  int n = 0, r;
  while (n < cap && (r = (int)read(fd, buf + n, (size_t)(cap - n))) > 0) n += r;
  return n;
}

int main(int argc, char **argv) {
  if (argc < 2) return printf("usage: files READ_PATH [WRITE_PATH]\n"), 2;
  static char buf[4096];
  int fd = open(argv[1], O_RDONLY);
  if (fd < 0) return printf("cannot open: errno %d\n", errno), 1;
  printf("descriptor %s\n", fd > 2 ? "fresh" : "standard");
  int n = read_all(fd, buf, sizeof buf);
  uint32_t sum = 0;
  for (int i = 0; i < n; i++) sum = sum * 31 + (unsigned char)buf[i];
  printf("read %d bytes, sum %08lx\n", n, (unsigned long)sum);
  printf("at end %d\n", (int)read(fd, buf, 10));
  printf("seek set %ld\n", (long)lseek(fd, 6, SEEK_SET));
  int r = (int)read(fd, buf, 4);
  printf("then %d bytes \"%.*s\"\n", r, r, buf);
  printf("seek cur %ld\n", (long)lseek(fd, -2, SEEK_CUR));
  printf("seek end %ld\n", (long)lseek(fd, -3, SEEK_END));
  r = (int)read(fd, buf, 10);
  printf("then %d bytes \"%.*s\"\n", r, r, buf);
  printf("before the start: %d, errno %d\n", (int)lseek(fd, -1, SEEK_SET), errno);
  printf("bad whence: %ld\n", syscall5(SYS_llseek, fd, 0, 0, (long)stat_buffer, 9));
  printf("write to a read-only file: %d, errno %d\n", (int)write(fd, "x", 1), errno);
  long s = syscall3(SYS_fstat, fd, (long)stat_buffer, 0);
  printf("fstat %s\n", s == 0 || s == -38 ? "ok or not there" : "fails");
  printf("close %d\n", close(fd));
  printf("close again %d, errno %d\n", close(fd), errno);
  printf("read closed %d, errno %d\n", (int)read(fd, buf, 1), errno);
  printf("missing file %d, errno %d\n", open("input/no_such_file", O_RDONLY), errno);
  printf("bad path pointer %ld\n", syscall5(SYS_openat, -100, 16, 0, 0, 0));

  /* Two descriptors of one file have their own positions. */
  int a = open(argv[1], O_RDONLY), b = open(argv[1], O_RDONLY);
  lseek(a, 3, SEEK_SET);
  char x = 0, y = 0;
  read(a, &x, 1);
  read(b, &y, 1);
  printf("two descriptors %c %c %d\n", x, y, a != b);
  close(a);
  close(b);

  if (argc > 2) {
    fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) return printf("cannot create: errno %d\n", errno), 1;
    printf("wrote %d\n", (int)write(fd, "hello, file\n", 12));
    printf("seek past the end %ld\n", (long)lseek(fd, 20, SEEK_SET));
    printf("wrote %d\n", (int)write(fd, "end", 3));
    close(fd);
    fd = open(argv[2], O_WRONLY | O_APPEND);
    printf("append %d\n", (int)write(fd, "+more", 5));
    close(fd);
    fd = open(argv[2], O_RDWR);
    n = read_all(fd, buf, sizeof buf);
    printf("%d bytes:", n);
    for (int i = 0; i < n; i++) printf(" %02x", (unsigned char)buf[i]);
    printf("\n");
    lseek(fd, 0, SEEK_SET);
    write(fd, "HELLO", 5);
    lseek(fd, 0, SEEK_SET);
    r = (int)read(fd, buf, 12);
    printf("%.*s", r, buf);
    close(fd);
    printf("exclusive create of what is there: %d, errno %d\n",
           open(argv[2], O_WRONLY | O_CREAT | O_EXCL), errno);
  }
  return 0;
}
