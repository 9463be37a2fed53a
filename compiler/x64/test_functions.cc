#include "compiler/x64/test_functions.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "compiler/codegen/target.h"
#include "compiler/ir/ir.h"
#include "loader/format/cpu_features.h"
#include "runtime/abi/vm_context.h"

namespace precast::x64::testing {

codegen::CompileOptions Options() {
  codegen::CompileOptions options;
  options.check_allocation = true;
  options.dispatch_base = kDispatchBase;
  options.dispatch_count = kDispatchCount;
  return options;
}

codegen::CompileOptions NativeOptions() {
  codegen::CompileOptions options = Options();
  options.opt_level = 2;
  options.cpu_features = format::HostCpuFeatures() & format::kX86_64V3;
  return options;
}

Value Build::Op(Opcode op, Type type, std::vector<Value> args, Type result, uint8_t aux,
                int64_t imm, ir::Site site) {
  InstData d{.op = op, .type = type, .aux = aux};
  d.imm = imm;
  d.site = site;
  return f_.result(f_.Append(b_, d, args, {result}));
}

void Build::Do(Opcode op, std::vector<Value> args, uint8_t aux, int64_t imm, ir::Site site,
               std::vector<ir::Edge> edges, Type type) {
  InstData d{.op = op, .type = type, .aux = aux};
  d.imm = imm;
  d.site = site;
  f_.Append(b_, d, args, {}, std::move(edges));
}

Value Build::Join(Value low, Value high) {
  Value l = Op(Opcode::kExtendU32, Type::kI64, {low}, Type::kI64);
  Value h = Op(Opcode::kExtendU32, Type::kI64, {high}, Type::kI64);
  return Binary(Opcode::kOr, Type::kI64, l,
                Binary(Opcode::kShl, Type::kI64, h, Const(Type::kI64, 32)));
}

Function NewFunction(size_t results) {
  return Function("f", {std::vector<Type>(abi::kNumPassed, Type::kI32),
                        std::vector<Type>(results, Type::kI32)});
}

std::vector<Value> NewEntry(Function& f, Block b, uint32_t pc) {
  std::vector<Value> params;
  for (int i = 0; i < abi::kNumPassed; ++i) params.push_back(f.AddParam(b, Type::kI32));
  f.block(b).guest_pc = pc;
  f.AddEntry(b);
  return params;
}

}  // namespace precast::x64::testing
