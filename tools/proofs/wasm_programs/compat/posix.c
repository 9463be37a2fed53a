// See posix.h: what concerns modes and owners succeeds and does nothing, what needs processes fails.
#include "posix.h"

#include <errno.h>

static int NoSuchThing(void) {
  errno = ENOSYS;
  return -1;
}

int chmod(const char* path, mode_t mode) { return (void)path, (void)mode, 0; }
int fchmod(int fd, mode_t mode) { return (void)fd, (void)mode, 0; }
int chown(const char* path, uid_t owner, gid_t group) {
  return (void)path, (void)owner, (void)group, 0;
}
int fchown(int fd, uid_t owner, gid_t group) { return (void)fd, (void)owner, (void)group, 0; }
mode_t umask(mode_t mask) { return (void)mask, 022; }
uid_t getuid(void) { return 0; }
uid_t geteuid(void) { return 0; }
int sigprocmask(int how, const sigset_t* set, sigset_t* old) {
  return (void)how, (void)set, (void)old, 0;
}
int dup(int fd) { return (void)fd, NoSuchThing(); }
int dup2(int fd, int to) { return (void)fd, (void)to, NoSuchThing(); }
int pipe(int fds[2]) { return (void)fds, NoSuchThing(); }
int system(const char* command) { return (void)command, NoSuchThing(); }
FILE* popen(const char* command, const char* mode) {
  return (void)command, (void)mode, NoSuchThing(), (FILE*)0;
}
int pclose(FILE* stream) { return (void)stream, NoSuchThing(); }
FILE* tmpfile(void) { return NoSuchThing(), (FILE*)0; }
char* tmpnam(char* name) { return (void)name, NoSuchThing(), (char*)0; }
