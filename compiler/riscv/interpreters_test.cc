#include "compiler/riscv/interpreters.h"

#include <algorithm>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "compiler/riscv/control_flow.h"
#include "compiler/riscv/elf_reader.h"
#include "compiler/riscv/testing/assembly_text.h"
#include "gtest/gtest.h"

namespace precast::riscv {
namespace {

// Whether a loop around a switch is one, with so many cases, of which so many call a function.
bool IsInterpreter(int cases, int calls) {
  std::string text = absl::StrCat(R"(
    loop: addi a4, zero, )",
                                  cases, R"(
          lw a0, 0(s0)
          bgeu a0, a4, out
          slli a0, a0, 2
          lui a5, %hi(table)
          addi a5, a5, %lo(table)
          add a0, a0, a5
          lw a0, 0(a0)
          jalr zero, 0(a0)
    out:  jal zero, loop
    f:    jalr zero, 0(ra)
  )");
  for (int k = 0; k < cases; ++k)
    absl::StrAppend(&text, "c", k, ": ", k < calls ? "jal ra, f\n" : "addi s2, s2, 1\n",
                    "jal zero, loop\n");
  text += ".data\ntable: .word c0";
  for (int k = 1; k < cases; ++k) absl::StrAppend(&text, ", c", k);
  const absl::StatusOr<guest::Program> program = ReadElf(testing::Assemble(text));
  EXPECT_TRUE(program.ok()) << program.status();
  const Code code(*program);
  const ControlFlow flow = RecoverControlFlow(*program, code);
  return std::any_of(flow.regions.begin(), flow.regions.end(), IsCallingInterpreter);
}

TEST(Interpreters, AreSwitchesOfManyCasesThatCall) {
  EXPECT_TRUE(IsInterpreter(40, 40));
  EXPECT_TRUE(IsInterpreter(32, 32));
  EXPECT_TRUE(IsInterpreter(40, 20));
  EXPECT_FALSE(IsInterpreter(40, 19));
  EXPECT_FALSE(IsInterpreter(40, 0));
  EXPECT_FALSE(IsInterpreter(31, 31));
  EXPECT_FALSE(IsInterpreter(8, 8));
}

}  // namespace
}  // namespace precast::riscv
