// How long it takes to make a store with an instance of a small module (a page of memory, data, a
// table, three functions), to call it once, and to end it all. Prints microseconds, the best and
// the median of many.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "absl/log/check.h"
#include "runtime/wasm/store.h"
#include "runtime/wasm/testing/make_module.h"
#include "runtime/wasm/testing/module_builder.h"

namespace precast::runtime::wasm {
namespace {

using testing::Body;
using testing::Export;
using testing::kFuncRef;
using testing::kI32;
using testing::SectionOf;

void Run(const char* name, testing::Engine engine, bool call) {
  const auto module = testing::MakeModule(
      testing::Module({
          SectionOf(1, {testing::FunctionType({kI32}, {kI32})}),
          SectionOf(3, {{0}, {0}, {0}}),
          SectionOf(4, {{kFuncRef, 0, 3}}),
          SectionOf(5, {{0, 1}}),
          SectionOf(6, {{kI32, 1, 0x41, 0, 0x0b}}),
          SectionOf(7, {Export("f", 0, 0), Export("memory", 2, 0)}),
          SectionOf(9, {{0, 0x41, 0, 0x0b, 3, 0, 1, 2}}),
          SectionOf(10, {Body({0x41, 0, 0x20, 0, 0x36, 2, 0, 0x41, 0, 0x28, 2, 0}), Body({0x20, 0}),
                         Body({0x20, 0})}),
          SectionOf(11, {{0, 0x41, 0, 0x0b, 4, 'd', 'a', 't', 'a'}}),
      }),
      engine);
  std::vector<double> times;
  for (int i = 0; i < 5000; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    {
      Store store;
      absl::StatusOr<Instance*> instance = store.Instantiate(module, {});
      CHECK_OK(instance);
      if (call) CHECK((*instance)->FindFunction("f")->Call({Value::I32(1)}).ok());
    }
    times.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
            .count());
  }
  std::sort(times.begin(), times.end());
  std::printf("%-28s best %6.2f us, median %6.2f us\n", name, times.front(),
              times[times.size() / 2]);
}

}  // namespace
}  // namespace precast::runtime::wasm

int main() {
  using precast::runtime::wasm::Run;
  using precast::runtime::wasm::testing::Engine;
  Run("native", Engine::kNative1, false);
  Run("native, one call", Engine::kNative1, true);
  Run("interpreted", Engine::kInterpreter, false);
  Run("interpreted, one call", Engine::kInterpreter, true);
}
