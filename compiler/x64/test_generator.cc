#include "compiler/x64/test_generator.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "compiler/ir/fold.h"
#include "compiler/ir/ir.h"
#include "compiler/x64/test_functions.h"
#include "compiler/x64/test_machine.h"
#include "runtime/abi/vm_context.h"

namespace precast::x64::testing {

using ir::MemKind;

Function Generator::Make(size_t number, int size) {
  Function f = NewFunction(abi::kNumPassed + 1);
  f_ = &f;
  build_.emplace(f);
  number_ = number;
  budget_ = size;
  const Block entry = f.NewBlock();
  const uint32_t pc = static_cast<uint32_t>(kDispatchBase + 64 * number);
  Enter(entry, pc);
  Block second;
  if (Chance(3)) {
    // Another entry that leads into the middle of the function.
    second = f.NewBlock();
    const std::vector<Value> first_values = i32_;
    Body(2);
    const Block join = f.NewBlock();
    std::vector<Value> args, other;
    const size_t n = Pick(6);
    for (size_t k = 0; k < n; ++k) args.push_back(Any32());
    Flush();
    build_->Do(Opcode::kBr, {}, 0, 0, {}, {{join, args}});
    Enter(second, pc + 4);
    if (Chance(2)) f.block(second).cold = true;
    for (size_t k = 0; k < n; ++k) other.push_back(Any32());
    build_->Do(Opcode::kBr, {}, 0, 0, {}, {{join, other}});
    build_->At(join);
    i32_.clear();
    i64_.clear();
    for (size_t k = 0; k < n; ++k) i32_.push_back(f.AddParam(join, Type::kI32));
    i32_.push_back(build_->Const(Type::kI32, Constant()));
  }
  Body(4);
  Finish();
  return f;
}

Value Generator::Any32() {
  return i32_[i32_.size() - 1 - Pick(std::min<size_t>(i32_.size(), Chance(4) ? 60 : 8))];
}

Value Generator::Any64() {
  if (i64_.empty() || Chance(8)) return build_->Join(Any32(), Any32());
  return i64_[Pick(i64_.size())];
}

int64_t Generator::Constant() {
  switch (Pick(4)) {
    case 0:
      return static_cast<int64_t>(Pick(32));
    case 1:
      return -static_cast<int64_t>(Pick(300));
    case 2:
      return static_cast<int32_t>(rng_());
    default:
      return int64_t{1} << Pick(31);
  }
}

ir::Site Generator::Site() {
  return {static_cast<uint32_t>(0x100000 + 4 * ++sites_ + 0x100000 * number_),
          static_cast<uint32_t>(Pick(5))};
}

void Generator::Enter(Block b, uint32_t pc) {
  i32_ = NewEntry(*f_, b, pc);
  i64_.clear();
  deferred_.clear();
  build_->At(b);
}

void Generator::Flush() {
  for (const auto& [slot, v] : deferred_) build_->Do(Opcode::kStoreState, {v}, slot);
  deferred_.clear();
}

void Generator::Body(int depth) {
  const int n = 1 + static_cast<int>(Pick(12));
  for (int k = 0; k < n && budget_ > 0; ++k) {
    --budget_;
    const uint64_t kind = Pick(100);
    if (kind < 70) {
      Simple();
    } else if (kind < 74) {
      Wide();
    } else if (kind < 88) {
      if (depth > 0) Diamond(depth - 1);
    } else if (kind < 94) {
      if (depth > 0) Loop(depth - 1);
    } else if (kind < 97) {
      if (depth > 0) Switch(depth - 1);
    } else {
      CallSomething();
    }
  }
}

// By the condition of a selection or its inverse, or by another one.
void Generator::ChargeIf() {
  const Value a = Any32(), b = Chance(3) ? build_->Const(Type::kI32, Constant()) : Any32();
  const ir::IntCond cond = AnyCond();
  if (Chance(2)) {
    const Value other = Chance(2) ? b : Any32();
    i32_.push_back(build_->Op(Opcode::kSelect, Type::kI32,
                              {build_->Icmp(cond, Type::kI32, a, b), a, other}, Type::kI32));
  }
  const ir::IntCond charged = Chance(3) ? AnyCond() : Chance(2) ? cond : ir::Inverted(cond);
  Value v = build_->Icmp(charged, Type::kI32, a, b);
  if (Chance(3)) {
    v = build_->Binary(Opcode::kShl, Type::kI32, v,
                       build_->Const(Type::kI32, 1 + static_cast<int64_t>(Pick(2))));
  }
  build_->Do(Opcode::kChargeValue, {v});
}

void Generator::Simple() {
  const uint64_t kind = Pick(30);
  if (kind < 14) {
    const Opcode op = kBinary[Pick(std::size(kBinary))];
    const Value a = Any32(), b = Chance(3) ? build_->Const(Type::kI32, Constant()) : Any32();
    i32_.push_back(Chance(10) ? build_->Binary(op, Type::kI32, b, a)
                              : build_->Binary(op, Type::kI32, a, b));
  } else if (kind < 16) {
    i32_.push_back(build_->Icmp(AnyCond(), Type::kI32, Any32(), Any32()));
  } else if (kind < 17) {
    i32_.push_back(
        build_->Op(Opcode::kSelect, Type::kI32, {Condition(), Any32(), Any32()}, Type::kI32));
  } else if (kind < 18) {
    i32_.push_back(build_->Op(Chance(2) ? Opcode::kExtendS8 : Opcode::kExtendS16, Type::kI32,
                              {Any32()}, Type::kI32));
  } else if (kind < 20) {
    const uint8_t slot = static_cast<uint8_t>(1 + Pick(32));
    const Value v = Chance(4) ? build_->Const(Type::kI32, Constant()) : Any32();
    build_->Do(Opcode::kStoreState, {v}, slot);
    deferred_.erase(slot);
  } else if (kind < 22) {
    const uint8_t slot = static_cast<uint8_t>(1 + Pick(32));
    if (!deferred_.count(slot)) {
      i32_.push_back(build_->Op(Opcode::kLoadState, Type::kI32, {}, Type::kI32, slot));
    }
  } else if (kind < 26) {
    const uint8_t slot = static_cast<uint8_t>(1 + Pick(32));
    const Value v = Chance(4) ? build_->Const(Type::kI32, Constant()) : Any32();
    build_->Do(Opcode::kDeferState, {v}, slot);
    deferred_[slot] = v;
  } else if (kind < 28) {
    Memory();
  } else if (kind < 29) {
    const int64_t charge = static_cast<int64_t>(Pick(200));
    switch (Pick(5)) {
      case 0:
        build_->Do(Opcode::kCharge, {}, 0, charge % 10);
        break;
      case 4:
        ChargeIf();
        break;
      case 1:
        build_->Do(Opcode::kChargeValue, {build_->Binary(Opcode::kAnd, Type::kI32, Any32(),
                                                         build_->Const(Type::kI32, charge % 10))});
        break;
      case 2: {
        ir::Site site = Site();
        site.refund = static_cast<uint32_t>(charge);
        build_->Do(Opcode::kMeter, {}, 0, charge, site);
        break;
      }
      default: {
        ir::Site site = Site();
        site.refund = 0;
        build_->Do(Opcode::kMeterCheck, {}, 0, charge, site);
        break;
      }
    }
  } else {
    // Rarely true.
    const Value c = build_->Icmp(
        IntCond::kEq, Type::kI32,
        build_->Binary(Opcode::kAnd, Type::kI32, Any32(), build_->Const(Type::kI32, 63)),
        build_->Const(Type::kI32, 21));
    build_->Do(Opcode::kTrapIf, {c}, static_cast<uint8_t>(1 + Pick(6)), 0, Site());
  }
}

void Generator::Memory() {
  Value at = Any32();
  if (!Chance(40)) {
    at = build_->Binary(Opcode::kAnd, Type::kI32, at, build_->Const(Type::kI32, 0x7ffff));
  }
  if (Chance(8)) at = build_->Const(Type::kI32, static_cast<int64_t>(Pick(0x80000)));
  const int64_t offset = Chance(2) ? 0 : static_cast<int64_t>(Pick(0x1000)) - 0x10;
  const bool wide = Chance(6);
  const uint8_t kind = static_cast<uint8_t>(Pick(wide ? 7 : 6));
  const Type t = wide ? Type::kI64 : Type::kI32;
  if (Chance(2)) {
    const Value v = build_->Op(Opcode::kLoad, t, {at}, t, kind, offset, Site());
    (wide ? i64_ : i32_).push_back(v);
  } else {
    const Value v = Chance(5) ? build_->Const(t, Constant()) : wide ? Any64() : Any32();
    build_->Do(Opcode::kStore, {at, v}, kind, offset, Site(), {}, t);
  }
}

void Generator::Wide() {
  const Type t = Type::kI64;
  switch (Pick(5)) {
    case 0:
      i64_.push_back(
          build_->Op(Chance(2) ? Opcode::kExtendU32 : Opcode::kExtendS32, t, {Any32()}, t));
      break;
    case 1:
      i32_.push_back(build_->Low(Any64()));
      break;
    case 2:
      i32_.push_back(build_->Icmp(AnyCond(), t, Any64(), Any64()));
      break;
    case 3:
      i64_.push_back(build_->Op(Opcode::kSelect, t, {Condition(), Any64(), Any64()}, t));
      break;
    default: {
      const Value b = Chance(3) ? build_->Const(t, Constant()) : Any64();
      i64_.push_back(build_->Binary(kBinary[Pick(std::size(kBinary))], t, Any64(), b));
    }
  }
}

Value Generator::Condition() {
  switch (Pick(4)) {
    case 0:
      return Any32();
    case 1:
      return build_->Binary(Opcode::kAnd, Type::kI32, Any32(),
                            build_->Const(Type::kI32, Constant()));
    default: {
      const Value b = Chance(2) ? build_->Const(Type::kI32, Constant()) : Any32();
      return build_->Icmp(AnyCond(), Type::kI32, Any32(), b);
    }
  }
}

void Generator::Restore(const Scope& s) {
  i32_.resize(s.i32);
  i64_.resize(s.i64);
  deferred_ = s.deferred;
}

void Generator::StartArm(Block b, const Scope& s) {
  Restore(s);
  build_->At(b);
  for (const auto& [slot, v] : deferred_) f_->block(b).state.push_back({slot, v});
}

std::vector<Value> Generator::EndArm(const Scope& s, size_t n) {
  std::vector<Value> args;
  for (size_t k = 0; k < n; ++k) args.push_back(Any32());
  for (auto it = deferred_.begin(); it != deferred_.end();) {
    if (s.deferred.count(it->first)) {
      ++it;
    } else {
      build_->Do(Opcode::kStoreState, {it->second}, it->first);
      it = deferred_.erase(it);
    }
  }
  for (const auto& [slot, v] : s.deferred) {
    auto it = deferred_.find(slot);
    // A slot stored in the arm is current in the context: defer it again with the same value.
    args.push_back(it != deferred_.end()
                       ? it->second
                       : build_->Op(Opcode::kLoadState, Type::kI32, {}, Type::kI32, slot));
  }
  return args;
}

void Generator::StartJoin(Block b, const Scope& s, size_t n) {
  Restore(s);
  build_->At(b);
  for (size_t k = 0; k < n; ++k) i32_.push_back(f_->AddParam(b, Type::kI32));
  for (auto& [slot, v] : deferred_) {
    v = f_->AddParam(b, Type::kI32);
    f_->block(b).state.push_back({slot, v});
  }
}

void Generator::Diamond(int depth) {
  const Block yes = f_->NewBlock(), no = f_->NewBlock(), join = f_->NewBlock();
  const size_t n = Pick(4);
  const Value c = Condition();
  const Scope scope = Save();
  f_->block(yes).cold = Chance(5);
  if (Chance(3)) {
    // One-armed: the other edge goes straight to the join.
    std::vector<Value> direct;
    for (size_t k = 0; k < n; ++k) direct.push_back(Any32());
    for (const auto& [slot, v] : scope.deferred) direct.push_back(v);
    ir::Edge taken{yes}, skipped{join, direct};
    const bool swap = Chance(2);
    build_->Do(Opcode::kBrIf, {c}, 0, 0, {}, {swap ? skipped : taken, swap ? taken : skipped});
    StartArm(yes, scope);
    Body(depth);
    std::vector<Value> args = EndArm(scope, n);
    build_->Do(Opcode::kBr, {}, 0, 0, {}, {{join, args}});
    build_->At(no);  // unreachable
    build_->Do(Opcode::kTrap, {}, 1, 0, Site());
  } else {
    build_->Do(Opcode::kBrIf, {c}, 0, 0, {}, {{yes}, {no}});
    StartArm(yes, scope);
    Body(depth);
    std::vector<Value> args = EndArm(scope, n);
    build_->Do(Opcode::kBr, {}, 0, 0, {}, {{join, args}});
    StartArm(no, scope);
    Body(depth);
    if (Chance(6)) {
      build_->Do(Opcode::kTrap, {}, 2, 0, Site());
    } else {
      args = EndArm(scope, n);
      build_->Do(Opcode::kBr, {}, 0, 0, {}, {{join, args}});
    }
  }
  StartJoin(join, scope, n);
}

void Generator::Loop(int depth) {
  const Block head = f_->NewBlock(), exit = f_->NewBlock();
  const size_t n = Pick(4);
  const Scope scope = Save();
  std::vector<Value> args;
  for (size_t k = 0; k < n; ++k) args.push_back(Any32());
  for (const auto& [slot, v] : scope.deferred) args.push_back(v);
  args.push_back(build_->Const(Type::kI32, static_cast<int64_t>(1 + Pick(4))));
  build_->Do(Opcode::kBr, {}, 0, 0, {}, {{head, args}});
  StartJoin(head, scope, n);
  const Scope inside = Save();
  const Value counter = f_->AddParam(head, Type::kI32);
  Body(depth);
  const bool exit_early = Chance(3);
  if (exit_early) {
    const Block next = f_->NewBlock();
    // Leaves the loop from its middle, with the exit's arguments.
    const Value c = Condition();
    std::vector<Value> out = EndArm(inside, n);
    build_->Do(Opcode::kBrIf, {c}, 0, 0, {}, {{exit, out}, {next}});
    Scope now = Save();
    now.deferred = deferred_;
    StartArm(next, now);
    Body(0);
  }
  std::vector<Value> again = EndArm(inside, n);
  const Value left =
      build_->Binary(Opcode::kSub, Type::kI32, counter, build_->Const(Type::kI32, 1));
  std::vector<Value> out = again;
  again.push_back(left);
  const Value c =
      Chance(2) ? left : build_->Icmp(IntCond::kNe, Type::kI32, left, build_->Const(Type::kI32, 0));
  build_->Do(Opcode::kBrIf, {c}, 0, 0, {}, {{head, again}, {exit, out}});
  StartJoin(exit, scope, n);
}

void Generator::Switch(int depth) {
  const size_t cases = 1 + Pick(5);
  const Block join = f_->NewBlock();
  const size_t n = Pick(3);
  const Value index =
      build_->Binary(Opcode::kAnd, Type::kI32, Any32(), build_->Const(Type::kI32, 7));
  const Scope scope = Save();
  std::vector<Block> arms;
  for (size_t k = 0; k < cases; ++k) arms.push_back(f_->NewBlock());
  std::vector<ir::Edge> edges;
  for (size_t k = 0; k < cases; ++k) edges.push_back({arms[k]});
  for (size_t k = Pick(4); k > 0; --k) edges.push_back({arms[Pick(cases)]});
  build_->Do(Opcode::kBrTable, {index}, 0, 0, {}, edges);
  for (Block arm : arms) {
    StartArm(arm, scope);
    Body(std::min(depth, 1));
    std::vector<Value> args = EndArm(scope, n);
    build_->Do(Opcode::kBr, {}, 0, 0, {}, {{join, args}});
  }
  StartJoin(join, scope, n);
}

std::vector<Value> Generator::PassedArguments() {
  std::vector<Value> args;
  for (int k = 0; k < abi::kNumPassed; ++k) {
    args.push_back(Chance(6) ? build_->Const(Type::kI32, Constant()) : Any32());
  }
  return args;
}

Value Generator::DispatchTarget() {
  const uint32_t pc =
      kDispatchBase + 64 * static_cast<uint32_t>(number_ + 1 + Pick(num_functions_ - number_ + 1));
  if (Chance(10)) return Any32();
  return build_->Const(Type::kI32, Chance(10) ? pc + 8 : pc);
}

void Generator::CallSomething() {
  Flush();
  InstData d{.op = Opcode::kCall};
  d.site = Site();
  std::vector<Value> args = PassedArguments();
  switch (number_ + 1 < num_functions_ ? Pick(3) : 0) {
    case 0:
      d.op = Opcode::kCallRuntime;
      d.aux = static_cast<uint8_t>(abi::Callback::kHostCall);
      break;
    case 1:
      d.imm = static_cast<int64_t>(number_ + 1 + Pick(num_functions_ - number_ - 1));
      break;
    default:
      d.op = Opcode::kCallDispatch;
      args.insert(args.begin(), DispatchTarget());
      break;
  }
  const std::vector<Type> results(Chance(3) ? Pick(abi::kNumPassed + 2) : abi::kNumPassed + 1,
                                  Type::kI32);
  const ir::Inst i = f_->Append(build_->at(), d, args, results);
  for (uint32_t k = 0; k < results.size(); ++k) i32_.push_back(f_->result(i, k));
}

void Generator::Finish() {
  Flush();
  switch (number_ + 1 < num_functions_ ? Pick(5) : 4) {
    case 0:
      build_->Do(Opcode::kTailCall, PassedArguments(), 0,
                 static_cast<int64_t>(number_ + 1 + Pick(num_functions_ - number_ - 1)));
      return;
    case 1: {
      std::vector<Value> args = PassedArguments();
      args.insert(args.begin(), DispatchTarget());
      build_->Do(Opcode::kTailDispatch, args);
      return;
    }
    default: {
      std::vector<Value> results = PassedArguments();
      results.push_back(Any32());
      build_->Do(Opcode::kRet, results);
    }
  }
}

}  // namespace precast::x64::testing
