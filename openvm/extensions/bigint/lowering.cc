// 256-bit integers as chains of 64-bit operations. All of both operands is read before anything is
// written, so an access that faults has changed nothing; that the result is in memory is checked
// before the first store.
#include <array>
#include <cstdint>

#include "compiler/ir/builder.h"
#include "compiler/riscv/custom_lowering.h"

namespace precast::openvm {
namespace {

using ir::IntCond;
using ir::MemKind;
using ir::Opcode;
using ir::Type;
using ir::Value;
using riscv::CustomContext;

constexpr int kLimbs = 4;
constexpr uint32_t kBytes = 8 * kLimbs;
using Number = std::array<Value, kLimbs>;

Number Load(CustomContext& c, Value address) {
  if (c.config.memory_bits == 32) {  // or it would wrap around
    const Value limit = c.builder.Iconst(Type::kI32, -static_cast<int32_t>(kBytes));
    c.builder.TrapIf(c.builder.Icmp(IntCond::kUgt, address, limit), 0, c.site);
  }
  Number n;
  for (int i = 0; i < kLimbs; ++i) {
    n[i] = c.builder.Load(MemKind::k64, Type::kI64, address, 8 * i, c.site);
  }
  return n;
}

void Store(CustomContext& c, const Number& n) {
  const uint64_t last = (uint64_t{1} << c.config.memory_bits) - kBytes;
  const Value limit = c.builder.Iconst(Type::kI32, static_cast<int32_t>(last));
  c.builder.TrapIf(c.builder.Icmp(IntCond::kUgt, c.rd, limit), 0, c.site);
  for (int i = 0; i < kLimbs; ++i) c.builder.Store(MemKind::k64, c.rd, n[i], 8 * i, c.site);
}

Value Carry(CustomContext& c, IntCond cond, Value a, Value b) {
  return c.builder.Unary(Opcode::kExtendU32, c.builder.Icmp(cond, a, b));
}

Value Add(CustomContext& c) {
  ir::Builder& b = c.builder;
  const Number x = Load(c, c.rs1), y = Load(c, c.rs2);
  Number sum;
  Value carry;
  for (int i = 0; i < kLimbs; ++i) {
    sum[i] = b.Add(x[i], y[i]);
    Value out = i + 1 < kLimbs ? Carry(c, IntCond::kUlt, sum[i], x[i]) : Value();
    if (i > 0) {
      const Value with_carry = b.Add(sum[i], carry);
      if (i + 1 < kLimbs) out = b.Or(out, Carry(c, IntCond::kUlt, with_carry, carry));
      sum[i] = with_carry;
    }
    carry = out;
  }
  Store(c, sum);
  return Value();
}

// The difference, and whether the last limb borrowed (i64 0 or 1).
Value Subtract(CustomContext& c, const Number& x, const Number& y, Number& difference) {
  ir::Builder& b = c.builder;
  Value borrow;
  for (int i = 0; i < kLimbs; ++i) {
    difference[i] = b.Sub(x[i], y[i]);
    Value out = Carry(c, IntCond::kUlt, x[i], y[i]);
    if (i > 0) {
      out = b.Or(out, Carry(c, IntCond::kUlt, difference[i], borrow));
      difference[i] = b.Sub(difference[i], borrow);
    }
    borrow = out;
  }
  return borrow;
}

Value Sub(CustomContext& c) {
  const Number x = Load(c, c.rs1), y = Load(c, c.rs2);
  Number difference;
  Subtract(c, x, y, difference);
  Store(c, difference);
  return Value();
}

template <Opcode kOpcode>
Value Bitwise(CustomContext& c) {
  const Number x = Load(c, c.rs1), y = Load(c, c.rs2);
  Number n;
  for (int i = 0; i < kLimbs; ++i) n[i] = c.builder.Binary(kOpcode, x[i], y[i]);
  Store(c, n);
  return Value();
}

template <bool kSigned>
Value Less(CustomContext& c) {
  ir::Builder& b = c.builder;
  Number x = Load(c, c.rs1), y = Load(c, c.rs2);
  if (kSigned) {
    // Signed order is unsigned order with the sign bits flipped.
    const Value sign = b.Iconst(Type::kI64, INT64_MIN);
    x[kLimbs - 1] = b.Xor(x[kLimbs - 1], sign);
    y[kLimbs - 1] = b.Xor(y[kLimbs - 1], sign);
  }
  Number difference;
  const Value zero = b.Iconst(Type::kI64, 0);
  Store(c, {Subtract(c, x, y, difference), zero, zero, zero});
  return Value();
}

Value Equal(CustomContext& c) {
  ir::Builder& b = c.builder;
  const Number x = Load(c, c.rs1), y = Load(c, c.rs2);
  Value any = b.Xor(x[0], y[0]);
  for (int i = 1; i < kLimbs; ++i) any = b.Or(any, b.Xor(x[i], y[i]));
  return b.Icmp(IntCond::kEq, any, b.Iconst(Type::kI64, 0));
}

Value Mul(CustomContext& c) {
  ir::Builder& b = c.builder;
  const Number x = Load(c, c.rs1), y = Load(c, c.rs2);
  Number n;
  for (int j = 0; j < kLimbs; ++j) n[j] = b.Mul(x[0], y[j]);
  // Row by row; in the last column only low halves count.
  auto add_to = [&](int column, Value value, Value& carry) {
    n[column] = b.Add(n[column], value);
    if (column + 1 < kLimbs) carry = Carry(c, IntCond::kUlt, n[column], value);
  };
  for (int i = 0; i < kLimbs; ++i) {
    for (int j = 0; i + j < kLimbs; ++j) {
      for (const bool high : {false, true}) {
        int column = i + j + (high ? 1 : 0);
        if (column >= kLimbs || (i == 0 && !high)) continue;
        Value carry;
        add_to(column, b.Binary(high ? Opcode::kUmulHi : Opcode::kMul, x[i], y[j]), carry);
        while (++column < kLimbs) {
          const Value in = carry;
          add_to(column, in, carry);
        }
      }
    }
  }
  Store(c, n);
  return Value();
}

[[maybe_unused]] const bool registered = [] {
  auto& lowerings = riscv::CustomLowerings::Global();
  lowerings.Add("add256", &Add);
  lowerings.Add("sub256", &Sub);
  lowerings.Add("xor256", &Bitwise<Opcode::kXor>);
  lowerings.Add("or256", &Bitwise<Opcode::kOr>);
  lowerings.Add("and256", &Bitwise<Opcode::kAnd>);
  lowerings.Add("slt256", &Less<true>);
  lowerings.Add("sltu256", &Less<false>);
  lowerings.Add("mul256", &Mul);
  lowerings.Add("beq256", &Equal);
  return true;
}();

}  // namespace
}  // namespace precast::openvm
