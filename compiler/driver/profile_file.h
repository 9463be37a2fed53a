// Profiles as files: how often each instruction of a program was executed in earlier runs. Whoever
// counts writes one; `aotc compile --profile` reads it.
//
// JSON: {"format": "precast-profile", "version": 1, "guid": "<the program's GUID>",
//        "counts": [[place, times], …]}
// place: RISC-V the pc, WebAssembly the offset in the module, of an instruction that begins a basic
// block (others may be there, and do no harm); each place at most once. guid: as `aotc inspect`
// prints it.
#ifndef PRECAST_COMPILER_DRIVER_PROFILE_FILE_H_
#define PRECAST_COMPILER_DRIVER_PROFILE_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "compiler/opt/profile.h"
#include "loader/format/guid.h"

namespace precast::driver {

struct GuestProfile {
  format::Guid guid = {};  // of the program that was counted
  opt::Profile profile;
};

// InvalidArgument if `text` is not such a file, naming the field, what was expected and what was
// found.
absl::StatusOr<GuestProfile> ReadProfile(std::string_view text);

// A name for what a profile says, the same for equal ones: goes into the image's options.
std::string ProfileDigest(const opt::Profile& profile);

}  // namespace precast::driver

#endif  // PRECAST_COMPILER_DRIVER_PROFILE_FILE_H_
