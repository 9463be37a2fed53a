/* stdin, stdout and stderr for picolibc's tinystdio.
 * stdout is line-buffered, so that what was printed before a fault is outside when it happens;
 * it is also flushed when stdin is refilled and in _exit. stderr is not buffered. */
#include <stdio.h>
#include <unistd.h>

#include "syscalls.h"

static char out_buffer[512];
static unsigned out_used;
static char in_buffer[512];
static int in_used, in_next;

static int flush_out(FILE *f) {
  (void)f;
  unsigned done = 0;
  while (done < out_used) {
    ssize_t n = write(1, out_buffer + done, out_used - done);
    if (n <= 0) break;
    done += (unsigned)n;
  }
  out_used = 0;
  return 0;
}

void guest_flush(void) { flush_out(0); }

static int put_out(char c, FILE *f) {
  out_buffer[out_used++] = c;
  if (c == '\n' || out_used == sizeof out_buffer) flush_out(f);
  return (unsigned char)c;
}

static int put_err(char c, FILE *f) {
  (void)f;
  return write(2, &c, 1) == 1 ? (unsigned char)c : EOF;
}

static int get_in(FILE *f) {
  if (in_next == in_used) {
    flush_out(f);
    in_next = 0;
    in_used = (int)read(0, in_buffer, sizeof in_buffer);
    if (in_used <= 0) {
      in_used = 0;
      return EOF;
    }
  }
  return (unsigned char)in_buffer[in_next++];
}

static FILE in_file = FDEV_SETUP_STREAM(NULL, get_in, NULL, _FDEV_SETUP_READ);
static FILE out_file = FDEV_SETUP_STREAM(put_out, NULL, flush_out, _FDEV_SETUP_WRITE);
static FILE err_file = FDEV_SETUP_STREAM(put_err, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdin = &in_file;
FILE *const stdout = &out_file;
FILE *const stderr = &err_file;
