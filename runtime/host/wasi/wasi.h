// WASI preview 1 (module wasi_snapshot_preview1), complete: what programs built for wasm32-wasi
// find around them.
//
// A guest reaches files only below the directories it is given (preopens), whatever its paths and
// symbolic links say and whatever others rename meanwhile: see runtime/host/beneath.h. It gets no
// descriptor of the host but those given here. Every pointer that it passes is checked; one that
// leads out of its memory is EFAULT.
#ifndef PRECAST_RUNTIME_HOST_WASI_WASI_H_
#define PRECAST_RUNTIME_HOST_WASI_WASI_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/wasm/store.h"

namespace precast::runtime::wasi {

struct Preopen {
  std::string host;   // directory of the host
  std::string guest;  // what the guest calls it
  bool read_only = false;
};

struct WasiOptions {
  std::vector<std::string> arguments;    // the first is the program's name
  std::vector<std::string> environment;  // NAME=VALUE
  std::vector<Preopen> directories;      // descriptors 3, 4, …
  // Host descriptors of sockets (listening or connected), after the directories. Not taken over.
  std::vector<int> sockets;
  // Host descriptors of the guest's 0, 1 and 2. Not taken over.
  int standard[3] = {0, 1, 2};
  // Random numbers and clocks of a run that can be repeated: random_get delivers a fixed sequence
  // that begins with the seed, clocks begin at 0 and advance by 1 ms with each call.
  bool deterministic = false;
  uint64_t seed = 0;
};

class Wasi {
 public:
  // NotFound and the like, with the directory's name, if a preopen cannot be opened.
  static absl::StatusOr<std::unique_ptr<Wasi>> Create(const WasiOptions& options);
  virtual ~Wasi() = default;

  // Defines all functions of wasi_snapshot_preview1. This object must outlive the linker's store.
  virtual void AddTo(wasm::Store& store, wasm::Linker& linker) = 0;
};

}  // namespace precast::runtime::wasi

#endif  // PRECAST_RUNTIME_HOST_WASI_WASI_H_
