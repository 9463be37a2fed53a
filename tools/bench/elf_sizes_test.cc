#include "tools/bench/elf_sizes.h"

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tools/commands/io.h"

namespace precast::bench {
namespace {

TEST(ElfSizes, OfA32BitGuest) {
  const absl::StatusOr<std::vector<uint8_t>> file =
      aotc::ReadFile("testdata/prebuilt/bench_hello.elf");
  ASSERT_TRUE(file.ok()) << file.status();
  const absl::StatusOr<ElfSizes> sizes = ReadElfSizes(*file);
  ASSERT_TRUE(sizes.ok()) << sizes.status();
  EXPECT_EQ(sizes->file, file->size());
  EXPECT_GT(sizes->text, 16u);
  EXPECT_LT(sizes->text, 1000u);
}

TEST(ElfSizes, OfThisTest) {
  const absl::StatusOr<std::vector<uint8_t>> file = aotc::ReadFile("/proc/self/exe");
  ASSERT_TRUE(file.ok());
  const absl::StatusOr<ElfSizes> sizes = ReadElfSizes(*file);
  ASSERT_TRUE(sizes.ok()) << sizes.status();
  EXPECT_GT(sizes->text, 1000u);
  EXPECT_GT(sizes->tables, 100u);
}

TEST(ElfSizes, NoBytesCrash) {
  const absl::StatusOr<std::vector<uint8_t>> file =
      aotc::ReadFile("testdata/prebuilt/bench_hello.elf");
  ASSERT_TRUE(file.ok());
  for (size_t size = 0; size < file->size(); size += 7) {
    EXPECT_FALSE(ReadElfSizes({file->data(), size}).ok());
  }
  for (size_t at = 0; at < 52; ++at) {
    for (const uint8_t value : {0x00, 0x7f, 0xff}) {
      std::vector<uint8_t> damaged = *file;
      damaged[at] = value;
      (void)ReadElfSizes(damaged);
    }
  }
}

}  // namespace
}  // namespace precast::bench
