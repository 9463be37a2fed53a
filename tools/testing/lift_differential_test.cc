// The lifting of WebAssembly by itself: random modules run by the WebAssembly interpreter, and,
// lifted, by the IR's reference evaluator, as they are and after the optimizer. No back end and no
// runtime take part. Results, traps with their offsets, fuel, memories, globals, tables and calls
// of helpers must be the same.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "compiler/ir/eval.h"
#include "compiler/ir/printer.h"
#include "compiler/ir/verifier.h"
#include "compiler/opt/pipeline.h"
#include "compiler/wasm/lifter.h"
#include "compiler/wasm/reader.h"
#include "compiler/wasm/testing/random_module.h"
#include "gtest/gtest.h"
#include "runtime/abi/wasm_context.h"
#include "runtime/wasm/interpreter/test_instance.h"

namespace precast {
namespace {

using abi::TrapCode;
using ir::EvalResult;
using runtime::wasm::InterpreterStop;
using runtime::wasm::interpreter::TestInstance;

// More than that travel in the context, which this test does not look into.
constexpr size_t kMaxValues = 8;
// Stands for the code of VmContext::indirect_slow.
constexpr uint64_t kSlow = 0x5105;
constexpr uint64_t kTableSize = 8;

using HelperCalls = std::vector<std::vector<uint64_t>>;

// Helpers do nothing here but give a number that depends on their operands.
uint64_t HelperResult(uint64_t helper, absl::Span<const uint64_t> operands) {
  uint64_t result = helper;
  for (const uint64_t operand : operands) result = result * 31 + operand;
  return result % 4;
}

std::vector<uint64_t> HelperCall(uint64_t helper, absl::Span<const uint64_t> operands) {
  std::vector<uint64_t> call = {helper};
  call.insert(call.end(), operands.begin(), operands.end());
  return call;
}

// The lifted functions of a module, and the evaluator's copy of the interpreter's instance.
class LiftedInstance {
 public:
  LiftedInstance(wasm::Module module, TestInstance& original, wasm::LiftOptions options,
                 int opt_level)
      : module_(std::move(module)),
        context_(module_),
        options_(options),
        opt_level_(opt_level),
        address_(reinterpret_cast<uintptr_t>(original.context)) {
    const abi::WasmLayout& layout = context_.layout;
    const auto* bytes = reinterpret_cast<const uint8_t*>(original.context);
    machine.context.assign(bytes, bytes + layout.Size());
    machine.context_address = address_;  // so that references are the same
    machine.memory.assign(original.memory(), original.memory() + Bytes(0));

    // Everything else lies in the host memory: records, the table, memories but the first. The
    // 32-bit one comes last, so that what is beyond its end is beyond all.
    machine.host.resize(kTable + kTableSize * 8);
    Put(machine.host, kTableRecord, machine.host_address + kTable);
    Put(machine.host, kTableRecord + 8, kTableSize);
    std::memcpy(&machine.host[kTable], original.table(), kTableSize * 8);
    Put(machine.context, layout.Table(0), machine.host_address + kTableRecord);
    Put(machine.context, offsetof(abi::VmContext, indirect_slow), kSlow);
    memories_.resize(module_.memories.size());
    for (size_t i = memories_.size(); i-- > 1;) {
      memories_[i] = machine.host.size();
      const uint8_t* memory = original.memory(static_cast<int>(i));
      machine.host.insert(machine.host.end(), memory, memory + Bytes(i));
    }
    // The first one is reached by its base only where that is out of bounds.
    memories_[0] = machine.host.size();
    for (size_t i = 0; i < memories_.size(); ++i) {
      const uint64_t base = machine.host_address + memories_[i];
      const uint64_t record = kMemoryRecords + i * sizeof(abi::MemoryRecord);
      Put(machine.host, record, base);
      Put(machine.host, record + abi::kMemoryBytes, Bytes(i));
      Put(machine.context, layout.Memory(i), base);
      Put(machine.context, layout.Memory(i) + 8, machine.host_address + record);
    }
  }

  const wasm::Module& module() const { return module_; }
  uint64_t Bytes(size_t memory) const {
    return module_.memories[memory].limits.min * abi::kWasmPageSize;
  }

  // The results, or nothing: then `trap` and `offset` say why.
  std::optional<std::vector<uint64_t>> Run(uint32_t function, std::vector<uint64_t> args) {
    for (;;) {
      const ir::Function& lifted = Lifted(function);
      ir::EvalOptions options;
      options.call = [this](const ir::InstData& inst, absl::Span<const uint64_t> operands,
                            ir::EvalMachine&) -> std::optional<std::vector<uint64_t>> {
        if (inst.op != ir::Opcode::kCall) return CallPointer(inst, operands);
        return Run(FunctionAt(static_cast<uint32_t>(inst.imm)),
                   std::vector<uint64_t>(operands.begin(), operands.end()));
      };
      const EvalResult result = ir::Eval(lifted, lifted.entries()[0], args, machine, options);
      switch (result.outcome) {
        case EvalResult::Outcome::kReturned:
          return result.values;
        case EvalResult::Outcome::kTailCall:
          function = FunctionAt(result.callee);
          args = result.values;
          continue;
        case EvalResult::Outcome::kTailPointer:
          if (result.values[0] == kSlow) return WrongType(std::nullopt);
          function = FunctionOf(result.values[1]);
          args.assign(result.values.begin() + 3, result.values.end());
          continue;
        case EvalResult::Outcome::kTrap:
          return Stop(static_cast<TrapCode>(result.trap_code), result.site.guest_pc);
        case EvalResult::Outcome::kMemoryFault:
          return Stop(TrapCode::kOutOfBoundsMemoryAccess, result.site.guest_pc);
        case EvalResult::Outcome::kSuspended:
          return Stop(TrapCode::kOutOfFuel, result.site.guest_pc);
        case EvalResult::Outcome::kStoppedByCall:
          return std::nullopt;
        default:
          LOG(FATAL) << "outcome " << static_cast<int>(result.outcome);
      }
    }
  }

  // What differs from the original's memories, globals and table.
  std::string Difference(TestInstance& original) const {
    if (std::memcmp(machine.memory.data(), original.memory(), Bytes(0)) != 0) return "memory 0";
    for (size_t i = 1; i < memories_.size(); ++i) {
      if (std::memcmp(&machine.host[memories_[i]], original.memory(static_cast<int>(i)),
                      Bytes(i)) != 0) {
        return absl::StrCat("memory ", i);
      }
    }
    const abi::WasmLayout& layout = context_.layout;
    if (std::memcmp(&machine.context[layout.Global(0)], original.global(0),
                    layout.num_globals * sizeof(abi::WasmValue)) != 0) {
      return "globals";
    }
    if (std::memcmp(&machine.host[kTable], original.table(), kTableSize * 8) != 0) return "table";
    return "";
  }

  ir::EvalMachine machine;
  HelperCalls helper_calls;
  TrapCode trap = TrapCode::kNone;
  std::optional<uint32_t> offset;

 private:
  static constexpr uint64_t kMemoryRecords = 0, kTableRecord = 512, kTable = 1024;

  static void Put(std::vector<uint8_t>& bytes, uint64_t at, uint64_t v) {
    std::memcpy(&bytes[at], &v, 8);
  }

  std::nullopt_t Stop(TrapCode code, std::optional<uint32_t> at) {
    trap = code;
    offset = at;
    return std::nullopt;
  }

  // As the runtime does: the call was not counted. After a tail call its place is not known.
  std::nullopt_t WrongType(std::optional<uint32_t> at) {
    if (options_.metered) ++machine.fuel;
    return Stop(TrapCode::kIndirectCallTypeMismatch, at);
  }

  const ir::Function& Lifted(uint32_t function) {
    const auto it = functions_.find(function);
    if (it != functions_.end()) return it->second;
    absl::StatusOr<ir::Function> lifted = wasm::Lift(context_, function, options_);
    CHECK_OK(lifted);
    const absl::Status status = ir::Verify(*lifted);
    CHECK_OK(status) << ir::Print(*lifted);
    opt::Optimize(*lifted, {.level = opt_level_, .verify = true, .vectorize = false});
    return functions_.emplace(function, *std::move(lifted)).first->second;
  }

  uint32_t FunctionAt(uint32_t body) const {
    for (uint32_t f = 0; f < module_.functions.size(); ++f) {
      if (module_.functions[f].body.begin == body) return f;
    }
    LOG(FATAL) << "no function at " << body;
  }

  uint32_t FunctionOf(uint64_t record) const {
    for (uint32_t f = 0; f < module_.functions.size(); ++f) {
      const uint32_t k = context_.record_of[f];
      if (k != wasm::LiftContext::kNoRecord && address_ + context_.layout.Record(k) == record) {
        return f;
      }
    }
    LOG(FATAL) << "no such record";
  }

  std::optional<std::vector<uint64_t>> CallPointer(const ir::InstData& inst,
                                                   absl::Span<const uint64_t> operands) {
    const uint64_t record = operands[1] - address_;
    const absl::Span<const uint64_t> args = operands.subspan(3);
    constexpr uint64_t kHelpers = offsetof(abi::WasmContext, helpers);
    if (record >= kHelpers &&
        record < kHelpers + abi::kNumWasmHelpers * sizeof(abi::FunctionRecord)) {
      const uint64_t helper = (record - kHelpers) / sizeof(abi::FunctionRecord);
      helper_calls.push_back(HelperCall(helper, args));
      std::vector<uint64_t> results;
      if (inst.results_count != 0) results.push_back(HelperResult(helper, args));
      return results;
    }
    if (operands[0] == kSlow) return WrongType(inst.site.guest_pc);
    return Run(FunctionOf(operands[1]), std::vector<uint64_t>(args.begin(), args.end()));
  }

  const wasm::Module module_;
  const wasm::LiftContext context_;
  const wasm::LiftOptions options_;
  const int opt_level_;
  const uint64_t address_;          // of the context
  std::vector<uint64_t> memories_;  // where they begin in the host memory
  std::map<uint32_t, ir::Function> functions_;
};

void CheckSeed(uint64_t seed, bool beyond_2_0, int opt_level) {
  SCOPED_TRACE(absl::StrCat("seed ", seed, beyond_2_0 ? " beyond 2.0" : "", " -O", opt_level));
  std::mt19937_64 random(seed);
  // Vectors are not for the evaluator, nor is memory that is reached by its register and its
  // address.
  const std::vector<uint8_t> bytes =
      wasm::RandomModule(seed, {.simd = false, .atomics = false, .beyond_2_0 = beyond_2_0});
  absl::StatusOr<wasm::Module> module = wasm::ReadModule(bytes, wasm::Features{});
  CHECK_OK(module);
  TestInstance original(bytes, {.canonical_nans = true, .metered = true});
  const uint32_t num_functions = static_cast<uint32_t>(module->functions.size());
  // The last functions call no others.
  for (uint32_t k = 0; k + 2 < kTableSize; ++k) {
    original.table()[k] = original.Reference(num_functions - 1 - k % 3);
  }
  for (size_t i = 0; i < module->memories.size(); ++i) {
    const uint64_t size = module->memories[i].limits.min * abi::kWasmPageSize;
    for (uint64_t k = random() % 8; k < size; k += 1 + random() % 8) {
      original.memory(static_cast<int>(i))[k] = static_cast<uint8_t>(random());
    }
  }
  HelperCalls helper_calls;
  original.on_helper = [&](abi::WasmHelper helper, absl::Span<const uint64_t> operands,
                           uint64_t* result) {
    helper_calls.push_back(HelperCall(static_cast<uint64_t>(helper), operands));
    if (result != nullptr) *result = HelperResult(static_cast<uint64_t>(helper), operands);
    return TrapCode::kNone;
  };
  LiftedInstance lifted(*std::move(module), original, {.metered = true, .canonical_nans = true},
                        opt_level);

  for (uint32_t f = 0; f < num_functions; ++f) {
    const wasm::FuncType& type = lifted.module().TypeOf(f);
    if (type.params.size() > kMaxValues || type.results.size() > kMaxValues) continue;
    SCOPED_TRACE(absl::StrCat("function ", f));
    std::vector<uint64_t> args;
    abi::WasmValue values[kMaxValues] = {};
    for (size_t k = 0; k < type.params.size(); ++k) {
      uint64_t v = random() >> (random() % 64);
      if (type.params[k] == wasm::kI32 || type.params[k] == wasm::kF32) {
        v = static_cast<uint32_t>(v);
      }
      args.push_back(v);
      std::memcpy(values[k].bytes, &v, 8);
    }
    const int64_t fuel = static_cast<int64_t>(random() % 3 != 0 ? 5000 : random() % 300);
    original.fuel() = lifted.machine.fuel = fuel;
    const InterpreterStop stop = original.Run(f, values);
    const std::optional<std::vector<uint64_t>> results = lifted.Run(f, args);
    if (stop.kind == InterpreterStop::Kind::kReturned) {
      ASSERT_TRUE(results.has_value()) << "trap " << static_cast<int>(lifted.trap);
      for (size_t k = 0; k < results->size(); ++k) {
        uint64_t expected;
        std::memcpy(&expected, values[k].bytes, 8);
        ASSERT_EQ((*results)[k], expected) << "result " << k;
      }
    } else {
      ASSERT_EQ(stop.kind, InterpreterStop::Kind::kTrapped);
      ASSERT_FALSE(results.has_value()) << "trap " << static_cast<int>(stop.trap);
      ASSERT_EQ(lifted.trap, stop.trap);
      ASSERT_EQ(lifted.offset.value_or(stop.offset), stop.offset);
    }
    ASSERT_EQ(lifted.machine.fuel, original.fuel());
    ASSERT_EQ(lifted.helper_calls, helper_calls);
    ASSERT_EQ(lifted.Difference(original), "");
  }
}

TEST(LiftDifferential, RandomModules) {
  for (uint64_t seed = 0; seed < 150; ++seed) {
    for (const bool beyond_2_0 : {false, true}) {
      ASSERT_NO_FATAL_FAILURE(CheckSeed(seed, beyond_2_0, 0));
    }
  }
}

TEST(LiftDifferential, OptimizedRandomModules) {
  for (uint64_t seed = 1000; seed < 1120; ++seed) {
    for (const bool beyond_2_0 : {false, true}) {
      for (const int level : {1, 2}) {
        ASSERT_NO_FATAL_FAILURE(CheckSeed(seed, beyond_2_0, level));
      }
    }
  }
}

}  // namespace
}  // namespace precast
