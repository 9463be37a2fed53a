// Blocks and branches, and the SSA form of locals across them.
//
// Forward labels: a branch to one remembers the values it brings, and its edge stays open until the
// label is reached. Then all edges are known, and only what differs among them becomes a parameter.
// What a branch remembers of the locals are those assigned since the label's block began, if they
// are still wanted (lift_scan.h); all others are the same on every edge. To know them, assignments
// are logged, which also leads back to the state at the block's start (for `else`, and for the
// edges that do not mention a local). So a block costs nothing for locals it does not touch,
// however many there are.
//
// Backward labels: the same scan has told which wanted locals change before the last branch back.
#include <algorithm>

#include "absl/log/check.h"
#include "absl/strings/str_format.h"
#include "compiler/wasm/lift_function.h"

namespace precast::wasm {

using ir::Edge;
using ir::Opcode;

FunctionLifter::Frame FunctionLifter::NewFrame(Frame::Kind kind, const BlockType& type) {
  Frame frame;
  frame.kind = kind;
  switch (type.kind) {
    case BlockType::Kind::kEmpty:
      break;
    case BlockType::Kind::kValue:
      frame.num_results = 1;
      break;
    case BlockType::Kind::kIndex:
      frame.num_params = static_cast<uint32_t>(module_.types[type.index].params.size());
      frame.num_results = static_cast<uint32_t>(module_.types[type.index].results.size());
      break;
  }
  frame.dead = dead_;
  frame.unreachable = frame.unreachable_outside = frames_.back().unreachable;
  if (!dead_) {
    DCHECK_GE(stack_.size(), frame.num_params);
    frame.height = stack_.size() - frame.num_params;
  }
  frame.log_begin = log_.size();
  frame.block = next_block_++;
  return frame;
}

void FunctionLifter::SetLocal(uint32_t local, Value v) {
  Value& current = locals_[local];
  if (current == v) return;
  // Nobody asks for the locals at the function's own label.
  if (frames_.size() > 1) {
    const uint32_t at = logged_at_[local];
    const bool logged =
        at >= frames_.back().log_begin && at < log_.size() && log_[at].local == local;
    if (!logged) {
      logged_at_[local] = static_cast<uint32_t>(log_.size());
      log_.push_back({local, current});
    }
  }
  current = v;
}

void FunctionLifter::Rollback(const Frame& frame) {
  while (log_.size() > frame.log_begin) {
    locals_[log_.back().local] = log_.back().before;
    log_.pop_back();
  }
}

void FunctionLifter::StartBlock(Block block) {
  f_.block(block).guest_pc = reader_.offset();
  b_.SetBlock(block);
}

absl::Status FunctionLifter::CheckJoinValues() {
  if (join_values_ <= kMaxJoinValues) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrFormat(
      "function too complex at offset 0x%x: too many locals differ at too many branches", at_));
}

ir::Inst FunctionLifter::AppendBranch(Opcode op, absl::Span<const Value> args,
                                      std::vector<Edge> edges) {
  return f_.Append(b_.block(), {.op = op}, args, {}, std::move(edges));
}

// The instruction's number is not known yet, it is the next one.
ir::Edge FunctionLifter::EdgeTo(Frame& frame, uint32_t edge) {
  const uint32_t arity = LabelArity(frame);
  const auto results = stack_.end() - static_cast<ptrdiff_t>(arity);
  if (frame.kind == Frame::Kind::kLoop) {
    Edge result{frame.head, std::vector<Value>(results, stack_.end())};
    const absl::Span<const uint32_t> changed = scan_.Changed(frame.loop);
    result.args.reserve(arity + changed.size());
    for (uint32_t local : changed) result.args.push_back(locals_[local]);
    join_values_ += result.args.size();
    return result;
  }
  PendingEdge pending{.inst = ir::Inst(static_cast<uint32_t>(f_.num_insts())), .edge = edge};
  pending.results.assign(results, stack_.end());
  join_values_ += arity;
  if (frame.kind != Frame::Kind::kFunction) {
    ++visit_;
    for (size_t k = frame.log_begin; k < log_.size(); ++k) {
      const uint32_t local = log_[k].local;
      if (std::exchange(seen_[local], visit_) == visit_) continue;
      if (scan_.IsLive(frame.block, local)) pending.locals.emplace_back(local, locals_[local]);
    }
    // The look at the log costs time, if no room.
    join_values_ += pending.locals.size() + (log_.size() - frame.log_begin) / 16;
  }
  frame.edges.push_back(std::move(pending));
  return Edge{};
}

void FunctionLifter::SetUnreachable() {
  EndSegment();
  frames_.back().unreachable = true;
  dead_ = true;
}

// Makes the block at the frame's label from its open edges. Locals must be as at the frame's start.
absl::Status FunctionLifter::Join(Frame& frame) {
  const std::vector<PendingEdge>& edges = frame.edges;
  DCHECK(!edges.empty());
  const Block label = f_.NewBlock();
  StartBlock(label);
  stack_.resize(frame.height);

  // Positions of the results and locals that differ, in the order of the parameters.
  std::vector<uint32_t> results;
  for (uint32_t k = 0; k < frame.num_results; ++k) {
    const Value first = edges[0].results[k];
    const bool same = std::all_of(edges.begin(), edges.end(),
                                  [&](const PendingEdge& e) { return e.results[k] == first; });
    if (!same) results.push_back(k);
    stack_.push_back(same ? first : f_.AddParam(label, f_.type(first)));
  }

  // For every local that some edge mentions: how many do, and whether they all bring the same.
  struct Mention {
    uint32_t local;
    Value value;
    size_t count;
    bool same;
  };
  std::vector<Mention> mentions;  // position_ says where, for the locals seen in this visit
  ++visit_;
  for (const PendingEdge& edge : edges) {
    for (const auto& [local, value] : edge.locals) {
      if (std::exchange(seen_[local], visit_) != visit_) {
        position_[local] = static_cast<uint32_t>(mentions.size());
        mentions.push_back({local, value, 1, true});
      } else {
        Mention& mention = mentions[position_[local]];
        ++mention.count;
        if (mention.value != value) mention.same = false;
      }
    }
  }
  std::sort(mentions.begin(), mentions.end(),
            [](const Mention& a, const Mention& b) { return a.local < b.local; });

  std::vector<Value> defaults;  // by local parameter: the value on edges that do not mention it
  std::vector<std::pair<uint32_t, Value>> joined;
  ++visit_;
  for (const Mention& mention : mentions) {
    const Value before = locals_[mention.local];
    const bool everywhere = mention.count == edges.size();
    if (mention.same && (everywhere || mention.value == before)) {
      joined.emplace_back(mention.local, mention.value);
      continue;
    }
    seen_[mention.local] = visit_;
    position_[mention.local] = static_cast<uint32_t>(results.size() + defaults.size());
    defaults.push_back(before);
    joined.emplace_back(mention.local, f_.AddParam(label, f_.type(before)));
  }

  join_values_ += defaults.size() * edges.size();
  if (absl::Status status = CheckJoinValues(); !status.ok()) return status;
  for (const PendingEdge& pending : edges) {
    Edge& edge = f_.mutable_edges(pending.inst)[pending.edge];
    edge.target = label;
    edge.args.reserve(results.size() + defaults.size());
    for (uint32_t k : results) edge.args.push_back(pending.results[k]);
    edge.args.insert(edge.args.end(), defaults.begin(), defaults.end());
    for (const auto& [local, value] : pending.locals) {
      if (seen_[local] == visit_) edge.args[position_[local]] = value;
    }
  }
  frame.edges.clear();

  // The frame is no longer the innermost: what it changed is logged for the one around it.
  for (const auto& [local, value] : joined) SetLocal(local, value);
  dead_ = false;
  return absl::OkStatus();
}

void FunctionLifter::BeginLoop(Frame frame) {
  frame.loop = next_loop_++;
  if (dead_) {
    frames_.push_back(std::move(frame));
    return;
  }
  EndSegment();
  if (scan_.IsTargeted(frame.loop)) {
    frame.head = f_.NewBlock();
    Edge edge{frame.head, PopMany(frame.num_params)};
    for (uint32_t local : scan_.Changed(frame.loop)) edge.args.push_back(locals_[local]);
    join_values_ += scan_.Changed(frame.loop).size();
    const std::vector<Value> values = edge.args;
    b_.Br(std::move(edge));
    StartBlock(frame.head);
    frames_.push_back(std::move(frame));
    const Frame& f = frames_.back();
    for (uint32_t k = 0; k < f.num_params; ++k) Push(f_.AddParam(f.head, f_.type(values[k])));
    for (uint32_t local : scan_.Changed(f.loop)) {
      SetLocal(local, f_.AddParam(f.head, f_.type(locals_[local])));
    }
    return;
  }
  frames_.push_back(std::move(frame));
}

void FunctionLifter::Else() {
  Frame& frame = frames_.back();
  if (!dead_) {
    Edge edge = EdgeTo(frame, 0);
    std::vector<Edge> edges;
    edges.push_back(std::move(edge));
    AppendBranch(Opcode::kBr, {}, std::move(edges));
    EndSegment();
  }
  frame.kind = Frame::Kind::kElse;
  frame.unreachable = frame.unreachable_outside;
  if (frame.dead) return;
  Rollback(frame);
  const Block block = f_.NewBlock();
  f_.mutable_edges(frame.branch)[1].target = block;
  StartBlock(block);
  stack_.resize(frame.height);
  stack_.insert(stack_.end(), frame.params.begin(), frame.params.end());
  dead_ = false;
}

absl::Status FunctionLifter::End() {
  Frame frame = std::move(frames_.back());
  const bool is_function = frame.kind == Frame::Kind::kFunction;
  const bool new_segment = frame.kind == Frame::Kind::kIf || frame.kind == Frame::Kind::kElse ||
                           (frame.kind == Frame::Kind::kBlock && frame.targeted);
  if (frame.kind == Frame::Kind::kIf && !frame.dead) {
    // No `else`: from the branch straight to the label.
    frame.edges.push_back({.inst = frame.branch, .edge = 1, .results = frame.params});
  }
  if (!frame.edges.empty()) {
    if (!dead_) {
      std::vector<Edge> edges;
      edges.push_back(EdgeTo(frame, 0));
      AppendBranch(Opcode::kBr, {}, std::move(edges));
    }
    if (!is_function) Rollback(frame);
    EndSegment();
    frames_.pop_back();
    if (absl::Status status = Join(frame); !status.ok()) return status;
  } else {
    if (!dead_ && new_segment) EndSegment();
    frames_.pop_back();
  }
  if (is_function && !dead_) Return();
  return absl::OkStatus();
}

void FunctionLifter::Return() {
  const absl::Span<const Value> values = absl::MakeConstSpan(stack_).last(type_.results.size());
  b_.Ret(PassValues(type_.results, values));
}

void FunctionLifter::Br(uint32_t depth) {
  Frame& frame = Label(depth);
  if (frame.kind == Frame::Kind::kFunction) {
    Return();
    return;
  }
  std::vector<Edge> edges;
  edges.push_back(EdgeTo(frame, 0));
  AppendBranch(Opcode::kBr, {}, std::move(edges));
}

void FunctionLifter::BrIf(uint32_t depth) {
  const Value condition = Pop();
  const Block next = f_.NewBlock();
  std::vector<Edge> edges;
  edges.push_back(EdgeTo(Label(depth), 0));
  edges.push_back({next});
  AppendBranch(Opcode::kBrIf, {condition}, std::move(edges));
  StartBlock(next);
}

absl::Status FunctionLifter::BrTable(const Instruction& in) {
  const Value index = Pop();
  // br_table's own edges carry nothing, so every label gets a block that branches there.
  std::vector<Edge> edges;
  std::vector<Block> block_of(frames_.size());  // by depth
  std::vector<uint32_t> depths;
  for (uint32_t depth : in.targets) {
    if (!block_of[depth].valid()) {
      block_of[depth] = f_.NewBlock();
      depths.push_back(depth);
    }
    edges.push_back({block_of[depth]});
  }
  AppendBranch(Opcode::kBrTable, {index}, std::move(edges));
  for (uint32_t depth : depths) {
    StartBlock(block_of[depth]);
    f_.block(block_of[depth]).guest_pc = at_;
    Br(depth);
    if (absl::Status status = CheckJoinValues(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void FunctionLifter::MarkTargets(const Instruction& in) {
  if (frames_.back().unreachable) return;
  if (in.op == Op::kBrTable) {
    for (uint32_t depth : in.targets) Label(depth).targeted = true;
  } else {
    Label(in.index).targeted = true;
  }
}

absl::Status FunctionLifter::LiftControl(const Instruction& in, bool& done) {
  done = true;
  switch (in.op) {
    case Op::kBlock:
      frames_.push_back(NewFrame(Frame::Kind::kBlock, in.block_type));
      return absl::OkStatus();
    case Op::kLoop:
      BeginLoop(NewFrame(Frame::Kind::kLoop, in.block_type));
      return CheckJoinValues();
    case Op::kElse:
      Else();
      return CheckJoinValues();
    case Op::kEnd:
      return End();
    case Op::kIf: {
      if (dead_) {
        frames_.push_back(NewFrame(Frame::Kind::kIf, in.block_type));
        return absl::OkStatus();
      }
      BeginInstruction();
      const Value condition = Pop();
      Frame frame = NewFrame(Frame::Kind::kIf, in.block_type);
      frame.params.assign(stack_.end() - static_cast<ptrdiff_t>(frame.num_params), stack_.end());
      const Block then = f_.NewBlock();
      frame.branch = AppendBranch(Opcode::kBrIf, {condition}, {Edge{then}, Edge{}});
      ++retired_;
      EndSegment();
      StartBlock(then);
      frames_.push_back(std::move(frame));
      return absl::OkStatus();
    }
    case Op::kBr:
    case Op::kBrIf:
    case Op::kBrTable:
    case Op::kReturn:
    case Op::kUnreachable:
      break;
    case Op::kReturnCall:
    case Op::kReturnCallIndirect:
      if (dead_) frames_.back().unreachable = true;
      done = dead_;
      return absl::OkStatus();
    default:
      done = false;
      return absl::OkStatus();
  }

  if (in.op == Op::kBr || in.op == Op::kBrIf || in.op == Op::kBrTable) MarkTargets(in);
  if (dead_) {
    if (in.op != Op::kBrIf) frames_.back().unreachable = true;
    return absl::OkStatus();
  }
  BeginInstruction();
  switch (in.op) {
    case Op::kBr:
      Br(in.index);
      break;
    case Op::kBrIf:
      BrIf(in.index);
      break;
    case Op::kBrTable:
      if (absl::Status status = BrTable(in); !status.ok()) return status;
      break;
    case Op::kReturn:
      Return();
      break;
    default: {
      const Block here = b_.block();
      b_.Trap(static_cast<ir::TrapCode>(Trap::kUnreachable), Here());
      // What ends here is not worth a place among what is executed often.
      if (here != f_.entries()[0]) f_.block(here).cold = true;
      break;
    }
  }
  ++retired_;
  if (in.op == Op::kBrIf) {
    EndSegment();
  } else {
    SetUnreachable();
  }
  return CheckJoinValues();
}

}  // namespace precast::wasm
