// The machine code of operations on v128 in a function whose registers are allocated: what the
// emitter of such operations asks for, from the function's tables.
#include <cstddef>
#include <cstdint>

#include "compiler/x64/emitter.h"
#include "compiler/x64/simd_emitter.h"

namespace precast::x64::emission {

class Emitter::AllocatedOperands final : public SimdOperands {
 public:
  AllocatedOperands(Emitter& emitter, uint32_t i, const MInst& m)
      : emitter_(emitter), i_(i), m_(m) {}

  bool IsReg(uint32_t k) const override { return emitter_.IsReg(i_, k); }
  Xmm X(uint32_t k) const override { return emitter_.X(i_, k); }
  Reg R(uint32_t k) const override { return emitter_.R(i_, k); }
  Mem Slot(uint32_t k) const override { return emitter_.VectorM(i_, k); }
  Mem FoldedAccess(uint32_t first) override { return emitter_.FoldedMem(i_, m_, first); }
  const ir::V128& Constant(size_t index) const override {
    return emitter_.m_.v128_constants[index];
  }
  void RelocateConstant(const ir::V128& constant, int32_t trailing) override {
    emitter_.RelocateConstant(constant, 16, trailing);
  }
  bool HasAvx2() const override { return emitter_.HasCpu(format::CpuFeature::kAvx2); }

 private:
  Emitter& emitter_;
  const uint32_t i_;
  const MInst& m_;
};

void Emitter::EmitSimd(uint32_t i, const MInst& m) {
  AllocatedOperands operands(*this, i, m);
  SimdEmitter(operands, e_, m).Emit();
}

}  // namespace precast::x64::emission
