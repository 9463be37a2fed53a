// See differential.h: CheckWasmSeed.
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "compiler/wasm/testing/random_module.h"
#include "loader/format/cpu_features.h"
#include "tools/testing/differential.h"
#include "tools/wast/engine.h"
#include "tools/wast/values.h"

namespace precast::testing {
namespace {

using runtime::wasm::CallResult;
using runtime::wasm::Extern;
using runtime::wasm::ExternKind;
using runtime::wasm::Func;
using runtime::wasm::Instance;
using runtime::wasm::Linker;
using runtime::wasm::Memory;
using runtime::wasm::Store;
using runtime::wasm::ValType;
using runtime::wasm::Value;

// Fuel of one call. In a third of the programs less than the second number: they end in the middle
// of something.
constexpr int64_t kFuel = 20'000, kLittleFuel = 300;

// All that a run shows, call by call.
struct Trace {
  std::vector<std::string> calls;
  std::vector<uint8_t> memory;
  bool out_of_fuel = false;
};

Value RandomValue(std::mt19937_64& random, ValType type) {
  Value v{type, {}};
  const uint64_t low = random() >> (random() % 64), high = random();
  std::memcpy(v.bits.bytes, &low, type == ValType::kI32 || type == ValType::kF32 ? 4 : 8);
  if (type == ValType::kV128) std::memcpy(v.bits.bytes + 8, &high, 8);
  return v;
}

std::string Describe(const CallResult& r, int64_t fuel_used) {
  std::string out;
  switch (r.kind) {
    case CallResult::Kind::kReturned:
      out = absl::StrCat("returned ",
                         absl::StrJoin(r.values, " ", [](std::string* o, const Value& v) {
                           absl::StrAppend(o, wast::ToString(v));
                         }));
      break;
    case CallResult::Kind::kTrapped:
      out = absl::StrCat("trap ", static_cast<int>(r.trap), " in ", r.function, " at 0x",
                         absl::Hex(r.offset));
      break;
    case CallResult::Kind::kExited:
    case CallResult::Kind::kFailed:
      out = absl::StrCat("failed: ", r.failure.ToString());
      break;
  }
  return absl::StrCat(out, ", fuel ", fuel_used);
}

absl::StatusOr<Trace> Run(const std::vector<uint8_t>& bytes, uint64_t seed,
                          const wast::EngineOptions& options) {
  const wast::Engine engine(options);
  absl::StatusOr<std::shared_ptr<const runtime::wasm::Module>> module = engine.Load(bytes);
  if (!module.ok()) return module.status();
  runtime::wasm::StoreOptions store_options;
  store_options.canonical_nans = options.canonical_nans;
  Store store(store_options);
  Linker linker(store);
  absl::StatusOr<Instance*> instance =
      linker.Instantiate(*std::move(module), {.interpret = options.interpret});
  if (!instance.ok()) return instance.status();

  Trace trace;
  std::mt19937_64 random(seed ^ 0x5851f42d4c957f2du);
  std::vector<std::string> globals;
  for (int k = 0;; ++k) {
    Func* function = (*instance)->FindFunction(absl::StrCat("f", k));
    if (function == nullptr) break;
    std::vector<Value> arguments;
    for (ValType type : function->type().params) arguments.push_back(RandomValue(random, type));
    const int64_t fuel =
        seed % 3 == 0 ? static_cast<int64_t>(random() % uint64_t{kLittleFuel}) : kFuel;
    store.set_fuel(fuel);
    const CallResult result = function->Call(arguments);
    const int64_t used = options.metered ? fuel - store.fuel() : 0;
    trace.out_of_fuel |=
        result.kind == CallResult::Kind::kTrapped && result.trap == abi::TrapCode::kOutOfFuel;
    trace.calls.push_back(absl::StrCat("f", k, " ", Describe(result, used)));
  }
  for (int k = 0;; ++k) {
    const std::optional<Extern> global = (*instance)->FindExport(absl::StrCat("g", k));
    if (!global) break;
    trace.calls.push_back(absl::StrCat("g", k, " ", wast::ToString(global->global->Get())));
  }
  const std::optional<Extern> memory = (*instance)->FindExport("memory");
  const absl::Span<uint8_t> contents = *memory->memory->Slice(0, memory->memory->bytes());
  trace.memory.assign(contents.begin(), contents.end());
  return trace;
}

absl::Status Compare(std::string_view name, const Trace& expected, const Trace& actual,
                     bool fuel_counts) {
  const auto comparable = [&](const std::string& call) {
    return fuel_counts ? call : call.substr(0, call.rfind(", fuel "));
  };
  for (size_t k = 0; k < std::min(expected.calls.size(), actual.calls.size()); ++k) {
    if (comparable(expected.calls[k]) == comparable(actual.calls[k])) continue;
    return absl::InternalError(absl::StrCat(name, ":\n  interpreted ", expected.calls[k],
                                            "\n  native      ", actual.calls[k]));
  }
  if (expected.memory.size() != actual.memory.size()) {
    return absl::InternalError(absl::StrCat(name, ": memory of ", actual.memory.size(),
                                            " bytes, interpreted ", expected.memory.size()));
  }
  for (size_t k = 0; k < expected.memory.size(); ++k) {
    if (expected.memory[k] == actual.memory[k]) continue;
    return absl::InternalError(absl::StrCat(name, ": memory differs at 0x", absl::Hex(k), ": ",
                                            actual.memory[k], ", interpreted ",
                                            expected.memory[k]));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckWasmSeed(uint64_t seed, bool check, DifferentialCounts& counts) {
  const std::vector<uint8_t> bytes = ::precast::wasm::RandomModule(seed);
  wast::EngineOptions options;
  options.canonical_nans = true;
  options.check = check;
  options.interpret = true;
  absl::StatusOr<Trace> expected = Run(bytes, seed, options);
  if (!expected.ok())
    return absl::InternalError(absl::StrCat("interpreted: ", expected.status().ToString()));

  options.interpret = false;
  // Half of the programs for the processor at hand: vectors and floats have instructions of their
  // own there.
  if (seed % 2 == 1) options.cpu_features = format::HostCpuFeatures() & format::kX86_64V3;
  for (const int level : {0, 1, 2}) {
    for (const bool metered : {true, false}) {
      // Without fuel nothing ends an endless loop.
      if (!metered && expected->out_of_fuel) continue;
      options.opt_level = level;
      options.metered = metered;
      const std::string name = absl::StrCat("-O", level, metered ? "" : " --no-meter");
      absl::StatusOr<Trace> actual = Run(bytes, seed, options);
      if (!actual.ok())
        return absl::InternalError(absl::StrCat(name, ": ", actual.status().ToString()));
      if (absl::Status s = Compare(name, *expected, *actual, metered); !s.ok()) return s;
    }
  }
  ++counts.programs;
  for (const std::string& call : expected->calls) {
    if (call[0] != 'f') continue;
    const bool returned = absl::StrContains(call, " returned ");
    const bool out_of_fuel = absl::StrContains(
        call, absl::StrCat(" trap ", static_cast<int>(abi::TrapCode::kOutOfFuel), " "));
    ++(returned ? counts.exited : out_of_fuel ? counts.suspended : counts.trapped);
    counts.instructions += std::strtoull(call.c_str() + call.rfind(' '), nullptr, 10);
  }
  return absl::OkStatus();
}

}  // namespace precast::testing
