#include "runtime/interpreter/interpreter.h"

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/testing/rv32.h"

namespace precast::runtime {
namespace {

using namespace rv32;  // NOLINT: instructions are words of a language here
using Stop = InterpreterResult::Stop;
using Trap = abi::TrapCode;

constexpr uint32_t kBase = 0x10000;
constexpr uint32_t kData =
    0x20000;  // one page, readable and writable; and one after it only readable

class InterpreterTest : public testing::Test {
 protected:
  InterpreterTest() : memory_(*GuestMemory::Create()) {
    EXPECT_TRUE(memory_->Map(kData, 0x1000, kPageRead | kPageWrite).ok());
    EXPECT_TRUE(memory_->Map(kData + 0x1000, 0x1000, kPageRead).ok());
  }

  void Load(const std::vector<uint32_t>& words, Interpreter::Options options = {}) {
    program_ = std::make_unique<ProgramImage>(ProgramOfWords(kBase, words));
    interpreter_ = std::make_unique<Interpreter>(*program_, std::move(options));
    context_.pc = kBase;
  }
  InterpreterResult Run(int64_t fuel, bool stop_at_native_entry = false) {
    context_.fuel = fuel;
    return interpreter_->Run(context_, *memory_, stop_at_native_entry);
  }
  // Executes one instruction that does not trap and returns what it put into rd.
  uint32_t Result(uint32_t word, uint32_t rd, const std::map<uint32_t, uint32_t>& registers) {
    Load({word});
    for (auto [number, value] : registers) context_.x[number] = value;
    InterpreterResult result = Run(1);
    EXPECT_EQ(result.stop, Stop::kFuel) << std::hex << word;
    EXPECT_EQ(context_.fuel, 0);
    EXPECT_EQ(context_.pc, kBase + 4);
    EXPECT_EQ(context_.x[0], 0u);
    return context_.x[rd];
  }
  // Executes one instruction that must trap: nothing may change.
  InterpreterResult Trapping(uint32_t word, const std::map<uint32_t, uint32_t>& registers,
                             Interpreter::Options options = {}) {
    Load({word}, std::move(options));
    for (auto [number, value] : registers) context_.x[number] = value;
    abi::VmContext before = context_;
    before.fuel = 5;
    InterpreterResult result = Run(5);
    EXPECT_EQ(result.stop, Stop::kTrap) << std::hex << word;
    EXPECT_EQ(std::memcmp(&before, &context_, sizeof(before)), 0) << std::hex << word;
    return result;
  }

  std::unique_ptr<GuestMemory> memory_;
  std::unique_ptr<ProgramImage> program_;
  std::unique_ptr<Interpreter> interpreter_;
  abi::VmContext context_ = {};
};

constexpr uint32_t kMin = 0x80000000, kMax = 0x7FFFFFFF, kMinusOne = 0xFFFFFFFF;

struct RCase {
  uint32_t funct7, funct3, a, b, result;
};

TEST_F(InterpreterTest, RegisterRegister) {
  const RCase cases[] = {
      {0, 0, kMax, 1, kMin},  // add
      {0, 0, kMinusOne, kMinusOne, kMinusOne - 1},
      {0x20, 0, kMin, 1, kMax},  // sub
      {0, 1, 1, 31, kMin},       // sll
      {0, 1, 1, 32 + 3, 8},
      {0, 2, kMin, kMax, 1},  // slt
      {0, 2, kMax, kMin, 0},
      {0, 2, 5, 5, 0},
      {0, 3, kMin, kMax, 0},  // sltu
      {0, 3, 0, kMinusOne, 1},
      {0, 4, 0xFF00FF00, 0x0FF00FF0, 0xF0F0F0F0},  // xor
      {0, 5, kMin, 31, 1},                         // srl
      {0, 5, kMinusOne, 0xFFFFFFE4, 0x0FFFFFFF},
      {0x20, 5, kMin, 31, kMinusOne},  // sra
      {0x20, 5, kMax, 33, kMax >> 1},
      {0, 6, 0xF0, 0x0F, 0xFF},           // or
      {0, 7, 0xF3, 0x3F, 0x33},           // and
      {1, 0, 0x10001, 0x10001, 0x20001},  // mul
      {1, 0, kMinusOne, kMinusOne, 1},
      {1, 1, kMin, kMin, 0x40000000},  // mulh
      {1, 1, kMinusOne, kMinusOne, 0},
      {1, 1, kMin, kMax, 0xC0000000},
      {1, 2, kMinusOne, kMinusOne, kMinusOne},  // mulhsu
      {1, 2, kMin, kMinusOne, kMin},
      {1, 2, kMax, kMinusOne, kMax - 1},
      {1, 3, kMinusOne, kMinusOne, 0xFFFFFFFE},  // mulhu
      {1, 3, kMin, 2, 1},
      {1, 4, kMin, kMinusOne, kMin},  // div
      {1, 4, 7, 0, kMinusOne},
      {1, 4, 0xFFFFFFF9, 2, 0xFFFFFFFD},
      {1, 5, kMin, kMinusOne, 0},  // divu
      {1, 5, 7, 0, kMinusOne},
      {1, 5, kMinusOne, 2, kMax},
      {1, 6, kMin, kMinusOne, 0},  // rem
      {1, 6, kMin, 0, kMin},
      {1, 6, 0xFFFFFFF9, 2, kMinusOne},
      {1, 6, 7, 0xFFFFFFFE, 1},
      {1, 7, kMin, kMinusOne, kMin},  // remu
      {1, 7, kMinusOne, 0, kMinusOne},
      {1, 7, kMinusOne, 10, 5},
  };
  for (const RCase& c : cases) {
    uint32_t word = RType(c.funct7, a1, a0, c.funct3, a2, 0x33);
    EXPECT_EQ(Result(word, a2, {{a0, c.a}, {a1, c.b}}), c.result) << c.funct7 << " " << c.funct3;
    // With the destination one of the operands, and thrown away.
    EXPECT_EQ(Result(RType(c.funct7, a1, a0, c.funct3, a1, 0x33), a1, {{a0, c.a}, {a1, c.b}}),
              c.result);
    EXPECT_EQ(Result(RType(c.funct7, a1, a0, c.funct3, zero, 0x33), zero, {{a0, c.a}, {a1, c.b}}),
              0u);
  }
}

TEST_F(InterpreterTest, RegisterImmediate) {
  struct Case {
    uint32_t funct3;
    int32_t immediate;
    uint32_t a, result;
  };
  const Case cases[] = {
      {0, -1, 0, kMinusOne},
      {0, 2047, kMax, 0x800007FE},  // addi
      {2, -1, kMin, 1},
      {2, -1, 0, 0},  // slti
      {3, -1, 5, 1},
      {3, 1, 0, 1},
      {3, -1, kMinusOne, 0},             // sltiu
      {4, -1, 0xF0, 0xFFFFFF0F},         // xori
      {6, -2048, 1, 0xFFFFF801},         // ori
      {7, -16, 0xFF, 0xF0},              // andi
      {1, 31, 3, kMin},                  // slli
      {5, 31, kMin, 1},                  // srli
      {5, 0x400 | 31, kMin, kMinusOne},  // srai
      {5, 0, kMin, kMin},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Result(IType(c.immediate, a0, c.funct3, a1, 0x13), a1, {{a0, c.a}}), c.result)
        << c.funct3;
  }
  EXPECT_EQ(Result(lui(a0, 0xFFFFF), a0, {}), 0xFFFFF000u);
  EXPECT_EQ(Result(auipc(a0, 0xFFFFF), a0, {}), kBase - 0x1000);
}

TEST_F(InterpreterTest, Branches) {
  struct Case {
    uint32_t funct3, a, b;
    bool taken;
  };
  const Case cases[] = {
      {0, 5, 5, true},    {0, 5, 6, false},    {1, 5, 5, false},    {1, 5, 6, true},
      {4, kMin, 0, true}, {4, 0, kMin, false}, {4, 1, 1, false},    {5, kMin, 0, false},
      {5, 0, kMin, true}, {5, 1, 1, true},     {6, kMin, 0, false}, {6, 0, kMin, true},
      {6, 1, 1, false},   {7, kMin, 0, true},  {7, 0, kMin, false}, {7, 1, 1, true},
  };
  for (const Case& c : cases) {
    for (int32_t offset : {8, -4096, 4092}) {
      Load({BType(offset, a1, a0, c.funct3)});
      context_.x[a0] = c.a;
      context_.x[a1] = c.b;
      EXPECT_EQ(Run(1).stop, Stop::kFuel);
      EXPECT_EQ(context_.pc, kBase + (c.taken ? static_cast<uint32_t>(offset) : 4));
    }
    // To an address that is not a multiple of 4: a trap, if taken.
    Load({BType(6, a1, a0, c.funct3)});
    InterpreterResult result = Run(1);
    EXPECT_EQ(result.stop, c.taken ? Stop::kTrap : Stop::kFuel);
    if (c.taken) {
      EXPECT_EQ(result.trap, Trap::kMisalignedPc);
      EXPECT_EQ(result.fault_address, kBase + 6);
      EXPECT_EQ(context_.pc, kBase);
      EXPECT_EQ(context_.fuel, 1);
    }
  }
}

TEST_F(InterpreterTest, Jumps) {
  Load({jal(ra, -0x8000)});
  EXPECT_EQ(Run(1).stop, Stop::kFuel);
  EXPECT_EQ(context_.pc, kBase - 0x8000);
  EXPECT_EQ(context_.x[ra], kBase + 4);
  // Bit 0 of a jalr's target is cleared; the destination may be the base.
  Load({jalr(a0, a0, 5)});
  context_.x[a0] = 0xFFFFFFFC;
  EXPECT_EQ(Run(1).stop, Stop::kFuel);
  EXPECT_EQ(context_.pc, 0u);
  EXPECT_EQ(context_.x[a0], kBase + 4);
  EXPECT_EQ(Trapping(jal(ra, 6), {}).trap, Trap::kMisalignedPc);
  InterpreterResult result = Trapping(jalr(ra, a0, 2), {{a0, 0x100}});
  EXPECT_EQ(result.trap, Trap::kMisalignedPc);
  EXPECT_EQ(result.fault_address, 0x102u);
}

TEST_F(InterpreterTest, LeavingTheCode) {
  // By running off the end, and by a jump: what led there has retired.
  Load({addi(a0, a0, 1)});
  InterpreterResult result = Run(5);
  EXPECT_EQ(result.stop, Stop::kTrap);
  EXPECT_EQ(result.trap, Trap::kPcNotExecutable);
  EXPECT_EQ(result.fault_address, kBase + 4);
  EXPECT_EQ(context_.pc, kBase + 4);
  EXPECT_EQ(context_.fuel, 4);
  EXPECT_EQ(context_.x[a0], 1u);
  Load({jalr(ra, zero, 0x100)});
  EXPECT_EQ(Run(5).trap, Trap::kPcNotExecutable);
  EXPECT_EQ(context_.pc, 0x100u);
  EXPECT_EQ(context_.x[ra], kBase + 4);
  EXPECT_EQ(context_.fuel, 4);
  // The limit comes first.
  Load({jalr(ra, zero, 0x100)});
  EXPECT_EQ(Run(1).stop, Stop::kFuel);
  EXPECT_EQ(context_.pc, 0x100u);
  // A pc that no jump can reach.
  Load({addi(a0, a0, 1)});
  context_.pc = kBase + 2;
  EXPECT_EQ(Run(5).trap, Trap::kMisalignedPc);
  EXPECT_EQ(Run(0).stop, Stop::kFuel);
}

TEST_F(InterpreterTest, LoadsAndStores) {
  const uint8_t bytes[] = {0x80, 0xFF, 0x7F, 0x81};
  ASSERT_TRUE(memory_->CopyOut(bytes, kData + 1).ok());
  auto load = [&](uint32_t funct3, int32_t offset) {
    return Result(IType(offset, a0, funct3, a1, 0x03), a1, {{a0, kData}});
  };
  EXPECT_EQ(load(0, 1), 0xFFFFFF80u);  // lb
  EXPECT_EQ(load(0, 3), 0x7Fu);
  EXPECT_EQ(load(4, 1), 0x80u);        // lbu
  EXPECT_EQ(load(1, 1), 0xFFFFFF80u);  // lh
  EXPECT_EQ(load(1, 2), 0x7FFFu);
  EXPECT_EQ(load(5, 1), 0xFF80u);      // lhu
  EXPECT_EQ(load(2, 1), 0x817FFF80u);  // lw
  EXPECT_EQ(Result(IType(1, a0, 2, zero, 0x03), zero, {{a0, kData}}), 0u);
  auto store = [&](uint32_t funct3, uint32_t value) {
    uint32_t before = 0x55555555, after = 0;
    std::memcpy(memory_->base() + kData + 100, &before, 4);
    Result(SType(-28, a1, a0, funct3), zero, {{a0, kData + 128}, {a1, value}});
    std::memcpy(&after, memory_->base() + kData + 100, 4);
    return after;
  };
  EXPECT_EQ(store(0, 0x12345678), 0x55555578u);
  EXPECT_EQ(store(1, 0x12345678), 0x55555678u);
  EXPECT_EQ(store(2, 0x12345678), 0x12345678u);
}

TEST_F(InterpreterTest, MemoryFaults) {
  struct Case {
    uint32_t word, base, fault_address;
  };
  const Case cases[] = {
      {lw(a1, 0, a0), 0, 0},                             // nothing mapped
      {lw(zero, 0, a0), 0, 0},                           // to x0 it is an access all the same
      {lw(a1, -4, a0), 0, 0xFFFFFFFC},                   // wraps around
      {lw(a1, -1, a0), kData, kData - 1},                // first page forbidden
      {lw(a1, -1, a0), kData + 0x2000, kData + 0x2000},  // second page forbidden
      {IType(-1, a0, 1, a1, 0x03), kData + 0x2000, kData + 0x2000},
      {IType(0, a0, 4, a1, 0x03), kData + 0x2000, kData + 0x2000},
      {sw(a1, -1, a0), kData + 0x1000,
       kData + 0x1000},  // second page read-only: nothing is written
      {sw(a1, 0, a0), kData + 0x1000, kData + 0x1000},
      {SType(0, a1, a0, 0), kData + 0x1000, kData + 0x1000},
      {lw(a1, 0, a0), 0xFFFFFFFE, 0xFFFFFFFE},  // both ends of memory forbidden
  };
  for (const Case& c : cases) {
    InterpreterResult result = Trapping(c.word, {{a0, c.base}, {a1, 0x12345678}});
    EXPECT_EQ(result.trap, Trap::kMemoryFault);
    EXPECT_EQ(result.fault_address, c.fault_address);
  }
  EXPECT_EQ(memory_->base()[kData + 0xFFF], 0);
  ASSERT_TRUE(memory_->MapStack(0x10000).ok());
  InterpreterResult result = Trapping(sw(a1, -4, a0), {{a0, memory_->stack_begin()}});
  EXPECT_EQ(result.trap, Trap::kStackOverflow);
}

TEST_F(InterpreterTest, AccessesWrapAround) {
  ASSERT_TRUE(memory_->Map(0xFFFFF000, 0x1000, kPageRead | kPageWrite).ok());
  EXPECT_EQ(Trapping(lw(a1, 0, a0), {{a0, 0xFFFFFFFE}}).fault_address, 0u);
  ASSERT_TRUE(memory_->Map(0, 0x1000, kPageRead | kPageWrite).ok());
  Result(sw(a1, 1, a0), zero, {{a0, 0xFFFFFFFD}, {a1, 0x44332211}});
  EXPECT_EQ(memory_->base()[uint64_t{0xFFFFFFFE}], 0x11);
  EXPECT_EQ(memory_->base()[1], 0x44);
  EXPECT_EQ(Result(lw(a1, -2, a0), a1, {{a0, 0}}), 0x44332211u);
  EXPECT_EQ(Result(IType(-1, a0, 1, a1, 0x03), a1, {{a0, 0}}), 0x3322u);
}

TEST_F(InterpreterTest, StrictAlignment) {
  Interpreter::Options strict;
  strict.strict_alignment = true;
  InterpreterResult result = Trapping(lw(a1, 2, a0), {{a0, kData}}, strict);
  EXPECT_EQ(result.trap, Trap::kMisalignedAccess);
  EXPECT_EQ(result.fault_address, kData + 2);
  EXPECT_EQ(Trapping(SType(1, a1, a0, 1), {{a0, kData}}, strict).trap, Trap::kMisalignedAccess);
  EXPECT_EQ(Trapping(lw(a1, 1, a0), {{a0, 0}}, strict).trap, Trap::kMisalignedAccess)
      << "before the memory fault";
  Load({IType(3, a0, 0, a1, 0x03)}, strict);
  context_.x[a0] = kData;
  EXPECT_EQ(Run(1).stop, Stop::kFuel);
}

TEST_F(InterpreterTest, TrapsAndEcall) {
  EXPECT_EQ(Trapping(ebreak, {}).trap, Trap::kBreakpoint);
  EXPECT_EQ(Trapping(0, {}).trap, Trap::kIllegalInstruction);
  EXPECT_EQ(Trapping(0xc0002573, {}).trap, Trap::kIllegalInstruction) << "rdcycle";
  Load({ecall, ecall});
  EXPECT_EQ(Run(5).stop, Stop::kEcall);
  EXPECT_EQ(context_.pc, kBase) << "the caller moves on";
  EXPECT_EQ(context_.fuel, 4) << "but it is counted";
  EXPECT_EQ(Result(0x0ff0000f, zero, {}), 0u);  // fence
  EXPECT_EQ(Result(0x0000100f, zero, {}), 0u);  // fence.i
}

TEST_F(InterpreterTest, StopsExactly) {
  // 1: addi a0, a0, 1; j 1b
  Load({addi(a0, a0, 1), jal(zero, -4)});
  for (int64_t fuel : {0, 1, 2, 3, 10, 1001}) {
    context_.x[a0] = 0;
    context_.pc = kBase;
    EXPECT_EQ(Run(fuel).stop, Stop::kFuel);
    EXPECT_EQ(context_.fuel, 0);
    EXPECT_EQ(context_.x[a0], (fuel + 1) / 2);
    EXPECT_EQ(context_.pc, kBase + (fuel % 2) * 4);
  }
}

TEST_F(InterpreterTest, StopsAtNativeEntries) {
  std::vector<uint32_t> words(2000, addi(a0, a0, 1));
  words[1500] = jal(zero, -6000);
  int asked = 0;
  Interpreter::Options options;
  options.has_native_entry = [&](uint32_t pc) {
    ++asked;
    return pc == kBase || pc == kBase + 40 || pc == kBase + 4096;
  };
  Load(words, options);
  EXPECT_EQ(Run(10000, true).stop, Stop::kNativeEntry);
  EXPECT_EQ(context_.pc, kBase + 40);
  EXPECT_EQ(context_.fuel, 9990);
  // From an entry on it runs to the next one, here the first of a page.
  EXPECT_EQ(Run(10000, true).stop, Stop::kNativeEntry);
  EXPECT_EQ(context_.pc, kBase + 4096);
  EXPECT_EQ(Run(10000, true).stop, Stop::kNativeEntry);
  EXPECT_EQ(context_.pc, kBase);
  EXPECT_EQ(Run(10, true).stop, Stop::kFuel) << "the limit comes first";
  EXPECT_EQ(context_.pc, kBase + 40);
  EXPECT_EQ(Run(10000, false).stop, Stop::kFuel);
  // Once for each instruction, and for those decoded with it: what has not been reached was not
  // looked at.
  EXPECT_EQ(asked, 1504);
}

TEST_F(InterpreterTest, CodeInSeveralPlaces) {
  // The code range begins and ends inside pages; data follows the code in the same page.
  ProgramImage program = ProgramOfWords(0x10FFC, {addi(a0, a0, 1), jal(zero, 0x7000)});
  ProgramImage other = ProgramOfWords(0x18000, {addi(a0, a0, 2), ebreak, addi(a0, a0, 4)});
  program.segments.push_back(other.segments[0]);
  other.code_ranges[0].end = 0x18004;
  program.code_ranges.push_back(other.code_ranges[0]);
  ASSERT_TRUE(Validate(program).ok());
  Interpreter interpreter(program, {});
  context_.pc = 0x10FFC;
  context_.fuel = 10;
  InterpreterResult result = interpreter.Run(context_, *memory_, false);
  EXPECT_EQ(result.trap, Trap::kPcNotExecutable);
  EXPECT_EQ(context_.pc, 0x18004u);
  EXPECT_EQ(context_.x[a0], 3u);
  EXPECT_EQ(context_.fuel, 7);
}

TEST_F(InterpreterTest, CodeAtBothEndsOfMemory) {
  ProgramImage program = ProgramOfWords(0xFFFFFFF8, {addi(a0, a0, 1)});
  program.segments[0].size = 0x1000;
  ProgramImage low = ProgramOfWords(0, {addi(a0, a0, 2)});
  program.segments.push_back(low.segments[0]);
  program.code_ranges.insert(program.code_ranges.begin(), low.code_ranges[0]);
  ASSERT_TRUE(Validate(program).ok());
  Interpreter interpreter(program, {});
  context_.pc = 0xFFFFFFF8;
  context_.fuel = 10;
  EXPECT_EQ(interpreter.Run(context_, *memory_, false).trap, Trap::kPcNotExecutable);
  EXPECT_EQ(context_.pc, 0xFFFFFFFCu);
  context_.pc = 0;
  interpreter.Run(context_, *memory_, false);
  EXPECT_EQ(context_.pc, 4u);
  EXPECT_EQ(context_.x[a0], 3u);
}

}  // namespace
}  // namespace precast::runtime
