#include "compiler/ir/value_table.h"

#include <utility>

#include "compiler/ir/fold.h"

namespace precast::ir {
namespace {

// What comparing two integers may give. The bits are the five ways in which signed and unsigned
// order can combine.
enum Outcome : uint8_t {
  kEqual = 1,
  kLessBoth = 2,          // signed and unsigned
  kLessSignedOnly = 4,    // unsigned greater
  kLessUnsignedOnly = 8,  // signed greater
  kGreaterBoth = 16,
  kAll = 31,
};

uint8_t OutcomesOf(IntCond cond) {
  switch (cond) {
    case IntCond::kEq:
      return kEqual;
    case IntCond::kNe:
      return kAll & ~kEqual;
    case IntCond::kSlt:
      return kLessBoth | kLessSignedOnly;
    case IntCond::kSge:
      return kAll & ~(kLessBoth | kLessSignedOnly);
    case IntCond::kSgt:
      return kGreaterBoth | kLessUnsignedOnly;
    case IntCond::kSle:
      return kAll & ~(kGreaterBoth | kLessUnsignedOnly);
    case IntCond::kUlt:
      return kLessBoth | kLessUnsignedOnly;
    case IntCond::kUge:
      return kAll & ~(kLessBoth | kLessUnsignedOnly);
    case IntCond::kUgt:
      return kGreaterBoth | kLessSignedOnly;
    case IntCond::kUle:
      return kAll & ~(kGreaterBoth | kLessSignedOnly);
  }
  return kAll;
}

uint64_t Mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15u;
  return h ^ (h >> 29);
}

// Of no use in another block: free, or better next to what uses it.
bool IsMadeAnew(Opcode op) {
  switch (op) {
    case Opcode::kIconst:
    case Opcode::kFconst:
    case Opcode::kVconst:
    case Opcode::kContextAddress:
    case Opcode::kIcmp:
    case Opcode::kFcmp:
      return true;
    default:
      return false;
  }
}

// Instructions from which on a value is worth a register across blocks.
constexpr uint32_t kWorthSharing = 2;

}  // namespace

ValueTable::ValueTable(const Function& f, const Dominators& dominators)
    : f_(f), dominators_(dominators), number_(f.num_values()), buckets_(64, kNone) {
  for (uint32_t v = 0; v < number_.size(); ++v) number_[v] = v;
  size_t capacity = 256;
  while (capacity < f.num_insts()) capacity *= 2;
  entries_.resize(capacity);
}

void ValueTable::EnterBlock(Block b) {
  block_ = b;
  while (!scopes_.empty() && !dominators_.Dominates(scopes_.back().block, b)) {
    for (size_t keep = scopes_.back().num_facts; facts_.size() > keep; facts_.pop_back()) {
      buckets_[Bucket(facts_.back().a, facts_.back().b)] = facts_.back().next;
    }
    scopes_.pop_back();
  }
  scopes_.push_back({b, facts_.size()});
}

void ValueTable::SetNumber(Value v, uint32_t number) {
  for (uint32_t n = static_cast<uint32_t>(number_.size()); n <= v.index; ++n) number_.push_back(n);
  number_[v.index] = number;
}

uint32_t ValueTable::Hash(const Expression& e) const {
  uint64_t h = Mix(static_cast<uint64_t>(e.op) | static_cast<uint64_t>(e.type) << 8 |
                       static_cast<uint64_t>(e.aux) << 16,
                   static_cast<uint64_t>(e.imm));
  for (Value v : e.args) h = Mix(h, Number(v));
  return static_cast<uint32_t>(h >> 32);
}

bool ValueTable::Matches(const Entry& entry, uint32_t hash, const Expression& e) const {
  if (entry.hash != hash) return false;
  const Inst i(f_.value(entry.value).def);
  const InstData& inst = f_.inst(i);
  if (inst.op != e.op || inst.type != e.type || inst.aux != e.aux || inst.imm != e.imm ||
      inst.args_count != e.args.size()) {
    return false;
  }
  const absl::Span<const Value> args = f_.args(i);
  for (size_t k = 0; k < args.size(); ++k) {
    if (Number(args[k]) != Number(e.args[k])) return false;
  }
  return true;
}

ValueTable::Entry& ValueTable::Lookup(const Expression& e, uint32_t hash) {
  size_t slot = hash & (entries_.size() - 1);
  while (entries_[slot].value.valid() && !Matches(entries_[slot], hash, e)) {
    slot = (slot + 1) & (entries_.size() - 1);
  }
  return entries_[slot];
}

uint32_t ValueTable::Weight(const Expression& e) const {
  uint32_t weight = 1;
  switch (e.op) {
    case Opcode::kWrap:
      weight = 0;
      break;
    case Opcode::kExtendU32:
    case Opcode::kExtendS32:
    case Opcode::kExtendS8:
    case Opcode::kExtendS16:
      break;
    case Opcode::kAdd:
    case Opcode::kSub:
    case Opcode::kAnd:
    case Opcode::kOr:
    case Opcode::kXor:
    case Opcode::kShl:
    case Opcode::kShrU:
    case Opcode::kShrS:
    case Opcode::kRotl:
    case Opcode::kRotr:
      if (!ConstantOf(f_, e.args[1])) weight = kWorthSharing;
      break;
    default:
      return kWorthSharing;
  }
  for (Value v : e.args) {
    if (v.index < copies_.size() && copies_[v.index].block == block_) {
      weight += copies_[v.index].weight;
    }
  }
  return weight;
}

std::optional<Value> ValueTable::Find(const Expression& e) {
  if (IsMadeAnew(e.op)) return std::nullopt;
  const Entry& entry = Lookup(e, Hash(e));
  if (!entry.value.valid() || !dominators_.Dominates(entry.block, block_)) return std::nullopt;
  if (entry.block != block_ && Weight(e) < kWorthSharing) return std::nullopt;
  return entry.value;
}

void ValueTable::Add(const Expression& e, Value v) {
  if (e.op == Opcode::kIconst && e.type == Type::kI32 && e.imm == 0) {
    SetNumber(v, kZero);
    return;
  }
  const uint32_t hash = Hash(e);
  Entry& entry = Lookup(e, hash);
  if (!entry.value.valid()) {
    entry = {hash, v, block_};
    SetNumber(v, v.index);
    if (++num_entries_ * 2 > entries_.size()) Grow();
    return;
  }
  if (e.op == Opcode::kIconst) {
    // The same wherever it is made.
    SetNumber(v, Number(entry.value));
    return;
  }
  if (!dominators_.Dominates(entry.block, block_)) {
    // No block still to come is dominated by that one either.
    SetNumber(v, v.index);
    entry = {hash, v, block_};
    return;
  }
  SetNumber(v, Number(entry.value));
  if (IsMadeAnew(e.op)) return;
  if (copies_.size() <= v.index) copies_.resize(v.index + 1);
  copies_[v.index] = {block_, Weight(e)};
}

void ValueTable::Grow() {
  std::vector<Entry> old = std::exchange(entries_, std::vector<Entry>(entries_.size() * 2));
  for (const Entry& entry : old) {
    if (!entry.value.valid()) continue;
    size_t slot = entry.hash & (entries_.size() - 1);
    while (entries_[slot].value.valid()) slot = (slot + 1) & (entries_.size() - 1);
    entries_[slot] = entry;
  }
}

// -- facts

size_t ValueTable::Bucket(uint32_t a, uint32_t b) const {
  return (Mix(a, b) >> 32) & (buckets_.size() - 1);
}

uint8_t ValueTable::Outcomes(uint32_t a, uint32_t b) const {
  for (uint32_t k = buckets_[Bucket(a, b)]; k != kNone; k = facts_[k].next) {
    if (facts_[k].a == a && facts_[k].b == b) return facts_[k].outcomes;
  }
  return kAll;
}

void ValueTable::LearnOutcomes(uint32_t a, uint32_t b, uint8_t outcomes) {
  const uint8_t known = Outcomes(a, b);
  if ((known & outcomes) == known) return;
  if (facts_.size() >= buckets_.size()) {
    buckets_.assign(buckets_.size() * 2, kNone);
    for (uint32_t k = 0; k < facts_.size(); ++k) {
      facts_[k].next = std::exchange(buckets_[Bucket(facts_[k].a, facts_[k].b)], k);
    }
  }
  uint32_t& newest = buckets_[Bucket(a, b)];
  facts_.push_back({a, b, static_cast<uint8_t>(known & outcomes), newest});
  newest = static_cast<uint32_t>(facts_.size() - 1);
}

std::optional<bool> ValueTable::Compare(IntCond cond, Value a, Value b) const {
  uint32_t x = Number(a);
  uint32_t y = Number(b);
  if (x == y) return FoldIcmpSame(cond);
  if (facts_.empty()) return std::nullopt;
  if (y < x) {
    std::swap(x, y);
    cond = Swapped(cond);
  }
  const uint8_t possible = Outcomes(x, y);
  const uint8_t asked = OutcomesOf(cond);
  if ((possible & asked) == 0) return false;
  if ((possible & asked) == possible) return true;
  return std::nullopt;
}

std::optional<bool> ValueTable::Truth(Value v) const {
  const uint32_t x = Number(v);
  if (x == kZero) return false;
  if (facts_.empty()) return std::nullopt;
  const uint8_t possible = Outcomes(x, kZero);
  if ((possible & kEqual) == 0) return true;
  if (possible == kEqual) return false;
  return std::nullopt;
}

void ValueTable::Learn(Value v, bool truth) {
  if (Number(v) != kZero) {
    LearnOutcomes(Number(v), kZero, truth ? kAll & ~kEqual : kEqual);
  }
  const ValueData& data = f_.value(v);
  if (data.is_param) return;
  const Inst i(data.def);
  if (f_.inst(i).op != Opcode::kIcmp) return;
  IntCond cond = static_cast<IntCond>(f_.inst(i).aux);
  if (!truth) cond = Inverted(cond);
  uint32_t x = Number(f_.args(i)[0]);
  uint32_t y = Number(f_.args(i)[1]);
  if (x == y) return;
  if (y < x) {
    std::swap(x, y);
    cond = Swapped(cond);
  }
  LearnOutcomes(x, y, OutcomesOf(cond));
}

}  // namespace precast::ir
