// Writes an image whose addresses are fixed, in pieces: it is never in memory as a whole.
#ifndef PRECAST_COMPILER_IMAGE_WRITE_IMAGE_H_
#define PRECAST_COMPILER_IMAGE_WRITE_IMAGE_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "compiler/image/image_builder.h"

namespace precast::image {

// Takes an image's bytes in pieces.
class ImageSink {
 public:
  virtual ~ImageSink() = default;
  // Comes first.
  virtual absl::Status Begin(uint64_t size) = 0;
  // `bytes` are those from `offset` on. On any thread, one call at a time, in any order: every byte
  // once, then those of the digest again.
  virtual absl::Status Write(uint64_t offset, absl::Span<const uint8_t> bytes) = 0;
};

// Keeps them.
class MemorySink final : public ImageSink {
 public:
  absl::Status Begin(uint64_t size) override;
  absl::Status Write(uint64_t offset, absl::Span<const uint8_t> bytes) override;
  std::vector<uint8_t> Take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

// The image's bytes, with the content digest filled in (in the object too), made on `threads`
// threads (0 = one per processor). Errors are the sink's.
absl::Status Finish(LaidOutImage& image, int threads, ImageSink& sink);
std::vector<uint8_t> Finish(LaidOutImage& image, int threads = 1);

}  // namespace precast::image

#endif  // PRECAST_COMPILER_IMAGE_WRITE_IMAGE_H_
