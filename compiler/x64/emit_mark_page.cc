// The machine code of mark_page: a look at the page's byte, and out of line a call of the runtime.
#include <cstddef>
#include <cstdint>

#include "compiler/ir/mark_mode.h"
#include "compiler/x64/emitter.h"
#include "runtime/abi/ahead_marks.h"
#include "runtime/abi/meter_area.h"

namespace precast::x64::emission {
namespace {

bool HasStride(const MInst& m) {
  return m.op == MOp::kMarkPage && (m.aux & (ir::kMarkUp | ir::kMarkDown)) != 0;
}

}  // namespace

void Emitter::TestPage(uint32_t i, const MInst& m) {
  // The low byte of the memory's base is 0.
  if (m.op == MOp::kMarkPageAbsolute) {
    e_.CmpByte(Mem::At(kMemory, abi::kPageMarks + static_cast<int32_t>(m.imm)), kMemory);
    return;
  }
  const Reg a = R(i, 0), t = R(i, 1);
  if (m.disp == 0) {
    e_.Mov(Width::k32, t, a);
  } else {
    e_.Lea(Width::k32, t, Mem::At(a, m.disp));
  }
  e_.ShiftImm(Shift::kShr, Width::k32, t, abi::kMarkedPageBits);
  e_.CmpByte(Mem::At(kMemory, t, 1, abi::kPageMarks), kMemory);
}

void Emitter::EmitMarkPage(uint32_t i, const MInst& m) {
  const Stub stub = AddRareCase(Stub::Kind::kMarkPage, i, m);
  if (HasStride(m)) {
    // Another page than before only if it is at most a step from where that begins, or from where
    // it ends.
    const int32_t step = int32_t{1} << (m.aux & 15);
    const int32_t disp = m.disp + ((m.aux & ir::kMarkDown) != 0 ? step : 0);
    Reg low = R(i, 0);
    if (disp != 0) {
      low = R(i, 1);
      e_.Lea(Width::k32, low, Mem::At(R(i, 0), disp));
    }
    e_.TestRI(Width::k32, low, (1 << abi::kMarkedPageBits) - step);
  } else {
    TestPage(i, m);
  }
  buffer_.Jump(Cond::kE, stub.label);
  buffer_.Bind(stub.back);
}

void Emitter::EmitMarkPageStub(const Stub& stub) {
  const MInst& m = *stub.inst;
  const Mem operand =
      Mem::At(kMemory, abi::kMeterArea + static_cast<int32_t>(offsetof(abi::MeterArea, page)));
  buffer_.Bind(stub.label);
  if (HasStride(m)) {
    TestPage(stub.index, m);
    buffer_.Jump(Cond::kNe, stub.back);
  }
  const bool ahead = m.aux == ir::kMarkAhead;
  if (m.op == MOp::kMarkPageAbsolute) {
    const uint32_t page = static_cast<uint32_t>(m.imm) | (ahead ? abi::kMarkedAhead : 0);
    e_.StoreImm(Width::k32, operand, static_cast<int32_t>(page));
  } else {
    const Reg t = R(stub.index, 1);
    if (ahead) e_.BtcImm(Width::k32, t, 31);
    e_.Store(Width::k32, operand, t);
  }
  e_.CallMem(Mem::Rip());
  Relocate(CodeRelocation::Target::kGotRuntime, static_cast<uint32_t>(abi::Callback::kMarkPage));
  buffer_.Jump(stub.back);
}

}  // namespace precast::x64::emission
