// Which values are constant on every path that can be taken: an analysis (sparse conditional
// constant propagation, through block parameters; Wegman and Zadeck 1991).
//
// Blocks are visited in reverse postorder, which decides all that does not go round a loop; what
// goes round one takes further rounds, and after some of them lists of uses are made and followed.
//
// Time: linear in uses.
#ifndef PRECAST_COMPILER_OPT_CONSTANTS_H_
#define PRECAST_COMPILER_OPT_CONSTANTS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::opt {

class ConstantPropagation {
 public:
  // `f` must outlive it; `cfg` is its graph. What follows from entering at `ignored` is not
  // followed.
  ConstantPropagation(const ir::Function& f, const ir::Cfg& cfg,
                      absl::Span<const ir::Block> ignored = {});

  std::optional<int64_t> Constant(ir::Value v) const {
    if (v.index >= facts_.size() || facts_[v.index].kind != Fact::Kind::kConstant) {
      return std::nullopt;
    }
    return facts_[v.index].constant;
  }
  bool executable(ir::Block b) const { return executable_[b.index]; }
  // Whether some branch of the function goes one way only, or the same way twice. `cfg` is its
  // graph.
  bool DecidesBranches(const ir::Cfg& cfg) const;

 private:
  // What is known of a value: nothing yet, one constant, or that it varies. Only ever moves in this
  // order.
  struct Fact {
    enum class Kind : uint8_t { kUnknown, kConstant, kVaries };
    Kind kind = Kind::kUnknown;
    int64_t constant = 0;
  };
  static constexpr uint32_t kOperand = 0xffffffffu;
  static constexpr uint32_t kDone = 0xffffffffu;
  struct Use {
    ir::Block block;
    ir::Inst inst;
    uint32_t edge = kOperand;  // or number of the edge that has the value as argument `index`
    uint32_t index = 0;
  };

  // A round over the blocks from place `from` of the order on. Returns the first that another one
  // is needed for, or kDone.
  uint32_t Round(const ir::Cfg& cfg, uint32_t from);
  void FollowUses(const ir::Cfg& cfg);
  void CollectUses();
  template <typename Visitor>
  void ForEachUse(Visitor visit) const;
  void Reach(ir::Block b);
  // Takes in that `v` may be `fact`. That is nothing new, mostly.
  void Lower(ir::Value v, const Fact& fact) {
    if (facts_[v.index].kind == Fact::Kind::kVaries || fact.kind == Fact::Kind::kUnknown) return;
    LowerFurther(v, fact);
  }
  void LowerFurther(ir::Value v, Fact fact);
  void TakeEdge(const ir::Edge& edge);
  void PassArgument(const Use& use);
  void Visit(ir::Inst i);
  Fact Evaluate(ir::Inst i, const ir::InstData& inst) const;

  static size_t Decide(ir::Opcode op, int64_t constant, size_t num_edges);
  static Fact Folded(std::optional<int64_t> constant);
  static std::optional<int64_t> FoldOne(const ir::InstData& inst, ir::Type from, int64_t a);
  static std::optional<int64_t> FoldTwo(const ir::InstData& inst, int64_t a, int64_t b);

  const ir::Function& f_;
  std::vector<Fact> facts_;
  std::vector<bool> executable_;
  bool changed_ = false;  // some fact, or some block has become executable
  bool follow_ = false;   // such changes are to be recorded in what follows
  std::vector<uint32_t> uses_begin_;
  std::vector<Use> uses_;
  std::vector<ir::Block> blocks_;  // to be visited
  std::vector<ir::Value> values_;  // whose uses are to be visited
};

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_CONSTANTS_H_
