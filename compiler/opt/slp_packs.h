// What a loop does to neighbours in memory, as vectors.
//
// Of a loop that is one block, unrolled by the compiler that made the guest: which stores are of 16
// adjacent bytes, and which instructions compute what is stored there, lane by lane alike.
// slp_vectorize.h makes vector operations of them.
#ifndef PRECAST_COMPILER_OPT_SLP_PACKS_H_
#define PRECAST_COMPILER_OPT_SLP_PACKS_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/types/span.h"
#include "compiler/ir/ir.h"
#include "compiler/opt/value_homes.h"

namespace precast::opt {

inline constexpr uint32_t kVectorBytes = 16;

// An address as the loop computes it: sum of terms and a constant, growing by `step` each round,
// all modulo 2^32.
struct LinearAddress {
  struct Term {
    ir::Value value;
    uint32_t shift;
    auto operator<=>(const Term&) const = default;
  };
  std::vector<Term> terms;  // sorted
  uint32_t constant = 0;
  uint32_t step = 0;
};

inline constexpr uint32_t kNoPack = 0xffffffffu;

struct MemoryAccess {
  uint32_t position;  // in the block
  bool is_store;
  ir::Value root;
  uint32_t displacement;
  uint32_t size;
  const LinearAddress* linear;  // of the root; null if that is no sum
  uint32_t pack = kNoPack, lane = 0;
};

// What becomes one vector value, or one store.
struct SlpPack {
  enum class Kind : uint8_t { kOutside, kLoad, kStore, kOperation };
  Kind kind;
  ir::Type type;                        // of a lane
  std::vector<ir::Value> outside = {};  // kOutside: the lanes, made before the loop
  std::vector<ir::Inst> insts = {};     // others: by lane
  ir::SimdOp op = {};
  std::vector<uint32_t> operands = {};  // packs; kStore: what is stored
};

class LoopPacks {
 public:
  // `f` and `facts` have to outlive this; `facts` is of `f`.
  LoopPacks(const ir::Function& f, const ValueUses& facts, ir::Block block)
      : f_(f), facts_(facts), block_(block) {}

  // Whether there is something to do, and vectors keep the order of faults and of what is in
  // memory, provided that all their addresses are aligned.
  bool Find();

  // After Find.
  absl::Span<const MemoryAccess> accesses() const { return accesses_; }  // in order
  absl::Span<const SlpPack> packs() const { return packs_; }             // operands before users
  // The access that inst `i` is.
  const MemoryAccess& AccessOf(ir::Inst i) const {
    return accesses_[access_at_.at(position_.at(i.index))];
  }
  struct Member {
    uint32_t pack, lane;
  };
  // Where an instruction is in a pack; null if it is in none.
  const Member* MemberOf(ir::Inst i) const {
    const auto it = member_.find(i.index);
    return it == member_.end() ? nullptr : &it->second;
  }

  bool InLoop(ir::Value v) const { return facts_.home[v.index] == block_.index; }
  // Null for a parameter.
  const ir::InstData* DefinedBy(ir::Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? nullptr : &f_.inst(ir::Inst(data.def));
  }

 private:
  bool IsConstant(ir::Value v) const;
  bool IsOutside(ir::Value v) const { return !InLoop(v) || IsConstant(v); }

  // The accesses of the block; false if it is not such a loop.
  bool Collect();
  const LinearAddress* LinearOf(ir::Value v);
  // Adds v << shift.
  bool AddTerms(ir::Value v, uint32_t shift, int depth, LinearAddress& sum) const;
  // What a parameter grows by in each round.
  std::optional<uint32_t> StepOf(ir::Value param) const;
  const ir::Edge& BackEdge() const;

  void FindPacks();
  uint32_t AddPack(SlpPack pack);
  // Forgets all packs from number `from` on.
  void Drop(size_t from);
  // The pack with these lanes.
  std::optional<uint32_t> PackOf(const std::vector<ir::Value>& lanes, int depth);
  // Whether loads are of adjacent places, the first of them first.
  bool AreNeighbours(const std::vector<ir::Inst>& loads) const;
  // Whether nothing but packs uses what is in packs.
  bool OnlyPacksUse() const;

  // All of a pack happens where its first lane did.
  uint32_t NewPosition(const MemoryAccess& a) const;
  bool OrderIsKept() const;
  // Whether, where store `a` happens now, nothing that came before it can still stop execution:
  // only lanes whose first lane has been accessed before.
  bool NothingFaultsBefore(const MemoryAccess& a) const;
  // Whether two accesses never touch the same byte, if packs are aligned.
  bool Differ(const MemoryAccess& a, const MemoryAccess& b) const;
  // Whether alignment can be asked for before the loop, and may be given.
  bool FindAddresses() const;

  MemoryAccess& MutableAccessOf(ir::Inst i) {
    return accesses_[access_at_.at(position_.at(i.index))];
  }

  const ir::Function& f_;
  const ValueUses& facts_;
  const ir::Block block_;
  absl::flat_hash_map<uint32_t, uint32_t> position_;  // by instruction
  std::vector<MemoryAccess> accesses_;
  absl::flat_hash_map<uint32_t, uint32_t> access_at_;                   // by position
  absl::node_hash_map<uint32_t, std::optional<LinearAddress>> linear_;  // by value
  std::vector<SlpPack> packs_;
  absl::flat_hash_map<uint32_t, Member> member_;  // by instruction
};

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_SLP_PACKS_H_
