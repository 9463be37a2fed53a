#include "compiler/riscv/fast_paths.h"

#include <string>
#include <string_view>

#include "compiler/ir/verifier.h"
#include "compiler/riscv/control_flow.h"
#include "compiler/riscv/control_flow_text.h"
#include "compiler/riscv/elf_reader.h"
#include "compiler/riscv/lifter.h"
#include "compiler/riscv/testing/assembly_text.h"
#include "gtest/gtest.h"

namespace precast::riscv {
namespace {

// The regions of assembly text after splitting; the code is at 10000.
std::string SplitFlowOf(std::string_view assembly) {
  const absl::StatusOr<guest::Program> program = ReadElf(testing::Assemble(assembly));
  EXPECT_TRUE(program.ok()) << program.status();
  const Code code(*program);
  ControlFlow flow = RecoverControlFlow(*program, code);
  SplitFastPaths(flow, code);
  for (const Region& region : flow.regions) {
    for (uint32_t pc : region.entries) EXPECT_TRUE(flow.IsEntry(pc));
    const absl::Status status = ir::Verify(Lift(region, flow, code, {}));
    EXPECT_TRUE(status.ok()) << status;
  }
  return "\n" + ToString(flow);
}

constexpr std::string_view kHead = R"(
          addi sp, sp, -32
          sw ra, 28(sp)
          sw s2, 24(sp)
          sw s3, 20(sp)
)";
constexpr std::string_view kTail = R"(
    out:  lw ra, 28(sp)
          lw s2, 24(sp)
          lw s3, 20(sp)
          addi sp, sp, 32
          jalr zero, 0(ra)
    help: jalr zero, 0(ra)
)";

std::string Function(std::string_view body) {
  return std::string(kHead) + std::string(body) + std::string(kTail);
}

// Which of the two is what the function is for, nobody knows.
TEST(FastPaths, WaysWithoutCalls) {
  EXPECT_EQ(SplitFlowOf(Function(R"(
          bltu a0, a1, out
          jal ra, help
  )")),
            R"(
fn_00010000: entries 10000 10018
  10000..10014 branch 10018
  10014..10018 call 1002c
  10018..1002c return
fn_0001002c: entries 1002c
  1002c..10030 return
)");
}

TEST(FastPaths, FieldsAreSeldomOneNumber) {
  EXPECT_EQ(SplitFlowOf(Function(R"(
          andi a2, a0, 2047
          beq a2, zero, zero
          addi a3, zero, 2047
          beq a2, a3, nan
          andi a3, a0, 1
          bne a3, zero, out
          addi a0, a0, 4
          jal zero, out
    nan:  addi a0, zero, 1
          jal zero, out
    zero: jal ra, help
  )")),
            R"(
fn_00010000: entries 10000
  10000..10018 branch 10038
  10018..10020 branch 10030
  10020..10028 branch 1003c
  10028..10030 jump 1003c
  1003c..10050 return
fn_00010000.rest: entries 10030 10038 1003c
  10030..10038 jump 1003c
  10038..1003c call 10050
  1003c..10050 return
fn_00010050: entries 10050
  10050..10054 return
)");
}

TEST(FastPaths, Loops) {
  EXPECT_EQ(SplitFlowOf(Function(R"(
    loop: addi a0, a0, -1
          bne a0, zero, loop
          bltu a0, a1, out
          jal ra, help
  )")),
            R"(
fn_00010000: entries 10000 10010 10020
  10000..10010 falls through
  10010..10018 branch 10010
  10018..1001c branch 10020
  1001c..10020 call 10034
  10020..10034 return
fn_00010034: entries 10034
  10034..10038 return
)");
}

TEST(FastPaths, EveryWayCalls) {
  EXPECT_EQ(SplitFlowOf(Function(R"(
          bltu a0, a1, then
          jal ra, help
          jal zero, out
    then: jal ra, help
  )")),
            R"(
fn_00010000: entries 10000 10018 10020
  10000..10014 branch 1001c
  10014..10018 call 10034
  10018..1001c jump 10020
  1001c..10020 call 10034
  10020..10034 return
fn_00010034: entries 10034
  10034..10038 return
)");
}

}  // namespace
}  // namespace precast::riscv
