// See engine.h.
#include "tools/wast/engine.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "compiler/driver/driver.h"
#include "compiler/wasm/reader.h"
#include "compiler/wasm/validator.h"
#include "loader/format/guid.h"
#include "loader/loader.h"
#include "runtime/trampolines.h"
#include "tools/commands/io.h"

namespace precast::wast {

absl::Status Engine::Validate(absl::Span<const uint8_t> bytes) const {
  absl::StatusOr<::precast::wasm::Module> module =
      ::precast::wasm::ReadModule(bytes, options_.features);
  if (!module.ok()) return module.status();
  return ::precast::wasm::Validate(*module, options_.features);
}

absl::StatusOr<std::shared_ptr<const runtime::wasm::Module>> Engine::Load(
    absl::Span<const uint8_t> bytes) const {
  if (options_.interpret) {
    if (absl::Status s = Validate(bytes); !s.ok()) return s;
    return runtime::wasm::Module::FromValidatedBytes({bytes.begin(), bytes.end()});
  }
  loader::LoadOptions load;
  load.callbacks = runtime::CallbackAddresses();
  absl::StatusOr<std::unique_ptr<loader::LoadedImage>> image;
  const format::Guid guid = format::GuidOf(bytes);
  if (!options_.load_images.empty()) {
    load.check.program_guid = guid;
    image = loader::LoadFile(
        absl::StrCat(options_.load_images, "/", format::GuidToString(guid), ".so"), load);
  } else {
    driver::CompileOptions compile;
    compile.opt_level = options_.opt_level;
    compile.cpu_features = options_.cpu_features;
    compile.threads = 1;
    compile.check = options_.check;
    compile.metered = options_.metered;
    compile.canonical_nans = options_.canonical_nans;
    compile.features = options_.features;
    absl::StatusOr<driver::CompileResult> compiled = driver::Compile(bytes, compile);
    if (!compiled.ok()) return compiled.status();
    if (!options_.save_images.empty()) {
      const std::string path =
          absl::StrCat(options_.save_images, "/", format::GuidToString(guid), ".so");
      if (absl::Status s = aotc::WriteFile(path, compiled->image); !s.ok()) return s;
    }
    image = loader::LoadMemory(compiled->image, load);
  }
  if (!image.ok()) return image.status();
  return runtime::wasm::Module::FromImage(std::shared_ptr<const loader::Image>(*std::move(image)));
}

}  // namespace precast::wast
