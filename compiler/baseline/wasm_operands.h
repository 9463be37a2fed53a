// Where the values of a WebAssembly function are while its code is written, for wasm_function.h:
// the operand stack and the locals.
//
// Every local and every position of the operand stack has a slot in the frame, of 8 bytes, or of 16
// in functions with vectors. A local's slot is always up
// to date; a register may hold a copy of it. A value on the operand stack is in its slot, in a
// register, a constant, or "what local n holds now", for which nothing was emitted yet. Only the
// topmost kWindow values are anything but in their slots or constants, so that no step takes longer
// than the window is long.
//
// Where control flow meets, those locals are in registers that are in them on every way there. A
// loop wants some locals in registers at its head, and a branch back puts them there.
//
// A register may hold several values at once: it is only written by who owns it alone (Own). r12
// and xmm15 never hold a value: they are free for any instruction's use.
#ifndef PRECAST_COMPILER_BASELINE_WASM_OPERANDS_H_
#define PRECAST_COMPILER_BASELINE_WASM_OPERANDS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/log/check.h"
#include "absl/types/span.h"
#include "compiler/baseline/assembler.h"
#include "compiler/wasm/types.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/registers.h"

namespace precast::baseline {

enum class Type : uint8_t { kI32, kI64, kF32, kF64, kV128 };  // references are kI64
constexpr bool InVectorReg(Type type) { return type >= Type::kF32; }
// Of a vector, nothing that its instructions need.
constexpr x64::Width WidthOf(Type type) {
  return type == Type::kI32 || type == Type::kF32 ? x64::Width::k32 : x64::Width::k64;
}
constexpr Type TypeOf(wasm::ValType type) {
  return type == wasm::kI32    ? Type::kI32
         : type == wasm::kF32  ? Type::kF32
         : type == wasm::kF64  ? Type::kF64
         : type == wasm::kV128 ? Type::kV128
                               : Type::kI64;
}

// A machine register: 0 … 15 general, 16 … 31 vector, by hardware number.
using AnyReg = uint8_t;
constexpr x64::Reg IntReg(AnyReg r) { return static_cast<x64::Reg>(r); }
constexpr x64::Xmm VectorReg(AnyReg r) { return static_cast<x64::Xmm>(r - 16); }
constexpr AnyReg Any(x64::Reg r) { return x64::Number(r); }
constexpr AnyReg Any(x64::Xmm r) { return static_cast<AnyReg>(x64::Number(r) + 16); }

inline constexpr x64::Reg kScratch = x64::Reg::r12;
inline constexpr x64::Xmm kScratchXmm = x64::kVectorScratch;

struct Operand {
  enum class Kind : uint8_t { kSlot, kReg, kConst, kLocal };
  Kind kind;
  Type type;
  AnyReg reg;      // kReg
  uint32_t index;  // kSlot: number of the slot; kLocal: of the local
  uint64_t value;  // kConst, never a vector: the bits; of an i32 or f32, zero-extended

  bool IsConst() const { return kind == Kind::kConst; }
  // The value as a sign-extended 32-bit immediate of an instruction of the type's width, if it is
  // one.
  bool FitsImmediate() const {
    return IsConst() && (WidthOf(type) == x64::Width::k32 ||
                         static_cast<int64_t>(value) == static_cast<int32_t>(value));
  }
  int32_t Immediate() const { return static_cast<int32_t>(value); }
};

// Which locals registers hold.
struct CachedLocals {
  uint32_t registers = 0;
  std::array<uint32_t, 32> local;  // for those
};

class Operands {
 public:
  explicit Operands(Assembler& assembler) : e_(assembler.code()) {}

  // Begins a function, which can have vectors only if slots are wide. No local is in a register.
  void Begin(absl::Span<const wasm::ValType> params, size_t num_locals, bool wide);
  void SetLocalTypes(size_t begin, size_t end, Type type) {
    for (size_t k = begin; k < end; ++k) local_types_[k] = type;
  }

  size_t size() const { return stack_.size(); }
  const Operand& At(size_t k) const { return stack_[k]; }
  absl::Span<const Operand> Top(size_t n) const { return absl::MakeConstSpan(stack_).last(n); }
  bool wide() const { return slot_bytes_ == 16; }
  // What the frame must have room for, locals included.
  size_t slots_bytes() const { return slot_bytes_ * (local_types_.size() + max_size_); }
  // The offset of a slot from the stack pointer, which is a multiple of 16.
  uint32_t SlotOffset(uint32_t slot) const { return slot_bytes_ * slot; }
  uint32_t SlotOf(size_t k) const { return static_cast<uint32_t>(local_types_.size() + k); }
  x64::Mem Slot(uint32_t slot) const {
    return x64::Mem::At(x64::Reg::rsp, static_cast<int32_t>(SlotOffset(slot)));
  }

  // -- the operand stack

  // What a register popped holds stays there until EndInstruction.
  Operand Pop() {
    DCHECK(!stack_.empty());
    const Operand v = stack_.back();
    stack_.pop_back();
    flushed_ = std::min(flushed_, stack_.size());
    // Without branches, since one cannot foresee of what kind it is.
    const uint32_t is_reg = v.kind == Operand::Kind::kReg ? 1 : 0;
    uses_[v.reg] = static_cast<uint8_t>(uses_[v.reg] - is_reg);
    in_use_ &= ~((is_reg & (uses_[v.reg] == 0 ? 1u : 0u)) << v.reg);
    locked_ |= is_reg << v.reg;
    lazy_locals_ -= v.kind == Operand::Kind::kLocal ? 1 : 0;
    return v;
  }
  void PushReg(Type type, AnyReg r) {
    Retain(r);
    Push({Operand::Kind::kReg, type, r, 0, 0});
  }
  void PushConst(Type type, uint64_t value) { Push({Operand::Kind::kConst, type, 0, 0, value}); }
  void PushLocal(uint32_t local) {
    Push({Operand::Kind::kLocal, local_types_[local], 0, local, 0});
    ++lazy_locals_;
  }
  // In the slot of its position.
  void PushSlot(Type type) { Push({Operand::Kind::kSlot, type, 0, SlotOf(stack_.size()), 0}); }
  // Drops what is above.
  void Truncate(size_t size);
  void EndInstruction() { locked_ = 0; }

  // -- registers

  // A register for a result, without a value. It is the caller's until EndInstruction.
  AnyReg Alloc(Type type) { return AllocFrom(InVectorReg(type) ? kVectorRegs : kIntRegs); }
  // A register that holds the value, to be read only.
  AnyReg Use(const Operand& v);
  x64::Reg UseInt(const Operand& v) { return IntReg(Use(v)); }
  x64::Xmm UseVector(const Operand& v) { return VectorReg(Use(v)); }
  // A register that holds the value, to be written.
  AnyReg Own(const Operand& v);
  // The register of an operand popped whose value nothing else needs.
  bool IsOwned(const Operand& v) const {
    return v.kind == Operand::Kind::kReg && ((in_use_ | cached_) >> v.reg & 1) == 0;
  }
  // Moves what the register holds elsewhere, except for what the instruction has popped.
  void Acquire(x64::Reg r);
  // The register that holds an operand, if one does.
  bool InRegister(const Operand& v, AnyReg& r) const;
  // Emits nothing but moves; keeps flags. May use the scratch register for a constant of floating
  // point.
  void LoadInto(AnyReg r, const Operand& v, x64::Reg scratch = kScratch) const;
  void StoreTo(const x64::Mem& m, const Operand& v) const;
  void LoadMem(Type type, AnyReg r, const x64::Mem& m) const;
  void StoreMem(Type type, const x64::Mem& m, AnyReg r) const;

  // -- locals

  void SetLocal(uint32_t local, const Operand& v);
  // From here on register r, which nothing else holds, has a copy of the local.
  void Cache(uint32_t local, AnyReg r);
  Type local_type(uint32_t local) const { return local_types_[local]; }
  // Nothing is known of what locals registers hold.
  void ForgetLocals();
  CachedLocals Cached() const { return {cached_, local_of_reg_}; }
  void Assume(const CachedLocals& locals);
  // Leaves what holds here too.
  void Intersect(CachedLocals& locals) const;
  // Registers that do not hold what they should.
  uint32_t Missing(const CachedLocals& locals) const;
  // Emits moves so that they do, whatever they held; keeps flags.
  void Establish(const CachedLocals& locals);
  bool HoldsOperand(uint32_t registers) const { return (in_use_ & registers) != 0; }
  // Only these locals in registers, those that are not yet too as long as there is room. No operand
  // may be in one.
  void CacheOnly(absl::Span<const uint32_t> locals);

  // -- places where control flow meets, and calls. They emit only moves, and keep flags.

  // All operands into their slots, or constants, of which the topmost `slots` are no exception.
  void Flush(size_t slots);
  // No operand but the topmost n in a register; locals may stay what they are.
  void SpillForCall(size_t n);

 private:
  static constexpr size_t kWindow = 24;
  static constexpr uint8_t kNoReg = 0xff;
  static constexpr uint32_t kIntRegs = x64::kAllocatable & 0xffffu & ~(1u << x64::Number(kScratch));
  static constexpr uint32_t kVectorRegs = 0x7fffu << 16;

  void Push(const Operand& v) {
    stack_.push_back(v);
    if (stack_.size() > max_size_) max_size_ = stack_.size();
    if (stack_.size() - flushed_ > kWindow) [[unlikely]] {
      FlushUpTo(stack_.size() - kWindow / 2);
    }
  }
  AnyReg AllocFrom(uint32_t allowed);
  void FlushUpTo(size_t end);
  void FlushEntry(size_t k, bool constants);
  void Release(AnyReg r) {
    if (--uses_[r] == 0) in_use_ &= ~(1u << r);
  }
  void Retain(AnyReg r) {
    ++uses_[r];
    in_use_ |= 1u << r;
  }
  void Uncache(AnyReg r) {
    reg_of_local_[local_of_reg_[r]] = kNoReg;
    cached_ &= ~(1u << r);
  }
  void Spill(AnyReg r);
  void MoveReg(Type type, AnyReg to, AnyReg from) const;

  x64::Encoder& e_;
  uint32_t slot_bytes_ = 8;
  std::vector<Operand> stack_;
  size_t flushed_ = 0;      // operands below are in their slots or constants
  size_t lazy_locals_ = 0;  // operands that are locals
  size_t max_size_ = 0;
  std::vector<Type> local_types_;
  std::vector<AnyReg> reg_of_local_;
  std::array<uint32_t, 32> local_of_reg_ = {};  // for those in cached_
  std::array<uint8_t, 32> uses_ = {};           // operands that a register holds
  uint32_t in_use_ = 0, cached_ = 0, locked_ = 0;
  uint32_t next_victim_ = 0;
};

}  // namespace precast::baseline

#endif  // PRECAST_COMPILER_BASELINE_WASM_OPERANDS_H_
