#include "compiler/riscv/testing/random_program.h"

#include <random>

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
  explicit Generator(uint64_t seed) : random_(seed) {}

  std::vector<uint8_t> Run() {
    const int num_blocks = Range(2, 24);
    // Blocks branch to each other, so their sizes are fixed first.
    Prologue();
    for (int b = 0; b < num_blocks; ++b) {
      lengths_.push_back(Range(0, Chance(10) ? 60 : 12));
    }
    uint32_t at = static_cast<uint32_t>(code_.size());
    for (int b = 0; b < num_blocks; ++b) {
      block_at_.push_back(at);
      at += static_cast<uint32_t>(lengths_[b]) * kWordsPerSlot + kWordsPerEnd;
    }
    for (int b = 0; b < num_blocks; ++b) {
      for (int i = 0; i < lengths_[b]; ++i) Slot();
      End();
    }
    return MakeElf(code_, Data());
  }

 private:
  static constexpr uint32_t kWordsPerSlot = 3;  // padded with instructions without effect
  static constexpr uint32_t kWordsPerEnd = 4;

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
    if (kind < 35) {
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
    int32_t displacement = Range(0, 2044);
    const int where = Range(0, 199);
    if (where == 0) {
      base = Register();  // anywhere: most likely a fault
      displacement = Range(-2048, 2047);
    } else if (where < 100) {
      Emit({.op = Op::kAndi, .rd = kScratch, .rs1 = Register(), .imm = 0x7ff});
      Emit({.op = Op::kAdd, .rd = kScratch, .rs1 = kScratch, .rs2 = kDataPointer});
      base = kScratch;
      displacement = Range(0, 1000);
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
    if (kind < 45) {
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
  std::vector<uint32_t> code_;
  std::vector<uint32_t> block_at_;  // index of each block's first word
  std::vector<int> lengths_;
};

}  // namespace

std::vector<uint8_t> RandomProgram(uint64_t seed) { return Generator(seed).Run(); }

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
                                : static_cast<Op>(random() % static_cast<uint32_t>(Op::kIllegal));
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
