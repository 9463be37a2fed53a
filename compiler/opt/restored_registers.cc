// See restored_registers.h.
#include "compiler/opt/restored_registers.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/opt/rewrite.h"

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

constexpr size_t kMaxBlocks = 512;
constexpr size_t kMaxStores = 16;  // known at a place; a function saves up to 13 registers
// Where more ways join, nothing is known.
constexpr size_t kMaxPredecessors = 16;

// A word in memory.
struct Word {
  Value base;
  int64_t displacement;
  Value value;
  bool operator==(const Word&) const = default;
};
using Words = std::vector<Word>;  // oldest first

class Forwarder {
 public:
  Forwarder(Function& f, const ir::Cfg& cfg)
      : f_(f), cfg_(cfg), at_end_(f.num_blocks()), replaced_(f.num_values()) {}

  void Run() {
    for (Block b : cfg_.order()) {
      Words words = AtBegin(b);
      std::erase_if(f_.block(b).insts, [&](Inst i) { return !Execute(i, words); });
      at_end_[b.index] = std::move(words);
    }
    if (any_) replaced_.Apply(f_);
  }

 private:
  Words AtBegin(Block b) const {
    const absl::Span<const Block> predecessors = cfg_.predecessors(b);
    if (predecessors.empty() || predecessors.size() > kMaxPredecessors) return {};
    Words words = at_end_[predecessors[0].index];
    for (Block from : predecessors.subspan(1)) {
      const Words& there = at_end_[from.index];
      std::erase_if(words, [&](const Word& w) {
        return std::find(there.begin(), there.end(), w) == there.end();
      });
    }
    return words;
  }

  // Takes in that `i` is executed; false if it need not be.
  bool Execute(Inst i, Words& words) {
    const InstData& d = f_.inst(i);
    switch (d.op) {
      case Opcode::kCall:
      case Opcode::kCallDispatch:
      case Opcode::kCallRuntime:
      case Opcode::kCallPointer:
      case Opcode::kAtomicRmw:
      case Opcode::kAtomicCmpxchg:
      case Opcode::kFence:
      case Opcode::kAcquire:
      case Opcode::kStoreAt:
        words.clear();
        return true;
      case Opcode::kStore: {
        const Value base = replaced_.Get(f_.args(i)[0]), value = replaced_.Get(f_.args(i)[1]);
        const int64_t size = ir::AccessBytes(static_cast<MemKind>(d.aux));
        std::erase_if(words, [&](const Word& w) {
          return w.base != base ||
                 (w.displacement < d.imm + size && d.imm < w.displacement + int64_t{4});
        });
        if (size != 4 || f_.type(value) != Type::kI32) return true;
        if (words.size() == kMaxStores) words.erase(words.begin());
        words.push_back({base, d.imm, value});
        return true;
      }
      case Opcode::kLoad: {
        if (ir::AccessBytes(static_cast<MemKind>(d.aux)) != 4) return true;
        const Value result = f_.result(i), base = replaced_.Get(f_.args(i)[0]);
        if (f_.type(result) != Type::kI32) return true;
        const auto found = std::find_if(words.begin(), words.end(), [&](const Word& w) {
          return w.base == base && w.displacement == d.imm;
        });
        if (found == words.end()) return true;
        replaced_.Set(result, found->value);
        any_ = true;
        return false;
      }
      default:
        return true;
    }
  }

  Function& f_;
  const ir::Cfg& cfg_;
  std::vector<Words> at_end_;  // by block
  Replacements replaced_;
  bool any_ = false;
};

}  // namespace

void ForwardRestores(Function& f, const ir::Graphs& graphs) {
  if (f.num_blocks() > kMaxBlocks) return;
  const ir::Cfg& cfg = graphs.cfg(f);
  if (!cfg.has_cycles()) Forwarder(f, cfg).Run();
}

}  // namespace precast::opt
