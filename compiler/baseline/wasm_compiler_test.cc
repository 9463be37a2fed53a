// The code that templates make of WebAssembly functions, as text; that its side tables say what
// those of the way through the IR say; and that hostile bodies are compiled, or given back, in
// reasonable time and room. What the code does is tested where programs run: tools/testing,
// runtime/wasm, and the specification's scripts.
#include "compiler/baseline/wasm_compiler.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/codegen/target.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/pipeline.h"
#include "compiler/wasm/lifter.h"
#include "compiler/wasm/module.h"
#include "compiler/wasm/reader.h"
#include "compiler/wasm/validator.h"
#include "compiler/x64/assembly_text.h"
#include "compiler/x64/compile.h"
#include "gtest/gtest.h"
#include "tools/wast/text.h"

namespace precast::baseline {
namespace {

using codegen::CompiledFunction;
using codegen::Site;

class TestModule {
 public:
  explicit TestModule(const std::string& text) {
    absl::StatusOr<std::vector<uint8_t>> bytes = wast::ModuleFromText("test", text);
    CHECK_OK(bytes);
    bytes_ = *std::move(bytes);
    absl::StatusOr<wasm::Module> module = wasm::ReadModule(bytes_, wasm::Features{});
    CHECK_OK(module);
    CHECK_OK(wasm::Validate(*module, wasm::Features{}));
    module_ = std::make_unique<wasm::Module>(*std::move(module));
    context_ = std::make_unique<wasm::LiftContext>(*module_);
  }

  std::optional<CompiledFunction> Compile(uint32_t function,
                                          const wasm::LiftOptions& options = {}) const {
    return WasmCompiler(*context_, options).Compile(function);
  }
  CompiledFunction ThroughIr(uint32_t function) const {
    absl::StatusOr<ir::Function> lifted = wasm::Lift(*context_, function, {});
    CHECK_OK(lifted);
    opt::Optimize(*lifted, {.level = 0});
    codegen::CompileOptions options;
    options.opt_level = 0;
    return x64::Compile(*lifted, options);
  }
  const wasm::LiftContext& context() const { return *context_; }

 private:
  std::vector<uint8_t> bytes_;
  std::unique_ptr<wasm::Module> module_;
  std::unique_ptr<wasm::LiftContext> context_;
};

// The code of a module's only function, without fuel.
std::string Text(const std::string& function) {
  const TestModule module(absl::StrCat("(module (memory 1) ", function, ")"));
  const std::optional<CompiledFunction> compiled = module.Compile(0, {.metered = false});
  CHECK(compiled.has_value());
  return x64::AssemblyText(*compiled);
}

TEST(WasmBaseline, AComparisonAndTheBranchAreOneTest) {
  const std::string text = Text(
      "(func (param i32 i32) (result i32) (block"
      " (br_if 0 (i32.lt_s (local.get 0) (local.get 1)))"
      " (br_if 0 (i32.eqz (i32.eqz (i32.gt_u (local.get 0) (i32.const 7)))))"
      " (return (i32.const 1))) (i32.const 2))");
  EXPECT_TRUE(absl::StrContains(text, "cmp edi, esi\n    jl ")) << text;
  EXPECT_TRUE(absl::StrContains(text, "cmp edi, 0x7\n    jnbe ")) << text;
  EXPECT_FALSE(absl::StrContains(text, "set")) << text;
}

TEST(WasmBaseline, ConstantsAreOperands) {
  const std::string text = Text(
      "(func (param i32 i64) (result i64)"
      " (i32.store offset=8 (local.get 0) (i32.const 5))"
      " (i64.store (i32.const 16) (i64.const -1))"
      " (i64.mul (i64.sub (local.get 1) (i64.const 3)) (i64.const 10)))");
  EXPECT_TRUE(absl::StrContains(text, "mov dword ptr [rbx+rdi*1+0x8], 0x5")) << text;
  EXPECT_TRUE(absl::StrContains(text, "mov qword ptr [rbx+0x10], 0xffffffffffffffff")) << text;
  EXPECT_TRUE(absl::StrContains(text, "lea rax, [rsi-0x3]")) << text;
  EXPECT_TRUE(absl::StrContains(text, "imul rax, rax, 0xa")) << text;
}

TEST(WasmBaseline, ALocalIsWrittenToItsSlotAndReadFromItsRegister) {
  const std::string text = Text(
      "(func (param i32) (result i32)"
      " (local.set 0 (i32.add (local.get 0) (i32.const 1)))"
      " (i32.xor (local.get 0) (i32.shl (local.get 0) (i32.const 3))))");
  EXPECT_TRUE(absl::StrContains(text, "lea eax, [rdi+0x1]\n    mov [rsp], eax\n")) << text;
  EXPECT_FALSE(absl::StrContains(text, ", [rsp]")) << text;
}

TEST(WasmBaseline, ALoopHasItsLocalsInRegisters) {
  const std::string text = Text(
      "(func (param i32) (result f64) (local f64) (loop"
      " (local.set 1 (f64.add (local.get 1) (f64.const 1)))"
      " (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 1))");
  // The sum is loaded before the loop, and goes to where it was at its end.
  EXPECT_TRUE(absl::StrContains(text, "movsd xmm0, qword ptr [rsp+0x8]\nL0:\n")) << text;
  EXPECT_EQ(absl::StrContains(text.substr(text.find("L0:")), ", [rsp"), false) << text;
}

TEST(WasmBaseline, LocalsThatAreInTheSameRegisterOnAllWaysStayThere) {
  const std::string text = Text(
      "(func (param i32 i32) (result i32)"
      " (if (local.get 0) (then (local.set 1 (i32.const 3))) (else (i32.store (local.get 0) "
      "(local.get 1))))"
      " (i32.mul (local.get 0) (local.get 1)))");
  EXPECT_TRUE(absl::StrContains(text, "[rsp+0x8]")) << text;        // was assigned
  EXPECT_FALSE(absl::StrContains(text, "mov eax, [rsp]")) << text;  // was not
}

TEST(WasmBaseline, AnAssignmentDoesNotChangeWhatWasRead) {
  const std::string text = Text(
      "(func (param i32) (result i32)"
      " (local.get 0) (local.set 0 (i32.const 5)) (local.get 0) i32.sub)");
  EXPECT_TRUE(absl::StrContains(
      text, "mov eax, 0x5\n    mov [rsp], eax\n    sub edi, eax\n    mov eax, edi\n"))
      << text;
}

TEST(WasmBaseline, ManyLocalsAreClearedByALoop) {
  const std::string text = Text("(func (local i64 i64 i64))");
  EXPECT_TRUE(absl::StrContains(text, "movups [rsp], xmm15\n    movsd [rsp+0x10], xmm15")) << text;
  std::string many = "(func ";
  for (int k = 0; k < 100; ++k) many += "(local i32)";
  EXPECT_TRUE(absl::StrContains(Text(many + ")"), "movups [rsp+r12*1+0x320], xmm15"));
}

// Sites without where they are.
std::vector<std::tuple<uint32_t, int, int, uint32_t>> SitesOf(const CompiledFunction& f) {
  std::vector<std::tuple<uint32_t, int, int, uint32_t>> sites;
  for (size_t k = 0; k < f.sites.size(); ++k) {
    const Site& site = f.sites[k];
    if (k != 0) {
      EXPECT_LT(f.sites[k - 1].code_offset, site.code_offset);
    }
    EXPECT_TRUE(k != 0 || site.reset);
    EXPECT_TRUE(f.StateOf(site).empty());
    EXPECT_LE(site.code_offset, f.code.size());
    if (site.kind == Site::Kind::kStack) continue;  // a leaf may have no frame
    sites.emplace_back(site.guest_pc, static_cast<int>(site.kind), site.trap_code, site.refund);
  }
  std::sort(sites.begin(), sites.end());
  return sites;
}

TEST(WasmBaseline, SitesAreThoseOfTheWayThroughTheIr) {
  const TestModule module(R"((module
    (import "m" "f" (func $import (param i32) (result i32)))
    (type $t (func (param i32) (result i32)))
    (memory 1) (table 4 funcref)
    (func $memory (param i32 i64) (result i64)
      (i64.store offset=4 (local.get 0) (local.get 1))
      (i64.add (i64.load (local.get 0)) (i64.load32_u offset=9 (local.get 0))))
    (func $divide (param i32 i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.div_s (local.get 0) (local.get 1)))
        (else (i32.rem_u (local.get 1) (local.get 0)))))
    (func $calls (param i32) (result i32)
      (drop (call $import (local.get 0)))
      (drop (call $divide (local.get 0) (i32.load (local.get 0))))
      (call_indirect (type $t) (local.get 0) (local.get 0)))
    (func $loop (param i32) (result i32) (local i32)
      (block $out
        (loop $again
          (br_if $out (i32.eqz (local.get 0)))
          (local.set 1 (i32.add (local.get 1) (i32.load8_u (local.get 0))))
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (br $again))
        unreachable)
      (local.get 1))
    (func $table (param i32) (result i32)
      (block $a (block $b (block $c
        (br_table $a $b $c $a (local.get 0)))
        (return (i32.load (i32.const 1)))))
      (memory.grow (i32.trunc_f64_s (f64.convert_i32_u (local.get 0)))))
  ))");
  for (uint32_t function = 1; function <= 5; ++function) {
    const std::optional<CompiledFunction> compiled = module.Compile(function);
    ASSERT_TRUE(compiled.has_value());
    const CompiledFunction other = module.ThroughIr(function);
    EXPECT_EQ(SitesOf(*compiled), SitesOf(other))
        << "function " << function << "\n"
        << x64::AssemblyText(*compiled) << x64::AssemblyText(other);
    ASSERT_EQ(compiled->entries.size(), 1u);
    EXPECT_EQ(compiled->entries[0].guest_pc, other.entries[0].guest_pc);
    EXPECT_EQ(compiled->entries[0].code_offset, 0u);
  }
}

TEST(WasmBaseline, VectorsHaveSlotsOfTheirSize) {
  const std::string text = Text(
      "(func (param v128 i32) (result v128) (local v128)"
      " (local.set 2 (i32x4.add (local.get 0) (v128.load offset=4 (local.get 1))))"
      " (f32x4.mul (local.get 2) (v128.const i32x4 1 2 3 4)))");
  EXPECT_TRUE(absl::StrContains(text, "movups [rsp], xmm0\n    mov [rsp+0x10], edi\n")) << text;
  EXPECT_TRUE(absl::StrContains(text, "movups xmm1, [rbx+rdi*1+0x4]")) << text;
  EXPECT_TRUE(absl::StrContains(text, "paddd ")) << text;
  EXPECT_TRUE(absl::StrContains(text, "movups [rsp+0x20], xmm")) << text;
  EXPECT_TRUE(absl::StrContains(text, "mulps ")) << text;
}

TEST(WasmBaseline, AVectorConstantIsThereOnce) {
  const TestModule module(
      "(module (func (param v128) (result v128)"
      " (v128.xor (v128.and (local.get 0) (v128.const i32x4 1 2 3 4))"
      "           (i8x16.swizzle (local.get 0) (v128.const i32x4 1 2 3 4)))))");
  const std::optional<CompiledFunction> compiled = module.Compile(0);
  ASSERT_TRUE(compiled.has_value());
  EXPECT_EQ(compiled->constants.size(), 32u);  // and what swizzle adds to the indices
}

TEST(WasmBaseline, AtomicsAreOneInstruction) {
  const std::string text = Text(
      "(func (param i32 i32) (result i32)"
      " (i32.atomic.store offset=4 (local.get 0) (local.get 1))"
      " (i32.add (i32.atomic.rmw.add (local.get 0) (local.get 1))"
      "          (i32.atomic.rmw.cmpxchg (local.get 0) (i32.const 1) (i32.const 2))))");
  EXPECT_TRUE(absl::StrContains(text, "test edi, 0x3\n    jnz ")) << text;
  EXPECT_TRUE(absl::StrContains(text, "xchg [rbx+rdi*1+0x4], ")) << text;
  EXPECT_TRUE(absl::StrContains(text, "lock xadd [rbx+rdi*1], ")) << text;
  EXPECT_TRUE(absl::StrContains(text, "lock cmpxchg [rbx+rdi*1], ")) << text;
}

TEST(WasmBaseline, WhatHasNoTemplateIsGivenBack) {
  const TestModule module(R"((module
    (memory 1) (memory $large i64 1)
    (func (drop (i64.load $large (i64.const 0))))
    (func (drop (i32.atomic.rmw.or (i32.const 0) (i32.const 1))))
    (func (drop (i32.atomic.load (i32.const 1))))
    (func (drop (i32.load offset=0x80000000 (i32.const 0))))
    (func (local v128) (drop (i64.load $large (i64.const 0))))
    (func (unreachable) (drop (i32.atomic.rmw.or (i32.const 0) (i32.const 1))))
    (func (drop (i32.const 0)))
  ))");
  for (uint32_t function = 0; function < 5; ++function) {
    EXPECT_FALSE(module.Compile(function).has_value()) << function;
  }
  EXPECT_TRUE(module.Compile(5).has_value());  // is never executed
  EXPECT_TRUE(module.Compile(6).has_value());
}

TEST(WasmBaseline, OneCompilerAfterAnother) {
  const TestModule module(R"((module
    (memory i64 1)
    (func (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 0)))
    (func (param f64) (result f64) (drop (i64.load (i64.const 0))) (local.get 0))
    (func (param i64) (result i64) (loop (br_if 0 (i64.eqz (local.get 0)))) (local.get 0))
    (func (param f64) (result f64) (drop (v128.const i64x2 1 2)) (local.get 0))
  ))");
  WasmCompiler compiler(module.context(), {});
  const std::optional<CompiledFunction> vectors = compiler.Compile(3);
  const std::optional<CompiledFunction> third = compiler.Compile(2);
  EXPECT_EQ(compiler.instructions(), 7u);
  EXPECT_FALSE(compiler.Compile(1).has_value());
  const std::optional<CompiledFunction> first = compiler.Compile(0);
  EXPECT_EQ(first->code, module.Compile(0)->code);
  EXPECT_EQ(third->code, module.Compile(2)->code);
  EXPECT_EQ(compiler.Compile(2)->code, third->code);
  EXPECT_EQ(compiler.Compile(3)->code, vectors->code);
  EXPECT_EQ(compiler.instructions(), 4u);
}

TEST(WasmBaseline, HostileBodies) {
  // More operands than registers, and than the window of the stack that may be in them.
  std::string deep = "(module (func (param i32) (result i32)";
  for (int k = 0; k < 3000; ++k) deep += "(i32.mul (local.get 0) (local.get 0))";
  for (int k = 0; k < 2999; ++k) deep += " i32.add";
  EXPECT_TRUE(TestModule(deep + "))").Compile(0).has_value());

  // A frame too large.
  std::string locals = "(module (func (local";
  for (int k = 0; k < 5000; ++k) locals += " i32";
  EXPECT_FALSE(TestModule(locals + ")))").Compile(0).has_value());

  // Every branch passes many values.
  std::string values = "(module (type $t (func (result";
  for (int k = 0; k < 1000; ++k) values += " i64";
  values += "))) (func (param i32) (block (type $t)";
  for (int k = 0; k < 1000; ++k) values += "(i64.const 0x123456789abc)";
  for (int k = 0; k < 5000; ++k) values += "(br_if 0 (local.get 0))";
  values += ")";
  for (int k = 0; k < 1000; ++k) values += "drop ";
  const std::optional<CompiledFunction> compiled = TestModule(values + "))").Compile(0);
  EXPECT_TRUE(!compiled.has_value() || compiled->code.size() < (4u << 20));
}

}  // namespace
}  // namespace precast::baseline
