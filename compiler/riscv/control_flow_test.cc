#include "compiler/riscv/control_flow.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/riscv/control_flow_text.h"
#include "compiler/riscv/elf_reader.h"
#include "compiler/riscv/testing/assembler.h"
#include "compiler/riscv/testing/assembly_text.h"
#include "compiler/riscv/testing/random_program.h"
#include "gtest/gtest.h"

namespace precast::riscv {
namespace {

using testing::Assemble;
using testing::kCodeBase;
using testing::kDataBase;

guest::Program Read(const std::vector<uint8_t>& elf) {
  absl::StatusOr<guest::Program> program = ReadElf(elf);
  EXPECT_TRUE(program.ok()) << program.status();
  return program.ok() ? *std::move(program) : guest::Program{};
}

ControlFlow Recover(const guest::Program& program) {
  return RecoverControlFlow(program, Code(program));
}

// The control flow of assembly text (see assembly_text.h); the code is at 10000, the data at 40000.
std::string FlowOf(std::string_view assembly, std::vector<guest::Symbol> symbols = {}) {
  guest::Program program = Read(Assemble(assembly));
  program.symbols = std::move(symbols);
  return "\n" + ToString(Recover(program));
}

TEST(ControlFlow, StraightCode) {
  EXPECT_EQ(FlowOf(R"(
    addi a0, zero, 1
    jalr zero, 0(ra)
  )"),
            R"(
fn_00010000: entries 10000
  10000..10008 return
)");
}

// As assemblers' memset: a row of stores is entered at that of the last byte.
TEST(ControlFlow, JumpIntoARowOfInstructions) {
  EXPECT_EQ(FlowOf(R"(
          addi a3, a3, 15
          slli a3, a3, 2
          auipc t2, 0
          add  a3, a3, t2
          jalr zero, 12(a3)
          sb   a1, 2(a4)
          sb   a1, 1(a4)
          sb   a1, 0(a4)
          jalr zero, 0(ra)
          sb   a1, 0(a4)
          jalr zero, 0(ra)
  )"),
            R"(
fn_00010000: entries 10000
  10000..10014 switch 10014 10018 1001c 10020
  10014..10018 falls through
  10018..1001c falls through
  1001c..10020 falls through
  10020..10024 return
)");
}

// The same, called, from behind; the first is the jump itself.
TEST(ControlFlow, CallIntoARowOfInstructions) {
  EXPECT_EQ(FlowOf(R"(
          beq  a5, zero, f
          jalr zero, 0(a3)
          sb   a1, 1(a4)
          sb   a1, 0(a4)
          jalr zero, 0(ra)
    f:    slli a3, a5, 2
          auipc t2, 0
          add  a3, a3, t2
          addi t0, ra, 0
          jalr ra, -20(a3)
          jalr zero, 0(t0)
  )"),
            R"(
fn_00010000: entries 10000 10028
  10000..10004 branch 10014
  10004..10008 indirect jump
  10014..10028 indirect call
  10028..1002c return
fn_00010008: entries 10008 1000c 10010
  10008..1000c falls through
  1000c..10010 falls through
  10010..10014 return
)");
}

// A row of jumps ends where none is.
TEST(ControlFlow, JumpIntoARowOfJumps) {
  EXPECT_EQ(FlowOf(R"(
          auipc t2, 0
          slli a3, a3, 3
          add  t2, t2, a3
          jalr zero, 16(t2)
          addi a0, zero, 1
          jal  zero, end
          addi a0, zero, 2
          jal  zero, end
          addi a0, zero, 3
          jal  zero, end
          addi a0, zero, 4
    end:  addi a1, zero, 5
          jalr zero, 0(ra)
  )"),
            R"(
fn_00010000: entries 10000
  10000..10010 switch 10010 10018 10020
  10010..10018 jump 1002c
  10018..10020 jump 1002c
  10020..10028 jump 1002c
  1002c..10034 return
)");
}

TEST(ControlFlow, BranchesAndLoops) {
  EXPECT_EQ(FlowOf(R"(
          beq a0, zero, done
    loop: addi a0, a0, -1
          bne a0, zero, loop
    done: jalr zero, 0(ra)
  )"),
            R"(
fn_00010000: entries 10000 10004
  10000..10004 branch 1000c
  10004..1000c branch 10004
  1000c..10010 return
)");
}

TEST(ControlFlow, CallsAndReturnSites) {
  EXPECT_EQ(FlowOf(R"(
          jal ra, f
          addi a7, zero, 93
          ecall
          ebreak
    f:    addi a0, a0, 1
          jalr zero, 0(ra)
  )"),
            R"(
fn_00010000: entries 10000 10004 1000c
  10000..10004 call 10010
  10004..1000c host call
  1000c..10010 trap
fn_00010010: entries 10010
  10010..10018 return
)");
}

TEST(ControlFlow, ALoopWithACallIsEnteredAtTheReturnSiteOnly) {
  EXPECT_EQ(FlowOf(R"(
    loop: jal ra, f
          bne a0, zero, loop
          jalr zero, 0(ra)
    f:    jalr zero, 0(ra)
  )"),
            R"(
fn_00010000: entries 10000 10004
  10000..10004 call 1000c
  10004..10008 branch 10000
  10008..1000c return
fn_0001000c: entries 1000c
  1000c..10010 return
)");
}

TEST(ControlFlow, FarCallsAndTailCalls) {
  EXPECT_EQ(FlowOf(R"(
          auipc ra, 0
          jalr ra, 16(ra)      # 10010
          auipc t1, 0
          jalr zero, 8(t1)     # 10010
    f:    jalr zero, 0(ra)
  )"),
            R"(
fn_00010000: entries 10000 10008
  10000..10008 indirect call
  10008..10010 jump 10010
fn_00010010: entries 10010
  10010..10014 return
)");
}

TEST(ControlFlow, AJumpIntoAnotherFunctionJoinsThem) {
  EXPECT_EQ(FlowOf(R"(
          jal ra, f
          jal zero, f+4
    f:    addi a0, a0, 1
          addi a0, a0, 2
          jalr zero, 0(ra)
  )"),
            R"(
fn_00010000: entries 10000 10004 10008
  10000..10004 call 10008
  10004..10008 jump 1000c
  10008..1000c falls through
  1000c..10014 return
)");
}

TEST(ControlFlow, FallingIntoAFunctionIsATailCall) {
  EXPECT_EQ(
      FlowOf(
          R"(
          addi a0, a0, 1
    f:    addi a0, a0, 2
          jalr zero, 0(ra)
  )",
          {{"start", 0x10000, 4, true}, {"f", 0x10004, 8, true}, {"f_local", 0x10004, 0, false}}),
      R"(
start: entries 10000
  10000..10004 falls through
f: entries 10004
  10004..1000c return
)");
}

TEST(ControlFlow, MillicodeReturnsThroughT0) {
  EXPECT_EQ(FlowOf(R"(
          jal t0, save
          addi a0, a0, 1
          jal zero, restore
    save: addi sp, sp, -16
          jalr zero, 0(t0)
    restore: addi sp, sp, 16
          jalr zero, 0(ra)
  )"),
            R"(
fn_00010000: entries 10000 10004
  10000..10004 call 1000c
  10004..1000c jump 10014
  10014..1001c return
fn_0001000c: entries 1000c
  1000c..10014 return
)");
}

TEST(ControlFlow, CallOfTheNextInstruction) {
  EXPECT_EQ(FlowOf(R"(
          jal ra, .+4
          addi a0, ra, 0
          jalr zero, 0(a1)
  )"),
            R"(
fn_00010000: entries 10000
  10000..10004 call 10004
fn_00010004: entries 10004
  10004..1000c indirect jump
)");
}

// -- switches

constexpr std::string_view kSwitch = R"(
          addi a4, zero, 2
          bltu a4, a0, other
          slli a0, a0, 2
          lui a5, %hi(table)
          addi a5, a5, %lo(table)
          add a0, a0, a5
          lw a0, 0(a0)
          jalr zero, 0(a0)
    one:  addi a0, zero, 1
          jalr zero, 0(ra)
    two:  addi a0, zero, 2
    other: jalr zero, 0(ra)
)";

TEST(ControlFlow, SwitchThroughATable) {
  const std::string text = absl::StrCat(kSwitch, ".data\ntable: .word one, two, one, one-8");
  EXPECT_EQ(FlowOf(text), R"(
fn_00010000: entries 10000 10018
  10000..10008 branch 1002c
  10008..10018 falls through
  10018..10020 switch 10020 10028
  10020..10028 return
  10028..1002c falls through
  1002c..10030 return
)");
}

// Without section headers the table's address, built by code, looks like a function pointer too.
TEST(ControlFlow, SwitchThroughARelativeTable) {
  EXPECT_EQ(FlowOf(R"(
          addi a4, zero, 1
          bltu a4, a0, other
          slli a0, a0, 2
          lui a5, %hi(table)
          addi a5, a5, %lo(table)
          add a0, a0, a5
          lw a0, 0(a0)
          add a0, a0, a5
          jalr zero, 0(a0)
    one:  addi a0, zero, 1
    other: jalr zero, 0(ra)
    table: .word one-table, other-table, one-table+4
  )"),
            R"(
fn_00010000: entries 10000
  10000..10008 branch 10028
  10008..10024 switch 10024 10028
  10024..10028 falls through
  10028..1002c return
fn_0001002c: entries 1002c
  1002c..10030 trap
)");
}

TEST(ControlFlow, ATableWithoutBoundEndsWhereItLeavesTheFunction) {
  EXPECT_EQ(FlowOf(R"(
          jal ra, f
    f:    lui a5, %hi(table)
          add a0, a0, a5
          lw a0, %lo(table)(a0)
          jalr zero, 0(a0)
    one:  addi a0, zero, 1
    two:  jalr zero, 0(ra)
    g:    jalr zero, 0(ra)
    .data
    table: .word one, two, g, one
  )",
                   {{"g", 0x1001c, 4, true}}),
            R"(
fn_00010000: entries 10000
  10000..10004 call 10004
fn_00010004: entries 10004 10014
  10004..10014 switch 10014 10018
  10014..10018 falls through
  10018..1001c return
g: entries 1001c
  1001c..10020 return
)");
}

TEST(ControlFlow, AJumpWithoutVisibleTableMayGoToLabelsInData) {
  EXPECT_EQ(FlowOf(R"(
          jalr zero, 0(a0)
    one:  addi a0, zero, 1
          jalr zero, 0(ra)
    two:  jalr zero, 0(ra)
    .data
          .word one, 5, two, one
  )"),
            R"(
fn_00010000: entries 10000
  10000..10004 switch 10004 1000c
  10004..1000c return
  1000c..10010 return
)");
}

// `two` is in the table of the first jump; the second is a tail call through a virtual table.
TEST(ControlFlow, AJumpThroughAFieldDoesNotGoToLabelsOfAnotherTable) {
  EXPECT_EQ(FlowOf(R"(
          addi a4, zero, 1
          bltu a4, a0, two
          slli a0, a0, 2
          lui a5, %hi(table)
          add a0, a0, a5
          lw a0, %lo(table)(a0)
          jalr zero, 0(a0)
    one:  lw t1, 12(a1)
          jalr zero, 0(t1)
    two:  jalr zero, 0(ra)
    .data
    table: .word one, two
  )"),
            R"(
fn_00010000: entries 10000
  10000..10008 branch 10024
  10008..1001c switch 1001c 10024
  1001c..10024 indirect jump
  10024..10028 return
)");
}

TEST(ControlFlow, ASwitchTooLargeForATableKeepsItsTargetsReachable) {
  std::string text = "jalr zero, 0(a0)\none: jalr zero, 0(ra)\n";
  for (int i = 0; i < 20000; ++i) absl::StrAppend(&text, ".word 0\n");
  text += "two: jalr zero, 0(ra)\n.data\n.word one, two\n";
  EXPECT_EQ(FlowOf(text), R"(
fn_00010000: entries 10000
  10000..10004 indirect jump
fn_00010004: entries 10004
  10004..10008 return
fn_00023888: entries 23888
  23888..2388c return
)");
}

TEST(ControlFlow, ASwitchMayLeadToFunctions) {
  EXPECT_EQ(FlowOf(R"(
          jalr zero, 0(a0)
    one:  jal ra, two
    two:  jalr zero, 0(ra)
    .data
          .word one, two
  )"),
            R"(
fn_00010000: entries 10000
  10000..10004 switch 10004 10008
  10004..10008 call 10008
fn_00010008: entries 10008
  10008..1000c return
)");
}

// -- function pointers

TEST(ControlFlow, FunctionPointersInData) {
  EXPECT_EQ(FlowOf(R"(
          jalr ra, 0(a0)
          ebreak
    f:    jalr zero, 0(ra)
    g:    jalr zero, 0(ra)
    .data
          .word f, g+2, 0x40000
  )"),
            R"(
fn_00010000: entries 10000 10004
  10000..10004 indirect call
  10004..10008 trap
fn_00010008: entries 10008
  10008..1000c return
)");
}

TEST(ControlFlow, FunctionPointersBuiltByCode) {
  EXPECT_EQ(FlowOf(R"(
          lui a0, %hi(f)
          addi a0, a0, %lo(f)
          ebreak
          .word 0
    f:    auipc a0, 0
          addi a0, a0, 12
          jalr zero, 0(ra)
    g:    jalr zero, 0(ra)
  )"),
            R"(
fn_00010000: entries 10000
  10000..1000c trap
fn_00010010: entries 10010
  10010..1001c return
fn_0001001c: entries 1001c
  1001c..10020 return
)");
}

// What auipc leaves in ra is 10008, in the middle of f.
TEST(ControlFlow, HalfTheAddressOfACallIsNoFunctionPointer) {
  EXPECT_EQ(FlowOf(R"(
          jal ra, f
    f:    addi a0, zero, 1
          auipc ra, 0
          jalr ra, 16(ra)      # 10018
          addi a0, zero, 2
          jalr zero, 0(ra)
    g:    jalr zero, 0(ra)
  )"),
            R"(
fn_00010000: entries 10000
  10000..10004 call 10004
fn_00010004: entries 10004 10010
  10004..10010 indirect call
  10010..10018 return
fn_00010018: entries 10018
  10018..1001c return
)");
}

// -- odd code

TEST(ControlFlow, MisalignedTargetsTrap) {
  EXPECT_EQ(FlowOf(R"(
          beq a0, zero, .+6
          jal ra, .+10
          ebreak
  )"),
            R"(
fn_00010000: entries 10000
  10000..10004 branch 10006
  10004..10008 trap
)");
}

TEST(ControlFlow, CodeThatEndsWithoutATerminator) {
  std::string text = "addi a0, a0, 1\nbeq a0, zero, .+4092\njal ra, .-8\n";
  for (int i = 3; i < 1024; ++i) text += "addi a0, a0, 1\n";
  EXPECT_EQ(FlowOf(text), R"(
fn_00010000: entries 10000 1000c
  10000..10008 branch 11000
  10008..1000c call 10000
  1000c..11000 falls through
)");
}

TEST(ControlFlow, AllBytesOfThePageAreCodeButZeroWordsTrap) {
  EXPECT_EQ(FlowOf("addi a0, a0, 1\n.word 0"), R"(
fn_00010000: entries 10000
  10000..10008 trap
)");
}

TEST(ControlFlow, JumpsOutOfTheProgram) {
  EXPECT_EQ(FlowOf(R"(
          beq a0, zero, .-4
          jal ra, 0x20000
          jal zero, 0
  )"),
            R"(
fn_00010000: entries 10000 10008
  10000..10004 branch fffc
  10004..10008 call 20000
  10008..1000c jump 0
)");
}

// -- whole programs

std::vector<uint8_t> Guest(std::string_view name) {
  std::ifstream file(absl::StrCat("testdata/prebuilt/", name, ".elf"), std::ios::binary);
  std::vector<uint8_t> bytes(std::istreambuf_iterator<char>(file), {});
  EXPECT_FALSE(bytes.empty()) << name;
  return bytes;
}

// What is certainly true of any program's control flow.
void CheckInvariants(const guest::Program& program, const Code& code, const ControlFlow& flow) {
  std::vector<uint32_t> begins, entries;
  for (const Region& region : flow.regions) {
    ASSERT_FALSE(region.entries.empty());
    EXPECT_TRUE(std::is_sorted(region.entries.begin() + 1, region.entries.end()));
    for (uint32_t pc : region.entries) EXPECT_TRUE(region.FindBlock(pc)) << pc;
    entries.insert(entries.end(), region.entries.begin(), region.entries.end());
    uint32_t end = 0;
    for (const BasicBlock& block : region.blocks) {
      begins.push_back(block.begin);
      EXPECT_LT(block.begin, block.end);
      EXPECT_GE(block.begin, end);
      end = block.end;
      bool has_custom = false;
      for (uint32_t pc = block.begin; pc < block.end; pc += 4)
        has_custom |= IsCustom(code.At(code.IndexOf(pc)).op);
      EXPECT_EQ(block.has_custom, has_custom);
      for (uint32_t pc = block.begin; pc < block.last_pc(); pc += 4)
        EXPECT_FALSE(EndsBlock(code.At(code.IndexOf(pc)).op));
      EXPECT_EQ(block.kind == BlockEnd::kSwitch, !region.TargetsOf(block).empty());
      EXPECT_EQ(region.FindBlock(block.end).value_or(BasicBlock::kNone), block.next_block);
      if (block.kind == BlockEnd::kJump || block.kind == BlockEnd::kBranch ||
          block.kind == BlockEnd::kCall) {
        EXPECT_EQ(region.FindBlock(block.target).value_or(BasicBlock::kNone), block.target_block);
      }
      for (uint32_t pc : region.TargetsOf(block))
        EXPECT_TRUE(region.FindBlock(pc) || flow.IsEntry(pc)) << pc;
      if (block.kind == BlockEnd::kCall && code.Contains(block.target)) {
        EXPECT_TRUE(flow.IsEntry(block.target));
      }
    }
  }
  std::sort(begins.begin(), begins.end());
  EXPECT_TRUE(std::adjacent_find(begins.begin(), begins.end()) == begins.end());
  std::sort(entries.begin(), entries.end());
  EXPECT_EQ(entries, flow.entries);
  EXPECT_TRUE(std::adjacent_find(entries.begin(), entries.end()) == entries.end());
  if (code.Contains(program.entry)) {
    EXPECT_TRUE(flow.IsEntry(program.entry));
  }
}

std::vector<bool> Covered(const Code& code, const ControlFlow& flow) {
  std::vector<bool> covered(code.size());
  for (const Region& region : flow.regions) {
    for (const BasicBlock& block : region.blocks) {
      for (uint32_t pc = block.begin; pc < block.end; pc += 4) covered[code.IndexOf(pc)] = true;
    }
  }
  return covered;
}

// Share of the instructions in functions (as the symbols of `with_symbols` tell) that are found in
// `program`, which may be a stripped version of it.
double Coverage(const guest::Program& with_symbols, const guest::Program& program) {
  const Code code(program);
  const ControlFlow flow = RecoverControlFlow(program, code);
  CheckInvariants(program, code, flow);
  const std::vector<bool> covered = Covered(code, flow);
  size_t all = 0, found = 0;
  for (const guest::Symbol& symbol : with_symbols.symbols) {
    if (!symbol.is_function) continue;
    for (uint32_t pc = symbol.address; pc < symbol.address + symbol.size; pc += 4) {
      const uint32_t index = code.IndexOf(pc);
      if (index == Code::kNone) continue;
      const Instruction& in = code.At(index);
      if (in.op == Op::kAddi && in.rd == 0) continue;  // alignment
      ++all;
      found += covered[index];
    }
  }
  EXPECT_GT(all, 100u);
  return static_cast<double>(found) / static_cast<double>(all);
}

TEST(ControlFlow, FindsAllCodeOfGuests) {
  for (std::string_view name :
       {"hello", "switches", "switches_O0", "switches_Os", "tailcalls", "coroutines", "cplusplus",
        "funcptr", "longjmp", "recursion_millicode", "lisp", "regex", "big100k"}) {
    const guest::Program program = Read(Guest(name));
    EXPECT_EQ(Coverage(program, program), 1.0) << name;
  }
}

TEST(ControlFlow, FindsNearlyAllCodeOfStrippedGuests) {
  for (std::string_view name : {"hello", "switches", "switches_O0", "switches_Os", "tailcalls",
                                "coroutines", "cplusplus", "funcptr", "lisp", "regex", "json"}) {
    const guest::Program program = Read(Guest(name));
    guest::Program stripped = program;
    stripped.symbols.clear();
    EXPECT_GE(Coverage(program, stripped), 0.98) << name;
    stripped.code_hint = stripped.code;
    stripped.code_hint_is_exact = false;
    const double without_sections = Coverage(program, stripped);
    EXPECT_GE(without_sections, 0.9) << name;
    std::cout << name << " without symbols and sections: " << 100 * without_sections << "%\n";
  }
}

TEST(ControlFlow, FindsSwitches) {
  for (std::string_view name : {"switches", "switches_O0", "switches_Os", "switches_stripped"}) {
    const guest::Program program = Read(Guest(name));
    size_t switches = 0, jumps = 0;
    for (const Region& region : Recover(program).regions) {
      for (const BasicBlock& block : region.blocks) {
        switches += block.kind == BlockEnd::kSwitch;
        jumps += block.kind == BlockEnd::kIndirectJump;
      }
    }
    EXPECT_GT(switches, 3u) << name;
    std::cout << name << ": " << switches << " switches, " << jumps << " other indirect jumps\n";
  }
}

TEST(ControlFlow, InvariantsOfRandomPrograms) {
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    const guest::Program program =
        Read(seed % 2 == 0 ? testing::RandomProgram(seed)
                           : testing::MakeElf(testing::RandomWords(seed, 64),
                                              {0x10000, 0x10010, 0x10020, 0x10030}));
    const Code code(program);
    CheckInvariants(program, code, RecoverControlFlow(program, code));
    if (HasFailure()) return;
  }
}

// Stretches of the code are worked on at the same time; blocks and functions lie across where they
// meet.
TEST(ControlFlow, IsTheSameOnAnyNumberOfThreads) {
  std::vector<guest::Program> programs = {Read(Guest("big100k"))};
  for (uint64_t seed = 0; seed < 3; ++seed) {
    programs.push_back(Read(testing::MakeElf(testing::RandomWords(seed, 48'000),
                                             {0x10000, 0x1fff8, 0x20004, 0x2fffc})));
  }
  // Mostly straight code.
  std::vector<uint32_t> words(49'000, 0x00150513);
  for (size_t i = 1000; i < words.size(); i += 20'000) words[i] = 0x00008067;
  programs.push_back(Read(testing::MakeElf(words, {0x10000})));
  for (const guest::Program& program : programs) {
    const Code code(program);
    const std::string flow = ToString(RecoverControlFlow(program, code));
    for (int threads : {2, 3, 8}) {
      const Code again(program, threads);
      ASSERT_EQ(again.size(), code.size());
      for (uint32_t i = 0; i < code.size(); ++i) {
        ASSERT_EQ(std::memcmp(&again.At(i), &code.At(i), sizeof(Instruction)), 0) << i;
      }
      int calls = 0;
      EXPECT_EQ(ToString(RecoverControlFlow(program, again, threads, [&] { ++calls; })), flow);
      EXPECT_EQ(calls, 1);
    }
  }
}

double SecondsToRecover(const guest::Program& program) {
  const auto start = std::chrono::steady_clock::now();
  const Code code(program);
  const ControlFlow flow = RecoverControlFlow(program, code);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(ControlFlow, Speed) {
  std::cout << "big100k: " << 1e3 * SecondsToRecover(Read(Guest("big100k"))) << " ms\n";
}

// Programs made to be slow. What is quadratic would take minutes.
class Hostile : public ::testing::Test {
 protected:
  static constexpr double kPatience = 20;
  static constexpr uint32_t kWords = 1 << 18;

  // One executable segment of `words`, writable data behind it.
  guest::Program ProgramOf(const std::vector<uint32_t>& code, const std::vector<uint32_t>& data) {
    guest::Program program;
    program.entry = kCodeBase;
    const uint32_t data_address = kCodeBase + 4 * kWords;
    program.segments = {{kCodeBase, 4 * kWords, Bytes(code), true, false, true},
                        {data_address, 4 * kWords, Bytes(data), true, true, false}};
    program.code = program.code_hint = {{kCodeBase, data_address}};
    return program;
  }

  static std::vector<uint8_t> Bytes(std::vector<uint32_t> words) {
    words.resize(kWords);
    std::vector<uint8_t> bytes(4 * kWords);
    std::memcpy(bytes.data(), words.data(), bytes.size());
    return bytes;
  }

  static uint32_t Encode(Instruction in) { return testing::Encode(in); }
};

TEST_F(Hostile, ManyIndirectJumpsAndLabels) {
  std::vector<uint32_t> code(kWords, Encode({.op = Op::kJalr, .rs1 = 10})), data;
  for (uint32_t i = 0; i < kWords; ++i) data.push_back(kCodeBase + 4 * i);
  EXPECT_LT(SecondsToRecover(ProgramOf(code, data)), kPatience);
}

TEST_F(Hostile, ManyIndirectJumpsAndSomeLabels) {
  std::vector<uint32_t> code(kWords, Encode({.op = Op::kJalr, .rs1 = 10})), data;
  for (uint32_t i = 0; i < 1000; ++i) data.push_back(kCodeBase + 4 * i);
  guest::Program program = ProgramOf(code, data);
  program.code_hint_is_exact = true;  // the rest is found in the gaps
  EXPECT_LT(SecondsToRecover(program), kPatience);
}

TEST_F(Hostile, ManySwitchesThroughOneLargeTable) {
  const uint32_t table = kCodeBase + 4 * kWords;
  std::vector<uint32_t> code, data;
  while (code.size() + 4 <= kWords) {
    code.push_back(Encode({.op = Op::kBeq, .imm = 16}));
    code.push_back(Encode({.op = Op::kLui, .rd = 10, .imm = static_cast<int32_t>(table)}));
    code.push_back(Encode({.op = Op::kAdd, .rd = 10, .rs1 = 10, .rs2 = 11}));
    code.push_back(Encode({.op = Op::kLw, .rd = 10, .rs1 = 10}));
    code.push_back(Encode({.op = Op::kJalr, .rs1 = 10}));
  }
  for (uint32_t i = 0; i < 16384; ++i) data.push_back(kCodeBase + 4 * i);
  const guest::Program program = ProgramOf(code, data);
  EXPECT_LT(SecondsToRecover(program), kPatience);
  const ControlFlow flow = Recover(program);
  uint64_t words = 0;
  for (const Region& region : flow.regions) {
    for (const BasicBlock& block : region.blocks) {
      if (block.kind != BlockEnd::kSwitch) continue;
      const absl::Span<const uint32_t> targets = region.TargetsOf(block);
      words += (targets.back() - targets.front()) / 4 + 1;
    }
  }
  EXPECT_LE(words, uint64_t{1} << 22);
}

TEST_F(Hostile, AChainOfBuiltPointers) {
  // Each function builds a pointer to the next one; nothing else leads there.
  std::vector<uint32_t> code, data(kWords, kCodeBase);
  while (code.size() + 4 <= kWords) {
    code.push_back(Encode({.op = Op::kAuipc, .rd = 10}));
    code.push_back(Encode({.op = Op::kAddi, .rd = 10, .rs1 = 10, .imm = 16}));
    code.push_back(Encode({.op = Op::kJalr, .rs1 = 1}));
    code.push_back(0);
  }
  EXPECT_LT(SecondsToRecover(ProgramOf(code, data)), kPatience);
}

TEST_F(Hostile, EveryWordACall) {
  std::vector<uint32_t> code(kWords, Encode({.op = Op::kJal, .rd = 1, .imm = 8}));
  EXPECT_LT(SecondsToRecover(ProgramOf(code, {})), kPatience);
}

}  // namespace
}  // namespace precast::riscv
