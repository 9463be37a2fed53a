// Puts an image together: compiled functions and the guest program become code, GOT, PLT, tables,
// unwind information, symbols and guest memory of one ELF object. docs/image_format.md describes
// the result.
#ifndef PRECAST_COMPILER_IMAGE_IMAGE_BUILDER_H_
#define PRECAST_COMPILER_IMAGE_IMAGE_BUILDER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/guest/program.h"
#include "elfwriter/object.h"
#include "loader/format/metadata.h"
#include "loader/format/sha256.h"

namespace precast::image {

struct ImageOptions {
  int opt_level = 1;
  uint64_t cpu_features = 0;  // format::CpuFeature bits that the code needs
  bool metered = true;
  bool count_rows = false;      // OpenVM
  bool canonical_nans = false;  // Wasm
  std::string profile = {};     // digest of the profile that was used; empty: none
  // Wasm: the modules or images that this one was compiled against.
  std::vector<format::ImportedImage> imports = {};
};

// RISC-V: the guest pcs that the dispatch table covers: `count` instructions from `base` on.
struct DispatchRange {
  uint32_t base = 0;
  uint32_t count = 0;
};
// The range for these entries (ascending). Code spread over more than the table may cover leaves
// entries out: these are reached by direct calls only, indirect jumps to them are interpreted.
DispatchRange CoverEntries(absl::Span<const uint32_t> entries);

// Encodes the side tables of a function, which makes them much smaller; they themselves stay as they are. Build does it where it was not done before; doing it as soon as a function is compiled, on the thread
// that compiled it, saves memory and time. The guest range must be known.
void EncodeSideTables(guest::Kind kind, codegen::CompiledFunction& function);
// Throws away what EncodeSideTables encoded.
void DropSideTables(codegen::CompiledFunction& function);

// An image whose addresses are all fixed.
struct LaidOutImage {
  std::unique_ptr<elfwriter::Object> object;
  elfwriter::SectionId file_info_section;  // begins with AotFileInfo
  format::Sha256Digest* digest;            // the one in it; lives as long as the object
};
// `functions` are in the order their code gets. For a Wasm program they are the defined functions by
// ascending index, each with one entry at its first instruction; `dispatch` is empty. Relocations of each ascend by
// offset. The program and the functions must outlive the image.
LaidOutImage Build(const guest::Program& program,
                   absl::Span<const codegen::CompiledFunction> functions, DispatchRange dispatch,
                   const ImageOptions& options, int threads = 1);

// Takes an image's bytes in pieces.
class ImageSink {
 public:
  virtual ~ImageSink() = default;
  // Comes first.
  virtual absl::Status Begin(uint64_t size) = 0;
  // `bytes` are those from `offset` on. On any thread, one call at a time, in any order: every byte once, then those of
  // the digest again.
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

// The image's bytes, with the content digest filled in (in the object too), made on `threads` threads (0 = one per
// processor). Errors are the sink's.
absl::Status Finish(LaidOutImage& image, int threads, ImageSink& sink);
std::vector<uint8_t> Finish(LaidOutImage& image, int threads = 1);

}  // namespace precast::image

#endif  // PRECAST_COMPILER_IMAGE_IMAGE_BUILDER_H_
