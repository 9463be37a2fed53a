// See join_stores.h.
#include "compiler/opt/join_stores.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/mark_mode.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::MemKind;
using ir::Opcode;
using ir::Type;
using ir::Value;

// Shifts and masks between a number and its byte.
constexpr int kMaxSteps = 4;

class Joiner {
 public:
  Joiner(Function& f, bool mark_pages) : f_(f), mark_pages_(mark_pages) {}

  void Run() {
    if (!HasCandidate()) return;
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) Visit(Block(n));
  }

 private:
  struct Part {
    Inst store;
    size_t position;  // in the block
    Value value;
    int64_t offset;
    uint32_t bytes;
  };
  // Bits of a number, beginning with bit `shift`.
  struct Step {
    Value number;
    uint32_t shift;
  };
  // What is to be stored.
  struct Number {
    Value value;  // or a constant
    uint32_t constant = 0;
    bool big_endian = false;
  };

  // 0: no store to be joined with others.
  uint32_t BytesOf(Inst i) const {
    const InstData& d = f_.inst(i);
    if (d.op != Opcode::kStore || f_.type(f_.args(i)[1]) != Type::kI32) return 0;
    const auto kind = static_cast<MemKind>(d.aux);
    return kind == MemKind::kU8 ? 1 : kind == MemKind::kU16 ? 2 : 0;
  }

  // Cheaply: two of them one after the other.
  bool HasCandidate() const {
    for (uint32_t n = 0; n < f_.num_blocks(); ++n) {
      bool before = false;
      for (Inst i : f_.block(Block(n)).insts) {
        const bool now = BytesOf(i) != 0;
        if (now && before) return true;
        if (!IsPassed(f_.inst(i).op)) before = now;
      }
    }
    return false;
  }

  // Whether stores can change place with the instruction.
  static bool IsPassed(Opcode op) {
    return op == Opcode::kDeferState || op == Opcode::kLoadState || ir::IsPure(op);
  }

  void Visit(Block b) {
    run_.clear();
    changes_.clear();
    const std::vector<Inst> insts = f_.block(b).insts;
    position_.resize(f_.num_insts(), 0);
    for (size_t k = 0; k < insts.size(); ++k) {
      const Inst i = insts[k];
      position_[i.index] = static_cast<uint32_t>(k) + 1;
      const uint32_t bytes = BytesOf(i);
      if (bytes == 0) {
        if (!IsPassed(f_.inst(i).op)) Flush();
        continue;
      }
      if (!run_.empty() && f_.args(i)[0] != f_.args(run_[0].store)[0]) Flush();
      run_.push_back({i, k, f_.args(i)[1], f_.inst(i).imm, bytes});
    }
    if (!changes_.empty()) Rewrite(b, insts);
    for (Inst i : insts) position_[i.index] = 0;
  }

  // Looks for numbers among the stores of run_.
  void Flush() {
    for (size_t k = 0; k + 1 < run_.size();) {
      size_t taken = 0;
      for (size_t n : {size_t{4}, size_t{2}}) {
        if (k + n > run_.size()) continue;
        const absl::Span<const Part> parts = absl::MakeConstSpan(run_).subspan(k, n);
        if (const std::optional<Number> number = NumberOf(parts)) {
          changes_.push_back({*number, std::vector<Part>(parts.begin(), parts.end())});
          taken = n;
          break;
        }
      }
      k += std::max<size_t>(taken, 1);
    }
    run_.clear();
  }

  std::optional<Number> NumberOf(absl::Span<const Part> stored) const {
    std::vector<Part> parts(stored.begin(), stored.end());
    std::sort(parts.begin(), parts.end(),
              [](const Part& a, const Part& b) { return a.offset < b.offset; });
    const uint32_t bytes = parts[0].bytes;
    if (bytes * parts.size() > 4) return std::nullopt;
    for (size_t k = 0; k < parts.size(); ++k) {
      if (parts[k].bytes != bytes ||
          parts[k].offset != parts[0].offset + int64_t{bytes} * static_cast<int64_t>(k)) {
        return std::nullopt;
      }
    }
    Number number;
    bool constant = true;
    for (size_t k = 0; k < parts.size(); ++k) {
      const std::optional<int64_t> c = ir::ConstantOf(f_, parts[k].value);
      constant = constant && c.has_value();
      if (!constant) break;
      const uint32_t mask = bytes == 1 ? 0xff : 0xffff;
      number.constant |= (static_cast<uint32_t>(*c) & mask) << (8 * bytes * k);
    }
    if (constant) return number;
    for (bool big_endian : {false, true}) {
      // Two bytes in reverse order are as good as two instructions.
      if (big_endian && (bytes != 1 || parts.size() != 4)) continue;
      if (big_endian) std::reverse(parts.begin(), parts.end());
      for (const Step& step : StepsOf(parts[0].value, bytes)) {
        if (step.shift != 0 || !IsBefore(step.number, stored[0].position)) continue;
        bool all = true;
        for (size_t k = 0; k < parts.size() && all; ++k) {
          const std::vector<Step> steps = StepsOf(parts[k].value, bytes);
          const auto shift = static_cast<uint32_t>(8 * bytes * k);
          all = std::any_of(steps.begin(), steps.end(), [&](const Step& s) {
            return s.number == step.number && s.shift == shift;
          });
        }
        if (all) return Number{step.number, 0, big_endian};
      }
    }
    return std::nullopt;
  }

  // The numbers that the lowest bytes of `v` are part of.
  std::vector<Step> StepsOf(Value v, uint32_t bytes) const {
    uint32_t bits = bytes == 1 ? 0xff : 0xffff;  // of the number
    std::vector<Step> steps = {{v, 0}};
    for (int n = 0; n < kMaxSteps; ++n) {
      const ir::ValueData& data = f_.value(v);
      if (data.is_param) break;
      const Inst i(data.def);
      const InstData& d = f_.inst(i);
      if (d.type != Type::kI32 ||
          (d.op != Opcode::kAnd && d.op != Opcode::kShrU && d.op != Opcode::kShrS)) {
        break;
      }
      const std::optional<int64_t> c = ir::ConstantOf(f_, f_.args(i)[1]);
      if (!c.has_value()) break;
      const auto constant = static_cast<uint32_t>(*c);
      if (d.op == Opcode::kAnd) {
        if ((constant & bits) != bits) break;
      } else {
        if (constant > static_cast<uint32_t>(std::countl_zero(bits))) break;
        bits <<= constant;
      }
      v = f_.args(i)[0];
      steps.push_back({v, static_cast<uint32_t>(std::countr_zero(bits))});
    }
    return steps;
  }

  // Whether `v`, which is used in the block, is there at `position` already.
  bool IsBefore(Value v, size_t position) const {
    const ir::ValueData& data = f_.value(v);
    if (data.is_param || position_[data.def] == 0) return true;
    return position_[data.def] - 1 < position;
  }

  struct Change {
    Number number;
    std::vector<Part> parts;  // in their order
  };

  void Rewrite(Block b, const std::vector<Inst>& insts) {
    std::vector<Inst> result;
    size_t next = 0;   // in changes_
    size_t until = 0;  // parts of the last change lie before
    for (size_t k = 0; k < insts.size(); ++k) {
      if (next < changes_.size() && k == changes_[next].parts[0].position) {
        Join(b, changes_[next], result);
        until = changes_[next].parts.back().position + 1;
        ++next;
        continue;
      }
      // All stores in between are parts.
      if (k < until && f_.inst(insts[k]).op == Opcode::kStore) continue;
      result.push_back(insts[k]);
    }
    f_.block(b).insts = std::move(result);
  }

  void Join(Block b, const Change& change, std::vector<Inst>& result) {
    const Inst first = change.parts[0].store;
    InstData store = f_.inst(first);
    for (const Part& part : change.parts) store.imm = std::min(store.imm, part.offset);
    const size_t bytes = change.parts[0].bytes * change.parts.size();
    store.aux = static_cast<uint8_t>(bytes == 2 ? MemKind::kU16 : MemKind::kU32);
    const Value base = f_.args(first)[0];
    Value value = change.number.value;
    if (!value.valid()) {
      const auto constant = static_cast<int32_t>(change.number.constant);
      value = Append(b, {.op = Opcode::kIconst, .imm = constant}, {}, result);
    } else if (change.number.big_endian) {
      value = Append(b, {.op = Opcode::kBswap}, {value}, result);
    }
    if (mark_pages_) {
      const InstData touch{.op = Opcode::kMarkPage,
                           .aux = ir::kMarkTouched,
                           .imm = static_cast<int32_t>(static_cast<uint32_t>(store.imm) +
                                                       static_cast<uint32_t>(bytes) - 1)};
      result.push_back(f_.Append(b, touch, {base}, {}));
      f_.block(b).insts.pop_back();
    }
    const InstData data = {.op = Opcode::kStore,
                           .type = store.type,
                           .aux = store.aux,
                           .imm = store.imm,
                           .site = store.site};
    const Inst joined = f_.Append(b, data, {base, value}, {});
    f_.block(b).insts.pop_back();
    result.push_back(joined);
  }

  Value Append(Block b, const InstData& data, std::vector<Value> args, std::vector<Inst>& insts) {
    const Inst i = f_.Append(b, data, args, {Type::kI32});
    f_.block(b).insts.pop_back();
    insts.push_back(i);
    return f_.result(i);
  }

  Function& f_;
  const bool mark_pages_;
  std::vector<Part> run_;           // stores one after the other, to the same base
  std::vector<Change> changes_;     // in the block at hand
  std::vector<uint32_t> position_;  // by instruction: 1 + where it is in the block at hand
};

}  // namespace

void JoinStores(Function& f, bool mark_pages) { Joiner(f, mark_pages).Run(); }

}  // namespace precast::opt
