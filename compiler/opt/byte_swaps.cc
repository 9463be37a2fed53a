// See byte_swaps.h.
#include "compiler/opt/byte_swaps.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "compiler/ir/fold.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Type;
using ir::Value;

constexpr int kMaxSteps = 48;  // instructions looked at for one `or`

// What a value's bytes are: those of `source`, or zeros.
struct Bytes {
  static constexpr int8_t kZero = -1;
  Value source;
  std::array<int8_t, 8> from;
};

class Finder {
 public:
  explicit Finder(Function& f) : f_(f) {}

  void Run() {
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      for (Inst i : f_.block(Block(b)).insts) {
        if (f_.inst(i).op == Opcode::kOr) Try(i);
      }
    }
  }

 private:
  size_t Width() const { return type_ == Type::kI64 ? 8 : 4; }

  void Try(Inst root) {
    // At a glance: parts that were moved to their places.
    for (Value v : f_.args(root)) {
      const InstData* d = DefOf(v);
      if (d == nullptr || !MovesBytes(d->op)) return;
    }
    type_ = f_.inst(root).type;
    steps_ = 0;
    const Bytes bytes = Trace(f_.result(root));
    if (bytes.source == f_.result(root)) return;
    for (size_t k = 0; k < Width(); ++k) {
      if (bytes.from[k] != static_cast<int8_t>(Width() - 1 - k)) return;
    }
    InstData& d = f_.inst(root);
    d.op = Opcode::kBswap;
    d.args_count = 1;
    f_.mutable_args(root)[0] = bytes.source;
  }

  static bool MovesBytes(Opcode op) {
    return op == Opcode::kOr || op == Opcode::kAnd || op == Opcode::kShl || op == Opcode::kShrU ||
           op == Opcode::kRotl || op == Opcode::kRotr;
  }

  const InstData* DefOf(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? nullptr : &f_.inst(Inst(data.def));
  }

  Bytes Itself(Value v) const {
    Bytes bytes{v, {}};
    for (size_t k = 0; k < 8; ++k) bytes.from[k] = static_cast<int8_t>(k);
    return bytes;
  }

  Bytes Trace(Value v) {
    const InstData* d = DefOf(v);
    if (d == nullptr || d->type != type_ || !MovesBytes(d->op) || ++steps_ > kMaxSteps) {
      return Itself(v);
    }
    const Inst i(f_.value(v).def);
    const Value a = f_.args(i)[0], b = f_.args(i)[1];
    if (d->op == Opcode::kOr) return Union(v, a, b);
    const std::optional<int64_t> constant = ir::ConstantOf(f_, b);
    if (!constant.has_value()) return Itself(v);
    if (d->op == Opcode::kAnd) return Mask(v, a, static_cast<uint64_t>(*constant));
    if (*constant % 8 != 0) return Itself(v);
    // The amount counts modulo the width.
    const size_t bytes = static_cast<uint64_t>(*constant) / 8 % Width();
    const bool up = d->op == Opcode::kShl || d->op == Opcode::kRotl;
    const bool rotates = d->op == Opcode::kRotl || d->op == Opcode::kRotr;
    Bytes moved = Trace(a);
    const Bytes before = moved;
    for (size_t k = 0; k < Width(); ++k) {
      const size_t at = up ? k - bytes : k + bytes;  // beyond the width if it wraps around
      moved.from[k] = rotates        ? before.from[at % Width()]
                      : at < Width() ? before.from[at]
                                     : Bytes::kZero;
    }
    return moved;
  }

  Bytes Mask(Value v, Value a, uint64_t mask) {
    for (size_t k = 0; k < Width(); ++k) {
      const uint64_t byte = mask >> (8 * k) & 0xff;
      if (byte != 0 && byte != 0xff) return Itself(v);
    }
    Bytes bytes = Trace(a);
    for (size_t k = 0; k < Width(); ++k) {
      if ((mask >> (8 * k) & 0xff) == 0) bytes.from[k] = Bytes::kZero;
    }
    return bytes;
  }

  Bytes Union(Value v, Value a, Value b) {
    Bytes x = Trace(a);
    const Bytes y = Trace(b);
    if (x.source != y.source) return Itself(v);
    for (size_t k = 0; k < Width(); ++k) {
      if (x.from[k] == Bytes::kZero) {
        x.from[k] = y.from[k];
      } else if (y.from[k] != Bytes::kZero && x.from[k] != y.from[k]) {
        return Itself(v);
      }
    }
    return x;
  }

  Function& f_;
  Type type_ = Type::kI32;  // of the `or` at hand
  int steps_ = 0;
};

}  // namespace

void FindByteSwaps(Function& f) { Finder(f).Run(); }

}  // namespace precast::opt
