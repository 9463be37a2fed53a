// Checks an image without executing or mapping anything: a pure function from bytes to what is
// wrong with them, and to a view of the image's tables. Whatever the bytes, it stays inside them.
//
// What is checked always: the ELF envelope (only what our object writer can produce is accepted),
// the one dynamic symbol, identity (program, options, runtime ABI, machine), the digest, that every
// range lies in a segment of the right kind, the structure of every table, GOT and PLT
// descriptions, PLT code, dispatch entries, and the structure of .eh_frame, because the unwinder of
// the C runtime trusts it. With `deep`, also every record of every function and the order of
// functions. With `trusted`, only what takes the same time for every image.
//
// What is not: the machine code itself. Whoever can compute a new digest can put any code there.
#ifndef PRECAST_LOADER_IMAGE_CHECK_H_
#define PRECAST_LOADER_IMAGE_CHECK_H_

#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "loader/check_report.h"
#include "loader/format/cpu_features.h"
#include "loader/format/guid.h"
#include "loader/image_view.h"
#include "runtime/abi/fingerprint.h"

namespace precast::loader {

struct CheckOptions {
  std::optional<format::Guid> program_guid = {};  // what the image must have been compiled from
  std::optional<format::Guid> options_guid = {};  // and with
  abi::Fingerprint abi_fingerprint = abi::kFingerprint;
  uint64_t cpu_features = format::HostCpuFeatures();
  bool verify_digest = true;
  // The bytes are what our own compiler wrote, because nobody else can write there: a private
  // cache. Left out is all that takes time in proportion to the image: digest, dispatch entries,
  // .eh_frame. A lazily mapped image is then read only where it is used. Never for files from
  // outside.
  bool trusted = false;
  bool deep = false;
};

// `view` may be null. Allocates in proportion to the file's size at most.
CheckReport CheckImage(absl::Span<const uint8_t> file, const CheckOptions& options,
                       ImageView* view);

}  // namespace precast::loader

#endif  // PRECAST_LOADER_IMAGE_CHECK_H_
