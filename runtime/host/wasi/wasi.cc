// See wasi.h and wasi_host.h.
#include "runtime/host/wasi/wasi.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/host/wasi/host_errno.h"
#include "runtime/host/wasi/wasi_host.h"

namespace precast::runtime::wasi {

const WasiHost::Function WasiHost::kFunctions[] = {
    {"args_get", "ii", &WasiHost::ArgsGet},
    {"args_sizes_get", "ii", &WasiHost::ArgsSizesGet},
    {"environ_get", "ii", &WasiHost::EnvironGet},
    {"environ_sizes_get", "ii", &WasiHost::EnvironSizesGet},
    {"clock_res_get", "ii", &WasiHost::ClockResGet},
    {"clock_time_get", "ili", &WasiHost::ClockTimeGet},
    {"fd_advise", "illi", &WasiHost::FdAdvise},
    {"fd_allocate", "ill", &WasiHost::FdAllocate},
    {"fd_close", "i", &WasiHost::FdClose},
    {"fd_datasync", "i", &WasiHost::FdDatasync},
    {"fd_fdstat_get", "ii", &WasiHost::FdFdstatGet},
    {"fd_fdstat_set_flags", "ii", &WasiHost::FdFdstatSetFlags},
    {"fd_fdstat_set_rights", "ill", &WasiHost::FdFdstatSetRights},
    {"fd_filestat_get", "ii", &WasiHost::FdFilestatGet},
    {"fd_filestat_set_size", "il", &WasiHost::FdFilestatSetSize},
    {"fd_filestat_set_times", "illi", &WasiHost::FdFilestatSetTimes},
    {"fd_pread", "iiili", &WasiHost::FdPread},
    {"fd_prestat_get", "ii", &WasiHost::FdPrestatGet},
    {"fd_prestat_dir_name", "iii", &WasiHost::FdPrestatDirName},
    {"fd_pwrite", "iiili", &WasiHost::FdPwrite},
    {"fd_read", "iiii", &WasiHost::FdRead},
    {"fd_readdir", "iiili", &WasiHost::FdReaddir},
    {"fd_renumber", "ii", &WasiHost::FdRenumber},
    {"fd_seek", "ilii", &WasiHost::FdSeek},
    {"fd_sync", "i", &WasiHost::FdSync},
    {"fd_tell", "ii", &WasiHost::FdTell},
    {"fd_write", "iiii", &WasiHost::FdWrite},
    {"path_create_directory", "iii", &WasiHost::PathCreateDirectory},
    {"path_filestat_get", "iiiii", &WasiHost::PathFilestatGet},
    {"path_filestat_set_times", "iiiilli", &WasiHost::PathFilestatSetTimes},
    {"path_link", "iiiiiii", &WasiHost::PathLink},
    {"path_open", "iiiiillii", &WasiHost::PathOpen},
    {"path_readlink", "iiiiii", &WasiHost::PathReadlink},
    {"path_remove_directory", "iii", &WasiHost::PathRemoveDirectory},
    {"path_rename", "iiiiii", &WasiHost::PathRename},
    {"path_symlink", "iiiii", &WasiHost::PathSymlink},
    {"path_unlink_file", "iii", &WasiHost::PathUnlinkFile},
    {"poll_oneoff", "iiii", &WasiHost::PollOneoff},
    {"proc_raise", "i", &WasiHost::ProcRaise},
    {"sched_yield", "", &WasiHost::SchedYield},
    {"random_get", "ii", &WasiHost::RandomGet},
    {"sock_accept", "iii", &WasiHost::SockAccept},
    {"sock_recv", "iiiiii", &WasiHost::SockRecv},
    {"sock_send", "iiiii", &WasiHost::SockSend},
    {"sock_shutdown", "ii", &WasiHost::SockShutdown},
};

absl::StatusOr<std::unique_ptr<Wasi>> Wasi::Create(const WasiOptions& options) {
  auto host = std::make_unique<WasiHost>(options);
  if (absl::Status s = host->Open(); !s.ok()) return s;
  return host;
}

absl::Status WasiHost::Open() {
  random_state_ = options_.seed;
  for (int fd : options_.standard) {
    auto d = std::make_unique<Descriptor>();
    d->host = fd;
    struct stat st;
    if (fstat(fd, &st) == 0) d->type = FiletypeOf(st.st_mode);
    // A terminal cannot be seeked, and the C library recognizes it by that.
    d->base = d->type == Filetype::kRegularFile ? kFileRights : kStreamRights;
    descriptors_.Add(std::move(d));
  }
  for (const Preopen& preopen : options_.directories) {
    auto d = std::make_unique<Descriptor>();
    d->host = open(preopen.host.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (d->host < 0) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot open directory ", preopen.host));
    }
    d->owned = true;
    d->type = Filetype::kDirectory;
    d->base = kDirectoryRights;
    d->inheriting = kDirectoryRights | kFileRights;
    if (preopen.read_only) {
      d->base &= ~kChangingRights;
      d->inheriting &= ~kChangingRights;
    }
    d->preopen = preopen.guest;
    if (!descriptors_.Add(std::move(d)))
      return absl::ResourceExhaustedError("too many directories");
  }
  for (int fd : options_.sockets) {
    auto d = std::make_unique<Descriptor>();
    d->host = fd;
    d->type = Filetype::kSocketStream;
    d->base = d->inheriting = kSocketRights;
    if (!descriptors_.Add(std::move(d))) return absl::ResourceExhaustedError("too many sockets");
  }
  return absl::OkStatus();
}

void WasiHost::AddTo(wasm::Store& store, wasm::Linker& linker) {
  constexpr char kModule[] = "wasi_snapshot_preview1";
  for (const Function& f : kFunctions) {
    wasm::FuncType type;
    for (const char* p = f.parameters; *p != 0; ++p) {
      type.params.push_back(*p == 'i' ? wasm::ValType::kI32 : wasm::ValType::kI64);
    }
    type.results = {wasm::ValType::kI32};
    linker.Define(kModule, f.name,
                  store.NewFunction(std::move(type), [this, method = f.method](
                                                         wasm::Caller& caller,
                                                         absl::Span<const wasm::Value> args,
                                                         absl::Span<wasm::Value> results) {
                    const Errno e = (this->*method)(GuestMemory(caller.memory()), Arguments(args));
                    results[0] = wasm::Value::I32(static_cast<uint32_t>(e));
                    return wasm::HostResult::Return();
                  }));
  }
  linker.Define(kModule, "proc_exit",
                store.NewFunction(
                    {{wasm::ValType::kI32}, {}},
                    [](wasm::Caller&, absl::Span<const wasm::Value> args, absl::Span<wasm::Value>) {
                      return wasm::HostResult::Exit(args[0].As<uint32_t>());
                    }));
}

Descriptor* WasiHost::Get(uint32_t fd, Rights rights, Errno& why) {
  Descriptor* d = descriptors_.Find(fd);
  if (d == nullptr) {
    why = Errno::kBadF;
    return nullptr;
  }
  if ((d->base & rights) != rights) {
    why = Errno::kNotCapable;
    return nullptr;
  }
  return d;
}

Errno WasiHost::LastError() { return FromHost(errno); }

}  // namespace precast::runtime::wasi
