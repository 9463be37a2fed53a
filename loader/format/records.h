// The small records of the blob that offset tables point to: what each function needs, what each
// GOT slot and each PLT stub stands for. Encoders beside decoders. Varints are those of varint.h.
#ifndef PRECAST_LOADER_FORMAT_RECORDS_H_
#define PRECAST_LOADER_FORMAT_RECORDS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "loader/format/blob.h"

namespace precast::format {

// Record: code_size, guest_begin, guest_end - guest_begin, number of slots, then the slots
// ascending, each as the difference to the one before (the first to 0). All varints.
struct FunctionInfo {
  uint32_t code_size = 0;    // bytes, without padding
  uint32_t guest_begin = 0;  // guest code it was compiled from lies in [begin, end); may have holes
  uint32_t guest_end = 0;
  std::vector<uint32_t> got_slots;  // GOT slots its code refers to, ascending

  friend bool operator==(const FunctionInfo&, const FunctionInfo&) = default;
};
std::vector<uint8_t> EncodeFunctionInfo(const FunctionInfo& info);
std::optional<FunctionInfo> DecodeFunctionInfo(const BlobReader& blob, uint32_t offset);
// Only the code size, which is all that a lookup by code address needs. Allocates nothing.
std::optional<uint32_t> DecodeFunctionCodeSize(const BlobReader& blob, uint32_t offset);

// Record: kind byte, index varint.
struct GotInfo {
  enum class Kind : uint8_t {
    kRuntimeCallback = 1,  // address of runtime callback `index` (abi::Callback)
  };
  Kind kind = Kind::kRuntimeCallback;
  uint32_t index = 0;

  friend bool operator==(const GotInfo&, const GotInfo&) = default;
};
std::vector<uint8_t> EncodeGotInfo(const GotInfo& info);
// Nothing if damaged or of unknown kind.
std::optional<GotInfo> DecodeGotInfo(const BlobReader& blob, uint32_t offset);

// Record: kind byte, index varint; for kImport also the image varint.
struct PltInfo {
  enum class Kind : uint8_t {
    kFunction = 1,         // start of function `index` of this image
    kRuntimeCallback = 2,  // runtime callback `index`
    kImport = 3,           // export `index` (blob offset of its name) of imported image `image`
  };
  Kind kind = Kind::kFunction;
  uint32_t index = 0;
  uint32_t image = 0;

  friend bool operator==(const PltInfo&, const PltInfo&) = default;
};
std::vector<uint8_t> EncodePltInfo(const PltInfo& info);
std::optional<PltInfo> DecodePltInfo(const BlobReader& blob, uint32_t offset);

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_RECORDS_H_
