#include "compiler/riscv/fast_helpers.h"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <ios>
#include <iterator>
#include <optional>
#include <ostream>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "compiler/riscv/decoder.h"
#include "compiler/riscv/elf_reader.h"
#include "gtest/gtest.h"
#include "runtime/abi/helpers.h"

namespace precast::riscv {
namespace {

guest::Program Read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  absl::StatusOr<guest::Program> program = ReadElf(bytes);
  EXPECT_TRUE(program.ok()) << program.status();
  return *std::move(program);
}

// Only calls change, each into the helper that it calls; and all helpers are met.
TEST(FastHelpers, ReplacesCallsAndNothingElse) {
  const guest::Program before = Read("testdata/prebuilt/helpers.elf");
  guest::Program after = before;
  const size_t replaced = UseFastHelpers(after);
  EXPECT_TRUE(after.fast_helpers);
  EXPECT_NE(after.guid, before.guid);
  std::set<abi::Helper> met;
  size_t changed = 0;
  ASSERT_EQ(after.segments.size(), before.segments.size());
  for (size_t s = 0; s < before.segments.size(); ++s) {
    const std::vector<uint8_t>&a = before.segments[s].data, &b = after.segments[s].data;
    ASSERT_EQ(a.size(), b.size());
    for (size_t at = 0; at + 4 <= a.size(); at += 4) {
      uint32_t old_word, new_word;
      std::memcpy(&old_word, &a[at], 4);
      std::memcpy(&new_word, &b[at], 4);
      if (old_word == new_word) continue;
      ++changed;
      const Instruction call = Decode(old_word), helper = Decode(new_word, Dialect::kFastHelpers);
      ASSERT_EQ(call.op, Op::kJal);
      ASSERT_EQ(call.rd, 1);
      ASSERT_EQ(helper.op, Op::kHelper);
      EXPECT_EQ(Decode(new_word).op, Op::kIllegal);
      const uint32_t target =
          before.segments[s].address + static_cast<uint32_t>(at) + static_cast<uint32_t>(call.imm);
      bool is_called = false;
      for (const guest::Symbol& symbol : before.symbols) {
        if (symbol.address != target) continue;
        for (uint32_t n = 0; n < abi::kNumHelpers; ++n) {
          if (symbol.name != abi::kHelpers[n].symbol) continue;
          met.insert(static_cast<abi::Helper>(n));
          is_called |= n == static_cast<uint32_t>(helper.imm);
        }
      }
      EXPECT_TRUE(is_called) << "at " << std::hex << target;
    }
  }
  EXPECT_EQ(changed, replaced);
  EXPECT_EQ(met.size(), abi::kNumHelpers);
}

TEST(FastHelpers, OtherProgramsStayAsTheyAre) {
  guest::Program program = Read("testdata/prebuilt/bench_fib.elf");
  EXPECT_EQ(UseFastHelpers(program), 0u);
}

}  // namespace
}  // namespace precast::riscv
