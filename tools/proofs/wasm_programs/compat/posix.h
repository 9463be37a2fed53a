// What wasi-libc leaves out of POSIX and the programs mention (posix.c has the functions):
// processes, users and file modes, of which WASI has none. Included before every source file
// (-include).
#ifndef PRECAST_TOOLS_PROOFS_WASM_PROGRAMS_COMPAT_POSIX_H_
#define PRECAST_TOOLS_PROOFS_WASM_PROGRAMS_COMPAT_POSIX_H_

#include <__typedef_sigset_t.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

#define L_tmpnam 20
#define F_DUPFD 0

int chmod(const char* path, mode_t mode);
int fchmod(int fd, mode_t mode);
int chown(const char* path, uid_t owner, gid_t group);
int fchown(int fd, uid_t owner, gid_t group);
mode_t umask(mode_t mask);
uid_t getuid(void);
uid_t geteuid(void);
int sigprocmask(int how, const sigset_t* set, sigset_t* old);
int dup(int fd);
int dup2(int fd, int to);
int pipe(int fds[2]);
int system(const char* command);
FILE* popen(const char* command, const char* mode);
int pclose(FILE* stream);
FILE* tmpfile(void);
char* tmpnam(char* name);

#ifdef __cplusplus
}
#endif

#endif  // PRECAST_TOOLS_PROOFS_WASM_PROGRAMS_COMPAT_POSIX_H_
