// wasi-libc of Debian 12 has no setjmp.h. A program that only needs to jump when something goes
// wrong can be built with this one: setjmp returns 0, longjmp ends the program with exit code 134.
// So what it does until then is what it would do.
#ifndef PRECAST_TOOLS_PROOFS_WASM_PROGRAMS_COMPAT_SETJMP_H_
#define PRECAST_TOOLS_PROOFS_WASM_PROGRAMS_COMPAT_SETJMP_H_

#include <stdio.h>
#include <stdlib.h>

typedef int jmp_buf[1];
typedef int sigjmp_buf[1];

#define setjmp(env) ((void)(env), 0)
#define sigsetjmp(env, save) ((void)(env), (void)(save), 0)
static inline void longjmp(jmp_buf env, int value) {
  (void)env;
  fprintf(stderr, "longjmp(%d)\n", value);
  exit(134);
}
#define siglongjmp longjmp

#endif  // PRECAST_TOOLS_PROOFS_WASM_PROGRAMS_COMPAT_SETJMP_H_
