#include "tools/commands/wasm_text.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace precast::aotc {
namespace {

std::string Text(const std::vector<uint8_t>& bytes) {
  const auto end = static_cast<uint32_t>(bytes.size());
  const std::optional<WasmLine> line = WasmLineAt(bytes, 0, end);
  if (!line) return "nothing";
  EXPECT_EQ(line->next, end);
  return line->text;
}

TEST(WasmText, EveryKindOfImmediate) {
  EXPECT_EQ(Text({0x01}), "nop");
  EXPECT_EQ(Text({0x02, 0x40}), "block");
  EXPECT_EQ(Text({0x03, 0x7e}), "loop (result i64)");
  EXPECT_EQ(Text({0x04, 0x05}), "if (type 5)");
  EXPECT_EQ(Text({0x0c, 0x02}), "br 2");
  EXPECT_EQ(Text({0x0e, 0x02, 0x00, 0x01, 0x03}), "br_table 0 1 3");
  EXPECT_EQ(Text({0x11, 0x07, 0x00}), "call_indirect (type 7)");
  EXPECT_EQ(Text({0x11, 0x07, 0x01}), "call_indirect 1 (type 7)");
  EXPECT_EQ(Text({0x1c, 0x01, 0x7d}), "select (result f32)");
  EXPECT_EQ(Text({0x20, 0x80, 0x01}), "local.get 128");
  EXPECT_EQ(Text({0x28, 0x02, 0x08}), "i32.load offset=8");
  EXPECT_EQ(Text({0x28, 0x00, 0x00}), "i32.load align=1");
  EXPECT_EQ(Text({0x28, 0x42, 0x01, 0x08}), "i32.load 1 offset=8");
  EXPECT_EQ(Text({0x3f, 0x00}), "memory.size");
  EXPECT_EQ(Text({0x41, 0x7f}), "i32.const -1");
  EXPECT_EQ(Text({0x43, 0, 0, 0x80, 0x3f}), "f32.const 1");
  EXPECT_EQ(Text({0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0xff}), "f64.const -nan");
  EXPECT_EQ(Text({0xd0, 0x6f}), "ref.null extern");
  EXPECT_EQ(Text({0xfc, 0x0a, 0x00, 0x01}), "memory.copy 0 1");
  EXPECT_EQ(Text({0xfd, 0x15, 0x03}), "i8x16.extract_lane_s 3");
  std::vector<uint8_t> vector = {0xfd, 0x0c};
  for (uint8_t i = 0; i < 16; ++i) vector.push_back(i);
  EXPECT_EQ(Text(vector), "v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15");
  EXPECT_EQ(Text({0xff}), "nothing");
  EXPECT_EQ(Text({0x41}), "nothing");
  EXPECT_EQ(Text({}), "nothing");
}

TEST(WasmText, Locals) {
  const std::vector<uint8_t> bytes = {9, 2, 3, 0x7f, 1, 0x7c, 0x0b};
  const auto line = WasmLocalsAt(bytes, 1, 7);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text, "(locals 3 i32, 1 f64)");
  EXPECT_EQ(line->next, 6u);
  EXPECT_EQ(WasmLocalsAt(std::vector<uint8_t>{0, 0x0b}, 0, 2)->text, "(no locals)");
  EXPECT_FALSE(WasmLocalsAt(bytes, 1, 3));
  EXPECT_FALSE(WasmLocalsAt(bytes, 1, 8));
}

TEST(WasmText, AnyBytes) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::vector<uint8_t> bytes(1 + random() % 24);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    const auto size = static_cast<uint32_t>(bytes.size());
    const auto line = WasmLineAt(bytes, 0, size);
    if (line) {
      EXPECT_LE(line->next, size);
    }
    WasmLocalsAt(bytes, 0, size);
  }
}

}  // namespace
}  // namespace precast::aotc
