#include "compiler/riscv/testing/random_program.h"

#include <random>
#include <utility>

#include "compiler/riscv/decoder.h"
#include "compiler/riscv/testing/assembler.h"

namespace precast::riscv::testing {
namespace {

constexpr uint32_t kDataWords = 1024;
constexpr uint32_t kTableBytes = 32;  // the data begins with a table of block addresses
constexpr uint8_t kDataPointer = 3;   // gp: address of the data after the table, changed rarely
constexpr uint8_t kScratch = 31;      // t6: addresses and jump targets are computed here

class Generator {
 public:
  explicit Generator(uint64_t seed, bool openvm = false) : random_(seed), openvm_(openvm) {}

  std::vector<uint8_t> Run() {
    const int num_blocks = Range(2, 24);
    // Blocks branch to each other, so their sizes are fixed first.
    Prologue();
    for (int b = 0; b < num_blocks; ++b) {
      std::vector<bool> slots(static_cast<size_t>(Range(0, Chance(10) ? 60 : 12)));
      for (size_t i = 0; i < slots.size(); ++i) slots[i] = Chance(kWidePercent);
      is_wide_.push_back(std::move(slots));
    }
    uint32_t at = static_cast<uint32_t>(code_.size());
    for (int b = 0; b < num_blocks; ++b) {
      block_at_.push_back(at);
      for (bool wide : is_wide_[static_cast<size_t>(b)]) {
        at += wide ? kWordsPerWideSlot : kWordsPerSlot;
      }
      at += kWordsPerEnd;
    }
    for (int b = 0; b < num_blocks; ++b) {
      for (bool wide : is_wide_[static_cast<size_t>(b)]) wide ? WideSlot() : Slot();
      End();
    }
    return MakeElf(code_, Data());
  }

 private:
  static constexpr uint32_t kWordsPerSlot = 3;  // padded with instructions without effect
  static constexpr uint32_t kWordsPerWideSlot = 12;
  static constexpr uint32_t kWordsPerEnd = 4;
  static constexpr int kWidePercent = 25;

  int Range(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool Chance(int percent) { return Range(0, 99) < percent; }
  uint32_t Bits() { return static_cast<uint32_t>(random_()); }
  // Mostly few registers, so that values meet; sometimes any, x0 included.
  uint8_t Register() { return static_cast<uint8_t>(Chance(70) ? Range(5, 15) : Range(0, 31)); }
  uint8_t Target() {
    const uint8_t r = Register();
    return r == kDataPointer && !Chance(5) ? 10 : r;
  }

  void Emit(Instruction in) { code_.push_back(Encode(in)); }
  void Nop() { Emit({.op = Op::kAddi}); }

  // A value that makes edge cases likely.
  uint32_t Interesting() {
    static constexpr uint32_t kValues[] = {
        0,      1,      2,      31,         32,         0x7f,       0x80,       0xff,
        0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};
    return Chance(50) ? kValues[Range(0, std::size(kValues) - 1)] : Bits();
  }

  void LoadConstant(uint8_t rd, uint32_t value) {
    const int32_t low = static_cast<int32_t>(value << 20) >> 20;
    Emit({.op = Op::kLui,
          .rd = rd,
          .imm = static_cast<int32_t>(value - static_cast<uint32_t>(low))});
    Emit({.op = Op::kAddi, .rd = rd, .rs1 = rd, .imm = low});
  }

  void Prologue() {
    for (uint8_t r = 1; r < 32; ++r) LoadConstant(r, Interesting());
    LoadConstant(kDataPointer, kDataBase + kTableBytes);
  }

  // One random operation, in exactly kWordsPerSlot words.
  void Slot() {
    const size_t end = code_.size() + kWordsPerSlot;
    const int kind = Range(0, 99);
    if (openvm_ && Chance(15)) {
      CustomOp();
    } else if (kind < 35) {
      RegisterOp();
    } else if (kind < 60) {
      ImmediateOp();
    } else if (kind < 65) {
      Emit({.op = Chance(50) ? Op::kLui : Op::kAuipc,
            .rd = Target(),
            .imm = static_cast<int32_t>(Bits() & 0xfffff000)});
    } else if (kind < 95) {
      MemoryOp();
    } else if (kind < 97) {
      LoadConstant(Target(), Interesting());
    } else if (kind < 98) {
      Emit({.op = Chance(50) ? Op::kFence : Op::kFenceI});
    } else if (kind < 99 && Chance(10)) {
      code_.push_back(Chance(50) ? Bits() & ~3u : Bits());
    }
    while (code_.size() < end) Nop();
  }

  static uint32_t CustomR(uint32_t opcode, uint32_t funct3, uint32_t funct7, uint32_t rd,
                          uint32_t rs1, uint32_t rs2) {
    return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
  }
  static uint32_t CustomI(uint32_t opcode, uint32_t funct3, uint32_t imm, uint32_t rd,
                          uint32_t rs1) {
    return imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
  }

  // A custom instruction on the data, with its operands set up by one or two instructions before
  // it.
  void CustomOp() {
    constexpr uint32_t kCustom0 = 0x0b, kCustom1 = 0x2b;
    constexpr uint32_t kData = kDataPointer;
    auto emit = [&](uint32_t word) { code_.push_back(word); };
    // Any alignment; rarely anywhere at all.
    auto pointer = [&] {
      return Chance(2) ? uint32_t{Register()} : Chance(50) ? kData : uint32_t{kScratch};
    };
    auto point_scratch = [&] {
      Emit({.op = Op::kAddi, .rd = kScratch, .rs1 = kDataPointer, .imm = Range(0, 2047)});
    };
    auto index = [&](uint32_t kinds) {
      return static_cast<uint32_t>(Range(0, static_cast<int>(kinds) - 1));
    };
    const int kind = Range(0, 99);
    if (kind < 35) {  // 256-bit integers
      point_scratch();
      emit(CustomR(kCustom0, 5, index(11), pointer(), pointer(), pointer()));
    } else if (kind < 60) {  // modular arithmetic; rs2 of setup is a number
      point_scratch();
      // Setup fails with anything but the modulus.
      const uint32_t operation = Chance(2) ? 5 : Chance(80) ? index(5) : 6 + index(2);
      const uint32_t rd = operation == 4 ? uint32_t{Target()} : pointer();
      const uint32_t rs2 = operation == 5 ? index(4) : pointer();
      emit(CustomR(kCustom1, 0, index(Chance(1) ? 4 : 3) * 8 + operation, rd, pointer(), rs2));
    } else if (kind < 68) {  // Fp2
      point_scratch();
      const uint32_t operation = index(Chance(2) ? 5 : 4);
      emit(CustomR(kCustom1, 2, index(Chance(1) ? 2 : 1) * 8 + operation, pointer(), pointer(),
                   operation == 4 ? index(2) : pointer()));
    } else if (kind < 76) {  // curves; adding equal points fails
      point_scratch();
      const uint32_t operation = index(Chance(2) ? 3 : 2);
      emit(CustomR(kCustom1, 1, index(Chance(1) ? 2 : 1) * 8 + operation, pointer(), kData,
                   operation == 0 && Chance(99) ? uint32_t{kScratch} : 0));
    } else if (kind < 82) {  // hashes
      point_scratch();
      const uint32_t operation = index(4);
      if (operation == 1) {
        Emit({.op = Op::kAddi, .rd = 5, .imm = Chance(98) ? Range(0, 34) * 4 : Range(0, 200)});
        emit(CustomR(kCustom0, 4, 1, pointer(), pointer(), 5));
      } else {
        emit(CustomR(kCustom0, 4, operation, pointer(), operation == 0 ? 0 : pointer(),
                     operation == 0 ? 0 : pointer()));
      }
    } else if (kind < 88) {  // streams
      Emit({.op = Op::kAddi, .rd = 5, .imm = Range(0, 2000)});
      emit(CustomI(kCustom0, 3, Chance(98) ? 2 : index(4), 5, 0));
    } else if (kind < 92) {
      point_scratch();
      if (Chance(50)) {
        emit(CustomI(kCustom0, 1, 0, pointer(), 0));
      } else {
        Emit({.op = Op::kAddi, .rd = 5, .imm = Chance(97) ? Range(1, 4) : Range(-1, 1024)});
        emit(CustomI(kCustom0, 1, 1, pointer(), 5));
      }
    } else if (kind < 96) {
      Emit({.op = Op::kAddi, .rd = 5, .imm = Range(0, 1) * 4 + (Chance(99) ? 0 : Range(0, 40))});
      emit(CustomI(kCustom0, 2, Bits() & (Chance(98) ? 0x18 : 0xfff), 5, Register()));
    } else if (kind < 97) {
      emit(CustomI(kCustom0, 3, 0, 0, 0));
    } else if (kind < 98 && Chance(20)) {
      emit((Bits() & ~0x7fu) | (Chance(50) ? kCustom0 : kCustom1));
    } else if (kind < 99 && Chance(20)) {
      emit(Chance(50) ? 0xc0001073 : (Bits() & ~0x7fu) | 0x73);  // SYSTEM
    }
  }

  void Op3(Op op, uint8_t rd, uint8_t rs1, uint8_t rs2) {
    Emit({.op = op, .rd = rd, .rs1 = rs1, .rs2 = rs2});
  }
  void OpImm(Op op, uint8_t rd, uint8_t rs1, int32_t imm) {
    Emit({.op = op, .rd = rd, .rs1 = rs1, .imm = imm});
  }

  // The low half of a 64-bit number; the high half is in the next register.
  uint8_t PairRegister() {
    static constexpr uint8_t kPairs[] = {10, 12, 14, 6, 8};
    return kPairs[Range(0, std::size(kPairs) - 1)];
  }

  // A place in the data, rarely at its end.
  std::pair<uint8_t, int32_t> Place() {
    if (!Chance(2)) return {kDataPointer, Range(0, 2036)};
    OpImm(Op::kAddi, kScratch, kDataPointer, 2028);
    return {kScratch, static_cast<int32_t>(4096 - kTableBytes) - 2028 - Range(0, 8)};
  }

  // 64-bit arithmetic on pairs of registers, and other numbers of several parts, as compilers do
  // it, in exactly kWordsPerWideSlot words.
  void WideSlot() {
    const size_t end = code_.size() + kWordsPerWideSlot;
    constexpr uint8_t kT = 28, kU = 29, kV = 30;
    const uint8_t d = PairRegister(), a = PairRegister(), b = PairRegister();
    const auto hi = [](uint8_t r) { return static_cast<uint8_t>(r + 1); };
    const int k = Range(1, 31);
    switch (Range(0, 15)) {
      case 0:  // add
        Op3(Op::kAdd, kT, a, b);
        Op3(Op::kSltu, kU, kT, Chance(50) ? a : b);
        Op3(Op::kAdd, kV, hi(a), hi(b));
        Op3(Op::kAdd, hi(d), kU, kV);
        OpImm(Op::kAddi, d, kT, 0);
        break;
      case 1:  // subtract
        Op3(Op::kSltu, kU, a, b);
        Op3(Op::kSub, kV, hi(a), hi(b));
        Op3(Op::kSub, d, a, b);
        Op3(Op::kSub, hi(d), kV, kU);
        break;
      case 2:  // multiply
        Op3(Op::kMul, kT, a, hi(b));
        Op3(Op::kMul, kU, hi(a), b);
        Op3(Op::kMulhu, kV, a, b);
        Op3(Op::kAdd, kT, kT, kU);
        Op3(Op::kMul, d, a, b);
        Op3(Op::kAdd, hi(d), kT, kV);
        break;
      case 3:  // 32 by 32 bits
        Op3(Op::kMul, kT, a, b);
        Op3(Chance(70) ? Op::kMulhu : Op::kMulh, hi(d), a, b);
        OpImm(Op::kAddi, d, kT, 0);
        break;
      case 4:  // shift left
        OpImm(Op::kSrli, kT, a, 32 - k);
        OpImm(Op::kSlli, kU, hi(a), k);
        OpImm(Op::kSlli, d, a, k);
        Op3(Op::kOr, hi(d), kT, kU);
        break;
      case 5:  // shift right
        OpImm(Op::kSlli, kT, hi(a), 32 - k);
        OpImm(Op::kSrli, kU, a, k);
        OpImm(Chance(50) ? Op::kSrli : Op::kSrai, hi(d), hi(a), k);
        Op3(Op::kOr, d, kT, kU);
        break;
      case 6:  // rotate
        OpImm(Op::kSlli, kT, hi(a), k);
        OpImm(Op::kSrli, kU, a, 32 - k);
        Op3(Op::kOr, kT, kT, kU);
        OpImm(Op::kSrli, kU, hi(a), 32 - k);
        OpImm(Op::kSlli, kV, a, k);
        Op3(Op::kOr, d, kU, kV);
        OpImm(Op::kAddi, hi(d), kT, 0);
        break;
      case 7: {  // bitwise
        const Op op = Chance(50) ? Op::kXor : Chance(50) ? Op::kAnd : Op::kOr;
        Op3(op, kT, a, b);
        Op3(op, hi(d), hi(a), hi(b));
        OpImm(Op::kAddi, d, kT, 0);
        break;
      }
      case 8:  // equal
        Op3(Op::kXor, kT, a, b);
        Op3(Op::kXor, kU, hi(a), hi(b));
        Op3(Op::kOr, kT, kT, kU);
        if (Chance(50)) {
          OpImm(Op::kSltiu, Target(), kT, 1);
        } else {
          Op3(Op::kSltu, Target(), 0, kT);
        }
        break;
      case 9:  // add a small number
        OpImm(Op::kAddi, kT, a, Chance(50) ? 1 : Range(-2048, 2047));
        Op3(Op::kSltu, kU, kT, a);
        OpImm(Op::kAddi, d, kT, 0);
        Op3(Op::kAdd, hi(d), hi(a), kU);
        break;
      case 10:  // the bytes in reverse order
        OpImm(Op::kSlli, kT, a, 24);
        OpImm(Op::kSrli, kU, a, 24);
        Op3(Op::kOr, kT, kT, kU);
        Emit({.op = Op::kLui, .rd = kV, .imm = 0x10000});
        OpImm(Op::kAddi, kV, kV, Chance(90) ? -256 : -255);
        OpImm(Op::kSrli, kU, a, 8);
        Op3(Op::kAnd, kU, kU, kV);
        Op3(Op::kOr, kT, kT, kU);
        Op3(Op::kAnd, kU, a, kV);
        OpImm(Op::kSlli, kU, kU, 8);
        Op3(Op::kOr, d, kT, kU);
        break;
      case 11: {  // a number of two or four bytes, in one order or the other
        const auto [base, displacement] = Place();
        const int bytes = Chance(50) ? 2 : 4;
        const bool big = Chance(50);
        for (int n = 0; n < bytes; ++n) {
          const int at = Chance(97) ? n : n ^ 1;
          Emit({.op = Op::kLbu, .rd = n == 0 ? kT : kU, .rs1 = base, .imm = displacement + at});
          const int shift = 8 * (big ? bytes - 1 - n : n);
          if (shift != 0) OpImm(Op::kSlli, n == 0 ? kT : kU, n == 0 ? kT : kU, shift);
          if (n != 0) Op3(Op::kOr, n + 1 == bytes ? d : kT, kT, kU);
        }
        break;
      }
      case 12: {  // a digit of a quotient: estimated by the divisor's upper half, and corrected
        const uint8_t rest = hi(a);
        const bool is_exact = Chance(80);
        OpImm(Op::kSrli, kU, b, 16);
        Op3(Op::kDivu, kT, a, kU);
        OpImm(Op::kSlli, kV, b, 16);
        OpImm(Op::kSrli, kV, kV, 16);
        Op3(Op::kMul, kV, kV, kT);
        Emit({.op = Op::kBgeu, .rs1 = rest, .rs2 = kV, .imm = 7 * 4});
        Op3(Op::kAdd, rest, b, rest);
        OpImm(Op::kAddi, kT, kT, -1);
        Emit({.op = is_exact ? Op::kBltu : Op::kBgeu, .rs1 = rest, .rs2 = b, .imm = 4 * 4});
        Emit({.op = Op::kBgeu, .rs1 = rest, .rs2 = kV, .imm = 3 * 4});
        OpImm(Op::kAddi, kT, kT, is_exact ? -1 : -2);
        Op3(Op::kAdd, rest, b, rest);
        break;
      }
      case 13: {  // what one bit decides
        OpImm(Op::kAndi, kT, a, 1 << (k % 11));
        Emit({.op = Chance(50) ? Op::kBeq : Op::kBne, .rs1 = kT, .imm = 5 * 4});
        OpImm(Op::kSrli, d, b, 1);
        Op3(Op::kAdd, kU, kU, d);
        const bool skips = Chance(50);
        if (skips) {
          Emit({.op = Op::kJal, .imm = 3 * 4});
        } else {
          OpImm(Op::kAddi, kV, kU, 1);
        }
        OpImm(Op::kAddi, kU, kU, Chance(50) ? 1 : -1);
        OpImm(Op::kXori, d, d, k);
        break;
      }
      default: {  // memory, rarely across the end of the data
        const auto [base, displacement] = Place();
        const int32_t other = Chance(80) ? displacement + 4 : Range(0, 2036);
        const bool low_first = Chance(60);
        if (Chance(50)) {
          Emit({.op = Op::kLw,
                .rd = low_first ? d : hi(d),
                .rs1 = base,
                .imm = low_first ? displacement : other});
          if (Chance(20)) Op3(Op::kAdd, kT, a, b);
          Emit({.op = Op::kLw,
                .rd = low_first ? hi(d) : d,
                .rs1 = base,
                .imm = low_first ? other : displacement});
        } else {
          Emit({.op = Op::kSw,
                .rs1 = base,
                .rs2 = low_first ? a : hi(a),
                .imm = low_first ? displacement : other});
          if (Chance(20)) Op3(Op::kAdd, kT, a, b);
          Emit({.op = Op::kSw,
                .rs1 = base,
                .rs2 = low_first ? hi(a) : a,
                .imm = low_first ? other : displacement});
        }
      }
    }
    while (code_.size() < end) Nop();
  }

  void RegisterOp() {
    const Op op = static_cast<Op>(Range(static_cast<int>(Op::kAdd), static_cast<int>(Op::kRemu)));
    Emit({.op = op, .rd = Target(), .rs1 = Register(), .rs2 = Register()});
  }

  void ImmediateOp() {
    const Op op = static_cast<Op>(Range(static_cast<int>(Op::kAddi), static_cast<int>(Op::kSrai)));
    const int32_t imm = op >= Op::kSlli ? Range(0, 31) : Range(-2048, 2047);
    Emit({.op = op, .rd = Target(), .rs1 = Register(), .imm = imm});
  }

  void MemoryOp() {
    const bool store = Chance(40);
    const Op op =
        store ? static_cast<Op>(Range(static_cast<int>(Op::kSb), static_cast<int>(Op::kSw)))
              : static_cast<Op>(Range(static_cast<int>(Op::kLb), static_cast<int>(Op::kLhu)));
    uint8_t base = kDataPointer;
    const int32_t bytes = op == Op::kLw || op == Op::kSw                     ? 4
                          : op == Op::kLh || op == Op::kLhu || op == Op::kSh ? 2
                                                                             : 1;
    const bool aligned = openvm_ && Chance(99);
    auto align = [&](int32_t displacement) {
      return aligned ? displacement & -bytes : displacement;
    };
    int32_t displacement = align(Range(0, 2044));
    const int where = Range(0, 199);
    if (where == 0) {
      base = Register();  // anywhere: most likely a fault
      displacement = Range(-2048, 2047);
    } else if (where < 100) {
      Emit({.op = Op::kAndi, .rd = kScratch, .rs1 = Register(), .imm = align(0x7ff)});
      Emit({.op = Op::kAdd, .rd = kScratch, .rs1 = kScratch, .rs2 = kDataPointer});
      base = kScratch;
      displacement = align(Range(0, 1000));
    }
    Emit(store ? Instruction{.op = op, .rs1 = base, .rs2 = Register(), .imm = displacement}
               : Instruction{.op = op, .rd = Target(), .rs1 = base, .imm = displacement});
  }

  int32_t DisplacementTo(int block) const {
    return static_cast<int32_t>(4 * block_at_[block]) - static_cast<int32_t>(4 * code_.size());
  }

  // How a block ends, in exactly kWordsPerEnd words.
  void End() {
    const size_t end = code_.size() + kWordsPerEnd;
    const int last = static_cast<int>(block_at_.size()) - 1;
    const int target = Range(0, last);
    const int kind = Range(0, 99);
    if (openvm_ && Chance(8)) {
      // beq256, or rarely terminate.
      const Instruction branch{.op = Op::kBeq,
                               .rs1 = Chance(95) ? kDataPointer : Register(),
                               .rs2 = Chance(50) ? kDataPointer : kScratch,
                               .imm = DisplacementTo(target)};
      code_.push_back(Chance(90) ? (Encode(branch) & ~0x707fu) | 0x600b
                                 : CustomI(0x0b, 0, Bits() & 0x1ff, 0, 0));
    } else if (kind < 45) {
      const Op op = static_cast<Op>(Range(static_cast<int>(Op::kBeq), static_cast<int>(Op::kBgeu)));
      Emit({.op = op, .rs1 = Register(), .rs2 = Register(), .imm = DisplacementTo(target)});
    } else if (kind < 50) {
      Emit({.op = Op::kJal, .imm = DisplacementTo(target)});
    } else if (kind < 65) {
      Emit({.op = Op::kJal,
            .rd = static_cast<uint8_t>(Chance(80)   ? 1
                                       : Chance(50) ? 5
                                                    : Register()),
            .imm = DisplacementTo(target)});
    } else if (kind < 78) {
      Emit({.op = Op::kJalr,
            .rs1 = static_cast<uint8_t>(Chance(85) ? 1 : 5),
            .imm = Chance(95) ? 0 : Range(-8, 8)});
    } else if (kind < 94) {
      // Through the table of block addresses at the start of the data.
      Emit({.op = Op::kAndi, .rd = kScratch, .rs1 = Register(), .imm = kTableBytes - 4});
      Emit({.op = Op::kAdd, .rd = kScratch, .rs1 = kScratch, .rs2 = kDataPointer});
      Emit({.op = Op::kLw,
            .rd = kScratch,
            .rs1 = kScratch,
            .imm = -static_cast<int32_t>(kTableBytes)});
      Emit({.op = Op::kJalr, .rd = static_cast<uint8_t>(Chance(50) ? 1 : 0), .rs1 = kScratch});
    } else if (kind < 95) {
      Emit({.op = Op::kJalr, .rd = Register(), .rs1 = Register(), .imm = Range(-2048, 2047)});
    } else if (kind < 96) {
      Emit({.op = Op::kEbreak});
    } else if (kind < 98) {
      Emit({.op = Op::kAddi, .rd = 17, .imm = Chance(50) ? 93 : 1000});
      Emit({.op = Op::kEcall});
    }
    while (code_.size() < end) Nop();
  }

  // Stores rarely reach the table; where they do, the jump goes wherever it goes.
  std::vector<uint32_t> Data() {
    std::vector<uint32_t> data(kDataWords);
    for (uint32_t& word : data) word = Interesting();
    for (uint32_t i = 0; i < kTableBytes / 4; ++i) {
      data[i] =
          kCodeBase +
          4 * block_at_[static_cast<size_t>(Range(0, static_cast<int>(block_at_.size()) - 1))];
    }
    return data;
  }

  std::mt19937_64 random_;
  const bool openvm_;
  std::vector<uint32_t> code_;
  std::vector<uint32_t> block_at_;          // index of each block's first word
  std::vector<std::vector<bool>> is_wide_;  // by block: the slots in which pairs are used
};

}  // namespace

std::vector<uint8_t> RandomProgram(uint64_t seed) { return Generator(seed).Run(); }

std::vector<uint8_t> RandomOpenVmProgram(uint64_t seed) { return Generator(seed, true).Run(); }

std::vector<uint32_t> RandomWords(uint64_t seed, size_t count) {
  std::mt19937_64 random(seed);
  std::vector<uint32_t> words;
  while (words.size() < count) {
    const uint32_t bits = static_cast<uint32_t>(random());
    const uint32_t choice = static_cast<uint32_t>(random()) % 100;
    if (choice < 5) {
      words.push_back(bits);
      continue;
    }
    const Op op = choice < 30   ? static_cast<Op>(random() % static_cast<uint32_t>(Op::kLb))
                  : choice < 33 ? Op::kEcall
                                : static_cast<Op>(random() % static_cast<uint32_t>(Op::kCustom));
    Instruction in{.op = op,
                   .rd = static_cast<uint8_t>(bits % 32),
                   .rs1 = static_cast<uint8_t>(bits >> 5 & 31),
                   .rs2 = static_cast<uint8_t>(bits >> 10 & 31),
                   .imm = static_cast<int32_t>(bits) >> 15};
    if (op == Op::kJal || IsBranch(op)) {
      in.imm = static_cast<int32_t>(bits >> 15 & 127) * 4 - 256;
      if (bits >> 28 == 0) in.imm += 2;
    }
    if ((op == Op::kJal || op == Op::kJalr) && bits >> 30 == 0) in.rd = 0;
    if (op == Op::kJalr && (bits >> 28 & 3) == 0) in.rs1 = 1;
    if (op == Op::kAuipc && bits >> 30 != 0) in.imm = 0;
    words.push_back(Encode(in));
  }
  return words;
}

}  // namespace precast::riscv::testing
