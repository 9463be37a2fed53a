// A suspended guest as a file, to be continued by another process: registers, pc, memory, the count
// of retired instructions and what the host keeps (open files). It does not depend on native code:
// a guest suspended in native code may go on in the interpreter, and the other way round.
//
// Format, little-endian. Version 1:
//   magic "PRECSNAP"; u32 version; u32 reserved, 0; u64 size of the file; SHA-256 of all that
//   follows
//   program GUID (16 bytes)
//   u64 retired; u32 x[32]; u32 pc; u32 heap begin, u32 brk, u32 stack begin
//   string host ABI name; string host state          (string: u32 size, bytes)
//   u32 number of memory runs, then for each, ascending by address:
//     u32 page number; u32 pages; u8 permissions (kPageRead ...); u8 has contents: if 1, all its
//     bytes follow
//
// Reading takes any bytes: everything is checked before the instance is changed.
#ifndef PRECAST_RUNTIME_SNAPSHOT_H_
#define PRECAST_RUNTIME_SNAPSHOT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/instance.h"

namespace precast::runtime {

// The instance must not be running, and must not have ended.
absl::StatusOr<std::string> EncodeSnapshot(Instance& instance);

// Makes a fresh instance of the same program (by GUID), with the same kind of host, continue what
// was saved. After an error from the host (a file is gone) or from the kernel the instance is not
// usable; after any other error it is unchanged.
absl::Status RestoreSnapshot(absl::Span<const uint8_t> snapshot, Instance& instance);

// The same with a file. Writing is atomic: there is the old file or the new one, never a part.
absl::Status SaveSnapshot(Instance& instance, const std::string& path);
absl::Status LoadSnapshot(const std::string& path, Instance& instance);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_SNAPSHOT_H_
