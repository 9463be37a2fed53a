// Functions made to be slow to compile: of the largest size that a module may hold in practice, and
// of the shapes that make careless passes take quadratic time. There is no clock here; a pass that
// is quadratic exceeds the test's time limit.
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "compiler/ir/builder.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/verifier.h"
#include "compiler/opt/pipeline.h"
#include "gtest/gtest.h"

namespace precast::opt {
namespace {

using ir::Block;
using ir::Builder;
using ir::Edge;
using ir::Function;
using ir::Type;
using ir::Value;

constexpr int kSize = 100'000;

class HostileTest : public testing::Test {
 protected:
  HostileTest() {
    entry_ = f_.NewBlock();
    f_.AddEntry(entry_);
    x_ = f_.AddParam(entry_, Type::kI32);
    y_ = f_.AddParam(entry_, Type::kI32);
    b_.SetBlock(entry_);
  }

  // Ends the current block and goes on in a new one.
  Block Next() {
    const Block next = f_.NewBlock();
    b_.Br({next});
    b_.SetBlock(next);
    return next;
  }

  void Optimize() {
    opt::Optimize(f_, {.level = 2});
    const absl::Status status = ir::Verify(f_);
    EXPECT_TRUE(status.ok()) << status;
  }

  Function f_{
      "hostile",
      {.params = {Type::kI32, Type::kI32}, .results = {Type::kI32}, .conv = ir::CallConv::kWasm}};
  Builder b_{f_};
  Block entry_;
  Value x_, y_;
};

TEST_F(HostileTest, LongExpression) {
  Value v = x_;
  for (int i = 0; i < kSize; ++i) {
    v = i % 3 == 0 ? b_.Xor(v, b_.Iconst(Type::kI32, i)) : b_.Add(b_.Mul(v, y_), x_);
  }
  b_.Ret({v});
  Optimize();
}

TEST_F(HostileTest, LoopWithManyParameters) {
  std::vector<Value> first;
  for (int i = 0; i < kSize / 2; ++i) first.push_back(b_.Iconst(Type::kI32, i));
  const Block loop = f_.NewBlock();
  const Block end = f_.NewBlock();
  for (size_t i = 0; i < first.size(); ++i) f_.AddParam(loop, Type::kI32);
  const std::vector<Value> params = f_.block(loop).params;
  b_.Br({loop, first});
  b_.SetBlock(loop);
  std::vector<Value> next;
  for (size_t i = 0; i < params.size(); ++i) {
    next.push_back(b_.Add(params[i], params[(i + 1) % params.size()]));
  }
  b_.BrIf(x_, {loop, next}, {end});
  b_.SetBlock(end);
  b_.Ret({params[0]});
  Optimize();
}

TEST_F(HostileTest, NestedLoops) {
  std::vector<Block> heads;
  for (int i = 0; i < kSize; ++i) heads.push_back(Next());
  for (int i = kSize - 1; i >= 0; --i) {
    const Block next = f_.NewBlock();
    b_.BrIf(x_, {heads[static_cast<size_t>(i)]}, {next});
    b_.SetBlock(next);
  }
  b_.Ret({x_});
  Optimize();
}

TEST_F(HostileTest, OneBranchToManyNestedLoops) {
  std::vector<Edge> targets;
  for (int i = 0; i < kSize; ++i) targets.push_back({Next()});
  const Block end = f_.NewBlock();
  targets.push_back({end});
  b_.BrTable(x_, targets);
  b_.SetBlock(end);
  b_.Ret({x_});
  Optimize();
}

TEST_F(HostileTest, ManyBranchesToOneBlock) {
  const Block end = f_.NewBlock();
  const Value result = f_.AddParam(end, Type::kI32);
  for (int i = 0; i < kSize; ++i) {
    const Block next = f_.NewBlock();
    const Value c = b_.Add(x_, b_.Iconst(Type::kI32, i));
    b_.BrIf(c, {end, {c}}, {next});
    b_.SetBlock(next);
  }
  b_.Br({end, {x_}});
  b_.SetBlock(end);
  b_.Ret({result});
  Optimize();
}

TEST_F(HostileTest, ManyBranchesToOneLoop) {
  const Block head = Next();
  for (int i = 0; i < kSize; ++i) {
    const Block next = f_.NewBlock();
    b_.BrIf(b_.Add(x_, b_.Iconst(Type::kI32, i)), {head}, {next});
    b_.SetBlock(next);
  }
  b_.Ret({x_});
  Optimize();
}

// A long way down from where one branch leads to where another leads, many times over.
TEST_F(HostileTest, DominatorsFarUp) {
  std::vector<Edge> targets;
  for (int i = 0; i < kSize; ++i) targets.push_back({f_.NewBlock()});
  const Block chain = f_.NewBlock();
  std::vector<Edge> top = targets;
  top.push_back({chain});
  b_.BrTable(x_, top);
  b_.SetBlock(chain);
  for (int i = 0; i < kSize; ++i) Next();
  b_.BrTable(x_, targets);
  for (const Edge& target : targets) {
    b_.SetBlock(target.target);
    b_.Ret({x_});
  }
  Optimize();
}

TEST_F(HostileTest, Diamonds) {
  Value v = y_;
  for (int i = 0; i < kSize; ++i) {
    const Block side = f_.NewBlock();
    const Block join = f_.NewBlock();
    const Value joined = f_.AddParam(join, Type::kI32);
    b_.BrIf(x_, {side}, {join, {v}});
    b_.SetBlock(side);
    b_.Br({join, {b_.Add(v, x_)}});
    b_.SetBlock(join);
    v = joined;
  }
  b_.Ret({v});
  Optimize();
}

TEST_F(HostileTest, ManyVectorConstants) {
  Value v = b_.Vconst({});
  for (int i = 0; i < kSize; ++i) {
    ir::V128 bytes{};
    for (size_t k = 0; k < 4; ++k) bytes[k] = static_cast<uint8_t>(i >> (8 * k));
    v = b_.Simd(ir::SimdOp::kI32x4Add, {v, b_.Vconst(bytes)});
  }
  b_.Ret({b_.Simd(ir::SimdOp::kV128AnyTrue, {v})});
  Optimize();
}

// What is known is handed down a long chain.
TEST_F(HostileTest, ManyMemoryAccesses) {
  Value v = x_;
  for (int i = 0; i < kSize; ++i) {
    const ir::Site site{.guest_pc = 1, .refund = 0};
    v = b_.Add(v, b_.Load(ir::MemKind::kU32, Type::kI32, v, i % 64, site));
    if (i % 3 == 0) b_.Store(ir::MemKind::kU8, y_, v, i % 64, site);
    if (i % 7 == 0) Next();
  }
  b_.Ret({v});
  Optimize();
}

// Numbers made of bytes, all in one block.
TEST_F(HostileTest, ManyBytesThatAreJoined) {
  const Value eight = b_.Iconst(Type::kI32, 8);
  Value v = x_;
  for (int i = 0; i < kSize; ++i) {
    const ir::Site site{.guest_pc = 4 * static_cast<uint32_t>(i), .refund = 0};
    const Value low = b_.Load(ir::MemKind::kU8, Type::kI32, x_, 2 * i, site);
    const Value high = b_.Load(ir::MemKind::kU8, Type::kI32, x_, 2 * i + 1, site);
    v = b_.Xor(v, b_.Or(low, b_.Shl(high, eight)));
  }
  b_.Ret({v});
  opt::Optimize(f_, {.level = 2, .delay_state = true});
  EXPECT_TRUE(ir::Verify(f_).ok()) << ir::Verify(f_);
}

// Each access through another pointer, all in one block, which is a loop.
TEST_F(HostileTest, ManyPagesInOneBlock) {
  const Block head = f_.NewBlock();
  b_.Br({head});
  b_.SetBlock(head);
  b_.Meter(1, {.guest_pc = 1, .refund = 1});
  Value v = x_;
  for (int i = 0; i < 3 * kSize; ++i)
    v = b_.Xor(v, b_.Load(ir::MemKind::kU32, Type::kI32, v, 0, {.guest_pc = 1, .refund = 0}));
  const Block out = f_.NewBlock();
  b_.BrIf(v, {head}, {out});
  b_.SetBlock(out);
  b_.Ret({v});
  opt::Optimize(f_, {.level = 2, .mark_pages = true});
  EXPECT_TRUE(ir::Verify(f_).ok()) << ir::Verify(f_);
}

// As many constant addresses in as many blocks as are still looked at together.
TEST_F(HostileTest, ManyPagesOfConstantAddresses) {
  const Block out = f_.NewBlock();
  for (int i = 0; i < 16'000; ++i) {
    const Value v = b_.Load(ir::MemKind::kU32, Type::kI32, b_.Iconst(Type::kI32, i * 512), 0,
                            {.guest_pc = 1, .refund = 0});
    const Block next = f_.NewBlock();
    b_.BrIf(v, {next}, {out});
    b_.SetBlock(next);
  }
  b_.Br({out});
  b_.SetBlock(out);
  b_.Ret({x_});
  opt::Optimize(f_, {.level = 2, .mark_pages = true});
  EXPECT_TRUE(ir::Verify(f_).ok()) << ir::Verify(f_);
}

// Each branch tells something about the same two values, or about new ones.
TEST_F(HostileTest, ManyComparisons) {
  const Block out = f_.NewBlock();
  Value v = y_;
  for (int i = 0; i < kSize; ++i) {
    const Block next = f_.NewBlock();
    const Value a = i % 2 == 0 ? x_ : v;
    b_.BrIf(b_.Icmp(static_cast<ir::IntCond>(i % 10), a, y_), {next}, {out});
    b_.SetBlock(next);
    v = b_.Mul(v, x_);
    b_.TrapIf(b_.Icmp(ir::IntCond::kUlt, v, x_), 1, {.guest_pc = 1, .refund = 0});
  }
  b_.Br({out});
  b_.SetBlock(out);
  b_.Ret({x_});
  Optimize();
}

// A loop for each entry.
TEST_F(HostileTest, ManyEntriesAndLoops) {
  Value x = x_;
  Value y = y_;
  for (int i = 0; i < kSize / 10; ++i) {
    const Block head = f_.NewBlock();
    const Value p = f_.AddParam(head, Type::kI32);
    const Value q = f_.AddParam(head, Type::kI32);
    b_.Br({head, {x, y}});
    b_.SetBlock(head);
    const Block next = f_.NewBlock();
    x = b_.Add(p, q);
    y = q;
    b_.BrIf(x, {head, {x, y}}, {next});
    const Block entry = f_.NewBlock();
    f_.AddEntry(entry);
    const Value entry_x = f_.AddParam(entry, Type::kI32);
    const Value entry_y = f_.AddParam(entry, Type::kI32);
    b_.SetBlock(entry);
    b_.Br({head, {entry_x, entry_y}});
    b_.SetBlock(next);
  }
  b_.Ret({x});
  Optimize();
}

TEST_F(HostileTest, ManyCalls) {
  Function tiny("tiny", f_.signature());
  {
    Builder b(tiny);
    const Block entry = tiny.NewBlock();
    tiny.AddEntry(entry);
    const Value x = tiny.AddParam(entry, Type::kI32);
    const Value y = tiny.AddParam(entry, Type::kI32);
    b.SetBlock(entry);
    b.Ret({b.Xor(x, y)});
  }
  Value v = x_;
  for (int i = 0; i < kSize; ++i) {
    v = b_.Call(ir::FuncRef(8), {v, y_}, {Type::kI32}, {.guest_pc = 1, .refund = 0})[0];
  }
  b_.Ret({v});
  opt::Optimize(f_, {.level = 2, .body = [&](ir::FuncRef) { return &tiny; }});
  EXPECT_TRUE(ir::Verify(f_).ok()) << ir::Verify(f_);
}

}  // namespace
}  // namespace precast::opt
