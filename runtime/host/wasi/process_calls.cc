// What concerns the process: arguments, environment, clocks, random numbers.
#include <sched.h>
#include <sys/random.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

#include "runtime/host/wasi/wasi_host.h"

namespace precast::runtime::wasi {
namespace {

// An array of pointers at `pointers` to the strings, which lie one after the other from `buffer`
// on, each with a NUL.
Errno StoreStrings(GuestMemory memory, const std::vector<std::string>& strings, uint32_t pointers,
                   uint32_t buffer) {
  uint64_t at = buffer;
  for (size_t k = 0; k < strings.size(); ++k) {
    if (!memory.Store<uint32_t>(uint64_t{pointers} + 4 * k, static_cast<uint32_t>(at)) ||
        !memory.Write(at, std::string_view(strings[k].c_str(), strings[k].size() + 1))) {
      return Errno::kFault;
    }
    at += strings[k].size() + 1;
  }
  return Errno::kSuccess;
}

Errno StoreSizes(GuestMemory memory, const std::vector<std::string>& strings, uint32_t count_at,
                 uint32_t size_at) {
  uint64_t size = 0;
  for (const std::string& s : strings) size += s.size() + 1;
  if (size > UINT32_MAX) return Errno::kOverflow;
  return memory.Store<uint32_t>(count_at, static_cast<uint32_t>(strings.size())) &&
                 memory.Store<uint32_t>(size_at, static_cast<uint32_t>(size))
             ? Errno::kSuccess
             : Errno::kFault;
}

std::optional<clockid_t> HostClock(uint32_t clock) {
  switch (static_cast<Clock>(clock)) {
    case Clock::kRealtime:
      return CLOCK_REALTIME;
    case Clock::kMonotonic:
      return CLOCK_MONOTONIC;
    case Clock::kProcessCputime:
      return CLOCK_PROCESS_CPUTIME_ID;
    case Clock::kThreadCputime:
      return CLOCK_THREAD_CPUTIME_ID;
  }
  return std::nullopt;
}

uint64_t Nanoseconds(const timespec& t) {
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

}  // namespace

Errno WasiHost::ArgsGet(GuestMemory memory, Arguments a) {
  return StoreStrings(memory, options_.arguments, a.U32(0), a.U32(1));
}
Errno WasiHost::ArgsSizesGet(GuestMemory memory, Arguments a) {
  return StoreSizes(memory, options_.arguments, a.U32(0), a.U32(1));
}
Errno WasiHost::EnvironGet(GuestMemory memory, Arguments a) {
  return StoreStrings(memory, options_.environment, a.U32(0), a.U32(1));
}
Errno WasiHost::EnvironSizesGet(GuestMemory memory, Arguments a) {
  return StoreSizes(memory, options_.environment, a.U32(0), a.U32(1));
}

std::optional<uint64_t> WasiHost::Now(uint32_t clock) {
  const std::optional<clockid_t> id = HostClock(clock);
  if (!id) return std::nullopt;
  if (options_.deterministic) return 1'000'000 * ticks_++;
  timespec t;
  if (clock_gettime(*id, &t) != 0) return std::nullopt;
  return Nanoseconds(t);
}

Errno WasiHost::ClockResGet(GuestMemory memory, Arguments a) {
  const std::optional<clockid_t> id = HostClock(a.U32(0));
  timespec t;
  if (!id || clock_getres(*id, &t) != 0) return Errno::kInval;
  return memory.Store<uint64_t>(a.U32(1), options_.deterministic ? 1'000'000 : Nanoseconds(t))
             ? Errno::kSuccess
             : Errno::kFault;
}

Errno WasiHost::ClockTimeGet(GuestMemory memory, Arguments a) {
  const std::optional<uint64_t> now = Now(a.U32(0));
  if (!now) return Errno::kInval;
  return memory.Store<uint64_t>(a.U32(2), *now) ? Errno::kSuccess : Errno::kFault;
}

Errno WasiHost::RandomGet(GuestMemory memory, Arguments a) {
  const std::optional<absl::Span<uint8_t>> out = memory.Slice(a.U32(0), a.U32(1));
  if (!out) return Errno::kFault;
  if (options_.deterministic) {
    for (uint8_t& byte : *out) {  // SplitMix64, a byte of each number
      uint64_t z = random_state_ += 0x9e3779b97f4a7c15u;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
      byte = static_cast<uint8_t>(z >> 56);
    }
    return Errno::kSuccess;
  }
  for (size_t done = 0; done < out->size();) {
    const ssize_t n = getrandom(out->data() + done, std::min<size_t>(out->size() - done, 256), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return LastError();
    done += static_cast<size_t>(n);
  }
  return Errno::kSuccess;
}

Errno WasiHost::SchedYield(GuestMemory, Arguments) {
  sched_yield();
  return Errno::kSuccess;
}

// Removed from later versions of WASI; no guest may raise a signal in the host's process.
Errno WasiHost::ProcRaise(GuestMemory, Arguments) { return Errno::kNotSup; }

}  // namespace precast::runtime::wasi
