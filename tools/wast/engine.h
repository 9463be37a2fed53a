// Turns the bytes of a script's module into a module that can be instantiated: validated, then
// interpreted, or compiled and loaded, or loaded from an image that an earlier process left on
// disk.
#ifndef PRECAST_TOOLS_WAST_ENGINE_H_
#define PRECAST_TOOLS_WAST_ENGINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "compiler/wasm/module.h"
#include "runtime/wasm/store.h"

namespace precast::wast {

struct EngineOptions {
  bool interpret = false;
  int opt_level = 1;
  uint64_t cpu_features = 0;  // driver::CompileOptions::cpu_features
  bool metered = true;
  bool canonical_nans = false;
  bool check = false;  // the compiler checks itself: IR verifier and allocation checker
  ::precast::wasm::Features features;
  // Images are named by program GUID. With `load_images` nothing is compiled: an image that is not
  // there is an error.
  std::string save_images, load_images;
};

class Engine {
 public:
  explicit Engine(EngineOptions options) : options_(std::move(options)) {}

  // InvalidArgument if the module is malformed or invalid.
  absl::Status Validate(absl::Span<const uint8_t> module) const;
  // Of a module that is valid.
  absl::StatusOr<std::shared_ptr<const runtime::wasm::Module>> Load(
      absl::Span<const uint8_t> module) const;

  const EngineOptions& options() const { return options_; }

 private:
  EngineOptions options_;
};

}  // namespace precast::wast

#endif  // PRECAST_TOOLS_WAST_ENGINE_H_
