#include "compiler/x64/control_flow.h"

#include <vector>

#include "gtest/gtest.h"

namespace precast::x64 {
namespace {

using ir::Block;

// A function of `n` blocks with the edges given; block 0 and `entries` are entries.
ir::Function Graph(uint32_t n, std::vector<std::vector<uint32_t>> successors,
                   std::vector<uint32_t> entries = {0}, std::vector<uint32_t> cold = {}) {
  ir::Function f("graph", {});
  for (uint32_t b = 0; b < n; ++b) f.NewBlock();
  for (uint32_t b = 0; b < n; ++b) {
    std::vector<ir::Edge> edges;
    for (uint32_t s : successors[b]) edges.push_back({Block(s)});
    const ir::Opcode op = edges.empty()       ? ir::Opcode::kRet
                          : edges.size() == 1 ? ir::Opcode::kBr
                                              : ir::Opcode::kBrTable;
    f.Append(Block(b), {.op = op}, {}, {}, edges);
  }
  for (uint32_t e : entries) f.AddEntry(Block(e));
  for (uint32_t c : cold) f.block(Block(c)).cold = true;
  return f;
}

std::vector<uint32_t> Layout(const ControlFlow& cf) {
  std::vector<uint32_t> layout;
  for (Block b : cf.layout) layout.push_back(b.index);
  return layout;
}

// The loop stays together although the walk meets its exit in the middle.
TEST(ControlFlowTest, LoopIsContiguous) {
  // 0 -> 1; 1 -> 2, 3; 2 -> 5; 3 -> 4 (exit), 5; 5 -> 1
  const ir::Function f = Graph(6, {{1}, {2, 3}, {5}, {4, 5}, {}, {1}});
  const ControlFlow cf = AnalyzeControlFlow(f);
  EXPECT_EQ(Layout(cf).front(), 0u);
  EXPECT_EQ(Layout(cf).back(), 4u);
  for (uint32_t b : {1, 2, 3, 5}) EXPECT_EQ(cf.info[b].loop_depth, 1u) << b;
  for (uint32_t b : {0, 4}) EXPECT_EQ(cf.info[b].loop_depth, 0u) << b;
  EXPECT_TRUE(cf.info[2].align);  // behind 3, which is left
  EXPECT_EQ(cf.info[5].num_preds, 2u);
}

// A loop that is left at its beginning begins behind that.
TEST(ControlFlowTest, LoopIsRotated) {
  // 0 -> 1; 1 -> 2, 4 (exit); 2 -> 3; 3 -> 1
  ControlFlow cf = AnalyzeControlFlow(Graph(5, {{1}, {2, 4}, {3}, {1}, {}}));
  EXPECT_EQ(Layout(cf), (std::vector<uint32_t>{0, 2, 3, 1, 4}));
  EXPECT_TRUE(cf.info[2].align);
  EXPECT_FALSE(cf.info[1].align);
  // The same, left at its end, too.
  cf = AnalyzeControlFlow(Graph(5, {{1}, {2, 4}, {3}, {1, 4}, {}}));
  EXPECT_EQ(Layout(cf), (std::vector<uint32_t>{0, 1, 2, 3, 4}));
  // Left in its second block.
  cf = AnalyzeControlFlow(Graph(5, {{1}, {2}, {3, 4}, {1}, {}}));
  EXPECT_EQ(Layout(cf), (std::vector<uint32_t>{0, 3, 1, 2, 4}));
}

// The outer loop ends with the inner one.
TEST(ControlFlowTest, NestedLoopsAreRotated) {
  // 0 -> 1; 1 -> 2, 5 (exit); 2 -> 3; 3 -> 4, 1; 4 -> 3
  const ControlFlow cf = AnalyzeControlFlow(Graph(6, {{1}, {2, 5}, {3}, {4, 1}, {3}, {}}));
  EXPECT_EQ(Layout(cf), (std::vector<uint32_t>{0, 2, 4, 3, 1, 5}));
}

TEST(ControlFlowTest, NestedLoops) {
  // 1 { 2 { 3 } 4 } 5
  const ir::Function f = Graph(6, {{1}, {2}, {3, 4}, {2}, {1, 5}, {}});
  const ControlFlow cf = AnalyzeControlFlow(f);
  EXPECT_EQ(cf.info[1].loop_depth, 1u);
  EXPECT_EQ(cf.info[2].loop_depth, 2u);
  EXPECT_EQ(cf.info[3].loop_depth, 2u);
  EXPECT_EQ(cf.info[4].loop_depth, 1u);
  EXPECT_FALSE(cf.info[1].align);
  EXPECT_TRUE(cf.info[3].align);
  EXPECT_GT(cf.info[2].frequency, cf.info[1].frequency);
  EXPECT_EQ(Layout(cf), (std::vector<uint32_t>{0, 1, 3, 2, 4, 5}));
}

// Each of very many blocks may leave for the same one; with and without a way back from there,
// which makes a loop of all. A pass that is quadratic takes longer than a test may.
TEST(ControlFlowTest, ManyBranchesToOneBlock) {
  constexpr uint32_t kBlocks = 400'000;
  for (const bool back : {false, true}) {
    std::vector<std::vector<uint32_t>> successors = {{1}};
    const uint32_t out = kBlocks, end = kBlocks + 1;
    for (uint32_t b = 1; b < kBlocks; ++b) successors.push_back({b + 1, out});
    successors.push_back(back ? std::vector<uint32_t>{1, end} : std::vector<uint32_t>{end});
    successors.push_back({});
    const ControlFlow cf = AnalyzeControlFlow(Graph(end + 1, successors));
    for (uint32_t b : {1u, 2u, kBlocks / 2, out}) EXPECT_EQ(cf.info[b].loop_depth, back ? 1u : 0u);
    EXPECT_EQ(cf.info[0].loop_depth, 0u);
    EXPECT_EQ(cf.info[end].loop_depth, 0u);
  }
}

// A second way into the middle of a loop does not hide the loop.
TEST(ControlFlowTest, SecondEntryIntoLoop) {
  const ir::Function f = Graph(5, {{1}, {2}, {1, 3}, {}, {2}}, {0, 4});
  const ControlFlow cf = AnalyzeControlFlow(f);
  EXPECT_EQ(cf.info[1].loop_depth, 1u);
  EXPECT_EQ(cf.info[2].loop_depth, 1u);
  EXPECT_EQ(cf.info[4].loop_depth, 0u);
  EXPECT_LT(cf.info[4].frequency, 1.0f);
  EXPECT_EQ(Layout(cf).back(), 4u);
}

TEST(ControlFlowTest, ColdLastAndUnreachableNowhere) {
  const ir::Function f = Graph(5, {{1, 2}, {3}, {3}, {}, {3}}, {0}, {1});
  const ControlFlow cf = AnalyzeControlFlow(f);
  EXPECT_EQ(Layout(cf), (std::vector<uint32_t>{0, 2, 3, 1}));
  EXPECT_FALSE(cf.reachable(Block(4)));
  EXPECT_EQ(cf.info[3].num_preds, 2u);
}

TEST(ControlFlowTest, DeepGraphNeedsNoDeepStack) {
  std::vector<std::vector<uint32_t>> successors;
  constexpr uint32_t kBlocks = 100000;
  for (uint32_t b = 0; b < kBlocks; ++b) {
    if (b + 1 == kBlocks) {
      successors.push_back({});
    } else if (b % 2 == 0) {
      successors.push_back({b + 1});
    } else {
      successors.push_back({b - 1, b + 1});
    }
  }
  const ControlFlow cf = AnalyzeControlFlow(Graph(kBlocks, successors));
  EXPECT_EQ(cf.layout.size(), kBlocks);
  EXPECT_EQ(cf.info[0].loop_depth, 1u);
}

}  // namespace
}  // namespace precast::x64
