#include "loader/format/metadata.h"

#include <gtest/gtest.h>

#include <random>

namespace precast::format {
namespace {

Metadata Sample() {
  Metadata metadata;
  metadata.entry_pc = 0x10074;
  metadata.initial_brk = 0x14321;
  metadata.phdr_address = 0x10034;
  metadata.phdr_count = 3;
  metadata.code_ranges = {{0x10000, 0x11000}, {0x11000, 0x11004}, {0xfffff000, 0xffffffff}};
  metadata.segments = {{.address = 0x10000,
                        .size = 0x2000,
                        .data_offset = 0,
                        .data_size = 0x2000,
                        .readable = true,
                        .executable = true},
                       {.address = 0x12000,
                        .size = 0x3000,
                        .data_offset = 0x2000,
                        .data_size = 0x1000,
                        .readable = true,
                        .writable = true},
                       {.address = 0xfffff000, .size = 0x1000, .readable = true}};
  metadata.options = "opt=1";
  metadata.compiler = "precast test";
  metadata.machine = "memory_bits 29\n";
  metadata.extensions = {"keccak/1", "rv32io/1"};
  return metadata;
}

TEST(Metadata, RoundTrips) {
  const Metadata metadata = Sample();
  absl::StatusOr<Metadata> decoded = DecodeMetadata(EncodeMetadata(metadata), 0x3000);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, metadata);
}

TEST(Metadata, WholeAddressSpace) {
  Metadata metadata;
  metadata.segments = {{.address = 0, .size = uint64_t{1} << 32, .writable = true}};
  absl::StatusOr<Metadata> decoded = DecodeMetadata(EncodeMetadata(metadata), 0);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, metadata);
}

TEST(Metadata, DataOutsideGuestDataIsRejected) {
  const std::vector<uint8_t> bytes = EncodeMetadata(Sample());
  EXPECT_TRUE(DecodeMetadata(bytes, 0x3000).ok());
  EXPECT_EQ(DecodeMetadata(bytes, 0x2fff).status().message(),
            "guest segment 1 data: expected within 12287 bytes of guest data and 12288 of memory, "
            "actual offset 8192 size 4096");
}

TEST(Metadata, EveryTruncationIsRejected) {
  const std::vector<uint8_t> bytes = EncodeMetadata(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeMetadata(absl::MakeConstSpan(bytes.data(), size), 0x3000).ok()) << size;
  }
}

TEST(Metadata, HostileBytes) {
  const std::vector<uint8_t> good = EncodeMetadata(Sample());
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    std::vector<uint8_t> bytes = good;
    for (uint64_t n = 1 + random() % 3; n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    }
    absl::StatusOr<Metadata> decoded = DecodeMetadata(bytes, 0x3000);
    if (!decoded.ok()) continue;
    uint64_t end = 0;
    for (const MetadataSegment& segment : decoded->segments) {
      ASSERT_GE(segment.address, end);
      end = segment.address + segment.size;
      ASSERT_LE(end, uint64_t{1} << 32);
      ASSERT_LE(uint64_t{segment.data_offset} + segment.data_size, 0x3000u);
    }
  }
}

TEST(ImportedImages, RoundTripAndTruncation) {
  const std::vector<ImportedImage> images = {{"env", GuidOf(std::string_view("env"))}, {"", {}}};
  const std::vector<uint8_t> bytes = EncodeImportedImages(images);
  absl::StatusOr<std::vector<ImportedImage>> decoded = DecodeImportedImages(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, images);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeImportedImages(absl::MakeConstSpan(bytes.data(), size)).ok()) << size;
  }
}

}  // namespace
}  // namespace precast::format
