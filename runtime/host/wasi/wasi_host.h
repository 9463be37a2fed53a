// The functions of WASI preview 1 on Linux, one method each, grouped by file:
//
//   wasi.cc          creation, and the table that says what each function is called and takes
//   process_calls.cc arguments, environment, clocks, random numbers, exit
//   fd_calls.cc      what takes a descriptor
//   path_calls.cc    what takes a directory and a path
//   poll_calls.cc    poll_oneoff
//   sock_calls.cc    sockets
#ifndef PRECAST_RUNTIME_HOST_WASI_WASI_HOST_H_
#define PRECAST_RUNTIME_HOST_WASI_WASI_HOST_H_

#include <sys/stat.h>
#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "runtime/host/wasi/descriptors.h"
#include "runtime/host/wasi/guest_memory.h"
#include "runtime/host/wasi/wasi.h"
#include "runtime/host/wasi/wasi_abi.h"

namespace precast::runtime::wasi {

// The operands of one call.
class Arguments {
 public:
  explicit Arguments(absl::Span<const wasm::Value> values) : values_(values) {}
  uint32_t U32(size_t k) const { return values_[k].As<uint32_t>(); }
  uint64_t U64(size_t k) const { return values_[k].As<uint64_t>(); }

 private:
  absl::Span<const wasm::Value> values_;
};

class WasiHost final : public Wasi {
 public:
  explicit WasiHost(const WasiOptions& options) : options_(options) {}

  absl::Status Open();
  void AddTo(wasm::Store& store, wasm::Linker& linker) override;

 private:
  using Method = Errno (WasiHost::*)(GuestMemory memory, Arguments a);
  struct Function {
    const char* name;
    const char* parameters;  // i = i32, l = i64
    Method method;
  };
  static const Function kFunctions[];

  // -- process_calls.cc
  Errno ArgsGet(GuestMemory memory, Arguments a);
  Errno ArgsSizesGet(GuestMemory memory, Arguments a);
  Errno EnvironGet(GuestMemory memory, Arguments a);
  Errno EnvironSizesGet(GuestMemory memory, Arguments a);
  Errno ClockResGet(GuestMemory memory, Arguments a);
  Errno ClockTimeGet(GuestMemory memory, Arguments a);
  Errno RandomGet(GuestMemory memory, Arguments a);
  Errno SchedYield(GuestMemory memory, Arguments a);
  Errno ProcRaise(GuestMemory memory, Arguments a);
  // Nanoseconds; nothing: no such clock.
  std::optional<uint64_t> Now(uint32_t clock);

  // -- fd_calls.cc
  Errno FdAdvise(GuestMemory memory, Arguments a);
  Errno FdAllocate(GuestMemory memory, Arguments a);
  Errno FdClose(GuestMemory memory, Arguments a);
  Errno FdDatasync(GuestMemory memory, Arguments a);
  Errno FdFdstatGet(GuestMemory memory, Arguments a);
  Errno FdFdstatSetFlags(GuestMemory memory, Arguments a);
  Errno FdFdstatSetRights(GuestMemory memory, Arguments a);
  Errno FdFilestatGet(GuestMemory memory, Arguments a);
  Errno FdFilestatSetSize(GuestMemory memory, Arguments a);
  Errno FdFilestatSetTimes(GuestMemory memory, Arguments a);
  Errno FdPread(GuestMemory memory, Arguments a);
  Errno FdPrestatGet(GuestMemory memory, Arguments a);
  Errno FdPrestatDirName(GuestMemory memory, Arguments a);
  Errno FdPwrite(GuestMemory memory, Arguments a);
  Errno FdRead(GuestMemory memory, Arguments a);
  Errno FdReaddir(GuestMemory memory, Arguments a);
  Errno FdRenumber(GuestMemory memory, Arguments a);
  Errno FdSeek(GuestMemory memory, Arguments a);
  Errno FdSync(GuestMemory memory, Arguments a);
  Errno FdTell(GuestMemory memory, Arguments a);
  Errno FdWrite(GuestMemory memory, Arguments a);
  Errno ReadEntries(Descriptor& d);

  // -- path_calls.cc
  Errno PathCreateDirectory(GuestMemory memory, Arguments a);
  Errno PathFilestatGet(GuestMemory memory, Arguments a);
  Errno PathFilestatSetTimes(GuestMemory memory, Arguments a);
  Errno PathLink(GuestMemory memory, Arguments a);
  Errno PathOpen(GuestMemory memory, Arguments a);
  Errno PathReadlink(GuestMemory memory, Arguments a);
  Errno PathRemoveDirectory(GuestMemory memory, Arguments a);
  Errno PathRename(GuestMemory memory, Arguments a);
  Errno PathSymlink(GuestMemory memory, Arguments a);
  Errno PathUnlinkFile(GuestMemory memory, Arguments a);

  // -- poll_calls.cc
  Errno PollOneoff(GuestMemory memory, Arguments a);

  // -- sock_calls.cc
  Errno SockAccept(GuestMemory memory, Arguments a);
  Errno SockRecv(GuestMemory memory, Arguments a);
  Errno SockSend(GuestMemory memory, Arguments a);
  Errno SockShutdown(GuestMemory memory, Arguments a);

  // -- shared

  // The descriptor if it exists and has all of `rights`; else null and the reason in `why`.
  Descriptor* Get(uint32_t fd, Rights rights, Errno& why);
  // Writes a filestat.
  static Errno StoreFilestat(GuestMemory memory, uint64_t at, const struct stat& st);
  // The buffers of an iovec array, as host memory. Not more than IOV_MAX of them.
  static Errno Iovecs(GuestMemory memory, uint64_t at, uint32_t count, std::vector<iovec>& out);
  // Of fstflags and times in nanoseconds.
  static Errno Times(uint64_t atim, uint64_t mtim, uint16_t flags, struct timespec out[2]);
  static Errno LastError();

  WasiOptions options_;
  Descriptors descriptors_;
  uint64_t ticks_ = 0;         // deterministic clocks
  uint64_t random_state_ = 0;  // deterministic random numbers
};

}  // namespace precast::runtime::wasi

#endif  // PRECAST_RUNTIME_HOST_WASI_WASI_HOST_H_
