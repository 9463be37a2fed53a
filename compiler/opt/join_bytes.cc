// See join_bytes.h.
#include "compiler/opt/join_bytes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
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

constexpr size_t kMaxLoads = 4;
constexpr size_t kMaxDepth = 6;
constexpr size_t kSlots = 256;
// Each number that is found is a walk over its block: longer ones would take quadratic time.
constexpr size_t kMaxBlock = 8192;
// So much at most is executed by interpretation before a fault, in bytes of code.
constexpr uint32_t kMaxDistance = 1024;

class Joiner {
 public:
  Joiner(Function& f, bool mark_pages) : f_(f), mark_pages_(mark_pages) {}

  // Returns false if there is nothing to look at.
  bool Run(const ir::Cfg& cfg) {
    for (Block b : cfg.order()) {
      if (!HasCandidate(b)) continue;
      if (uses_.empty()) CountUses(cfg);
      Visit(b);
    }
    return !uses_.empty();
  }

 private:
  struct Part {
    Inst load;
    int64_t offset;
    uint32_t bytes;
    uint32_t shift;
  };
  // Used elsewhere too: of the number these bits, after a shift to the right.
  struct Piece {
    Inst inst;
    uint32_t shift;
    uint32_t mask;
  };
  struct Tree {
    std::vector<Part> parts;
    std::vector<Inst> inner;  // what lies between the loads and the root, and is not needed
    std::vector<Piece> pieces;
    Value base;
  };

  static std::optional<uint32_t> BytesOf(MemKind kind) {
    if (kind == MemKind::kU8) return 1;
    if (kind == MemKind::kU16) return 2;
    return std::nullopt;
  }

  // Cheaply: an `or`, and at least two short loads before it.
  bool HasCandidate(Block b) const {
    if (f_.block(b).insts.size() > kMaxBlock) return false;
    int loads = 0;
    for (Inst i : f_.block(b).insts) {
      const InstData& d = f_.inst(i);
      if (d.op == Opcode::kLoad) loads += BytesOf(static_cast<MemKind>(d.aux)).has_value();
      if (d.op == Opcode::kOr && loads >= 2) return true;
    }
    return false;
  }

  // Declarations of state in the block that makes the value do not count here.
  void CountUses(const ir::Cfg& cfg) {
    uses_.assign(f_.num_values(), 0);
    std::vector<uint32_t> made_in(f_.num_values(), kElsewhere);
    for (Block b : cfg.order()) {
      for (const auto& [slot, v] : f_.block(b).state) ++uses_[v.index];
      for (Inst i : f_.block(b).insts) {
        const bool declares = f_.inst(i).op == Opcode::kDeferState;
        for (Value v : f_.args(i)) uses_[v.index] += !declares || made_in[v.index] != b.index;
        if (f_.inst(i).results_count == 1) made_in[f_.result(i).index] = b.index;
        for (const ir::Edge& edge : f_.edges(i)) {
          for (Value v : edge.args) ++uses_[v.index];
        }
      }
    }
  }

  // Whether nothing but itself can be observed of the instruction: loads change place only among
  // such.
  static bool IsPassed(Opcode op) {
    return op == Opcode::kLoad || op == Opcode::kDeferState || op == Opcode::kLoadState ||
           ir::IsPure(op);
  }

  void Visit(Block b) {
    // Where each instruction is, and in which stretch without other effects.
    const std::vector<Inst>& insts = f_.block(b).insts;
    position_.resize(f_.num_insts(), kElsewhere);
    std::vector<Inst> here = insts;
    uint32_t stretch = 0;
    stretch_.clear();
    for (size_t k = 0; k < here.size(); ++k) {
      position_[here[k].index] = static_cast<uint32_t>(k);
      if (!IsPassed(f_.inst(here[k]).op)) ++stretch;
      stretch_.push_back(stretch);
    }
    // Roots come behind what is below them.
    for (size_t k = here.size(); k-- > 0;) {
      if (f_.inst(here[k]).op == Opcode::kOr && f_.inst(here[k]).type == Type::kI32) {
        Try(b, here[k]);
      }
    }
    for (Inst i : here) position_[i.index] = kElsewhere;
    for (Inst i : added_) position_[i.index] = kElsewhere;
    added_.clear();
  }

  // The instruction of this block that makes `v`.
  std::optional<Inst> Local(Value v) const {
    const ir::ValueData& data = f_.value(v);
    if (data.is_param || data.def >= position_.size() || position_[data.def] == kElsewhere) {
      return std::nullopt;
    }
    return Inst(data.def);
  }

  // Takes in what `v` is made of, which goes into the number with this shift. The bits of `v` that
  // may be other than 0; 0 if it is something else.
  uint32_t Collect(Value v, uint32_t shift, size_t depth, Tree& tree) const {
    if (depth > kMaxDepth) return 0;
    const std::optional<Inst> i = Local(v);
    if (!i.has_value()) return 0;
    const InstData& d = f_.inst(*i);
    uint32_t mask = 0;
    switch (d.op) {
      case Opcode::kOr: {
        const uint32_t a = Collect(f_.args(*i)[0], shift, depth + 1, tree);
        const uint32_t b = a == 0 ? 0 : Collect(f_.args(*i)[1], shift, depth + 1, tree);
        if (b == 0 || (a & b) != 0) return 0;
        mask = a | b;
        break;
      }
      case Opcode::kShl: {
        const std::optional<int64_t> amount = ir::ConstantOf(f_, f_.args(*i)[1]);
        if (!amount.has_value() || *amount < 0 || *amount + shift >= 32) return 0;
        const auto by = static_cast<uint32_t>(*amount);
        mask = Collect(f_.args(*i)[0], shift + by, depth + 1, tree) << by;
        break;
      }
      case Opcode::kLoad: {
        const std::optional<uint32_t> bytes = BytesOf(static_cast<MemKind>(d.aux));
        if (!bytes.has_value() || d.type != Type::kI32 || tree.parts.size() == kMaxLoads) return 0;
        if (tree.parts.empty()) tree.base = f_.args(*i)[0];
        if (f_.args(*i)[0] != tree.base) return 0;
        tree.parts.push_back({*i, d.imm, *bytes, shift});
        mask = *bytes == 1 ? 0xff : 0xffff;
        break;
      }
      default:
        return 0;
    }
    if (mask == 0) return 0;
    if (uses_[v.index] == 1) {
      tree.inner.push_back(*i);
    } else {
      tree.pieces.push_back({*i, shift, mask});
    }
    return mask;
  }

  struct Number {
    uint32_t bytes;
    bool big_endian;
  };
  // What number the parts are, if they are side by side in memory and in the number.
  static std::optional<Number> NumberOf(std::vector<Part> parts) {
    std::sort(parts.begin(), parts.end(),
              [](const Part& a, const Part& b) { return a.offset < b.offset; });
    uint32_t bytes = 0;
    bool little = true, big = true;
    for (const Part& part : parts) {
      if (part.offset != parts[0].offset + bytes) return std::nullopt;
      little &= part.shift == 8 * bytes;
      bytes += part.bytes;
      big &= part.bytes == 1 && part.shift == 8 * (parts.size() - bytes);
    }
    if ((bytes != 2 && bytes != 4) || (!little && !big)) return std::nullopt;
    return Number{bytes, big};
  }

  void Try(Block b, Inst root) {
    if (position_[root.index] == kElsewhere) return;  // part of another one
    Tree tree;
    if (Collect(f_.args(root)[0], 0, 0, tree) == 0) return;
    if (Collect(f_.args(root)[1], 0, 0, tree) == 0) return;
    const std::optional<Number> number = NumberOf(tree.parts);
    if (!number.has_value() || tree.pieces.size() >= tree.parts.size()) return;
    uint32_t first = kElsewhere, last = 0;
    int64_t offset = tree.parts[0].offset;
    for (const Part& part : tree.parts) {
      first = std::min(first, position_[part.load.index]);
      last = std::max(last, position_[part.load.index]);
      offset = std::min(offset, part.offset);
    }
    if (stretch_[first] != stretch_[last]) return;
    removed_ = tree.inner;
    const std::vector<Inst> insts = f_.block(b).insts;
    const auto at = std::find_if(insts.begin(), insts.end(), [&](Inst i) {
      return i.index < position_.size() && position_[i.index] == first;
    });
    const Inst first_load = *at;
    const ir::Site site = f_.inst(first_load).site;
    const auto behind = absl::MakeConstSpan(insts).subspan(static_cast<size_t>(at - insts.begin()));
    std::optional<Inst> seen_by;  // the last load that sees a part
    if (!FindSeen(behind, tree, stretch_[first], site.guest_pc, seen_by)) return;

    InstData load{.op = Opcode::kLoad};
    load.aux = static_cast<uint8_t>(number->bytes == 2 ? MemKind::kU16 : MemKind::kU32);
    load.imm = offset;
    load.site = site;
    // Such loads are reported at the first one too, where what is declared in between is not yet.
    std::vector<Inst> result, declared;
    bool early = false;
    for (Inst i : insts) {
      if (i == first_load) {
        if (mark_pages_) Touch(b, tree.base, offset + number->bytes - 1, result);
        const Value loaded = Append(b, load, {tree.base}, result);
        if (number->big_endian) {
          // The root is not the load, then, which takes the place of the first one.
          const Inst loading = result.back();
          position_.resize(f_.num_insts(), kElsewhere);
          position_[loading.index] = first;
          added_.push_back(loading);
          const Value swapped = Append(b, {.op = Opcode::kBswap}, {loaded}, result);
          if (number->bytes == 2) {  // they are in the upper half now
            const Value by = Append(b, {.op = Opcode::kIconst, .imm = 16}, {}, result);
            Append(b, {.op = Opcode::kShrU}, {swapped, by}, result);
          }
        }
        Become(root, result);
        for (const Piece& piece : tree.pieces) Extract(b, f_.result(root), piece, result);
        early = seen_by.has_value();
      }
      if (i == root || IsRemoved(i)) continue;
      if (IsPiece(tree, i)) continue;
      InstData& d = f_.inst(i);
      if (d.op == Opcode::kDeferState && IsPart(f_.args(i)[0])) continue;
      if (early && d.op == Opcode::kDeferState) {
        declared.push_back(i);
        continue;
      }
      if (early && d.op == Opcode::kLoad) d.site = site;
      result.push_back(i);
      if (i == seen_by) {
        result.insert(result.end(), declared.begin(), declared.end());
        early = false;
      }
    }
    f_.block(b).insts = std::move(result);
    for (Inst i : removed_) position_[i.index] = kElsewhere;
    position_[root.index] = first;
  }

  // Puts `i` in the place of the last instruction, doing what that does.
  void Become(Inst i, std::vector<Inst>& insts) {
    const InstData made = f_.inst(insts.back());
    insts.back() = i;
    InstData& d = f_.inst(i);
    d.op = made.op;
    d.aux = made.aux;
    d.imm = made.imm;
    d.site = made.site;
    d.args_begin = made.args_begin;
    d.args_count = made.args_count;
  }

  // Makes the piece's instruction take its bits out of `number`, at the end of `insts`.
  void Extract(Block b, Value number, const Piece& piece, std::vector<Inst>& insts) {
    Value from = number;
    if (piece.shift != 0) {
      const Value by = Append(b, {.op = Opcode::kIconst, .imm = piece.shift}, {}, insts);
      from = Append(b, {.op = Opcode::kShrU}, {from, by}, insts);
    }
    const auto mask = static_cast<int32_t>(piece.mask);
    const Value bits = Append(b, {.op = Opcode::kIconst, .imm = mask}, {}, insts);
    Append(b, {.op = Opcode::kAnd}, {from, bits}, insts);
    Become(piece.inst, insts);
  }
  Value Append(Block b, const InstData& data, std::vector<Value> args, std::vector<Inst>& insts) {
    const Inst i = f_.Append(b, data, args, {Type::kI32});
    f_.block(b).insts.pop_back();
    insts.push_back(i);
    return f_.result(i);
  }

  void Touch(Block b, Value base, int64_t offset, std::vector<Inst>& insts) {
    const InstData touch{.op = Opcode::kMarkPage,
                         .aux = ir::kMarkTouched,
                         .imm = static_cast<int32_t>(static_cast<uint32_t>(offset))};
    insts.push_back(f_.Append(b, touch, {base}, {}));
    f_.block(b).insts.pop_back();
  }

  static bool IsPiece(const Tree& tree, Inst i) {
    return std::any_of(tree.pieces.begin(), tree.pieces.end(),
                       [&](const Piece& piece) { return piece.inst == i; });
  }
  bool IsRemoved(Inst i) const {
    return std::find(removed_.begin(), removed_.end(), i) != removed_.end();
  }
  bool IsPart(Value v) const {
    const std::optional<Inst> i = Local(v);
    return i.has_value() && IsRemoved(*i);
  }

  // Whether only loads, in the stretch of the first, see a part as declared state. `insts` begin
  // with the first.
  bool FindSeen(absl::Span<const Inst> insts, const Tree& tree, uint32_t stretch, uint32_t pc,
                std::optional<Inst>& seen_by) {
    std::array<bool, kSlots> holds = {};  // by slot: a part is declared
    int held = 0;
    for (Inst i : insts) {
      const InstData& d = f_.inst(i);
      if (d.op == Opcode::kDeferState || d.op == Opcode::kStoreState) {
        const bool part = d.op == Opcode::kDeferState && IsPart(f_.args(i)[0]);
        held += int{part} - int{holds[d.aux]};
        holds[d.aux] = part;
      } else if (held != 0 && ir::CanStop(d.op) && !IsRemoved(i) && !IsPiece(tree, i)) {
        if (d.op != Opcode::kLoad || stretch_[position_[i.index]] != stretch ||
            d.site.guest_pc - pc > kMaxDistance) {
          return false;
        }
        seen_by = i;
      }
    }
    return true;
  }

  static constexpr uint32_t kElsewhere = 0xffffffffu;

  Function& f_;
  const bool mark_pages_;
  std::vector<uint32_t> uses_;      // by value
  std::vector<uint32_t> position_;  // by instruction: where it is in the block at hand
  std::vector<uint32_t> stretch_;   // by position
  std::vector<Inst> removed_;
  std::vector<Inst> added_;  // to the block at hand, with a position
};

}  // namespace

bool JoinBytes(Function& f, const ir::Graphs& graphs, bool mark_pages) {
  return Joiner(f, mark_pages).Run(graphs.cfg(f));
}

}  // namespace precast::opt
