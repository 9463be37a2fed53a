// SHA-256 (FIPS 180-4), for the digest of an image and the identity of programs and options. Own
// code because abseil has none, and because the digest is most of the time of loading an image:
// with the SHA extensions of x86-64 (found at run time) it is about as fast as memory.
#ifndef PRECAST_LOADER_FORMAT_SHA256_H_
#define PRECAST_LOADER_FORMAT_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/types/span.h"

namespace precast::format {

using Sha256Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  enum class Implementation : uint8_t {
    kBest,      // the fastest this machine has
    kPortable,  // plain C++, everywhere
  };
  explicit Sha256(Implementation implementation = Implementation::kBest);

  void Update(absl::Span<const uint8_t> bytes);
  // Ends the message. Once only.
  Sha256Digest Finish();

  static Sha256Digest Hash(absl::Span<const uint8_t> bytes);
  // The digests of two messages of the same size, in less time than one after the other takes.
  static std::pair<Sha256Digest, Sha256Digest> HashTwo(absl::Span<const uint8_t> a,
                                                       absl::Span<const uint8_t> b);

  // The bare compression function (FIPS 180-4, 6.2.2) over `count` blocks of 64 bytes, for those
  // who keep state and padding themselves.
  using BlockFunction = void (*)(uint32_t state[8], const uint8_t* blocks, size_t count);
  static BlockFunction CompressionFunction(Implementation implementation);

 private:
  BlockFunction process_;
  uint32_t state_[8];
  uint8_t buffer_[64];
  size_t buffered_ = 0;
  uint64_t length_ = 0;  // bytes
};

// Whether this machine has the SHA extensions (and what else the fast implementation needs).
bool HasShaExtensions();

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_SHA256_H_
