// Selection of shuffles: the cheapest instruction that moves the bytes where they belong. Lane
// patterns are as in ir::Opcode::kShuffle, with kZero besides for a byte of zero, which comes from
// an operand known to be zero.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "compiler/x64/selector.h"

namespace precast::x64::selection {
namespace {

using ir::V128;

constexpr uint8_t kZero = 0x80;  // pshufb makes a zero of it, too

// The pattern in lanes of `size` bytes, if it moves whole ones: numbers of lanes, or kZero.
std::optional<std::array<uint8_t, 16>> InLanes(const V128& pattern, size_t size) {
  std::array<uint8_t, 16> lanes{};
  for (size_t lane = 0; lane < 16 / size; ++lane) {
    const uint8_t first = pattern[lane * size];
    for (size_t k = 0; k < size; ++k) {
      const uint8_t byte = pattern[lane * size + k];
      if (first == kZero ? byte != kZero : byte != first + k) return std::nullopt;
    }
    if (first != kZero && first % size != 0) return std::nullopt;
    lanes[lane] = first == kZero ? kZero : static_cast<uint8_t>(first / size);
  }
  return lanes;
}

// If pattern[i] is i + k for all i, modulo `modulus`: k.
std::optional<uint8_t> Rotation(const V128& pattern, uint8_t modulus) {
  for (size_t i = 0; i < 16; ++i) {
    if (pattern[i] != (pattern[0] + i) % modulus) return std::nullopt;
  }
  return pattern[0];
}

// Four 2-bit fields, the first lowest.
uint8_t Fields(const uint8_t* lanes) {
  return static_cast<uint8_t>((lanes[0] & 3) | (lanes[1] & 3) << 2 | (lanes[2] & 3) << 4 |
                              (lanes[3] & 3) << 6);
}

bool IsIota(const uint8_t* lanes, size_t count, uint8_t from) {
  for (size_t i = 0; i < count; ++i) {
    if (lanes[i] != from + i) return false;
  }
  return true;
}

bool AllBetween(const uint8_t* lanes, size_t count, uint8_t low, uint8_t high) {
  return std::all_of(lanes, lanes + count, [&](uint8_t v) { return v >= low && v <= high; });
}

struct Interleaving {
  VectorOp op;
  uint8_t size;   // bytes of a lane
  uint8_t first;  // lane the result begins with
};
constexpr Interleaving kInterleavings[] = {
    {VectorOp::kPunpcklbw, 1, 0},  {VectorOp::kPunpckhbw, 1, 8}, {VectorOp::kPunpcklwd, 2, 0},
    {VectorOp::kPunpckhwd, 2, 4},  {VectorOp::kPunpckldq, 4, 0}, {VectorOp::kPunpckhdq, 4, 2},
    {VectorOp::kPunpcklqdq, 8, 0}, {VectorOp::kPunpckhqdq, 8, 1}};

// Whether the result is lanes first, first + 1, … of the first operand, each followed by the same
// one of the second.
bool Matches(const Interleaving& op, const V128& pattern) {
  const auto lanes = InLanes(pattern, op.size);
  if (!lanes.has_value()) return false;
  const size_t count = 16 / op.size;
  for (size_t i = 0; i < count; ++i) {
    if ((*lanes)[i] != op.first + i / 2 + i % 2 * count) return false;
  }
  return true;
}

// Zero extensions of the low lanes of `from` bytes to twice as many.
struct Extension {
  VectorOp op;
  uint8_t from;
};
constexpr Extension kExtensions[] = {
    {VectorOp::kPmovzxbw, 1}, {VectorOp::kPmovzxwd, 2}, {VectorOp::kPmovzxdq, 4}};

bool Matches(const Extension& op, const V128& pattern) {
  for (size_t i = 0; i < 16; ++i) {
    const size_t lane = i / op.from;
    if (pattern[i] != (lane % 2 == 0 ? lane / 2 * op.from + i % op.from : kZero)) return false;
  }
  return true;
}

// What was found for a shuffle.
struct Found {
  ShuffleForm form;
  VectorOp op;
  uint8_t imm = 0;
};

std::optional<Found> MatchOne(const V128& p) {
  if (const auto dwords = InLanes(p, 4);
      dwords.has_value() && AllBetween(dwords->data(), 4, 0, 3)) {
    return Found{ShuffleForm::kUnary, VectorOp::kPshufd, Fields(dwords->data())};
  }
  if (const auto words = InLanes(p, 2)) {
    const uint8_t* low = words->data();
    const uint8_t* high = low + 4;
    if (IsIota(high, 4, 4) && AllBetween(low, 4, 0, 3)) {
      return Found{ShuffleForm::kUnary, VectorOp::kPshuflw, Fields(low)};
    }
    if (IsIota(low, 4, 0) && AllBetween(high, 4, 4, 7)) {
      return Found{ShuffleForm::kUnary, VectorOp::kPshufhw, Fields(high)};
    }
  }
  for (const Extension& op : kExtensions) {
    if (Matches(op, p)) return Found{ShuffleForm::kUnary, op.op};
  }
  for (uint8_t k = 1; k < 16; ++k) {
    const size_t kept = 16u - k;
    // zeros, then the bytes from 0 on
    if (AllBetween(p.data(), k, kZero, kZero) && IsIota(p.data() + k, kept, 0)) {
      return Found{ShuffleForm::kShift, VectorOp::kPslldq, k};
    }
    // the bytes from k on, then zeros
    if (IsIota(p.data(), kept, k) && AllBetween(p.data() + kept, k, kZero, kZero)) {
      return Found{ShuffleForm::kShift, VectorOp::kPsrldq, k};
    }
  }
  return std::nullopt;
}

// One instruction whose first operand is overwritten.
std::optional<Found> MatchTwo(const V128& p) {
  for (const Interleaving& op : kInterleavings) {
    if (Matches(op, p)) return Found{ShuffleForm::kBinary, op.op};
  }
  // palignr x, y: x above y, shifted right by bytes.
  if (const auto k = Rotation(p, 32); k.has_value() && *k > 16) {
    return Found{ShuffleForm::kTwoImm, VectorOp::kPalignr, static_cast<uint8_t>(*k - 16)};
  }
  if (const auto words = InLanes(p, 2)) {
    uint8_t from_second = 0;
    bool blend = true;
    for (uint8_t i = 0; i < 8; ++i) {
      if ((*words)[i] == i + 8) from_second |= static_cast<uint8_t>(1u << i);
      blend &= (*words)[i] % 8 == i && (*words)[i] < 16;
    }
    if (blend) return Found{ShuffleForm::kTwoImm, VectorOp::kPblendw, from_second};
  }
  // shufps x, y: two lanes of x, then two of y.
  if (const auto dwords = InLanes(p, 4)) {
    if (AllBetween(dwords->data(), 2, 0, 3) && AllBetween(dwords->data() + 2, 2, 4, 7)) {
      return Found{ShuffleForm::kTwoImm, VectorOp::kShufps, Fields(dwords->data())};
    }
  }
  return std::nullopt;
}

}  // namespace

const V128* Selector::VectorConstant(Value v) const {
  const InstData* d = DefOf(v);
  if (d == nullptr || d->op != Opcode::kVconst) return nullptr;
  return &f_.v128_constants()[static_cast<size_t>(d->imm)];
}

int64_t Selector::AddV128(const V128& bytes) {
  m_.v128_constants.push_back(bytes);
  return static_cast<int64_t>(m_.v128_constants.size()) - 1;
}

void Selector::SelectShuffle(Inst i, const InstData& d) {
  const Value a = f_.args(i)[0], b = f_.args(i)[1];
  const VReg result = VRegOf(f_.result(i));
  V128 pattern = f_.v128_constants()[static_cast<size_t>(d.imm)];
  auto is_zero = [&](Value v) {
    const V128* constant = VectorConstant(v);
    return constant != nullptr && *constant == V128{};
  };
  const bool a_is_zero = is_zero(a), b_is_zero = is_zero(b);
  bool from_a = false, from_b = false;
  for (uint8_t& p : pattern) {
    if (a == b) p &= 15;
    if (p < 16 ? a_is_zero : b_is_zero) p = kZero;
    if (p != kZero) (p < 16 ? from_a : from_b) = true;
  }
  if (from_a && from_b) return ShuffleTwo(a, b, pattern, result);
  if (!from_a && !from_b) {
    Emit(MOp::kVconst, {Def(result)}).imm = AddV128(V128{});
    return;
  }
  if (from_b) {
    for (uint8_t& p : pattern) {
      if (p != kZero) p &= 15;
    }
  }
  ShuffleOne(VRegOf(from_a ? a : b), pattern, result);
}

void Selector::ShuffleOne(VReg a, const V128& pattern, VReg d) {
  if (IsIota(pattern.data(), 16, 0)) return EmitMove(a, d);
  if (const std::optional<Found> found = MatchOne(pattern)) {
    MInst& m = found->form == ShuffleForm::kUnary
                   ? Emit(MOp::kShuffle, {UseVector(a), Def(d)})
                   : Emit(MOp::kShuffle, {Use(a), DefMayReuse(d, 0)});
    m.shuffle = found->form;
    m.aux = static_cast<uint8_t>(found->op);
    m.disp = found->imm;
    return;
  }
  if (const std::optional<uint8_t> k = Rotation(pattern, 16)) {
    MInst& m = Emit(MOp::kShuffle, {Use(a), UseVector(a), DefMayReuse(d, 0)});
    m.shuffle = ShuffleForm::kTwoImm;
    m.aux = static_cast<uint8_t>(VectorOp::kPalignr);
    m.disp = *k;
    return;
  }
  MInst& m = Emit(MOp::kShuffle, {Use(a), DefMayReuse(d, 0)});
  m.shuffle = ShuffleForm::kBytes;
  m.imm = AddV128(pattern);
}

void Selector::ShuffleTwo(Value a, Value b, const V128& pattern, VReg d) {
  // Either operand may be the one that is overwritten; first try the one that ends here.
  V128 p = pattern;
  auto swap = [&] {
    std::swap(a, b);
    for (uint8_t& lane : p) {
      if (lane != kZero) lane ^= 16;
    }
  };
  if (UsedLater(a) && !UsedLater(b)) swap();
  std::optional<Found> found = MatchTwo(p);
  if (!found.has_value()) {
    swap();
    found = MatchTwo(p);
    if (!found.has_value()) swap();
  }
  MInst& m = Emit(MOp::kShuffle, {Use(VRegOf(a)), UseVector(VRegOf(b)), DefMayReuse(d, 0)});
  if (found.has_value()) {
    m.shuffle = found->form;
    m.aux = static_cast<uint8_t>(found->op);
    m.disp = found->imm;
    return;
  }
  V128 of_a, of_b;
  for (size_t k = 0; k < 16; ++k) {
    of_a[k] = p[k] < 16 ? p[k] : kZero;
    of_b[k] = p[k] >= 16 && p[k] < 32 ? p[k] - 16 : kZero;
  }
  m.shuffle = ShuffleForm::kTwoBytes;
  m.imm = AddV128(of_a);
  AddV128(of_b);
}

}  // namespace precast::x64::selection
