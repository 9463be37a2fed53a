// Blocks and branches. Results and parameters are in their slots at a label. What lies on the stack
// below a block is in slots or constant before it begins, so that it is the same after it whatever
// way led there. The locals that registers hold are known on every way to a forward label, and
// those remain that all ways agree on; a loop chooses some at its head.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "compiler/baseline/wasm_function.h"

namespace precast::baseline {

namespace {

// Value types where a span of one is needed.
constexpr wasm::ValType kSingle[] = {wasm::kI32,  wasm::kI64,     wasm::kF32,      wasm::kF64,
                                     wasm::kV128, wasm::kFuncRef, wasm::kExternRef};

absl::Span<const wasm::ValType> Single(wasm::ValType type) {
  for (const wasm::ValType& single : kSingle) {
    if (single.code == type.code) return absl::MakeConstSpan(&single, 1);
  }
  return {};
}

}  // namespace

bool WasmFunction::NewFrame(Frame::Kind kind, const wasm::BlockType& type) {
  Frame frame;
  frame.kind = kind;
  switch (type.kind) {
    case wasm::BlockType::Kind::kEmpty:
      break;
    case wasm::BlockType::Kind::kValue:
      frame.results = Single(type.type);
      if (type.type == wasm::kV128 && !CanHaveVectors()) return false;
      break;
    case wasm::BlockType::Kind::kIndex: {
      const wasm::FuncType& signature = module_.types[type.index];
      if (HasVector(signature) && !CanHaveVectors()) return false;
      frame.params = signature.params;
      frame.results = signature.results;
      break;
    }
  }
  frame.dead = dead_;
  frame.unreachable = frame.unreachable_outside = frames_.back().unreachable;
  if (!dead_) {
    DCHECK_GE(stack_.size(), frame.params.size());
    frame.height = stack_.size() - frame.params.size();
    frame.label = a_.NewLabel();
  }
  frames_.push_back(frame);
  if (locals_at_.size() < frames_.size()) {
    locals_at_.resize(frames_.size());
    locals_otherwise_.resize(frames_.size());
  }
  return true;
}

void WasmFunction::SetUnreachable() {
  EndSegment();
  frames_.back().unreachable = true;
  dead_ = true;
}

void WasmFunction::Join(Frame& frame) {
  if (frame.joined) return stack_.Intersect(LocalsAt(frame));
  LocalsAt(frame) = stack_.Cached();
  frame.joined = true;
}

// The locals that the loop reads before it assigns them, as far as that shows soon.
void WasmFunction::FindLoopLocals() {
  constexpr int kLookAhead = 48;
  // Of each kind, so that registers are left for everything else.
  int integers = 7, vectors = 11;
  loop_locals_.clear();
  ++loops_;
  wasm::InstructionReader ahead = reader_;
  for (int k = 0, depth = 0; k < kLookAhead; ++k) {
    if (!ahead.Read(scanned_)) return;
    switch (scanned_.op) {
      case Op::kLocalGet:
        if (seen_in_loop_[scanned_.index] == loops_) break;
        seen_in_loop_[scanned_.index] = loops_;
        if (--(InVectorReg(stack_.local_type(scanned_.index)) ? vectors : integers) >= 0) {
          loop_locals_.push_back(scanned_.index);
        }
        break;
      case Op::kLocalSet:
      case Op::kLocalTee:
        if (depth == 0) seen_in_loop_[scanned_.index] = loops_;
        break;
      case Op::kBlock:
      case Op::kIf:
        ++depth;
        break;
      case Op::kEnd:
        if (depth-- == 0) return;
        break;
      case Op::kLoop:
      case Op::kCall:
      case Op::kCallIndirect:
        return;
      default:
        break;
    }
  }
}

void WasmFunction::BeginLoop() {
  if (dead_) return;
  const Frame& frame = frames_.back();
  EndSegment();
  stack_.Flush(frame.params.size());
  FindLoopLocals();
  stack_.CacheOnly(loop_locals_);
  LocalsAt(frame) = stack_.Cached();
  a_.Bind(frame.label);
}

void WasmFunction::BeginIf() {
  Frame& frame = frames_.back();
  stack_.Flush(frame.params.size());
  frame.otherwise = a_.NewLabel();
  locals_otherwise_[frames_.size() - 1] = stack_.Cached();
}

void WasmFunction::Else() {
  Frame& frame = frames_.back();
  if (!dead_) {
    PassResults(frame);
    Join(frame);
    a_.Jump(frame.label);
    EndSegment();
  }
  frame.kind = Frame::Kind::kElse;
  frame.unreachable = frame.unreachable_outside;
  if (frame.dead) return;
  stack_.Truncate(frame.height);
  a_.Bind(frame.otherwise);
  stack_.Assume(locals_otherwise_[frames_.size() - 1]);
  for (wasm::ValType type : frame.params) stack_.PushSlot(TypeOf(type));
  stack_.EndInstruction();
  dead_ = false;
}

void WasmFunction::End() {
  Frame& frame = frames_.back();
  const bool is_function = frame.kind == Frame::Kind::kFunction;
  const bool new_segment = frame.kind == Frame::Kind::kIf || frame.kind == Frame::Kind::kElse ||
                           (frame.kind == Frame::Kind::kBlock && frame.targeted);
  const bool no_else = frame.kind == Frame::Kind::kIf && !frame.dead;
  if (frame.joined || no_else) {
    if (!dead_) {
      PassResults(frame);
      Join(frame);
    }
    EndSegment();
    stack_.Truncate(frame.height);
    if (no_else) {
      // From the condition straight to here.
      a_.Bind(frame.otherwise);
      stack_.Assume(locals_otherwise_[frames_.size() - 1]);
      Join(frame);
    }
    a_.Bind(frame.label);
    stack_.Assume(LocalsAt(frame));
    for (wasm::ValType type : frame.results) stack_.PushSlot(TypeOf(type));
    stack_.EndInstruction();
    dead_ = false;
  } else if (!dead_ && new_segment) {
    EndSegment();
  }
  frames_.pop_back();
  if (is_function && !dead_) Return();
}

// The values a branch brings into the slots where its label has them. The state of the stack is not
// changed.
void WasmFunction::PassResults(const Frame& frame) {
  const size_t arity = frame.LabelTypes().size();
  // Ascending, as no value moves up: what is overwritten was read before.
  for (size_t k = 0; k < arity; ++k) {
    const Operand& v = stack_.At(stack_.size() - arity + k);
    const uint32_t to = stack_.SlotOf(frame.height + k);
    if (v.kind == Operand::Kind::kSlot && v.index == to) continue;
    stack_.StoreTo(stack_.Slot(to), v);
  }
}

void WasmFunction::Branch(uint32_t depth) {
  Frame& frame = LabelAt(depth);
  if (frame.kind == Frame::Kind::kFunction) return Return();
  PassResults(frame);
  if (frame.kind == Frame::Kind::kLoop) {
    const CachedLocals before = stack_.Cached();
    stack_.Establish(LocalsAt(frame));
    a_.Jump(frame.label);
    stack_.Assume(before);  // if the branch is conditional
  } else {
    Join(frame);
    a_.Jump(frame.label);
  }
}

WasmFunction::Condition WasmFunction::TakeCondition() {
  if (flags_) {
    const Condition condition = *flags_;
    flags_.reset();
    return condition;
  }
  SetFlags(stack_.Pop());
  return {Cond::kNe};
}

void WasmFunction::JumpIf(Condition condition, Label label) {
  switch (condition.parity) {
    case Condition::Parity::kNone:
      return a_.Jump(condition.cc, label);
    case Condition::Parity::kAndOrdered: {
      const uint32_t skip = a_.Skip(Cond::kP);
      a_.Jump(condition.cc, label);
      return a_.Land(skip);
    }
    case Condition::Parity::kOrUnordered:
      a_.Jump(Cond::kP, label);
      return a_.Jump(condition.cc, label);
  }
}

void WasmFunction::BranchIf(uint32_t depth) {
  const Condition condition = TakeCondition();
  Frame& frame = LabelAt(depth);
  const size_t arity = frame.LabelTypes().size();
  // Storing the values to slots that hold nothing else does no harm if the branch is not taken.
  const bool in_place = arity == 0 || stack_.size() - arity == frame.height;
  const bool is_loop = frame.kind == Frame::Kind::kLoop;
  // Neither does it to have locals in registers that hold no operand.
  if (frame.kind != Frame::Kind::kFunction && in_place &&
      !(is_loop && stack_.HoldsOperand(stack_.Missing(LocalsAt(frame))))) {
    PassResults(frame);
    if (is_loop) {
      stack_.Establish(LocalsAt(frame));
    } else {
      Join(frame);
    }
    return JumpIf(condition, frame.label);
  }
  const Label next = a_.NewLabel();
  JumpIf(condition.Inverted(), next);
  Branch(depth);
  a_.Bind(next);
}

void WasmFunction::BranchTable(const wasm::Instruction& in) {
  const Operand index = stack_.Pop();
  const uint32_t cases = static_cast<uint32_t>(in.targets.size()) - 1;
  // Labels that a branch brings nothing to are jumped to at once, the others by way of code of
  // their own.
  std::vector<std::pair<uint32_t, Label>> ways;  // depth, its code
  ++br_tables_;
  const auto target = [&](uint32_t depth) {
    Frame& frame = LabelAt(depth);
    if (frame.kind == Frame::Kind::kLoop) {
      if (frame.LabelTypes().empty() && LocalsAt(frame).registers == 0) return frame.label;
    } else if (frame.kind != Frame::Kind::kFunction && frame.LabelTypes().empty()) {
      Join(frame);
      return frame.label;
    }
    if (frame.way_of != br_tables_) {
      frame.way_of = br_tables_;
      frame.way = a_.NewLabel();
      ways.emplace_back(depth, frame.way);
    }
    return frame.way;
  };
  if (cases != 0) {
    const Reg r = stack_.UseInt(index);
    const Reg t = IntReg(stack_.Alloc(Type::kI64));
    e_.AluRI(Alu::kCmp, Width::k32, r, static_cast<int32_t>(cases));
    a_.Jump(Cond::kAe, target(in.targets.back()));
    e_.Lea(Width::k64, kScratch, Mem::Rip());
    const uint32_t base = static_cast<uint32_t>(constants_.size());
    Relocate(Target::kConstants, base);
    e_.Movsx(Width::k32, Width::k64, t, Mem::At(kScratch, r, 4, 0));
    e_.AluRR(Alu::kAdd, Width::k64, t, kScratch);
    e_.JmpReg(t);
    for (uint32_t c = 0; c < cases; ++c) {
      table_entries_.push_back({base + 4 * c, target(in.targets[c]), base});
    }
    constants_.resize(base + 4 * size_t{cases});
  } else {
    a_.Jump(target(in.targets.back()));
  }
  for (const auto& [depth, label] : ways) {
    a_.Bind(label);
    Branch(depth);
    if (TooLong()) return;
  }
}

void WasmFunction::MarkTargets(const wasm::Instruction& in) {
  if (frames_.back().unreachable) return;
  if (in.op == Op::kBrTable) {
    for (uint32_t depth : in.targets) LabelAt(depth).targeted = true;
  } else {
    LabelAt(in.index).targeted = true;
  }
}

bool WasmFunction::CompileControl(const wasm::Instruction& in, bool& done) {
  done = true;
  switch (in.op) {
    case Op::kBlock:
      if (!dead_) stack_.Flush(0);
      return NewFrame(Frame::Kind::kBlock, in.block_type);
    case Op::kLoop:
      if (!NewFrame(Frame::Kind::kLoop, in.block_type)) return false;
      BeginLoop();
      return true;
    case Op::kElse:
      Else();
      return true;
    case Op::kEnd:
      End();
      return true;
    case Op::kIf: {
      if (dead_) return NewFrame(Frame::Kind::kIf, in.block_type);
      BeginInstruction();
      const Condition condition = TakeCondition();
      if (!NewFrame(Frame::Kind::kIf, in.block_type)) return false;
      BeginIf();
      JumpIf(condition.Inverted(), frames_.back().otherwise);
      stack_.EndInstruction();
      ++retired_;
      EndSegment();
      return true;
    }
    case Op::kBr:
    case Op::kBrIf:
    case Op::kBrTable:
      MarkTargets(in);
      break;
    case Op::kReturn:
    case Op::kUnreachable:
      break;
    case Op::kReturnCall:
    case Op::kReturnCallIndirect:
      if (dead_) frames_.back().unreachable = true;
      done = dead_;
      return true;
    default:
      done = false;
      return true;
  }

  if (dead_) {
    if (in.op != Op::kBrIf) frames_.back().unreachable = true;
    return true;
  }
  BeginInstruction();
  switch (in.op) {
    case Op::kBr:
      Branch(in.index);
      break;
    case Op::kBrIf:
      BranchIf(in.index);
      break;
    case Op::kBrTable:
      BranchTable(in);
      break;
    case Op::kReturn:
      Return();
      break;
    default:
      AddTrapSite(at_, Retired(), Trap::kUnreachable);
      e_.Ud2();
      break;
  }
  ++retired_;
  stack_.EndInstruction();
  if (in.op == Op::kBrIf) {
    EndSegment();
  } else {
    SetUnreachable();
  }
  return true;
}

}  // namespace precast::baseline
