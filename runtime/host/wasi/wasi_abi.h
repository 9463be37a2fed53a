// The numbers and layouts of WASI preview 1 (WebAssembly/WASI, tag snapshot-01,
// phases/snapshot/witx/typenames.witx). Sizes and offsets are in bytes, all fields little-endian.
#ifndef PRECAST_RUNTIME_HOST_WASI_WASI_ABI_H_
#define PRECAST_RUNTIME_HOST_WASI_WASI_ABI_H_

#include <cstdint>

namespace precast::runtime::wasi {

enum class Errno : uint16_t {
  kSuccess = 0,
  k2Big,
  kAcces,
  kAddrInUse,
  kAddrNotAvail,
  kAfNoSupport,
  kAgain,
  kAlready,
  kBadF,
  kBadMsg,
  kBusy,
  kCanceled,
  kChild,
  kConnAborted,
  kConnRefused,
  kConnReset,
  kDeadlk,
  kDestAddrReq,
  kDom,
  kDQuot,
  kExist,
  kFault,
  kFBig,
  kHostUnreach,
  kIdRm,
  kIlSeq,
  kInProgress,
  kIntr,
  kInval,
  kIo,
  kIsConn,
  kIsDir,
  kLoop,
  kMFile,
  kMLink,
  kMsgSize,
  kMultihop,
  kNameTooLong,
  kNetDown,
  kNetReset,
  kNetUnreach,
  kNFile,
  kNoBufs,
  kNoDev,
  kNoEnt,
  kNoExec,
  kNoLck,
  kNoLink,
  kNoMem,
  kNoMsg,
  kNoProtoOpt,
  kNoSpc,
  kNoSys,
  kNotConn,
  kNotDir,
  kNotEmpty,
  kNotRecoverable,
  kNotSock,
  kNotSup,
  kNoTty,
  kNxIo,
  kOverflow,
  kOwnerDead,
  kPerm,
  kPipe,
  kProto,
  kProtoNoSupport,
  kPrototype,
  kRange,
  kRoFs,
  kSPipe,
  kSrch,
  kStale,
  kTimedOut,
  kTxtBsy,
  kXDev,
  kNotCapable,
};

// Bits of a descriptor's rights.
using Rights = uint64_t;
inline constexpr Rights kFdDatasync = 1u << 0;
inline constexpr Rights kFdRead = 1u << 1;
inline constexpr Rights kFdSeek = 1u << 2;
inline constexpr Rights kFdFdstatSetFlags = 1u << 3;
inline constexpr Rights kFdSync = 1u << 4;
inline constexpr Rights kFdTell = 1u << 5;
inline constexpr Rights kFdWrite = 1u << 6;
inline constexpr Rights kFdAdvise = 1u << 7;
inline constexpr Rights kFdAllocate = 1u << 8;
inline constexpr Rights kPathCreateDirectory = 1u << 9;
inline constexpr Rights kPathCreateFile = 1u << 10;
inline constexpr Rights kPathLinkSource = 1u << 11;
inline constexpr Rights kPathLinkTarget = 1u << 12;
inline constexpr Rights kPathOpen = 1u << 13;
inline constexpr Rights kFdReaddir = 1u << 14;
inline constexpr Rights kPathReadlink = 1u << 15;
inline constexpr Rights kPathRenameSource = 1u << 16;
inline constexpr Rights kPathRenameTarget = 1u << 17;
inline constexpr Rights kPathFilestatGet = 1u << 18;
inline constexpr Rights kPathFilestatSetSize = 1u << 19;
inline constexpr Rights kPathFilestatSetTimes = 1u << 20;
inline constexpr Rights kFdFilestatGet = 1u << 21;
inline constexpr Rights kFdFilestatSetSize = 1u << 22;
inline constexpr Rights kFdFilestatSetTimes = 1u << 23;
inline constexpr Rights kPathSymlink = 1u << 24;
inline constexpr Rights kPathRemoveDirectory = 1u << 25;
inline constexpr Rights kPathUnlinkFile = 1u << 26;
inline constexpr Rights kPollFdReadwrite = 1u << 27;
inline constexpr Rights kSockShutdown = 1u << 28;
inline constexpr Rights kSockAccept = 1u << 29;

inline constexpr Rights kFileRights =
    kFdDatasync | kFdRead | kFdSeek | kFdFdstatSetFlags | kFdSync | kFdTell | kFdWrite | kFdAdvise |
    kFdAllocate | kFdFilestatGet | kFdFilestatSetSize | kFdFilestatSetTimes | kPollFdReadwrite;
inline constexpr Rights kDirectoryRights =
    kFdFdstatSetFlags | kFdSync | kFdDatasync | kPathCreateDirectory | kPathCreateFile |
    kPathLinkSource | kPathLinkTarget | kPathOpen | kFdReaddir | kPathReadlink | kPathRenameSource |
    kPathRenameTarget | kPathFilestatGet | kPathFilestatSetSize | kPathFilestatSetTimes |
    kFdFilestatGet | kFdFilestatSetTimes | kPathSymlink | kPathRemoveDirectory | kPathUnlinkFile;
inline constexpr Rights kStreamRights = kFdRead | kFdWrite | kFdFdstatSetFlags | kFdFilestatGet |
                                        kPollFdReadwrite | kFdSync | kFdDatasync;
inline constexpr Rights kSocketRights = kStreamRights | kSockShutdown | kSockAccept;
// What changes files: taken away below a read-only directory.
inline constexpr Rights kChangingRights =
    kFdDatasync | kFdSync | kFdWrite | kFdAllocate | kPathCreateDirectory | kPathCreateFile |
    kPathLinkSource | kPathLinkTarget | kPathRenameSource | kPathRenameTarget |
    kPathFilestatSetSize | kPathFilestatSetTimes | kFdFilestatSetSize | kFdFilestatSetTimes |
    kPathSymlink | kPathRemoveDirectory | kPathUnlinkFile;

enum class Filetype : uint8_t {
  kUnknown = 0,
  kBlockDevice = 1,
  kCharacterDevice = 2,
  kDirectory = 3,
  kRegularFile = 4,
  kSocketDgram = 5,
  kSocketStream = 6,
  kSymbolicLink = 7,
};

// fdflags
inline constexpr uint16_t kFdflagAppend = 1, kFdflagDsync = 2, kFdflagNonblock = 4,
                          kFdflagRsync = 8, kFdflagSync = 16;
// oflags of path_open
inline constexpr uint16_t kOflagCreat = 1, kOflagDirectory = 2, kOflagExcl = 4, kOflagTrunc = 8;
// lookupflags
inline constexpr uint32_t kLookupSymlinkFollow = 1;
// fstflags
inline constexpr uint16_t kFstAtim = 1, kFstAtimNow = 2, kFstMtim = 4, kFstMtimNow = 8;
// subclockflags, eventrwflags
inline constexpr uint16_t kSubscriptionClockAbstime = 1;
inline constexpr uint16_t kEventFdReadwriteHangup = 1;
// riflags, roflags, sdflags of sockets
inline constexpr uint16_t kRecvPeek = 1, kRecvWaitall = 2, kRecvDataTruncated = 1;
inline constexpr uint8_t kShutdownRead = 1, kShutdownWrite = 2;

enum class Clock : uint32_t { kRealtime, kMonotonic, kProcessCputime, kThreadCputime };
enum class Whence : uint8_t { kSet, kCurrent, kEnd };
enum class EventType : uint8_t { kClock, kFdRead, kFdWrite };

// Layouts.
inline constexpr uint64_t kIovecSize = 8;  // u32 buffer, u32 length
inline constexpr uint64_t kFdstatSize =
    24;  // u8 type, u16 flags at 2, u64 base at 8, inheriting at 16
inline constexpr uint64_t kFilestatSize =
    64;  // dev 0, ino 8, u8 type 16, nlink 24, size 32, atim mtim ctim
inline constexpr uint64_t kPrestatSize = 8;        // u8 tag (0), u32 name length at 4
inline constexpr uint64_t kDirentSize = 24;        // u64 next, u64 ino, u32 name length, u8 type
inline constexpr uint64_t kSubscriptionSize = 48;  // u64 userdata, u8 tag at 8, contents at 16
inline constexpr uint64_t kEventSize =
    32;  // u64 userdata, u16 error, u8 type, u64 bytes at 16, u16 flags

}  // namespace precast::runtime::wasi

#endif  // PRECAST_RUNTIME_HOST_WASI_WASI_ABI_H_
