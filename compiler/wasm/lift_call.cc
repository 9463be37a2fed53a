// Calls: direct, imported, indirect, of runtime helpers; and where parameters and results travel
// (runtime/abi/wasm_context.h).
#include <array>

#include "absl/log/check.h"
#include "compiler/wasm/lift_function.h"

namespace precast::wasm {

using ir::Type;

namespace {

// Displacement of WasmContext::args[n].
int64_t ArgAt(size_t n) {
  return static_cast<int64_t>(offsetof(abi::WasmContext, args) + n * sizeof(abi::WasmValue));
}

}  // namespace

std::vector<bool> InRegisters(absl::Span<const ValType> types) {
  std::vector<bool> result;
  result.reserve(types.size());
  int integers = 0;
  int vectors = 0;
  for (ValType type : types) {
    const Type t = TypeOf(type);
    result.push_back(t == Type::kI32 || t == Type::kI64 ? integers++ < abi::kNumWasmIntPassed
                                                        : vectors++ < abi::kNumWasmVectorPassed);
  }
  return result;
}

namespace {

std::vector<Type> RegisterTypes(absl::Span<const ValType> types) {
  const std::vector<bool> in_register = InRegisters(types);
  std::vector<Type> result;
  for (size_t k = 0; k < types.size(); ++k) {
    if (in_register[k]) result.push_back(TypeOf(types[k]));
  }
  return result;
}

}  // namespace

ir::Signature SignatureOf(const FuncType& type) {
  return {.params = RegisterTypes(type.params),
          .results = RegisterTypes(type.results),
          .conv = ir::CallConv::kWasm};
}

void FunctionLifter::LoadParams() {
  const std::vector<Value> params = f_.block(b_.block()).params;
  const std::vector<bool> in_register = InRegisters(type_.params);
  size_t next = 0;
  for (size_t k = 0; k < type_.params.size(); ++k) {
    const Type type = TypeOf(type_.params[k]);
    locals_.push_back(in_register[k] ? params[next++]
                                     : b_.LoadContext(KindOf(type), type, ArgAt(k)));
  }
}

std::vector<FunctionLifter::Value> FunctionLifter::PassValues(absl::Span<const ValType> types,
                                                              absl::Span<const Value> values) {
  DCHECK_EQ(types.size(), values.size());
  const std::vector<bool> in_register = InRegisters(types);
  std::vector<Value> result;
  for (size_t k = 0; k < types.size(); ++k) {
    if (in_register[k]) {
      result.push_back(values[k]);
      continue;
    }
    // An i32 fills 8 bytes.
    const Value v = AsI64(values[k]);
    b_.StoreContext(KindOf(f_.type(v)), v, ArgAt(k));
  }
  return result;
}

void FunctionLifter::PushResults(const FuncType& type, absl::Span<const Value> in_registers) {
  const std::vector<bool> in_register = InRegisters(type.results);
  size_t next = 0;
  for (size_t k = 0; k < type.results.size(); ++k) {
    const Type t = TypeOf(type.results[k]);
    Push(in_register[k] ? in_registers[next++] : b_.LoadContext(KindOf(t), t, ArgAt(k)));
  }
}

FunctionLifter::Pointer FunctionLifter::ImportPointer(uint32_t function) {
  const auto record = static_cast<int64_t>(context_.layout.Record(context_.record_of[function]));
  return {.code = b_.LoadContext(MemKind::k64, Type::kI64, record + abi::kRecordFarCode),
          .record = b_.ContextAddress(record),
          .type = I32(0)};
}

FunctionLifter::Pointer FunctionLifter::IndirectPointer(const Instruction& in) {
  const Value index = AsI64(Pop());
  const Value table = TableRecord(in.index2);
  const Value size = b_.LoadHost(MemKind::k64, Type::kI64, table, abi::kTableSize);
  TrapIf(b_.Icmp(ir::IntCond::kUge, index, size), Trap::kUndefinedElement);
  const Value elements = b_.LoadHost(MemKind::k64, Type::kI64, table, abi::kTableElements);
  const Value record =
      b_.LoadHost(MemKind::k64, Type::kI64, b_.Add(elements, b_.Shl(index, I64(3))), 0);
  TrapIf(b_.Icmp(ir::IntCond::kEq, record, I64(0)), Trap::kUninitializedElement);
  const int64_t type = module_.canonical_types[in.index];
  const Value expected = b_.Add(
      b_.LoadContext(MemKind::k64, Type::kI64, offsetof(abi::VmContext, instance_key)), I64(type));
  const Value key = b_.LoadHost(MemKind::k64, Type::kI64, record, abi::kRecordKey);
  const Value code = b_.LoadHost(MemKind::k64, Type::kI64, record, abi::kRecordCode);
  const Value slow =
      b_.LoadContext(MemKind::k64, Type::kI64, offsetof(abi::VmContext, indirect_slow));
  return {.code = b_.Select(b_.Icmp(ir::IntCond::kEq, key, expected), code, slow),
          .record = record,
          .type = I32(type)};
}

FunctionLifter::Value FunctionLifter::CallHelper(abi::WasmHelper helper,
                                                 absl::Span<const Value> args) {
  static constexpr std::array<char, abi::kNumWasmHelpers> kResult = {
#define PRECAST_WASM_HELPER(Name, parameters, result) result,
#include "runtime/abi/wasm_helpers.def"
#undef PRECAST_WASM_HELPER
  };
  const auto k = static_cast<size_t>(helper);
  const auto record =
      static_cast<int64_t>(offsetof(abi::WasmContext, helpers) + k * sizeof(abi::FunctionRecord));
  const Value code = b_.LoadContext(MemKind::k64, Type::kI64, record + abi::kRecordFarCode);
  std::vector<Type> results;
  if (kResult[k] != '-') results.push_back(kResult[k] == 'i' ? Type::kI32 : Type::kI64);
  const std::vector<Value> values =
      b_.CallPointer(code, b_.ContextAddress(record), I32(0), args, results, Here());
  return values.empty() ? Value() : values[0];
}

bool FunctionLifter::LiftCall(const Instruction& in) {
  switch (in.op) {
    case Op::kCall:
    case Op::kReturnCall: {
      const bool is_tail = in.op == Op::kReturnCall;
      const FuncType& type = module_.TypeOf(in.index);
      const std::vector<Value> args = PassValues(type.params, PopMany(type.params.size()));
      const ir::FuncRef callee(module_.functions[in.index].body.begin);
      const std::vector<Type> results = RegisterTypes(type.results);
      if (!module_.IsImported(in.index)) {
        if (is_tail) {
          b_.TailCall(callee, args, {.guest_pc = at_});
        } else {
          PushResults(type, b_.Call(callee, args, results, CallSite()));
        }
        return true;
      }
      const Pointer p = ImportPointer(in.index);
      if (is_tail) {
        b_.TailPointer(p.code, p.record, p.type, args, {.guest_pc = at_});
      } else {
        PushResults(type, b_.CallPointer(p.code, p.record, p.type, args, results, CallSite()));
      }
      return true;
    }
    case Op::kCallIndirect:
    case Op::kReturnCallIndirect: {
      const FuncType& type = module_.types[in.index];
      const Pointer p = IndirectPointer(in);
      const std::vector<Value> args = PassValues(type.params, PopMany(type.params.size()));
      if (in.op == Op::kReturnCallIndirect) {
        b_.TailPointer(p.code, p.record, p.type, args, {.guest_pc = at_});
      } else {
        PushResults(type, b_.CallPointer(p.code, p.record, p.type, args,
                                         RegisterTypes(type.results), CallSite()));
      }
      return true;
    }
    default:
      return false;
  }
}

}  // namespace precast::wasm
