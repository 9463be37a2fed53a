#include "compiler/baseline/riscv_compiler.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/codegen/target.h"
#include "compiler/guest/program.h"
#include "compiler/riscv/control_flow.h"
#include "compiler/riscv/elf_reader.h"
#include "compiler/riscv/testing/assembler.h"
#include "compiler/riscv/testing/assembly_text.h"
#include "compiler/x64/assembly_text.h"
#include "gtest/gtest.h"
#include "runtime/abi/vm_context.h"

namespace precast::baseline {
namespace {

using codegen::CompiledFunction;
using codegen::Site;
using codegen::StateLocation;

// The first region of a program.
CompiledFunction MustCompile(std::string_view assembly, const RegionOptions& region_options = {}) {
  const std::vector<uint8_t> file = riscv::testing::Assemble(assembly);
  const absl::StatusOr<guest::Program> program = riscv::ReadElf(file);
  EXPECT_TRUE(program.ok()) << program.status();
  const riscv::Code code(*program);
  const riscv::ControlFlow flow = riscv::RecoverControlFlow(*program, code);
  codegen::CompileOptions options;
  options.dispatch_base = riscv::testing::kCodeBase;
  options.dispatch_count = 100;
  std::optional<CompiledFunction> compiled =
      RiscVCompiler(flow, code, region_options, options).Compile(flow.regions[0]);
  EXPECT_TRUE(compiled.has_value());
  return compiled ? *std::move(compiled) : CompiledFunction{};
}

std::string Text(std::string_view assembly) { return x64::AssemblyText(MustCompile(assembly)); }

TEST(Baseline, PassedRegistersStayInMachineRegistersTheOthersInTheContext) {
  const std::string text = Text(
      "add a0, a1, a2\nadd t0, t0, a0\naddi t1, t0, 4\nsub s1, a0, s1\nsltu a3, t0, a1\n"
      "jalr zero, 0(ra)");
  EXPECT_TRUE(absl::StrContains(text, "mov edi, esi\n")) << text;
  EXPECT_TRUE(absl::StrContains(text, "add edi, edx\n")) << text;
  EXPECT_TRUE(absl::StrContains(text, "add [rbp-0x6c], edi\n") ||
              absl::StrContains(text, "add dword ptr [rbp-0x6c], edi\n"))
      << text;
  EXPECT_FALSE(absl::StrContains(text, "[rsp")) << text;
}

TEST(Baseline, ALeafHasNoFrame) {
  const CompiledFunction leaf = MustCompile("addi a0, a0, 1\njalr zero, 0(ra)");
  ASSERT_EQ(leaf.frame_rules.size(), 1u);
  EXPECT_EQ(leaf.frame_rules[0].cfa_offset, 8u);
  ASSERT_EQ(leaf.entries.size(), 1u);
  EXPECT_EQ(leaf.entries[0].code_offset, 0u);
}

TEST(Baseline, EverySiteHasTheSameState) {
  const CompiledFunction f = MustCompile(
      "lw a0, 4(a1)\nsw a0, 0(t0)\nlb zero, 0(zero)\njal ra, f\nebreak\nf: jalr zero, 0(ra)");
  ASSERT_GE(f.sites.size(), 6u);
  ASSERT_EQ(f.StateOf(f.sites[0]).size(), 9u);
  EXPECT_TRUE(f.sites[0].reset);
  for (const StateLocation& l : f.StateOf(f.sites[0]))
    EXPECT_EQ(l.kind, StateLocation::Kind::kRegister);
  int calls = 0, memory = 0, suspends = 0, stacks = 0, traps = 0;
  for (size_t i = 0; i < f.sites.size(); ++i) {
    const Site& site = f.sites[i];
    if (i != 0) {
      EXPECT_LT(f.sites[i - 1].code_offset, site.code_offset);
      EXPECT_FALSE(site.reset);
      EXPECT_TRUE(f.StateOf(site).empty());
    }
    calls += site.kind == Site::Kind::kCall;
    memory += site.kind == Site::Kind::kMemory;
    suspends += site.kind == Site::Kind::kSuspend;
    stacks += site.kind == Site::Kind::kStack;
    traps += site.kind == Site::Kind::kTrap;
  }
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(memory, 3);
  EXPECT_EQ(suspends, 2);
  EXPECT_EQ(stacks, 2);
  EXPECT_EQ(traps, 1);
  // Three loads and stores and the call: all four are still to retire where there is too little
  // fuel.
  EXPECT_EQ(f.sites[1].kind, Site::Kind::kSuspend);
  EXPECT_EQ(f.sites[1].refund, 4u);
  EXPECT_EQ(f.sites[1].guest_pc, riscv::testing::kCodeBase);
}

int MisalignedAccesses(const CompiledFunction& f) {
  int count = 0;
  for (const Site& site : f.sites) {
    count += site.kind == Site::Kind::kTrap &&
             site.trap_code == static_cast<uint8_t>(abi::TrapCode::kMisalignedAccess);
  }
  return count;
}

TEST(Baseline, OpenVmChecksAlignmentOncePerAddress) {
  const RegionOptions openvm = {.openvm = true};
  const std::string_view same =
      "lw a0, 4(a1)\nsw a0, 8(a1)\nlh a2, 2(a1)\naddi a1, a1, 4\nlw a1, 0(a1)\njalr zero, 0(ra)";
  EXPECT_EQ(MisalignedAccesses(MustCompile(same, openvm)), 1);
  EXPECT_EQ(MisalignedAccesses(MustCompile(same)), 0);
  // Loaded anew, of unknown alignment, known only to be even, known to be wrong.
  EXPECT_EQ(MisalignedAccesses(MustCompile("lw a1, 0(a1)\nlw a1, 0(a1)\njalr zero, 0(ra)", openvm)),
            2);
  EXPECT_EQ(MisalignedAccesses(
                MustCompile("lh a0, 0(a1)\nlw a0, 0(a1)\nlw a0, 2(a1)\njalr zero, 0(ra)", openvm)),
            3);
  EXPECT_EQ(MisalignedAccesses(MustCompile("lb a0, 1(a1)\njalr zero, 0(ra)", openvm)), 0);
  // Constants, shifted and masked values.
  EXPECT_EQ(MisalignedAccesses(MustCompile(
                "lui a0, 4\nlw a1, 4(a0)\nslli a2, a2, 2\nadd a0, a0, a2\nlw a1, 8(a0)\n"
                "andi a3, a3, -4\nsw a1, 0(a3)\nlw a1, 4(zero)\njalr zero, 0(ra)",
                openvm)),
            0);
  const CompiledFunction f = MustCompile("addi a0, a0, 1\nlw a0, 4(a1)\njalr zero, 0(ra)", openvm);
  for (const Site& site : f.sites) {
    if (site.kind != Site::Kind::kTrap) continue;
    EXPECT_EQ(site.guest_pc, riscv::testing::kCodeBase + (site.refund == 1 ? 8 : 4));
  }
}

TEST(Baseline, AnAddressMadeByTwoInstructionsIsCalledDirectly) {
  const CompiledFunction f = MustCompile("auipc t0, 0\njalr ra, 12(t0)\nebreak\njalr zero, 0(ra)");
  bool direct = false;
  for (const codegen::CodeRelocation& r : f.relocations) {
    direct |= r.target == codegen::CodeRelocation::Target::kFunction &&
              r.index == riscv::testing::kCodeBase + 12;
    EXPECT_NE(r.target, codegen::CodeRelocation::Target::kDispatchTable);
  }
  EXPECT_TRUE(direct);
}

}  // namespace
}  // namespace precast::baseline
