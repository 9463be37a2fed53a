// See host_errno.h.
#include "runtime/host/wasi/host_errno.h"

#include <sys/stat.h>

#include <cerrno>

namespace precast::runtime::wasi {
namespace {

struct Pair {
  int host;
  Errno guest;
};
constexpr Pair kErrors[] = {
    {0, Errno::kSuccess},
    {E2BIG, Errno::k2Big},
    {EACCES, Errno::kAcces},
    {EADDRINUSE, Errno::kAddrInUse},
    {EADDRNOTAVAIL, Errno::kAddrNotAvail},
    {EAFNOSUPPORT, Errno::kAfNoSupport},
    {EAGAIN, Errno::kAgain},
    {EALREADY, Errno::kAlready},
    {EBADF, Errno::kBadF},
    {EBADMSG, Errno::kBadMsg},
    {EBUSY, Errno::kBusy},
    {ECANCELED, Errno::kCanceled},
    {ECHILD, Errno::kChild},
    {ECONNABORTED, Errno::kConnAborted},
    {ECONNREFUSED, Errno::kConnRefused},
    {ECONNRESET, Errno::kConnReset},
    {EDEADLK, Errno::kDeadlk},
    {EDESTADDRREQ, Errno::kDestAddrReq},
    {EDOM, Errno::kDom},
    {EDQUOT, Errno::kDQuot},
    {EEXIST, Errno::kExist},
    {EFAULT, Errno::kFault},
    {EFBIG, Errno::kFBig},
    {EHOSTUNREACH, Errno::kHostUnreach},
    {EIDRM, Errno::kIdRm},
    {EILSEQ, Errno::kIlSeq},
    {EINPROGRESS, Errno::kInProgress},
    {EINTR, Errno::kIntr},
    {EINVAL, Errno::kInval},
    {EIO, Errno::kIo},
    {EISCONN, Errno::kIsConn},
    {EISDIR, Errno::kIsDir},
    {ELOOP, Errno::kLoop},
    {EMFILE, Errno::kMFile},
    {EMLINK, Errno::kMLink},
    {EMSGSIZE, Errno::kMsgSize},
    {EMULTIHOP, Errno::kMultihop},
    {ENAMETOOLONG, Errno::kNameTooLong},
    {ENETDOWN, Errno::kNetDown},
    {ENETRESET, Errno::kNetReset},
    {ENETUNREACH, Errno::kNetUnreach},
    {ENFILE, Errno::kNFile},
    {ENOBUFS, Errno::kNoBufs},
    {ENODEV, Errno::kNoDev},
    {ENOENT, Errno::kNoEnt},
    {ENOEXEC, Errno::kNoExec},
    {ENOLCK, Errno::kNoLck},
    {ENOLINK, Errno::kNoLink},
    {ENOMEM, Errno::kNoMem},
    {ENOMSG, Errno::kNoMsg},
    {ENOPROTOOPT, Errno::kNoProtoOpt},
    {ENOSPC, Errno::kNoSpc},
    {ENOSYS, Errno::kNoSys},
    {ENOTCONN, Errno::kNotConn},
    {ENOTDIR, Errno::kNotDir},
    {ENOTEMPTY, Errno::kNotEmpty},
    {ENOTRECOVERABLE, Errno::kNotRecoverable},
    {ENOTSOCK, Errno::kNotSock},
    {ENOTSUP, Errno::kNotSup},
    {ENOTTY, Errno::kNoTty},
    {ENXIO, Errno::kNxIo},
    {EOVERFLOW, Errno::kOverflow},
    {EOWNERDEAD, Errno::kOwnerDead},
    {EPERM, Errno::kPerm},
    {EPIPE, Errno::kPipe},
    {EPROTO, Errno::kProto},
    {EPROTONOSUPPORT, Errno::kProtoNoSupport},
    {EPROTOTYPE, Errno::kPrototype},
    {ERANGE, Errno::kRange},
    {EROFS, Errno::kRoFs},
    {ESPIPE, Errno::kSPipe},
    {ESRCH, Errno::kSrch},
    {ESTALE, Errno::kStale},
    {ETIMEDOUT, Errno::kTimedOut},
    {ETXTBSY, Errno::kTxtBsy},
    // Of our own lookups: the path leads out of the directory that was given.
    {EXDEV, Errno::kNotCapable},
};

}  // namespace

Errno FromHost(int host_errno) {
  for (const Pair& pair : kErrors) {
    if (pair.host == host_errno) return pair.guest;
  }
  return Errno::kIo;
}

Filetype FiletypeOf(mode_t mode) {
  if (S_ISREG(mode)) return Filetype::kRegularFile;
  if (S_ISDIR(mode)) return Filetype::kDirectory;
  if (S_ISLNK(mode)) return Filetype::kSymbolicLink;
  if (S_ISCHR(mode)) return Filetype::kCharacterDevice;
  if (S_ISBLK(mode)) return Filetype::kBlockDevice;
  if (S_ISSOCK(mode)) return Filetype::kSocketStream;
  return Filetype::kUnknown;
}

}  // namespace precast::runtime::wasi
