// The parts of the IR that are too long for its header: growing a function, and the opcode facts.
#include "compiler/ir/ir.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/log/check.h"

namespace precast::ir {

void Function::Reserve(size_t insts) {
  insts_.reserve(insts_.size() + insts);
  values_.reserve(values_.size() + insts);
  value_pool_.reserve(value_pool_.size() + 2 * insts);
}

Value Function::AddParam(Block b, Type type) {
  BlockData& data = block(b);
  CHECK_LT(values_.size(), size_t{Value::kNone});
  const Value v(static_cast<uint32_t>(values_.size()));
  values_.push_back({.type = type,
                     .is_param = true,
                     .def = b.index,
                     .index = static_cast<uint32_t>(data.params.size())});
  if (data.params.capacity() == 0) data.params.reserve(8);
  data.params.push_back(v);
  return v;
}

Inst Function::Insert(Block b, size_t at, const InstData& data) {
  const Inst inst = Append(b, data, {}, {});
  std::vector<Inst>& insts = block(b).insts;
  std::rotate(insts.begin() + static_cast<std::ptrdiff_t>(at), insts.end() - 1, insts.end());
  return inst;
}

Inst Function::Append(Block b, InstData data, absl::Span<const Value> args,
                      absl::Span<const Type> results, std::vector<Edge> edges) {
  constexpr size_t kMost = std::numeric_limits<uint16_t>::max();
  const size_t num_insts = insts_.size(), num_values = values_.size();
  CHECK(args.size() <= kMost && results.size() <= kMost);
  CHECK(num_insts < Inst::kNone && num_values + results.size() < Value::kNone);
  const Inst inst(static_cast<uint32_t>(num_insts));
  // The rest is written where it stays: a copy of what has just been written in parts would wait
  // for it.
  InstData& d = insts_.emplace_back(data);

  d.args_begin = static_cast<uint32_t>(value_pool_.size());
  d.args_count = static_cast<uint16_t>(args.size());
  // `args` may point into the pool that is about to grow. There are few, mostly.
  if (args.size() == 1) {
    const Value x = args[0];
    value_pool_.push_back(x);
  } else if (args.size() == 2) {
    const Value x = args[0], y = args[1];
    value_pool_.push_back(x);
    value_pool_.push_back(y);
  } else if (!args.empty()) {
    const std::less<const Value*> less;
    const Value* const pool = value_pool_.data();
    if (!less(args.data(), pool) && less(args.data(), pool + value_pool_.size())) {
      const size_t from = static_cast<size_t>(args.data() - pool);
      for (size_t k = 0; k < args.size(); ++k) value_pool_.push_back(Value(value_pool_[from + k]));
    } else {
      value_pool_.insert(value_pool_.end(), args.begin(), args.end());
    }
  }

  d.results_begin = static_cast<uint32_t>(num_values);
  d.results_count = static_cast<uint16_t>(results.size());
  for (size_t k = 0; k < results.size(); ++k) {
    values_.push_back({.type = results[k],
                       .is_param = false,
                       .def = inst.index,
                       .index = static_cast<uint32_t>(k)});
  }

  d.edges_count = static_cast<uint32_t>(edges.size());
  d.edges_begin = edges.empty() ? 0 : static_cast<uint32_t>(edges_.size());
  for (Edge& edge : edges) edges_.push_back(std::move(edge));

  std::vector<Inst>& insts = block(b).insts;
  if (insts.capacity() == 0) insts.reserve(16);
  insts.push_back(inst);
  return inst;
}

uint32_t Function::AddV128(const V128& bytes) {
  const auto [it, added] =
      v128_index_.try_emplace(bytes, static_cast<uint32_t>(v128_constants_.size()));
  if (added) v128_constants_.push_back(bytes);
  return it->second;
}

void Function::RemoveParam(Block b, size_t index) {
  std::vector<Value>& params = block(b).params;
  CHECK_LT(index, params.size());
  values_[params[index].index].index = ValueData::kRemoved;
  params.erase(params.begin() + static_cast<ptrdiff_t>(index));
  for (size_t k = index; k < params.size(); ++k) {
    values_[params[k].index].index = static_cast<uint32_t>(k);
  }
}

void Function::RetainParams(Block b, absl::Span<const bool> keep) {
  std::vector<Value>& params = block(b).params;
  CHECK_EQ(keep.size(), params.size());
  size_t out = 0;
  for (size_t k = 0; k < params.size(); ++k) {
    ValueData& data = values_[params[k].index];
    if (keep[k]) {
      data.index = static_cast<uint32_t>(out);
      params[out++] = params[k];
    } else {
      data.index = ValueData::kRemoved;
    }
  }
  params.resize(out);
}

void Function::RetainBlocks(absl::Span<const bool> keep) {
  CHECK_EQ(keep.size(), blocks_.size());
  std::vector<Block> renamed(blocks_.size());
  uint32_t out = 0;
  for (uint32_t b = 0; b < keep.size(); ++b) {
    if (!keep[b]) continue;
    renamed[b] = Block(out);
    if (out != b) blocks_[out] = std::move(blocks_[b]);
    ++out;
  }
  if (out == blocks_.size()) return;
  blocks_.resize(out);
  for (const BlockData& block : blocks_) {
    for (Value v : block.params) values_[v.index].def = renamed[values_[v.index].def].index;
    if (block.insts.empty()) continue;
    for (Edge& edge : mutable_edges(block.insts.back())) {
      edge.target = renamed[edge.target.index];
      CHECK(edge.target.valid()) << "a kept block names a removed one";
    }
  }
  size_t entries = 0;
  for (Block b : entries_) {
    if (renamed[b.index].valid()) entries_[entries++] = renamed[b.index];
  }
  entries_.resize(entries);
}

void Function::RelabelDefinitions(absl::Span<const uint32_t> numbers) {
  CHECK_EQ(numbers.size(), values_.size());
  size_t size = 0;
  for (uint32_t n : numbers) size = std::max<size_t>(size, size_t{n} + 1);
  std::vector<ValueData> values(
      size, {.type = Type::kI32, .is_param = true, .def = 0, .index = ValueData::kRemoved});
  for (size_t i = 0; i < numbers.size(); ++i) values[numbers[i]] = values_[i];
  for (BlockData& block : blocks_) {
    for (Value& v : block.params) v = Value(numbers[v.index]);
  }
  for (InstData& inst : insts_) {
    if (inst.results_count != 0) inst.results_begin = numbers[inst.results_begin];
  }
  values_ = std::move(values);
}

int AccessBytes(MemKind kind) {
  switch (kind) {
    case MemKind::kU8:
    case MemKind::kS8:
      return 1;
    case MemKind::kU16:
    case MemKind::kS16:
      return 2;
    case MemKind::kU32:
    case MemKind::kS32:
      return 4;
    case MemKind::k64:
      return 8;
    case MemKind::k128:
    case MemKind::k128Aligned:
      return 16;
  }
  return 16;
}

int TypeBytes(Type type) {
  switch (type) {
    case Type::kI32:
    case Type::kF32:
      return 4;
    case Type::kI64:
    case Type::kF64:
      return 8;
    case Type::kV128:
      return 16;
  }
  return 16;
}

namespace {

// simd.def's letter for a type.
constexpr Type TypeOfLetter(char letter) {
  switch (letter) {
    case 'i':
      return Type::kI32;
    case 'l':
      return Type::kI64;
    case 'f':
      return Type::kF32;
    case 'd':
      return Type::kF64;
    default:
      return Type::kV128;
  }
}

}  // namespace

const SimdInfo& Info(SimdOp op) {
  static constexpr SimdInfo kInfo[] = {
#define PRECAST_IR_SIMD(Name, text, result, operands, lanes) \
  {text, TypeOfLetter(result), operands, lanes},
#include "compiler/ir/simd.def"
#undef PRECAST_IR_SIMD
  };
  static_assert(std::size(kInfo) <= 256, "InstData::aux holds a SimdOp");
  CHECK_LT(static_cast<size_t>(op), std::size(kInfo));
  return kInfo[static_cast<size_t>(op)];
}

Type OperandType(const SimdInfo& info, size_t k) { return TypeOfLetter(info.operands[k]); }

}  // namespace precast::ir
