// What is known at a place of a function because it was computed, compared or branched on at every
// way to it: value numbers and comparisons, for a walk over the dominator tree. The builder asks it
// before it makes an instruction (Builder::SetTable).
//
// The walk must visit blocks in the order of Dominators::preorder() and call EnterBlock for each.
//
// A value has a *number*: that of the first value found to be equal. Expressions are compared by
// the numbers of their operands. Not every equal value is worth using: what one cheap instruction
// makes anew (constants, comparisons that a branch absorbs, additions of constants) costs less than
// a register kept busy across blocks. Such an expression is made again in its block and shares the
// number only.
#ifndef PRECAST_COMPILER_IR_VALUE_TABLE_H_
#define PRECAST_COMPILER_IR_VALUE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "compiler/ir/cfg.h"
#include "compiler/ir/ir.h"

namespace precast::ir {

class ValueTable {
 public:
  // Both must outlive the table.
  ValueTable(const Function& f, const Dominators& dominators);

  // What was learned in blocks that do not dominate `b` is forgotten.
  void EnterBlock(Block b);

  // Values of one number are equal wherever both are defined.
  uint32_t Number(Value v) const { return v.index < number_.size() ? number_[v.index] : v.index; }

  // An expression about to be made in the current block.
  struct Expression {
    Opcode op;
    Type type;
    uint8_t aux;
    int64_t imm;
    absl::Span<const Value> args;
  };
  // A value that is equal and to be used instead, if there is one.
  std::optional<Value> Find(const Expression& e);
  // `v` has just been made as `e` in the current block, after Find has found nothing.
  void Add(const Expression& e, Value v);

  // Whether `a cond b`, as far as it is known in the current block. Both are integers of one type.
  std::optional<bool> Compare(IntCond cond, Value a, Value b) const;
  // Whether `v`, an i32, is known to be other than 0 or to be 0.
  std::optional<bool> Truth(Value v) const;
  // From here on, where the current block dominates: `v`, an i32, is (not) 0.
  void Learn(Value v, bool truth);

 private:
  struct Entry {
    uint32_t hash = 0;
    Value value;  // not valid: the entry is empty
    Block block;  // where it was made
  };
  // How the value of number `a` compares with that of `b`, a < b: a set of outcomes.
  struct Fact {
    uint32_t a, b;
    uint8_t outcomes;
    uint32_t next;  // the fact before it in the same bucket
  };
  struct Scope {
    Block block;
    size_t num_facts;  // on entry
  };
  // A cheap value made in `block` although an equal one exists.
  struct Copy {
    Block block;
    uint32_t weight = 0;  // instructions it takes, with the copies it uses
  };
  static constexpr uint32_t kNone = 0xffffffffu;
  static constexpr uint32_t kZero = 0xfffffffeu;  // number of the i32 0

  uint32_t Hash(const Expression& e) const;
  bool Matches(const Entry& entry, uint32_t hash, const Expression& e) const;
  // The entry of `e`, or the empty one where it belongs.
  Entry& Lookup(const Expression& e, uint32_t hash);
  uint32_t Weight(const Expression& e) const;
  void SetNumber(Value v, uint32_t number);
  void Grow();

  size_t Bucket(uint32_t a, uint32_t b) const;
  // a < b
  uint8_t Outcomes(uint32_t a, uint32_t b) const;
  void LearnOutcomes(uint32_t a, uint32_t b, uint8_t outcomes);

  const Function& f_;
  const Dominators& dominators_;
  Block block_;
  std::vector<uint32_t> number_;  // by value; those beyond its end have their own
  std::vector<Copy> copies_;      // by value; those beyond its end are none
  std::vector<Entry> entries_;    // open addressing; a power of two
  size_t num_entries_ = 0;
  std::vector<Fact> facts_;        // a stack
  std::vector<uint32_t> buckets_;  // newest fact in each; a power of two
  std::vector<Scope> scopes_;      // the blocks that dominate the current one, with it
};

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_VALUE_TABLE_H_
