#include "tools/bench/cache.h"

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/commands/io.h"

namespace precast::bench {
namespace {

using ::testing::HasSubstr;

class CacheTest : public ::testing::Test {
 protected:
  CacheTest() {
    std::string directory = ::testing::TempDir() + "/cache_test_XXXXXX";
    folder_ = mkdtemp(directory.data());
    input_ = folder_ + "/input";
    counter_ = folder_ + "/counter";
    placeholders_.words["guest"] = input_;
    Write("one");
  }
  ~CacheTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& text) { EXPECT_TRUE(aotc::WriteFile(input_, text).ok()); }

  std::unique_ptr<Cache> Open() {
    absl::StatusOr<std::unique_ptr<Cache>> cache = Cache::Open(folder_ + "/cache");
    EXPECT_TRUE(cache.ok()) << cache.status();
    return *std::move(cache);
  }
  // Copies the input, and counts how often.
  absl::StatusOr<Artifact> Copy(Cache& cache, const std::string& version, bool keep) {
    return cache.Make({{"sh", "-c", "cp $0 $1 && echo x >>$2", "{guest}", "{out}", counter_}},
                      placeholders_, {input_}, version, keep);
  }
  std::string Read(const std::string& path) {
    const absl::StatusOr<std::vector<uint8_t>> bytes = aotc::ReadFile(path);
    return bytes.ok() ? std::string(bytes->begin(), bytes->end()) : "";
  }
  size_t Copies() { return Read(counter_).size() / 2; }

  std::string folder_, input_, counter_;
  Placeholders placeholders_;
};

TEST_F(CacheTest, TheSameIsMadeOnce) {
  for (int i = 0; i < 2; ++i) {
    std::unique_ptr<Cache> cache = Open();
    const absl::StatusOr<Artifact> made = Copy(*cache, "v1", true);
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ(Read(made->file), "one");
    EXPECT_GT(made->peak_bytes, 0u);
  }
  EXPECT_EQ(Copies(), 1u);
}

TEST_F(CacheTest, OtherContentsVersionOrFlagsAreMadeAgain) {
  std::unique_ptr<Cache> cache = Open();
  ASSERT_TRUE(Copy(*cache, "v1", true).ok());
  ASSERT_TRUE(Copy(*cache, "v2", true).ok());
  EXPECT_EQ(Copies(), 2u);
  Write("two");
  const absl::StatusOr<Artifact> made = Copy(*cache, "v1", true);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(Read(made->file), "two");
  placeholders_.lists["defines"] = {"-DX"};
  ASSERT_TRUE(Copy(*cache, "v1", true).ok());
  EXPECT_EQ(Copies(), 4u);
}

TEST_F(CacheTest, WhatIsNotKeptGoesWithTheCache) {
  std::string file;
  {
    std::unique_ptr<Cache> cache = Open();
    const absl::StatusOr<Artifact> made = Copy(*cache, "v1", false);
    ASSERT_TRUE(made.ok());
    file = made->file;
    EXPECT_EQ(Read(file), "one");
    ASSERT_TRUE(Copy(*cache, "v1", false).ok());
  }
  EXPECT_EQ(Copies(), 2u);
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/cache"));
}

TEST_F(CacheTest, ADamagedEntryIsMadeAgain) {
  std::unique_ptr<Cache> cache = Open();
  const absl::StatusOr<Artifact> made = Copy(*cache, "v1", true);
  ASSERT_TRUE(made.ok());
  const std::string beside =
      (std::filesystem::path(made->file).parent_path() / "made.json").string();
  ASSERT_TRUE(aotc::WriteFile(beside, "{\"seconds\": \"").ok());
  ASSERT_TRUE(Copy(*cache, "v1", true).ok());
  EXPECT_EQ(Copies(), 2u);
  ASSERT_TRUE(Copy(*cache, "v1", true).ok());
  EXPECT_EQ(Copies(), 2u);
}

TEST_F(CacheTest, AFailureSaysWhatTheStepSaid) {
  std::unique_ptr<Cache> cache = Open();
  const absl::StatusOr<Artifact> failed =
      cache->Make({{"sh", "-c", "echo it is broken >&2; exit 3"}}, placeholders_, {}, "", true);
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr("exit code 3"));
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr("it is broken"));
  EXPECT_FALSE(cache->Make({{"true"}}, placeholders_, {}, "", true).ok());  // made nothing
}

}  // namespace
}  // namespace precast::bench
