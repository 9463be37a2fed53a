// WebAssembly's calling convention: values of all types through random signatures, in and out of
// calls and tail calls, direct and through pointers.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/verifier.h"
#include "compiler/x64/compile.h"
#include "compiler/x64/test_functions.h"
#include "compiler/x64/test_machine.h"
#include "gtest/gtest.h"
#include "runtime/abi/wasm_context.h"

namespace precast::x64::testing {
namespace {

struct Datum {
  Type type;
  std::array<uint8_t, 16> bytes = {};
};

size_t SizeOf(Type t) { return t == Type::kV128 ? 16 : t == Type::kI64 || t == Type::kF64 ? 8 : 4; }

// Random numbers of values of random types that can travel in registers.
std::vector<Type> RandomTypes(std::mt19937_64& rng, absl::Span<const Type> among) {
  std::vector<Type> types;
  int ints = abi::kNumWasmIntPassed, vectors = abi::kNumWasmVectorPassed;
  for (size_t n = rng() % 22; n > 0; --n) {
    const Type t = among[rng() % among.size()];
    int& left = t == Type::kI32 || t == Type::kI64 ? ints : vectors;
    if (left-- > 0) types.push_back(t);
  }
  return types;
}

// f passes some of its parameters to g and returns some of its own and some of what g returns,
// which are some of g's parameters.
TEST(WasmConventionTest, RandomSignatures) {
  const Type all[] = {Type::kI32, Type::kI64, Type::kF32, Type::kF64, Type::kV128};
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 rng(seed);
    std::vector<Type> f_params = RandomTypes(rng, all);
    if (f_params.empty()) f_params.push_back(Type::kI32);
    std::vector<Type> g_params = RandomTypes(rng, f_params);
    if (g_params.empty()) g_params.push_back(f_params[0]);
    const std::vector<Type> g_results = RandomTypes(rng, g_params);
    const int how = static_cast<int>(rng() % 4);
    const bool tail = how > 1;
    const std::vector<Type> f_results = tail ? g_results : RandomTypes(rng, f_params);
    auto some = [&](Type t, absl::Span<const Type> types) {
      while (true) {
        const size_t k = rng() % types.size();
        if (types[k] == t) return k;
      }
    };

    std::vector<Datum> f_data;
    for (Type t : f_params) {
      Datum d{t};
      for (size_t k = 0; k < SizeOf(t); ++k) d.bytes[k] = static_cast<uint8_t>(rng());
      f_data.push_back(d);
    }
    Function g("g", {g_params, g_results, ir::CallConv::kWasm});
    const Block g_entry = g.NewBlock();
    std::vector<Value> g_values;
    for (Type t : g_params) g_values.push_back(g.AddParam(g_entry, t));
    g.AddEntry(g_entry);
    std::vector<Value> g_return;
    std::vector<size_t> g_from;
    for (Type t : g_results) {
      g_from.push_back(some(t, g_params));
      g_return.push_back(g_values[g_from.back()]);
    }
    g.Append(g_entry, {.op = Opcode::kRet}, g_return, {});

    Function f("f", {f_params, f_results, ir::CallConv::kWasm});
    const Block entry = f.NewBlock();
    std::vector<Value> values;
    for (Type t : f_params) values.push_back(f.AddParam(entry, t));
    f.AddEntry(entry);
    std::vector<Value> args;
    std::vector<Datum> g_data;
    for (Type t : g_params) {
      const size_t k = some(t, f_params);
      args.push_back(values[k]);
      g_data.push_back(f_data[k]);
    }
    InstData call{.op = Opcode::kCall, .imm = 1};
    const Opcode kinds[] = {Opcode::kCall, Opcode::kCallPointer, Opcode::kTailCall,
                            Opcode::kTailPointer};
    call.op = kinds[how];
    std::vector<Type> types = f_params;
    std::vector<Datum> data = f_data;
    if (how % 2 == 1) {
      Build build(f);
      build.At(entry);
      const Value code = build.Op(Opcode::kLoadContext, Type::kI64, {}, Type::kI64,
                                  static_cast<uint8_t>(ir::MemKind::k64), TestMachine::kArea);
      args.insert(args.begin(), {code, build.Const(Type::kI64, 1), build.Const(Type::kI32, 2)});
    }
    const ir::Inst i = f.Append(entry, call, args, tail ? std::vector<Type>() : g_results);
    for (size_t k = 0; k < g_results.size() && !tail; ++k) {
      values.push_back(f.result(i, static_cast<uint32_t>(k)));
      types.push_back(g_results[k]);
      data.push_back(g_data[g_from[k]]);
    }
    std::vector<Value> returned;
    std::vector<Datum> expected;
    for (size_t n = 0; n < f_results.size(); ++n) {
      if (tail) {
        expected.push_back(g_data[g_from[n]]);
        continue;
      }
      const size_t k = some(f_results[n], types);
      returned.push_back(values[k]);
      expected.push_back(data[k]);
    }
    if (!tail) f.Append(entry, {.op = Opcode::kRet}, returned, {});
    ASSERT_TRUE(ir::Verify(f).ok()) << ir::Verify(f);
    ASSERT_TRUE(ir::Verify(g).ok()) << ir::Verify(g);

    std::vector<codegen::CompiledFunction> functions;
    functions.push_back(Compile(f, Options()));
    functions.push_back(Compile(g, Options()));
    TestMachine machine(std::move(functions));
    const uint64_t code = machine.CodeAddress(1);
    std::memcpy(machine.area(), &code, 8);
    TestMachine::WasmRegisters r;
    std::memset(r.ints, 0xc3, sizeof(r.ints));
    std::memset(r.vectors, 0xc3, sizeof(r.vectors));
    size_t ints = 0, vectors = 0;
    for (const Datum& d : f_data) {
      if (d.type == Type::kI32 || d.type == Type::kI64) {
        std::memcpy(&r.ints[abi::kWasmPassedIn[ints++]], d.bytes.data(), 8);
      } else {
        std::memcpy(r.vectors[vectors++], d.bytes.data(), SizeOf(d.type));
      }
    }
    ASSERT_EQ(machine.RunWasm(0, r).kind, TestMachine::Stop::Kind::kReturned);
    ints = vectors = 0;
    for (const Datum& d : expected) {
      if (d.type == Type::kI32 || d.type == Type::kI64) {
        const size_t reg = ints == 0 ? abi::kNextPcReg : abi::kWasmPassedIn[ints];
        ++ints;
        ASSERT_EQ(std::memcmp(&r.ints[reg], d.bytes.data(), 8), 0) << "integer " << ints;
      } else {
        ASSERT_EQ(std::memcmp(r.vectors[vectors++], d.bytes.data(), SizeOf(d.type)), 0)
            << "vector " << vectors;
      }
    }
  }
}

}  // namespace
}  // namespace precast::x64::testing
