// The host of a plain Linux-style RISC-V guest: the stack that Linux gives a new program, and the
// system calls that a C library for one thread needs (docs: the list is in linux_host.cc). Numbers,
// structures and error numbers are those of 32-bit RISC-V Linux (include/uapi/asm-generic), so that
// the same program also runs under qemu-riscv32.
//
// A guest sees the descriptors 0, 1 and 2, and files beneath granted directories; nothing else.
#ifndef PRECAST_RUNTIME_HOST_LINUX_LINUX_HOST_H_
#define PRECAST_RUNTIME_HOST_LINUX_LINUX_HOST_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/host/host_abi.h"
#include "runtime/host/linux/granted_directories.h"

namespace precast::runtime {

struct LinuxHostOptions {
  struct Directory {
    std::string host;
    std::string guest;
    bool read_only = false;
  };
  std::vector<std::string> arguments;    // argv, with the program's name first
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<Directory> directories;
  // Host descriptors behind the guest's 0, 1 and 2; not owned, never closed.
  int stdin_fd = 0;
  int stdout_fd = 1;
  int stderr_fd = 2;
  uint64_t stack_size = uint64_t{8} << 20;  // bytes, rounded up to whole pages
};

class LinuxHost final : public HostAbi {
 public:
  // Fails if a directory cannot be opened.
  static absl::StatusOr<std::unique_ptr<LinuxHost>> Create(LinuxHostOptions options);
  ~LinuxHost() override;

  std::string name() const override { return "linux-rv32"; }
  absl::Status SetUp(const ProgramImage& program, GuestMemory& memory,
                     abi::VmContext& context) override;
  HostCallResult HandleCall(abi::VmContext& context, GuestMemory& memory) override;

  // Descriptors of granted files are saved by guest path, flags and position, and opened again; the
  // standard ones become those of the process that restores. A pipe or the like cannot be saved.
  absl::StatusOr<std::string> SaveState() override;
  absl::Status RestoreState(absl::Span<const uint8_t> state) override;

 private:
  struct Descriptor {
    int host_fd = -1;
    bool standard = false;  // behind it is one of the options' descriptors
    int standard_number = 0;
    std::string path;    // normalized guest path
    uint32_t flags = 0;  // the guest's, as given to openat
  };

  explicit LinuxHost(LinuxHostOptions options) : options_(std::move(options)) {}
  LinuxHost(const LinuxHost&) = delete;
  LinuxHost& operator=(const LinuxHost&) = delete;

  // Each returns what a0 shall hold: a result or a negative error number.
  int64_t Call(uint32_t number, const uint32_t* arguments, GuestMemory& memory);
  int64_t Read(uint32_t fd, uint32_t buffer, uint32_t size, GuestMemory& memory);
  int64_t Write(uint32_t fd, uint32_t buffer, uint32_t size, GuestMemory& memory);
  int64_t Vector(bool write, uint32_t fd, uint32_t vectors, uint32_t count, GuestMemory& memory);
  int64_t Seek(uint32_t fd, uint32_t high, uint32_t low, uint32_t result, uint32_t whence,
               GuestMemory& memory);
  int64_t OpenAt(int32_t directory, uint32_t path, uint32_t flags, uint32_t mode,
                 GuestMemory& memory);
  int64_t Close(uint32_t fd);
  int64_t Stat(uint32_t fd, uint32_t buffer, GuestMemory& memory);
  // With `wide`, a struct statx, otherwise a struct stat64.
  int64_t StatAt(int32_t directory, uint32_t path, uint32_t flags, bool wide, uint32_t buffer,
                 GuestMemory& memory);
  int64_t ClockGetTime(uint32_t clock, uint32_t result, bool wide, GuestMemory& memory);
  int64_t MapMemory(const uint32_t* arguments, GuestMemory& memory);

  Descriptor* Find(uint32_t fd) {
    return fd < descriptors_.size() && descriptors_[fd] ? &*descriptors_[fd] : nullptr;
  }
  int StandardFd(int number) const;
  void CloseAll();

  LinuxHostOptions options_;
  GrantedDirectories directories_;
  std::vector<std::optional<Descriptor>> descriptors_;  // by guest number
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_HOST_LINUX_LINUX_HOST_H_
