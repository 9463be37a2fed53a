// What a module that wasm2c of wabt 1.0.32 has translated (-n bench) needs around it: standard output and exit.
// For //tools/bench:compare.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static wasm_rt_memory_t* memory;

typedef struct Z_wasi_snapshot_preview1_instance_t Wasi;

u32 Z_wasi_snapshot_preview1Z_fd_write(Wasi* wasi, u32 fd, u32 vectors, u32 count, u32 written) {
  (void)wasi;
  u32 total = 0;
  for (u32 i = 0; i < count; ++i) {
    u32 vector[2];
    memcpy(vector, memory->data + vectors + 8 * i, sizeof vector);
    total += (u32)write((int)fd, memory->data + vector[0], vector[1]);
  }
  memcpy(memory->data + written, &total, sizeof total);
  return 0;
}

void Z_wasi_snapshot_preview1Z_proc_exit(Wasi* wasi, u32 code) {
  (void)wasi;
  exit((int)code);
}

int main(void) {
  static Z_bench_instance_t instance;
  wasm_rt_init();
  Z_bench_init_module();
  Z_bench_instantiate(&instance, NULL);
  memory = Z_benchZ_memory(&instance);
  Z_benchZ__start(&instance);
  return 0;
}
