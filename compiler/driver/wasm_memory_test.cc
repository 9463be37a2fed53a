#include "compiler/driver/wasm_memory.h"

#include <cstdint>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace precast::driver {
namespace {

// A module as the reader would deliver it, as far as memory is concerned.
class ModuleMaker {
 public:
  explicit ModuleMaker(uint64_t pages) {
    module_.memories.resize(1);
    module_.memories[0].limits.min = pages;
  }

  wasm::Module& module() { return module_; }

  void AddData(const std::vector<uint8_t>& offset, std::string_view bytes,
               wasm::SegmentMode mode = wasm::SegmentMode::kActive) {
    wasm::DataSegment segment;
    segment.mode = mode;
    segment.offset = Append(offset);
    segment.bytes = Append({bytes.begin(), bytes.end()});
    module_.data.push_back(segment);
  }
  // At `i64.const address`.
  void AddDataAt(uint64_t address, std::string_view bytes) {
    std::vector<uint8_t> offset = {0x42};
    for (; address >= 64; address >>= 7) offset.push_back(static_cast<uint8_t>(address | 0x80));
    offset.push_back(static_cast<uint8_t>(address));
    offset.push_back(0x0b);
    AddData(offset, bytes);
  }

  std::optional<std::vector<guest::Segment>> Memory() {
    module_.bytes = bytes_;
    return InitialMemory(module_);
  }

 private:
  wasm::ByteRange Append(const std::vector<uint8_t>& bytes) {
    const auto begin = static_cast<uint32_t>(bytes_.size());
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return {begin, static_cast<uint32_t>(bytes_.size())};
  }

  std::vector<uint8_t> bytes_;
  wasm::Module module_;
};

TEST(InitialMemory, LaterSegmentsOverwriteEarlierOnes) {
  ModuleMaker m(1);
  m.AddDataAt(4090, "0123456789");
  m.AddDataAt(4094, "ab");
  m.AddDataAt(0, "x");
  const auto memory = m.Memory();
  ASSERT_TRUE(memory);
  ASSERT_EQ(memory->size(), 1u);
  const guest::Segment& s = (*memory)[0];
  EXPECT_EQ(s.address, 0u);
  EXPECT_EQ(s.size, 8192u);
  EXPECT_TRUE(s.readable && s.writable && !s.executable);
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(&s.data[4089]), 11),
            std::string_view("\0000123ab6789", 11));
  EXPECT_EQ(s.data[0], 'x');
}

TEST(InitialMemory, RunsAreSparse) {
  ModuleMaker m(65536);  // 4 GiB
  m.AddDataAt((uint64_t{1} << 32) - 1, "z");
  m.AddDataAt(100 * 4096, "a");
  m.AddDataAt(102 * 4096, "b");                   // the gap is too short to be worth a run
  m.AddDataAt(200 * 4096, std::string(5, '\0'));  // only zeros
  const auto memory = m.Memory();
  ASSERT_TRUE(memory);
  ASSERT_EQ(memory->size(), 2u);
  EXPECT_EQ((*memory)[0].address, 100u * 4096);
  EXPECT_EQ((*memory)[0].size, 3u * 4096);
  EXPECT_EQ((*memory)[1].address, 0xfffff000u);
  EXPECT_EQ((*memory)[1].data.back(), 'z');
}

TEST(InitialMemory, ZeroPagesWithinASegment) {
  ModuleMaker m(16);
  std::string bytes(40 * 4096, '\0');
  bytes[0] = 'a';
  bytes[3 * 4096] = 'b';
  bytes[30 * 4096 + 5] = 'c';
  m.AddDataAt(8192, bytes);
  const auto memory = m.Memory();
  ASSERT_TRUE(memory);
  ASSERT_EQ(memory->size(), 2u);
  EXPECT_EQ((*memory)[0].address, 8192u);
  EXPECT_EQ((*memory)[0].size, 4u * 4096);
  EXPECT_EQ((*memory)[1].address, 32u * 4096);
  EXPECT_EQ((*memory)[1].size, 4096u);
}

TEST(InitialMemory, OffsetsAreConstants) {
  ModuleMaker m(65536);
  m.AddData({0x41, 0x7f, 0x0b}, "z");                          // i32.const -1
  m.AddData({0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x0b}, "y");  // i32.const -0x80000000
  const auto memory = m.Memory();
  ASSERT_TRUE(memory);
  ASSERT_EQ(memory->size(), 2u);
  EXPECT_EQ((*memory)[0].address, 0x80000000u);
  EXPECT_EQ((*memory)[1].data.back(), 'z');

  for (const std::vector<uint8_t>& offset :
       std::vector<std::vector<uint8_t>>{{0x23, 0, 0x0b},                 // global.get
                                         {0x41, 1, 0x41, 2, 0x6a, 0x0b},  // extended
                                         {0x41, 0x80, 0x0b},              // cut off
                                         {0x42, 0x7f, 0x0b},  // i64.const -1: out of bounds
                                         {0x0b},
                                         {}}) {
    ModuleMaker other(1);
    other.AddData(offset, "z");
    EXPECT_FALSE(other.Memory());
  }
}

TEST(InitialMemory, BoundsAreThoseOfTheInitialSize) {
  ModuleMaker inside(1);
  inside.AddDataAt(65535, "z");
  inside.AddDataAt(65536, "");
  EXPECT_TRUE(inside.Memory());
  ModuleMaker behind(1);
  behind.AddDataAt(65535, "zz");
  EXPECT_FALSE(behind.Memory());
  ModuleMaker empty_behind(1);
  empty_behind.AddDataAt(65537, "");
  EXPECT_FALSE(empty_behind.Memory());
  ModuleMaker beyond_32_bits(uint64_t{1} << 20);
  beyond_32_bits.AddDataAt(uint64_t{1} << 32, "z");
  EXPECT_FALSE(beyond_32_bits.Memory());
}

TEST(InitialMemory, NotWorthIt) {
  ModuleMaker m(65536);
  for (uint64_t i = 0; i < 64; ++i) m.AddDataAt(i * 65536, "z");
  EXPECT_TRUE(m.Memory());
  m.AddDataAt(65 * 65536, "z");
  EXPECT_FALSE(m.Memory());
}

TEST(InitialMemory, WhoseMemory) {
  ModuleMaker none(1);
  none.module().memories.clear();
  EXPECT_FALSE(none.Memory());
  ModuleMaker imported(1);
  imported.module().num_imported_memories = 1;
  EXPECT_FALSE(imported.Memory());
  ModuleMaker no_data(1);
  no_data.AddData({0x0b}, "passive", wasm::SegmentMode::kPassive);
  ASSERT_TRUE(no_data.Memory());
  EXPECT_TRUE(no_data.Memory()->empty());

  ModuleMaker shares_table(1);
  shares_table.module().num_imported_tables = 1;
  shares_table.module().elements.resize(1);
  wasm::ElementSegment& segment = shares_table.module().elements[0];
  EXPECT_TRUE(shares_table.Memory());
  segment.mode = wasm::SegmentMode::kActive;
  segment.table = 1;
  EXPECT_TRUE(shares_table.Memory());
  segment.table = 0;
  EXPECT_FALSE(shares_table.Memory());
}

}  // namespace
}  // namespace precast::driver
