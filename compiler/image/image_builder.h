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
#include "compiler/image/dispatch_map.h"
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

// An image whose addresses are all fixed.
struct LaidOutImage {
  std::unique_ptr<elfwriter::Object> object;
  elfwriter::SectionId file_info_section;  // begins with AotFileInfo
  format::Sha256Digest* digest;            // the one in it; lives as long as the object
};
// `functions` are in the order their code gets. For a Wasm program they are the defined functions
// by ascending index, each with one entry at its first instruction; `dispatch` is empty.
// Relocations of each ascend by offset. The program and the functions must outlive the image.
LaidOutImage Build(const guest::Program& program,
                   absl::Span<const codegen::CompiledFunction> functions, DispatchRange dispatch,
                   const ImageOptions& options, int threads = 1);

}  // namespace precast::image

#endif  // PRECAST_COMPILER_IMAGE_IMAGE_BUILDER_H_
