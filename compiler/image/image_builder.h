// Puts an image together: compiled functions and the guest program become code, GOT, PLT, tables,
// unwind information, symbols and guest memory of one ELF object. docs/image_format.md describes
// the result.
#ifndef PRECAST_COMPILER_IMAGE_IMAGE_BUILDER_H_
#define PRECAST_COMPILER_IMAGE_IMAGE_BUILDER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/guest/program.h"
#include "elfwriter/object.h"
#include "loader/format/metadata.h"

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

// Replaces the side tables of a function by their encoding, which is much smaller. Build does it
// where it was not done before; doing it as soon as a function is compiled, on the thread that
// compiled it, saves memory and time. The guest range must be known.
void EncodeSideTables(guest::Kind kind, codegen::CompiledFunction& function);

// An image whose addresses are all fixed.
struct LaidOutImage {
  std::unique_ptr<elfwriter::Object> object;
  elfwriter::SectionId file_info_section;  // begins with AotFileInfo
};
// `functions` are in the order their code gets. For a Wasm program they are the defined functions by
// ascending index, each with one entry at its first instruction; `dispatch` is empty. The program's module and the
// functions must outlive the image.
LaidOutImage Build(const guest::Program& program,
                   absl::Span<const codegen::CompiledFunction> functions, DispatchRange dispatch,
                   const ImageOptions& options);

// The image's bytes, with the content digest filled in (in the object too).
std::vector<uint8_t> Finish(LaidOutImage& image);

}  // namespace precast::image

#endif  // PRECAST_COMPILER_IMAGE_IMAGE_BUILDER_H_
