#include "runtime/wasm/testing/make_module.h"

#include <utility>

#include "absl/log/check.h"
#include "compiler/driver/driver.h"
#include "loader/loader.h"
#include "runtime/trampolines.h"

namespace precast::runtime::wasm::testing {

std::string EngineName(Engine engine) {
  switch (engine) {
    case Engine::kInterpreter:
      return "Interpreter";
    case Engine::kNative0:
      return "Native0";
    case Engine::kNative1:
      return "Native1";
    case Engine::kNative2:
      return "Native2";
  }
  return "";
}

std::shared_ptr<const wasm::Module> MakeModule(const std::vector<uint8_t>& bytes, Engine engine) {
  // Reads, validates and compiles also what is to be interpreted: so tests cannot have invalid
  // modules.
  driver::CompileOptions options;
  options.opt_level = engine == Engine::kNative2 ? 2 : engine == Engine::kNative1 ? 1 : 0;
  options.threads = 1;
  options.check = true;
  absl::StatusOr<driver::CompileResult> compiled = driver::Compile(bytes, options);
  CHECK_OK(compiled);
  if (engine == Engine::kInterpreter) {
    auto module = wasm::Module::FromValidatedBytes(bytes);
    CHECK_OK(module);
    return *module;
  }
  loader::LoadOptions load;
  load.callbacks = CallbackAddresses();
  absl::StatusOr<std::unique_ptr<loader::LoadedImage>> image =
      loader::LoadMemory(compiled->image, load);
  CHECK_OK(image);
  auto module = wasm::Module::FromImage(std::shared_ptr<const loader::Image>(*std::move(image)));
  CHECK_OK(module);
  return *module;
}

bool UnderThreadSanitizer() {
#if defined(__SANITIZE_THREAD__)
  return true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
  return true;
#endif
#endif
  return false;
}

}  // namespace precast::runtime::wasm::testing
