// See quotient_digit.h.
#include "compiler/opt/quotient_digit.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"

namespace precast::opt {
namespace {

using ir::Function;
using ir::Inst;
using ir::InstData;
using ir::Opcode;
using ir::Type;
using ir::Value;

class Matcher {
 public:
  explicit Matcher(const Function& f) : f_(f) {}

  // Bits of an i32 that are certain to be set.
  uint32_t Ones(Value v, int depth = 0) const {
    if (const std::optional<int64_t> c = ir::ConstantOf(f_, v)) return static_cast<uint32_t>(*c);
    const InstData* d = Def(v);
    if (d == nullptr || d->type != Type::kI32 || depth == 4) return 0;
    if (d->op == Opcode::kOr) return Ones(Arg(v, 0), depth + 1) | Ones(Arg(v, 1), depth + 1);
    if (d->op != Opcode::kShl && d->op != Opcode::kShrU) return 0;
    const std::optional<int64_t> amount = ir::ConstantOf(f_, Arg(v, 1));
    if (!amount.has_value()) return 0;
    const uint32_t ones = Ones(Arg(v, 0), depth + 1);
    return d->op == Opcode::kShl ? ones << (*amount & 31) : ones >> (*amount & 31);
  }

  // Whether m is the lower half of d times q = upper / (d >> 16), and r is (upper % (d >> 16)) *
  // 2^16 + next.
  std::optional<QuotientDigit> Match(Value r, Value m, Value d) const {
    const InstData* product = Def(m);
    if ((Ones(d) >> 31) == 0 || product == nullptr || product->op != Opcode::kMul) {
      return std::nullopt;
    }
    for (size_t k = 0; k < 2; ++k) {
      const Value estimate = Arg(m, k), low = Arg(m, 1 - k);
      const InstData* division = Def(estimate);
      if (division == nullptr || division->op != Opcode::kUdivTotal) continue;
      const Value upper = Arg(estimate, 0), high = Arg(estimate, 1);
      if (!IsLowHalf(low, d) || !IsHighHalf(high, d)) continue;
      const InstData* joined = Def(r);
      if (joined == nullptr || (joined->op != Opcode::kOr && joined->op != Opcode::kAdd)) continue;
      for (size_t side = 0; side < 2; ++side) {
        const Value next = Arg(r, side), shifted = Arg(r, 1 - side);
        const InstData* shift = Def(shifted);
        if (shift == nullptr || shift->op != Opcode::kShl ||
            ir::ConstantOf(f_, Arg(shifted, 1)) != 16 ||
            !IsRemainder(Arg(shifted, 0), upper, high, estimate) || !IsHalf(next)) {
          continue;
        }
        return QuotientDigit{
            .upper = upper, .next = next, .d = d, .high = high, .low = low, .estimate = estimate};
      }
    }
    return std::nullopt;
  }

  // x if `v` is x >> 16, or x & 0xffff.
  std::optional<Value> HighHalf(Value v) const {
    const InstData* d = Def(v);
    if (d == nullptr || d->op != Opcode::kShrU || ir::ConstantOf(f_, Arg(v, 1)) != 16) {
      return std::nullopt;
    }
    return Arg(v, 0);
  }
  std::optional<Value> LowHalf(Value v) const {
    const InstData* d = Def(v);
    if (d == nullptr || d->op != Opcode::kAnd || ir::ConstantOf(f_, Arg(v, 1)) != 0xffff) {
      return std::nullopt;
    }
    return Arg(v, 0);
  }
  bool IsHalf(Value v) const { return HighHalf(v).has_value() || LowHalf(v).has_value(); }
  bool IsLowHalf(Value v, Value d) const { return LowHalf(v) == d; }
  // Also where what the lower half has was not there yet.
  bool IsHighHalf(Value v, Value d) const {
    const std::optional<Value> x = HighHalf(v);
    if (!x.has_value() || x == d) return x.has_value();
    const InstData* joined = Def(d);
    if (joined == nullptr || joined->op != Opcode::kOr) return false;
    for (size_t k = 0; k < 2; ++k) {
      const InstData* low = Def(Arg(d, 1 - k));
      if (Arg(d, k) != *x || low == nullptr || low->op != Opcode::kShrU) continue;
      const std::optional<int64_t> amount = ir::ConstantOf(f_, Arg(Arg(d, 1 - k), 1));
      if (amount.has_value() && *amount >= 16 && *amount < 32) return true;
    }
    return false;
  }
  // a % b, with q = a / b.
  bool IsRemainder(Value v, Value a, Value b, Value q) const {
    const InstData* d = Def(v);
    if (d == nullptr) return false;
    if (d->op == Opcode::kUremTotal) return Arg(v, 0) == a && Arg(v, 1) == b;
    if (d->op != Opcode::kSub || Arg(v, 0) != a) return false;
    const Value product = Arg(v, 1);
    const InstData* mul = Def(product);
    return mul != nullptr && mul->op == Opcode::kMul &&
           ((Arg(product, 0) == q && Arg(product, 1) == b) ||
            (Arg(product, 0) == b && Arg(product, 1) == q));
  }

 private:
  const InstData* Def(Value v) const {
    const ir::ValueData& data = f_.value(v);
    return data.is_param ? nullptr : &f_.inst(Inst(data.def));
  }
  Value Arg(Value v, size_t k) const { return f_.args(Inst(f_.value(v).def))[k]; }

  const Function& f_;
};

}  // namespace

std::optional<QuotientDigit> MatchDigit(const Function& f, Value r, Value m, Value d) {
  return Matcher(f).Match(r, m, d);
}
std::optional<Value> HighHalfOf(const Function& f, Value v) { return Matcher(f).HighHalf(v); }
std::optional<Value> LowHalfOf(const Function& f, Value v) { return Matcher(f).LowHalf(v); }
uint32_t CertainOnes(const Function& f, Value v) { return Matcher(f).Ones(v); }

}  // namespace precast::opt
