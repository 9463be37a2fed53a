// No users on WASI. SQLite's shell includes this to find a home directory; without one it looks at
// $HOME.
#ifndef PRECAST_TOOLS_PROOFS_WASM_PROGRAMS_COMPAT_PWD_H_
#define PRECAST_TOOLS_PROOFS_WASM_PROGRAMS_COMPAT_PWD_H_
struct passwd {
  const char* pw_dir;
};
static inline struct passwd* getpwuid(unsigned user) { return (void)user, (struct passwd*)0; }
#endif  // PRECAST_TOOLS_PROOFS_WASM_PROGRAMS_COMPAT_PWD_H_
