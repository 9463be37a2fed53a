// Where a guest's calls return to. A native call returns the guest pc to go on at in a register; if
// that is not the one expected, the function returns too, with the same registers. And since a
// guest may be resumed behind each of its calls, there is an entry that leads there:
//
//   calls:      … r0, r1 … r9 = call …          elsewhere:  ret r0, r1 … r9
//               br_if r0 != pc, elsewhere, receives(r1 … r9)
//   enters(e1 … e9):  br receives(e1 … e9)
//   receives(p1 … p9):  …
//
// Both ways bring the parameters in the registers that parameters travel in, so that the register
// allocator need not hear of results, entry parameters, arguments and edges: where the call returns
// to is for it like an entry, whose first instruction (kReceive) defines the parameters, and
// nothing leads there. For RISC-V code that is a third of what it would have to look at. No value
// is alive on such a way, because an entry leads there.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "compiler/x64/selector.h"
#include "runtime/abi/vm_context.h"

namespace precast::x64::selection {

Inst Selector::ReturningCall(Block b) const {
  const std::vector<Inst>& insts = f_.block(b).insts;
  const Inst branch = insts.back();
  if (f_.inst(branch).op != Opcode::kBrIf) return Inst();
  size_t k = insts.size() - 1;
  while (k > 0 && !ir::Info(f_.inst(insts[k - 1]).op).has_side_effect) --k;
  if (k == 0) return Inst();
  const Inst call = insts[k - 1];
  const InstData& d = f_.inst(call);
  if ((d.op != Opcode::kCall && d.op != Opcode::kCallDispatch) || d.results_count == 0) {
    return Inst();
  }
  const InstData* test = DefOf(f_.args(branch)[0]);
  if (test == nullptr || test->op != Opcode::kIcmp ||
      static_cast<IntCond>(test->aux) != IntCond::kNe || test->type != Type::kI32) {
    return Inst();
  }
  const absl::Span<const Value> compared = f_.args(Inst(f_.value(f_.args(branch)[0]).def));
  if (compared[0] != f_.result(call) || !Constant32Of(compared[1]).has_value()) return Inst();
  const Block elsewhere = f_.edges(branch)[0].target;
  const ir::BlockData& block = f_.block(elsewhere);
  if (elsewhere == f_.edges(branch)[1].target || cf_.info[elsewhere.index].is_entry ||
      cf_.info[elsewhere.index].num_preds != 1 || !block.params.empty() ||
      block.insts.size() != 1 || f_.inst(block.insts[0]).op != Opcode::kRet) {
    return Inst();
  }
  const absl::Span<const Value> returned = f_.args(block.insts[0]);
  if (returned.size() != d.results_count) return Inst();
  for (uint32_t r = 0; r < d.results_count; ++r) {
    if (returned[r] != f_.result(call, r)) return Inst();
  }
  return call;
}

bool Selector::OnlyEnters(Block b) const {
  const std::vector<Inst>& insts = f_.block(b).insts;
  return cf_.info[b.index].is_entry && insts.size() == 1 && f_.inst(insts[0]).op == Opcode::kBr;
}

uint32_t Selector::ArrivesIn(const Way& way, size_t k) const {
  const ir::ValueData& data = f_.value(f_.edges(f_.terminator(way.from)).back().args[k]);
  if (!way.call.valid()) return data.is_param && data.def == way.from.index ? data.index : kNone;
  // The first result is the guest pc.
  const bool result = !data.is_param && data.def == way.call.index && data.index != 0;
  return result ? data.index - 1 : kNone;
}

bool Selector::ArriveAlike(const Way& way, const Way& other) const {
  uint32_t seen = 0;
  for (size_t k = 0; k < f_.block(ReceiverOf(way.from)).params.size(); ++k) {
    const uint32_t reg = ArrivesIn(way, k);
    if (reg == kNone || (seen & 1u << reg) != 0 || ArrivesIn(other, k) != reg) return false;
    seen |= 1u << reg;
  }
  return true;
}

void Selector::FindReceivers() {
  const ir::Signature& signature = f_.signature();
  if (signature.conv != ir::CallConv::kGuest || f_.entries().size() < 2 ||
      !std::all_of(signature.params.begin(), signature.params.end(), HeldInInt) ||
      !std::all_of(signature.results.begin(), signature.results.end(), HeldInInt)) {
    return;
  }
  enters_.resize(f_.num_blocks());
  // By receiver: how many ways there are that bring everything in the same registers.
  std::vector<uint32_t> alike(f_.num_blocks(), 0);
  for (Block e : f_.entries()) {
    if (!OnlyEnters(e)) continue;
    Block& first = enters_[ReceiverOf(e).index];
    if (!first.valid()) first = e;
    if (ArriveAlike({e}, {first})) ++alike[ReceiverOf(e).index];
  }
  std::vector<Way> calls;
  for (Block b : cf_.rpo) {
    const Way way = {b, ReturningCall(b)};
    if (!way.call.valid()) continue;
    const uint32_t to = ReceiverOf(b).index;
    if (!enters_[to].valid() || !ArriveAlike(way, {enters_[to]})) continue;
    ++alike[to];
    calls.push_back(way);
  }
  const auto receives = [&](Block b) {
    return alike[b.index] == cf_.info[b.index].num_preds && !cf_.info[b.index].is_entry;
  };
  for (const Way& way : calls) {
    const Block to = ReceiverOf(way.from);
    if (!receives(to)) continue;
    role_[way.from.index] = Role::kCalls;
    receives_[to.index] = true;
    role_[f_.edges(f_.terminator(way.from))[0].target.index] = Role::kElsewhere;
  }
  for (Block e : f_.entries()) {
    if (OnlyEnters(e) && receives_[ReceiverOf(e).index]) role_[e.index] = Role::kEnters;
  }
}

void Selector::SelectReceived() {
  MInst& m = Emit(MOp::kReceived, {});
  m.disp = static_cast<int32_t>(piece_of_[ReceiverOf(block_).index]);
  if (role_[block_.index] == Role::kCalls) {
    const Value test = f_.args(f_.terminator(block_))[0];
    m.aux = 1;
    m.imm = *Constant32Of(f_.args(Inst(f_.value(test).def))[1]);
  }
  Flush();
}

void Selector::SelectReceive(Block b) {
  std::vector<Operand>& defs = ScratchOperands();
  const std::vector<Value>& params = f_.block(b).params;
  for (uint32_t k = 0; k < params.size(); ++k) {
    if (!Needed(params[k])) continue;
    const uint32_t reg = ArrivesIn({enters_[b.index]}, k);
    defs.push_back(DefFixed(VRegOf(params[k]), {regalloc::RegClass::kInt, abi::kPassedIn[reg]}));
  }
  Emit(MOp::kReceive, defs);
  Flush();
}

}  // namespace precast::x64::selection
