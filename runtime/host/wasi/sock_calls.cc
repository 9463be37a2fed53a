// Sockets. A guest cannot make any: it uses those it was given, and the connections it accepts on
// them.
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "runtime/host/wasi/host_errno.h"
#include "runtime/host/wasi/wasi_host.h"

namespace precast::runtime::wasi {

Errno WasiHost::SockAccept(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kSockAccept, why);
  if (d == nullptr) return why;
  if ((a.U32(1) & ~uint32_t{kFdflagNonblock}) != 0) return Errno::kInval;
  if (!memory.Slice(a.U32(2), 4)) return Errno::kFault;
  const bool nonblocking = (a.U32(1) & kFdflagNonblock) != 0;
  const int fd =
      accept4(d->host, nullptr, nullptr, SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0));
  if (fd < 0) return LastError();
  auto result = std::make_unique<Descriptor>();
  result->host = fd;
  result->owned = true;
  result->type = Filetype::kSocketStream;
  result->base = kSocketRights & d->inheriting;
  result->inheriting = d->inheriting;
  result->nonblocking = nonblocking;
  const std::optional<uint32_t> number = descriptors_.Add(std::move(result));
  if (!number) return Errno::kMFile;
  return memory.Store<uint32_t>(a.U32(2), *number) ? Errno::kSuccess : Errno::kFault;
}

Errno WasiHost::SockRecv(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdRead, why);
  if (d == nullptr) return why;
  const uint32_t flags = a.U32(3);
  if ((flags & ~uint32_t{kRecvPeek | kRecvWaitall}) != 0) return Errno::kInval;
  std::vector<iovec> iovecs;
  if (Errno e = Iovecs(memory, a.U32(1), a.U32(2), iovecs); e != Errno::kSuccess) return e;
  msghdr message = {};
  message.msg_iov = iovecs.data();
  message.msg_iovlen = iovecs.size();
  const ssize_t n = recvmsg(
      d->host, &message,
      ((flags & kRecvPeek) != 0 ? MSG_PEEK : 0) | ((flags & kRecvWaitall) != 0 ? MSG_WAITALL : 0));
  if (n < 0) return LastError();
  const uint16_t out = (message.msg_flags & MSG_TRUNC) != 0 ? kRecvDataTruncated : 0;
  return memory.Store<uint32_t>(a.U32(4), static_cast<uint32_t>(n)) &&
                 memory.Store<uint16_t>(a.U32(5), out)
             ? Errno::kSuccess
             : Errno::kFault;
}

Errno WasiHost::SockSend(GuestMemory memory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kFdWrite, why);
  if (d == nullptr) return why;
  if (a.U32(3) != 0) return Errno::kInval;
  std::vector<iovec> iovecs;
  if (Errno e = Iovecs(memory, a.U32(1), a.U32(2), iovecs); e != Errno::kSuccess) return e;
  msghdr message = {};
  message.msg_iov = iovecs.data();
  message.msg_iovlen = iovecs.size();
  const ssize_t n = sendmsg(d->host, &message, MSG_NOSIGNAL);
  if (n < 0) return LastError();
  return memory.Store<uint32_t>(a.U32(4), static_cast<uint32_t>(n)) ? Errno::kSuccess
                                                                    : Errno::kFault;
}

Errno WasiHost::SockShutdown(GuestMemory, Arguments a) {
  Errno why;
  Descriptor* d = Get(a.U32(0), kSockShutdown, why);
  if (d == nullptr) return why;
  int how;
  switch (a.U32(1)) {
    case kShutdownRead:
      how = SHUT_RD;
      break;
    case kShutdownWrite:
      how = SHUT_WR;
      break;
    case kShutdownRead | kShutdownWrite:
      how = SHUT_RDWR;
      break;
    default:
      return Errno::kInval;
  }
  return shutdown(d->host, how) == 0 ? Errno::kSuccess : LastError();
}

}  // namespace precast::runtime::wasi
