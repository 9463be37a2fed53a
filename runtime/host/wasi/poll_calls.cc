// poll_oneoff: waits for the first of several events, clocks and descriptors.
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string_view>

#include "runtime/host/wasi/host_errno.h"
#include "runtime/host/wasi/wasi_host.h"

namespace precast::runtime::wasi {
namespace {

constexpr uint32_t kMaxSubscriptions = 4096;
constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

struct Subscription {
  uint64_t userdata = 0;
  EventType type = EventType::kClock;
  // A clock: how long from now, in ns.
  uint64_t wait = kNever;
  // A descriptor: its index among the pollfds.
  size_t poll_index = 0;
  Errno error = Errno::kSuccess;  // known without waiting
};

struct Event {
  uint64_t userdata;
  Errno error;
  EventType type;
  uint64_t bytes = 0;
  uint16_t flags = 0;
};

bool StoreEvent(GuestMemory memory, uint64_t at, const Event& e) {
  uint8_t out[kEventSize] = {};
  std::memcpy(out, &e.userdata, 8);
  std::memcpy(out + 8, &e.error, 2);
  out[10] = static_cast<uint8_t>(e.type);
  std::memcpy(out + 16, &e.bytes, 8);
  std::memcpy(out + 24, &e.flags, 2);
  return memory.Write(at, std::string_view(reinterpret_cast<const char*>(out), sizeof out));
}

uint64_t Monotonic() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

// poll(2) with a timeout in ns, to the full time: true if some descriptor is ready. EINTR ends it
// early.
int Wait(std::vector<pollfd>& fds, uint64_t wait) {
  timespec timeout;
  timeout.tv_sec = static_cast<time_t>(wait / 1'000'000'000);
  timeout.tv_nsec = static_cast<long>(wait % 1'000'000'000);  // NOLINT: its type
  return ppoll(fds.data(), fds.size(), wait == kNever ? nullptr : &timeout, nullptr);
}

}  // namespace

Errno WasiHost::PollOneoff(GuestMemory memory, Arguments a) {
  const uint32_t count = a.U32(2);
  if (count == 0 || count > kMaxSubscriptions) return Errno::kInval;
  if (!memory.Slice(a.U32(0), kSubscriptionSize * count) ||
      !memory.Slice(a.U32(1), kEventSize * count) || !memory.Slice(a.U32(3), 4)) {
    return Errno::kFault;
  }

  std::vector<Subscription> subscriptions(count);
  std::vector<pollfd> fds;
  uint64_t wait = kNever;
  for (uint32_t k = 0; k < count; ++k) {
    const uint64_t at = a.U32(0) + kSubscriptionSize * k;
    Subscription& s = subscriptions[k];
    s.userdata = memory.Load<uint64_t>(at).value_or(0);
    const uint8_t tag = memory.Load<uint8_t>(at + 8).value_or(0);
    const uint32_t id = memory.Load<uint32_t>(at + 16).value_or(0);
    if (tag > static_cast<uint8_t>(EventType::kFdWrite)) return Errno::kInval;
    s.type = static_cast<EventType>(tag);
    if (s.type == EventType::kClock) {
      const uint64_t timeout = memory.Load<uint64_t>(at + 24).value_or(0);
      const uint16_t flags = memory.Load<uint16_t>(at + 40).value_or(0);
      const std::optional<uint64_t> now = Now(id);
      if (!now) {
        s.error = Errno::kInval;
        wait = 0;
        continue;
      }
      const bool absolute = (flags & kSubscriptionClockAbstime) != 0;
      s.wait = absolute ? (timeout > *now ? timeout - *now : 0) : timeout;
      if (options_.deterministic) {
        // Time passes by being waited for.
        s.wait = std::min<uint64_t>(s.wait, uint64_t{1} << 60);
      }
      wait = std::min(wait, s.wait);
      continue;
    }
    Descriptor* d = Get(id, kPollFdReadwrite, s.error);
    if (d == nullptr) {
      wait = 0;
      continue;
    }
    s.poll_index = fds.size();
    fds.push_back(
        {d->host, static_cast<short>(s.type == EventType::kFdRead ? POLLIN : POLLOUT), 0});
  }

  uint64_t elapsed = 0;
  if (options_.deterministic && fds.empty()) {
    ticks_ += wait / 1'000'000;
    elapsed = wait;
  } else {
    const uint64_t begin = Monotonic();
    if (Wait(fds, wait) < 0) return LastError();
    elapsed = Monotonic() - begin;
  }

  uint32_t events = 0;
  for (const Subscription& s : subscriptions) {
    Event e{.userdata = s.userdata, .error = s.error, .type = s.type};
    if (s.error == Errno::kSuccess && s.type == EventType::kClock) {
      if (s.wait > elapsed) continue;
    } else if (s.error == Errno::kSuccess) {
      const pollfd& p = fds[s.poll_index];
      if (p.revents == 0) continue;
      if ((p.revents & POLLNVAL) != 0) {
        e.error = Errno::kBadF;
      } else if ((p.revents & POLLERR) != 0 && s.type == EventType::kFdRead) {
        e.error = Errno::kIo;
      }
      if ((p.revents & POLLHUP) != 0) e.flags = kEventFdReadwriteHangup;
      int readable = 0;
      if (s.type == EventType::kFdRead && ioctl(p.fd, FIONREAD, &readable) == 0 && readable > 0) {
        e.bytes = static_cast<uint64_t>(readable);
      }
    }
    if (!StoreEvent(memory, a.U32(1) + kEventSize * events, e)) return Errno::kFault;
    ++events;
  }
  return memory.Store<uint32_t>(a.U32(3), events) ? Errno::kSuccess : Errno::kFault;
}

}  // namespace precast::runtime::wasi
