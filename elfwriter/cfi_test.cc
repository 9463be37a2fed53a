// Exact encodings, one assertion for each instruction.

#include "elfwriter/cfi.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::elfwriter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Expected bytes are what gas makes of the .cfi_ directive in the comment.
TEST(CfiProgram, CfaRules) {
  EXPECT_THAT(CfiProgram().DefCfa(DwarfRegister::kRsp, 8).bytes(), ElementsAre(0x0c, 7, 8));
  EXPECT_THAT(CfiProgram().DefCfa(DwarfRegister::kRbp, 300).bytes(),
              ElementsAre(0x0c, 6, 0xac, 0x02));
  EXPECT_THAT(CfiProgram().DefCfaRegister(DwarfRegister::kRbp).bytes(), ElementsAre(0x0d, 6));
  EXPECT_THAT(CfiProgram().DefCfaOffset(16).bytes(), ElementsAre(0x0e, 16));
  EXPECT_THAT(CfiProgram().DefCfaOffset(128).bytes(), ElementsAre(0x0e, 0x80, 0x01));
}

TEST(CfiProgram, RegisterRules) {
  EXPECT_THAT(CfiProgram().Offset(DwarfRegister::kRbp, -16).bytes(), ElementsAre(0x86, 2));
  EXPECT_THAT(CfiProgram().Offset(DwarfRegister::kR15, -2048).bytes(),
              ElementsAre(0x8f, 0x80, 0x02));
  // .cfi_offset %rbx, 8: above the CFA the factored offset is negative.
  EXPECT_THAT(CfiProgram().Offset(DwarfRegister::kRbx, 8).bytes(), ElementsAre(0x11, 3, 0x7f));
  EXPECT_THAT(CfiProgram().ValueOffset(DwarfRegister::kRsp, -8).bytes(), ElementsAre(0x14, 7, 1));
  EXPECT_THAT(CfiProgram().ValueOffset(DwarfRegister::kRsp, 8).bytes(), ElementsAre(0x15, 7, 0x7f));
  EXPECT_THAT(CfiProgram().InRegister(DwarfRegister::kRbx, DwarfRegister::kR12).bytes(),
              ElementsAre(0x09, 3, 12));
  EXPECT_THAT(CfiProgram().SameValue(DwarfRegister::kRbx).bytes(), ElementsAre(0x08, 3));
  EXPECT_THAT(CfiProgram().Undefined(DwarfRegister::kReturnAddress).bytes(), ElementsAre(0x07, 16));
  EXPECT_THAT(CfiProgram().Restore(DwarfRegister::kRbp).bytes(), ElementsAre(0xc6));
  EXPECT_THAT(CfiProgram().RememberState().RestoreState().bytes(), ElementsAre(0x0a, 0x0b));
}

TEST(CfiProgram, Expressions) {
  std::vector<uint8_t> expression;
  AppendBaseRegister(DwarfRegister::kRsp, 8, expression);
  AppendBaseRegister(DwarfRegister::kR15, -100, expression);
  EXPECT_THAT(expression, ElementsAre(0x77, 8, 0x7f, 0x9c, 0x7f));
  expression.resize(2);
  EXPECT_THAT(CfiProgram().DefCfaExpression(expression).bytes(), ElementsAre(0x0f, 2, 0x77, 8));
  EXPECT_THAT(CfiProgram().Expression(DwarfRegister::kReturnAddress, expression).bytes(),
              ElementsAre(0x10, 16, 2, 0x77, 8));
  EXPECT_THAT(CfiProgram().ValueExpression(DwarfRegister::kRsp, expression).bytes(),
              ElementsAre(0x16, 7, 2, 0x77, 8));
}

TEST(CfiProgram, AdvanceTakesTheShortestForm) {
  EXPECT_THAT(CfiProgram().AdvanceTo(0).bytes(), IsEmpty());
  EXPECT_THAT(CfiProgram().AdvanceTo(63).bytes(), ElementsAre(0x7f));
  EXPECT_THAT(CfiProgram().AdvanceTo(64).bytes(), ElementsAre(0x02, 64));
  EXPECT_THAT(CfiProgram().AdvanceTo(255).bytes(), ElementsAre(0x02, 0xff));
  EXPECT_THAT(CfiProgram().AdvanceTo(256).bytes(), ElementsAre(0x03, 0, 1));
  EXPECT_THAT(CfiProgram().AdvanceTo(0xffff).bytes(), ElementsAre(0x03, 0xff, 0xff));
  EXPECT_THAT(CfiProgram().AdvanceTo(0x10000).bytes(), ElementsAre(0x04, 0, 0, 1, 0));
  EXPECT_THAT(CfiProgram().AdvanceTo(100).AdvanceTo(100).AdvanceTo(101).bytes(),
              ElementsAre(0x02, 100, 0x41));
}

TEST(CfiProgram, ClearStartsAnew) {
  CfiProgram cfi;
  cfi.AdvanceTo(1000).DefCfaOffset(16);
  cfi.Clear();
  EXPECT_THAT(cfi.AdvanceTo(1).bytes(), ElementsAre(0x41));
}

TEST(CfiProgramDeathTest, Misuse) {
  CfiProgram cfi;
  cfi.AdvanceTo(10);
  EXPECT_DEATH(cfi.AdvanceTo(9), "code_offset");
  EXPECT_DEATH(cfi.Offset(DwarfRegister::kRbp, -12), "kDataAlignment");
}

}  // namespace
}  // namespace precast::elfwriter
