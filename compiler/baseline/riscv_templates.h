// The machine code of single RISC-V instructions, for riscv_compiler.cc: what moves values between
// guest registers, and nothing of control flow.
//
// Scratch registers are rax, r11 and r12, the three that hold no guest register. An instruction that
// can fault changes no guest register before it.
#ifndef PRECAST_COMPILER_BASELINE_RISCV_TEMPLATES_H_
#define PRECAST_COMPILER_BASELINE_RISCV_TEMPLATES_H_

#include <array>
#include <cstdint>

#include "compiler/baseline/assembler.h"
#include "compiler/riscv/decoder.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/registers.h"
#include "runtime/abi/vm_context.h"

namespace precast::baseline {

class Templates {
 public:
  explicit Templates(Assembler& a) : a_(a), e_(a.code()) {}

  // Where a guest register lives.
  static bool InRegister(uint8_t r) { return kHome[r] != kNoHome; }
  static x64::Reg Home(uint8_t r) { return static_cast<x64::Reg>(kHome[r]); }
  static x64::Mem Slot(uint8_t r) { return x64::InContext(4 * uint64_t{r}); }

  // dst := r. Clobbers flags.
  void Read(x64::Reg dst, uint8_t r);
  // Guest register := value, := machine register, := other guest register. Writes of x0 do nothing.
  void Set(uint8_t rd, uint32_t value);
  void Write(uint8_t rd, x64::Reg value);
  void Move(uint8_t rd, uint8_t rs);
  // Around a call that keeps no register: passed registers to their slots, and back. Clobber no
  // flags.
  void SavePassed();
  void RestorePassed();
  // Flags := a - b.
  void Compare(uint8_t a, uint8_t b);

  // An instruction that is neither load or store nor ends a block; false if there is no template.
  bool Emit(const riscv::Instruction& in, uint32_t pc);

  // Loads and stores, in two steps, so that the caller can say in between that the machine
  // instruction made by the second may fault.
  void PrepareAccess(const riscv::Instruction& in);
  // In between: flags := those low bits of the address that are in `mask`.
  void TestAddress(uint32_t mask);
  void EmitAccess(const riscv::Instruction& in);

 private:
  static constexpr uint8_t kNoHome = 0xff;
  static constexpr std::array<uint8_t, 32> kHome = [] {
    std::array<uint8_t, 32> home{};
    home.fill(kNoHome);
    for (int i = 0; i < abi::kNumPassed; ++i) home[abi::kPassed[i]] = abi::kPassedIn[i];
    return home;
  }();

  // The machine register that holds r; loads it into `scratch` if it is not in one. Clobbers flags.
  x64::Reg Use(uint8_t r, x64::Reg scratch);
  void AluWith(x64::Alu op, x64::Reg dst, uint8_t r);
  void Alu(x64::Alu op, const riscv::Instruction& in);
  void AluImm(x64::Alu op, const riscv::Instruction& in);
  void ShiftImm(x64::Shift op, const riscv::Instruction& in);
  void Shift(x64::Shift op, const riscv::Instruction& in);
  void SetIf(x64::Cond cond, const riscv::Instruction& in);
  void SetIfImm(x64::Cond cond, const riscv::Instruction& in);
  void Multiply(const riscv::Instruction& in);
  void MultiplyHigh(bool signed_a, bool signed_b, const riscv::Instruction& in);
  void Divide(bool is_signed, bool remainder, const riscv::Instruction& in);

  // What PrepareAccess has made ready.
  x64::Mem Access() const { return x64::Mem::At(x64::kMemory, access_index_, 1, access_disp_); }

  Assembler& a_;
  x64::Encoder& e_;
  x64::Reg access_index_{};
  int32_t access_disp_ = 0;
  x64::Reg access_value_{};
};

}  // namespace precast::baseline

#endif  // PRECAST_COMPILER_BASELINE_RISCV_TEMPLATES_H_
