// The guest's file descriptors.
#ifndef PRECAST_RUNTIME_HOST_WASI_DESCRIPTORS_H_
#define PRECAST_RUNTIME_HOST_WASI_DESCRIPTORS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/host/wasi/wasi_abi.h"

namespace precast::runtime::wasi {

struct DirectoryEntry {
  std::string name;
  uint64_t ino;
  Filetype type;
};

struct Descriptor {
  int host = -1;
  bool owned = false;  // closed with the descriptor
  Filetype type = Filetype::kUnknown;
  Rights base = 0, inheriting = 0;
  bool nonblocking = false, append = false, sync = false, dsync = false;
  std::string preopen;  // the guest's name of a preopened directory, else empty
  // fd_readdir: the entries as they were when reading began (cookie 0); a cookie is an index.
  std::optional<std::vector<DirectoryEntry>> entries;

  Descriptor() = default;
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

// Not thread-safe. As in POSIX the lowest free number is given out, and the host's limit on
// descriptors bounds them.
class Descriptors {
 public:
  static constexpr uint32_t kMaxDescriptors = 4096;

  // Null: no such descriptor.
  Descriptor* Find(uint32_t fd) { return fd < table_.size() ? table_[fd].get() : nullptr; }
  // Nothing: too many.
  std::optional<uint32_t> Add(std::unique_ptr<Descriptor> descriptor);
  // False: no such descriptor.
  bool Close(uint32_t fd);
  // `to` becomes what `from` is; `from` is free. Both must exist.
  bool Renumber(uint32_t from, uint32_t to);

 private:
  std::vector<std::unique_ptr<Descriptor>> table_;
};

}  // namespace precast::runtime::wasi

#endif  // PRECAST_RUNTIME_HOST_WASI_DESCRIPTORS_H_
