// What memory is known to hold at a place of a function: the last few values loaded and stored,
// along one path. For passes that walk a function and replace loads.
//
// Spaces do not overlap: guest memory, the context, host memory that the context leads to, guest
// state. (The pointers that host accesses follow lead to other objects than the fields that context
// accesses name.) Within a space two accesses are apart if they begin at one value and their bytes
// do not meet.
#ifndef PRECAST_COMPILER_OPT_KNOWN_MEMORY_H_
#define PRECAST_COMPILER_OPT_KNOWN_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "compiler/ir/builder.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/value_table.h"

namespace precast::opt {

class KnownMemory {
 public:
  enum class Space : uint8_t { kGuest, kContext, kHost, kState };
  struct Place {
    Space space;
    uint8_t size;                   // bytes
    uint32_t base = 0, offset = 0;  // numbers of values
    int64_t displacement = 0;
  };
  struct Access {
    Place place;
    ir::MemKind kind;
    ir::Type type;
    bool stored;
    ir::Value value;
  };
  using Accesses = std::vector<Access>;

  // All must outlive it. `builder` makes the instructions that narrow a value stored.
  KnownMemory(ir::Function& f, const ir::ValueTable& values, ir::Builder& builder)
      : f_(f), values_(values), builder_(builder) {}

  // If `i` is a load of what is known, its value, maybe narrowed by new instructions in the
  // builder's block.
  std::optional<ir::Value> Find(ir::Inst i) {
    return f_.inst(i).results_count == 1 ? FindLoad(i) : std::nullopt;
  }
  // Takes in that `i` has been executed; to be called for every instruction that is kept.
  void Execute(ir::Inst i);

  // What is known, and to be set where only that place leads to.
  const Accesses& accesses() const { return accesses_; }
  void Set(Accesses accesses) { accesses_ = std::move(accesses); }

 private:
  static constexpr size_t kMaxAccesses = 16;

  std::optional<ir::Value> FindLoad(ir::Inst i);
  std::optional<Place> PlaceOf(ir::Inst i) const;
  static bool MayOverlap(const Place& a, const Place& b);
  std::optional<ir::Value> Forward(const Access& from, ir::MemKind kind, ir::Type type);
  void Add(const Access& access);

  ir::Function& f_;
  const ir::ValueTable& values_;
  ir::Builder& builder_;
  Accesses accesses_;  // oldest first
};

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_KNOWN_MEMORY_H_
