// Machine instructions on guest registers, for riscv_templates.h, put together by sums and tables:
// where a guest register is says bytes, not which way to go, since that cannot be foreseen. What is
// to be left out at times, like the load of what is in a machine register anyway, is written in any
// case and then not advanced over.
#ifndef PRECAST_COMPILER_BASELINE_RISCV_OPERANDS_H_
#define PRECAST_COMPILER_BASELINE_RISCV_OPERANDS_H_

#include <array>
#include <cstdint>
#include <cstring>

#include "absl/base/attributes.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/registers.h"
#include "runtime/abi/vm_context.h"

namespace precast::baseline {

// An r/m operand: a machine register or a guest register's slot.
struct RmOperand {
  uint8_t rex;     // of an instruction with it, if nothing else wants more of it
  uint8_t size;    // of the next field
  uint16_t modrm;  // ModRM without its `reg`, and the displacement
};

// Where a guest register lives: in a machine register or in its slot of VmContext, as x0 does,
// which is always 0.
struct GuestRegister {
  uint8_t reg;     // its machine register, or rax if it has none
  uint8_t or_r11;  // likewise, r11
  uint8_t load;    // bytes of the load of its slot into rax; 0 if it has none
  uint8_t store;   // of the store of rax there; 0 for x0, too
  RmOperand operand;

  constexpr bool in_slot() const { return load != 0; }
};

inline constexpr uint8_t kRax = 0, kR11 = 11;

inline constexpr std::array<RmOperand, 16> kMachineOperands = [] {
  std::array<RmOperand, 16> operands{};
  for (uint8_t r = 0; r < 16; ++r) {
    operands[r] = {static_cast<uint8_t>(0x40 | r >> 3), 1, static_cast<uint16_t>(0xc0 | (r & 7))};
  }
  return operands;
}();

inline constexpr std::array<GuestRegister, 32> kGuestRegisters = [] {
  static_assert(abi::kContextReg == 5 && abi::kContextBias == 128);
  std::array<GuestRegister, 32> registers{};
  for (uint32_t r = 0; r < 32; ++r) {
    const uint32_t disp = (4 * r - 128) & 0xff;  // [rbp + disp8]
    registers[r] = {kRax,
                    kR11,
                    3,
                    static_cast<uint8_t>(r != 0 ? 3 : 0),
                    {0x40, 2, static_cast<uint16_t>(0x45 | disp << 8)}};
  }
  for (int i = 0; i < abi::kNumPassed; ++i) {
    const uint8_t reg = abi::kPassedIn[i];
    registers[abi::kPassed[i]] = {reg, reg, 0, 0, kMachineOperands[reg]};
  }
  return registers;
}();

#define PRECAST_INLINE ABSL_ATTRIBUTE_ALWAYS_INLINE

// Writes behind what an encoder has, in the room that it makes for a guest instruction, and hands
// back in the end where that is. All operations are of 32 bits.
class Cursor {
 public:
  PRECAST_INLINE explicit Cursor(x64::Encoder& e) : e_(e), at_(e.Room()) {}
  PRECAST_INLINE ~Cursor() { e_.Advance(at_); }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  PRECAST_INLINE uint32_t Here() const { return static_cast<uint32_t>(at_ - e_.data()); }

  // The lowest `size` of them.
  PRECAST_INLINE void Bytes(uint64_t bytes, uint32_t size) {
    std::memcpy(at_, &bytes, 8);
    at_ += size;
  }
  // opcode reg, r/m (of which is the destination the opcode says).
  PRECAST_INLINE void Op(uint32_t opcode, uint32_t reg, RmOperand rm) {
    const uint32_t rex = rm.rex | (reg >> 3) << 2;
    const uint32_t skip = rex == 0x40 ? 1 : 0;
    const uint32_t bytes = rex | opcode << 8 | (rm.modrm | (reg & 7) << 3) << 16;
    Put32(at_, bytes >> (8 * skip));
    at_ += 2 - skip + rm.size;
  }
  // 0f opcode reg, r/m.
  PRECAST_INLINE void Op0f(uint32_t opcode, uint32_t reg, RmOperand rm) {
    const uint32_t rex = rm.rex | (reg >> 3) << 2;
    const uint32_t skip = rex == 0x40 ? 1 : 0;
    const uint64_t bytes =
        rex | 0x0f00u | opcode << 16 | static_cast<uint64_t>(rm.modrm | (reg & 7) << 3) << 24;
    Bytes(bytes >> (8 * skip), 3 - skip + rm.size);
  }
  // op r/m, imm.
  PRECAST_INLINE void OpImm(x64::Alu op, RmOperand rm, int32_t imm) {
    const uint32_t is_long = imm != static_cast<int8_t>(imm) ? 1 : 0;
    Op(0x83 - 2 * is_long, static_cast<uint32_t>(op), rm);
    Put32(at_, static_cast<uint32_t>(imm));
    at_ += 1 + 3 * is_long;
  }
  PRECAST_INLINE void ShiftImm(x64::Shift op, RmOperand rm, uint32_t amount) {
    const bool by_one = amount == 1;
    Op(by_one ? 0xd1 : 0xc1, static_cast<uint32_t>(op), rm);
    *at_ = static_cast<uint8_t>(amount);
    at_ += by_one ? 0 : 1;
  }
  // setcc al
  PRECAST_INLINE void Setcc(x64::Cond cc) { Bytes(0xc0900fu | static_cast<uint32_t>(cc) << 8, 3); }
  // jcc rel32; the field, which is 0, is behind Here() - 4.
  PRECAST_INLINE void Jcc(x64::Cond cc) { Bytes(0x800fu | static_cast<uint32_t>(cc) << 8, 6); }
  // lea reg, [base + disp], where disp is not 0 and base not rsp or r12.
  PRECAST_INLINE void Lea(uint32_t reg, uint32_t base, int32_t disp) {
    const uint32_t is_long = disp != static_cast<int8_t>(disp) ? 1 : 0;
    Op(0x8d, reg,
       {static_cast<uint8_t>(0x40 | base >> 3), 1,
        static_cast<uint16_t>(0x40 << is_long | (base & 7))});
    Put32(at_, static_cast<uint32_t>(disp));
    at_ += 1 + 3 * is_long;
  }
  // mov reg, imm. Keeps flags.
  PRECAST_INLINE void MovImm(uint32_t reg, uint32_t imm) {
    const uint32_t skip = reg < 8 ? 1 : 0;
    Put32(at_, (0x41u | (0xb8u | (reg & 7)) << 8) >> (8 * skip));
    Put32(at_ + 2 - skip, imm);
    at_ += 6 - skip;
  }

  // The machine register with the value of `r`: loads it into rax, r11 if it is not in one. Keep
  // flags.
  PRECAST_INLINE uint32_t UseRax(const GuestRegister& r) {
    Put32(at_, 0x8bu | uint32_t{r.operand.modrm} << 8);  // mov eax, [slot]
    at_ += r.load;
    return r.reg;
  }
  PRECAST_INLINE uint32_t UseR11(const GuestRegister& r) {
    Put32(at_, 0x8b44u | (0x18u | uint32_t{r.operand.modrm}) << 16);  // mov r11d, [slot]
    at_ += r.load + (r.load & 1);
    return r.or_r11;
  }
  // The value of `r`, which is not in another register than GuestRegister::reg, is there.
  PRECAST_INLINE void Written(const GuestRegister& r) {
    Put32(at_, 0x89u | uint32_t{r.operand.modrm} << 8);  // mov [slot], eax
    at_ += r.store;
  }

  // [prefix] opcode reg, [kMemory + index + disp]; `opcode` is 0x0fxx if it has two bytes.
  // `byte_reg`: of `reg`, the lowest byte is meant.
  PRECAST_INLINE void Access(uint32_t opcode, uint32_t reg, uint32_t index, int32_t disp,
                             bool byte_reg) {
    static_assert(abi::kMemoryReg == 3);
    const uint32_t is_long = disp != static_cast<int8_t>(disp) ? 1 : 0;
    const uint32_t has_disp = disp != 0 ? 1 : 0;
    const uint32_t rex = 0x40u | (reg >> 3) << 2 | (index >> 3) << 1;
    // An empty REX changes ah, ch, dh, bh into spl, bpl, sil, dil.
    const uint32_t skip = rex == 0x40 && !(byte_reg && reg >= 4) ? 1 : 0;
    const uint32_t size = opcode > 0xff ? 2 : 1;
    const uint32_t bytes = opcode > 0xff ? opcode >> 8 | (opcode & 0xff) << 8 : opcode;
    const uint64_t modrm = (has_disp + is_long) << 6 | (reg & 7) << 3 | 4;
    const uint64_t sib = (index & 7) << 3 | 3;
    Put64(at_, (rex | bytes << 8 | (modrm | sib << 8) << (8 + 8 * size)) >> (8 * skip));
    uint8_t* const after = at_ + (size + 3 - skip);
    Put32(after, static_cast<uint32_t>(disp));
    at_ = after + (has_disp + 3 * is_long);
  }

 private:
  static PRECAST_INLINE void Put32(uint8_t* at, uint32_t v) { std::memcpy(at, &v, 4); }
  static PRECAST_INLINE void Put64(uint8_t* at, uint64_t v) { std::memcpy(at, &v, 8); }

  x64::Encoder& e_;
  uint8_t* at_;
};

#undef PRECAST_INLINE

}  // namespace precast::baseline

#endif  // PRECAST_COMPILER_BASELINE_RISCV_OPERANDS_H_
