#include "loader/format/records.h"

#include <gtest/gtest.h>

#include <random>

namespace precast::format {
namespace {

TEST(Records, RoundTrip) {
  BlobBuilder blob;
  const FunctionInfo function{.code_size = 70000,
                              .guest_begin = 0x10000,
                              .guest_end = 0x10400,
                              .got_slots = {0, 3, 4, 900}};
  const GotInfo got{GotInfo::Kind::kRuntimeCallback, 3};
  const PltInfo plt{PltInfo::Kind::kFunction, 12345, 0};
  const PltInfo import{PltInfo::Kind::kImport, 77, 2};
  const uint32_t function_at = blob.Add(EncodeFunctionInfo(function));
  const uint32_t got_at = blob.Add(EncodeGotInfo(got));
  const uint32_t plt_at = blob.Add(EncodePltInfo(plt));
  const uint32_t import_at = blob.Add(EncodePltInfo(import));
  const BlobReader reader(blob.bytes());
  EXPECT_EQ(DecodeFunctionInfo(reader, function_at), function);
  EXPECT_EQ(DecodeFunctionCodeSize(reader, function_at), function.code_size);
  EXPECT_EQ(DecodeGotInfo(reader, got_at), got);
  EXPECT_EQ(DecodePltInfo(reader, plt_at), plt);
  EXPECT_EQ(DecodePltInfo(reader, import_at), import);
}

TEST(Records, UnknownKindsAreNothing) {
  const uint8_t bytes[] = {0, 9, 1, 1};
  const BlobReader reader(bytes);
  EXPECT_FALSE(DecodeGotInfo(reader, 1));
  EXPECT_FALSE(DecodePltInfo(reader, 1));
}

TEST(Records, HostileBytes) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    std::vector<uint8_t> bytes(random() % 40);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() >> (random() % 8));
    const BlobReader reader(bytes);
    const auto offset = static_cast<uint32_t>(random() % 42);
    const std::optional<FunctionInfo> function = DecodeFunctionInfo(reader, offset);
    if (function) {
      ASSERT_LE(function->got_slots.size(), bytes.size());
      ASSERT_LE(function->guest_begin, function->guest_end);
    }
    DecodeGotInfo(reader, offset);
    DecodePltInfo(reader, offset);
  }
}

}  // namespace
}  // namespace precast::format
