// Modules as tests want them: interpreted, or compiled to an image in this process.
#ifndef PRECAST_RUNTIME_WASM_TESTING_MAKE_MODULE_H_
#define PRECAST_RUNTIME_WASM_TESTING_MAKE_MODULE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/wasm/store.h"

namespace precast::runtime::wasm::testing {

enum class Engine { kInterpreter, kNative0, kNative1, kNative2 };  // native: by optimization level

std::string EngineName(Engine engine);

// Dies if the module is invalid.
std::shared_ptr<const wasm::Module> MakeModule(const std::vector<uint8_t>& bytes, Engine engine);

// Which keeps back signals between threads until the thread calls something that it knows, so that
// native code is not interrupted, and leaves little address space.
bool UnderThreadSanitizer();

}  // namespace precast::runtime::wasm::testing

#endif  // PRECAST_RUNTIME_WASM_TESTING_MAKE_MODULE_H_
