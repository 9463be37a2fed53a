#include "compiler/wasm/validator.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/parallel.h"
#include "compiler/wasm/byte_reader.h"
#include "compiler/wasm/function_validator.h"
#include "compiler/wasm/instruction.h"
#include "compiler/wasm/limits.h"

namespace precast::wasm {
namespace {

absl::Status Unknown(uint32_t offset, std::string_view what, uint32_t index, size_t count) {
  return FaultAt(offset, absl::StrFormat("unknown %s %u: there are %u", what, index, count));
}

class ModuleValidator {
 public:
  ModuleValidator(const Module& module, const Features& features)
      : module_(module), features_(features) {}

  absl::Status Validate();

 private:
  absl::Status CheckFunctionTypes();
  absl::Status CheckTables();
  absl::Status CheckMemories();
  absl::Status CheckGlobals();
  absl::Status CheckExports();
  absl::Status CheckStart();
  absl::Status CheckElements();
  absl::Status CheckData();

  // A constant expression of one result, which may use the first `globals` globals.
  absl::Status CheckConstExpr(ConstExpr expression, ValType expected, uint32_t globals);
  absl::Status CheckConstInstruction(uint32_t globals);

  // Globals that constant expressions in segments may use.
  uint32_t VisibleGlobals() const {
    return features_.extended_const ? static_cast<uint32_t>(module_.globals.size())
                                    : module_.num_imported_globals;
  }

  const Module& module_;
  const Features& features_;
  Instruction instruction_;
  std::vector<ValType> stack_;
};

absl::Status ModuleValidator::Validate() {
  // In the order of the sections: so the first fault in the file is reported.
  for (absl::Status (ModuleValidator::*check)() :
       {&ModuleValidator::CheckFunctionTypes, &ModuleValidator::CheckTables,
        &ModuleValidator::CheckMemories, &ModuleValidator::CheckGlobals,
        &ModuleValidator::CheckExports, &ModuleValidator::CheckStart,
        &ModuleValidator::CheckElements, &ModuleValidator::CheckData}) {
    if (absl::Status status = (this->*check)(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ModuleValidator::CheckFunctionTypes() {
  for (const Function& function : module_.functions) {
    if (function.type >= module_.types.size()) {
      return Unknown(function.offset, "type", function.type, module_.types.size());
    }
  }
  return absl::OkStatus();
}

absl::Status CheckMinMax(const Limits& limits, uint32_t offset) {
  if (limits.max.has_value() && *limits.max < limits.min) {
    return FaultAt(offset,
                   absl::StrFormat("size minimum must not be greater than maximum: %u and %u",
                                   limits.min, *limits.max));
  }
  return absl::OkStatus();
}

absl::Status ModuleValidator::CheckTables() {
  for (const Table& table : module_.tables) {
    if (absl::Status status = CheckMinMax(table.type.limits, table.offset); !status.ok())
      return status;
  }
  return absl::OkStatus();
}

absl::Status ModuleValidator::CheckMemories() {
  for (size_t i = 0; i < module_.memories.size(); ++i) {
    const MemoryType& memory = module_.memories[i];
    const uint32_t offset = module_.memory_offsets[i];
    if (i > 0 && !features_.multi_memory) {
      return FaultAt(offset, absl::StrFormat("multiple memories: %u, at most 1 allowed",
                                             module_.memories.size()));
    }
    const uint64_t limit = memory.is_64 ? kMaxPages64 : kMaxPages32;
    const uint64_t size = std::max(memory.limits.min, memory.limits.max.value_or(0));
    if (size > limit) {
      return FaultAt(offset, absl::StrFormat("memory size must be at most %u pages (%s): actual %u",
                                             limit, memory.is_64 ? "2^64 bytes" : "4GiB", size));
    }
    if (absl::Status status = CheckMinMax(memory.limits, offset); !status.ok()) return status;
    if (memory.shared && !memory.limits.max.has_value()) {
      return FaultAt(offset, "shared memory must have maximum");
    }
  }
  return absl::OkStatus();
}

absl::Status ModuleValidator::CheckGlobals() {
  for (uint32_t i = module_.num_imported_globals; i < module_.globals.size(); ++i) {
    const Global& global = module_.globals[i];
    // 2.0 lets initializers use imported globals only, 3.0 (as extended constants do) all earlier
    // ones.
    const uint32_t visible = std::min(i, VisibleGlobals());
    if (absl::Status status = CheckConstExpr(global.init, global.type.type, visible);
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status ModuleValidator::CheckExports() {
  absl::flat_hash_set<std::string_view> names;
  names.reserve(module_.exports.size());
  for (const Export& item : module_.exports) {
    size_t count = 0;
    std::string_view what;
    switch (item.kind) {
      case ExternKind::kFunction:
        count = module_.functions.size();
        what = "function";
        break;
      case ExternKind::kTable:
        count = module_.tables.size();
        what = "table";
        break;
      case ExternKind::kMemory:
        count = module_.memories.size();
        what = "memory";
        break;
      case ExternKind::kGlobal:
        count = module_.globals.size();
        what = "global";
        break;
    }
    if (item.index >= count) return Unknown(item.offset, what, item.index, count);
    if (!names.insert(item.name).second) {
      return FaultAt(item.offset, absl::StrFormat("duplicate export name \"%s\"",
                                                  absl::Utf8SafeCEscape(item.name.substr(0, 100))));
    }
  }
  return absl::OkStatus();
}

absl::Status ModuleValidator::CheckStart() {
  if (!module_.start.has_value()) return absl::OkStatus();
  if (*module_.start >= module_.functions.size()) {
    return Unknown(module_.start_offset, "function", *module_.start, module_.functions.size());
  }
  const FuncType& type = module_.TypeOf(*module_.start);
  if (!type.params.empty() || !type.results.empty()) {
    return FaultAt(
        module_.start_offset,
        absl::StrFormat("start function must have neither parameters nor results, actual "
                        "%u and %u",
                        type.params.size(), type.results.size()));
  }
  return absl::OkStatus();
}

absl::Status ModuleValidator::CheckElements() {
  for (const ElementSegment& segment : module_.elements) {
    if (segment.mode == SegmentMode::kActive) {
      if (segment.table >= module_.tables.size()) {
        return Unknown(segment.file_offset, "table", segment.table, module_.tables.size());
      }
      const TableType& table = module_.tables[segment.table].type;
      if (table.element != segment.type) {
        return FaultAt(segment.file_offset,
                       absl::StrFormat("type mismatch: element segment, expected %s, actual %s",
                                       Name(table.element), Name(segment.type)));
      }
      if (absl::Status status =
              CheckConstExpr(segment.offset, AddressType(table.is_64), VisibleGlobals());
          !status.ok()) {
        return status;
      }
    }
    for (const uint32_t function : segment.functions) {
      if (function >= module_.functions.size()) {
        return Unknown(segment.file_offset, "function", function, module_.functions.size());
      }
    }
    for (const ConstExpr& expression : segment.expressions) {
      if (absl::Status status = CheckConstExpr(expression, segment.type, VisibleGlobals());
          !status.ok()) {
        return status;
      }
    }
  }
  return absl::OkStatus();
}

absl::Status ModuleValidator::CheckData() {
  for (const DataSegment& segment : module_.data) {
    if (segment.mode != SegmentMode::kActive) continue;
    if (segment.memory >= module_.memories.size()) {
      return Unknown(segment.file_offset, "memory", segment.memory, module_.memories.size());
    }
    const ValType address = AddressType(module_.memories[segment.memory].is_64);
    if (absl::Status status = CheckConstExpr(segment.offset, address, VisibleGlobals());
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status ModuleValidator::CheckConstExpr(ConstExpr expression, ValType expected,
                                             uint32_t globals) {
  InstructionReader reader(module_.bytes, expression, features_);
  stack_.clear();
  for (;;) {
    if (absl::Status status = reader.Next(instruction_); !status.ok()) return status;
    if (instruction_.op == Op::kEnd) break;
    if (absl::Status status = CheckConstInstruction(globals); !status.ok()) return status;
  }
  if (stack_.size() != 1 || stack_[0] != expected) {
    return FaultAt(expression.begin,
                   absl::StrFormat("type mismatch: constant expression, expected %s, actual %s",
                                   Name(expected),
                                   stack_.size() == 1 ? std::string(Name(stack_[0]))
                                                      : absl::StrCat(stack_.size(), " values")));
  }
  return absl::OkStatus();
}

absl::Status ModuleValidator::CheckConstInstruction(uint32_t globals) {
  const uint32_t at = instruction_.offset;
  const auto binary = [&](ValType type) {
    if (!features_.extended_const) return FaultAt(at, "constant expression required");
    if (stack_.size() < 2 || stack_[stack_.size() - 1] != type ||
        stack_[stack_.size() - 2] != type) {
      return FaultAt(at, absl::StrFormat("type mismatch: %s, expected two %s",
                                         Info(instruction_.op).text, Name(type)));
    }
    stack_.pop_back();
    return absl::OkStatus();
  };
  switch (instruction_.op) {
    case Op::kI32Const:
      stack_.push_back(kI32);
      return absl::OkStatus();
    case Op::kI64Const:
      stack_.push_back(kI64);
      return absl::OkStatus();
    case Op::kF32Const:
      stack_.push_back(kF32);
      return absl::OkStatus();
    case Op::kF64Const:
      stack_.push_back(kF64);
      return absl::OkStatus();
    case Op::kV128Const:
      stack_.push_back(kV128);
      return absl::OkStatus();
    case Op::kRefNull:
      stack_.push_back(instruction_.type);
      return absl::OkStatus();
    case Op::kRefFunc:
      if (instruction_.index >= module_.functions.size()) {
        return Unknown(at, "function", instruction_.index, module_.functions.size());
      }
      stack_.push_back(kFuncRef);
      return absl::OkStatus();
    case Op::kGlobalGet: {
      if (instruction_.index >= globals) return Unknown(at, "global", instruction_.index, globals);
      const GlobalType& type = module_.globals[instruction_.index].type;
      if (type.is_mutable) {
        return FaultAt(at, absl::StrCat("constant expression required: global ", instruction_.index,
                                        " is mutable"));
      }
      stack_.push_back(type.type);
      return absl::OkStatus();
    }
    case Op::kI32Add:
    case Op::kI32Sub:
    case Op::kI32Mul:
      return binary(kI32);
    case Op::kI64Add:
    case Op::kI64Sub:
    case Op::kI64Mul:
      return binary(kI64);
    default:
      return FaultAt(
          at, absl::StrCat("constant expression required, actual ", Info(instruction_.op).text));
  }
}

}  // namespace

absl::Status ValidateModule(const Module& module, const Features& features) {
  return ModuleValidator(module, features).Validate();
}

absl::Status ValidateFunction(const Module& module, uint32_t function, const Features& features) {
  return FunctionValidator(module, features).Validate(function);
}

absl::Status Validate(const Module& module, const Features& features, int threads,
                      std::vector<uint32_t>* instructions) {
  if (absl::Status status = ValidateModule(module, features); !status.ok()) return status;

  // Functions in groups, small enough to share them out evenly.
  constexpr size_t kGroup = 64;
  const size_t first = module.num_imported_functions;
  const size_t count = module.functions.size() - first;
  if (instructions != nullptr) instructions->assign(count, 0);
  std::mutex mutex;
  size_t first_fault = module.functions.size();
  absl::Status fault;
  ParallelFor((count + kGroup - 1) / kGroup, threads, [&](size_t group) {
    const size_t begin = first + group * kGroup;
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (first_fault < begin) return;
    }
    FunctionValidator validator(module, features);
    for (size_t i = begin; i < std::min(begin + kGroup, module.functions.size()); ++i) {
      absl::Status status = validator.Validate(static_cast<uint32_t>(i));
      if (status.ok()) {
        if (instructions != nullptr) (*instructions)[i - first] = validator.num_instructions();
        continue;
      }
      const std::lock_guard<std::mutex> lock(mutex);
      if (i < first_fault) {
        first_fault = i;
        fault = std::move(status);
      }
      return;
    }
  });
  return fault;
}

}  // namespace precast::wasm
