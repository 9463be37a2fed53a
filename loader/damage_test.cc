// Ways to damage an image: every field and byte altered, cut off anywhere, random bytes changed,
// with the digest as it was and with a digest that fits. Each gives a status, or an image that can
// be asked anything; never a crash. Code of damaged images is not run: with the digest as it was,
// none is accepted.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <vector>

#include "absl/strings/numbers.h"
#include "loader/loader.h"
#include "loader/testing/small_image.h"

namespace precast::loader {
namespace {

// More with --test_env=PRECAST_DAMAGE_ROUNDS=100000 (which is what the target damage_long_test
// does).
int Rounds() {
  int rounds = 3000;
  if (const char* text = std::getenv("PRECAST_DAMAGE_ROUNDS"); text != nullptr) {
    EXPECT_TRUE(absl::SimpleAtoi(text, &rounds));
  }
  return rounds;
}

LoadOptions Options() {
  static const std::vector<const void*>* callbacks =
      new std::vector<const void*>(abi::kNumCallbacks, nullptr);
  LoadOptions options;
  options.callbacks = *callbacks;
  return options;
}

// Everything the runtime asks of an image.
void Ask(const LoadedImage& image) {
  const absl::Span<const uint8_t> text = image.text();
  const auto begin = reinterpret_cast<uint64_t>(text.data());
  const auto contains = [&](const void* entry) {
    return entry == nullptr || image.ContainsCode(reinterpret_cast<uint64_t>(entry));
  };
  for (uint32_t pc = kAnswerPc - 8; pc < kConstantPc + 16; pc += 2)
    EXPECT_TRUE(contains(image.FindEntry(pc)));
  EXPECT_TRUE(contains(image.FindEntry(image.view().info.dispatch_base_pc)));
  for (uint32_t pc = 0; pc < kWasmFortyOnePc + 2; ++pc) EXPECT_TRUE(contains(image.FindEntry(pc)));
  for (uint64_t i = 0; i <= text.size() && i < 4096; ++i) {
    const std::optional<SiteInfo> site = image.FindSite(begin + i);
    if (site) {
      EXPECT_LE(site->state.size(), 256u);
    }
    image.GuestPcOf(begin + i);
  }
  for (const GuestSegment& segment : image.segments()) {
    if (segment.data.empty()) continue;
    // Every byte is there.
    volatile uint8_t sum = 0;
    for (uint8_t byte : segment.data) sum = static_cast<uint8_t>(sum + byte);
  }
  volatile uint8_t sum = 0;
  for (uint8_t byte : image.guest_module()) sum = static_cast<uint8_t>(sum + byte);
  image.ResolvePlt(0);
  image.ResolvePlt(1);
}

// Loads with and without fixing the digest.
void TryDamaged(std::vector<uint8_t> bytes) {
  EXPECT_FALSE(LoadMemory(bytes, Options()).ok());
  FixDigest(bytes);
  LoadOptions options = Options();
  auto image = LoadMemory(bytes, options);
  if (image.ok()) Ask(**image);
  // The deep checks read every record.
  options.check.deep = true;
  image = LoadMemory(bytes, options);
  if (image.ok()) Ask(**image);
}

class Damage : public ::testing::TestWithParam<format::GuestKind> {
 protected:
  static std::vector<uint8_t> MakeImage() {
    return GetParam() == format::GuestKind::kWasm ? MakeSmallWasmImage() : MakeSmallImage();
  }
};

TEST_P(Damage, EveryByteOfHeadersAndTables) {
  const std::vector<uint8_t> good = MakeImage();
  ASSERT_TRUE(LoadMemory(good, Options()).ok());
  ImageView view;
  ASSERT_TRUE(CheckImage(good, {}, &view).ok());
  for (const LoadSegment& segment : view.segments) {
    if (segment.begin >= view.info.guest_data.offset) continue;
    for (uint32_t at = segment.begin; at < segment.end; ++at) {
      // Padding is like any other byte to the digest, and to nothing else.
      if (segment.writable && good[at] == 0 && at % 64 != 0) continue;
      for (uint8_t change : {0x01, 0x80, 0xff}) {
        std::vector<uint8_t> bytes = good;
        bytes[at] ^= change;
        TryDamaged(std::move(bytes));
      }
    }
  }
}

TEST_P(Damage, EveryFieldSetToExtremes) {
  const std::vector<uint8_t> good = MakeImage();
  ImageView view;
  ASSERT_TRUE(CheckImage(good, {}, &view).ok());
  const uint32_t info_end = view.info_offset + sizeof(format::AotFileInfo);
  for (uint32_t at = 0; at + 8 <= info_end; at += 2) {
    if (at > 1024 && at < view.info_offset) continue;
    for (int size : {2, 4, 8}) {
      for (uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{0x7fffffff}, uint64_t{0x80000000},
                             ~uint64_t{0}, uint64_t{1} << 63}) {
        std::vector<uint8_t> bytes = good;
        for (int i = 0; i < size; ++i) bytes[at + i] = static_cast<uint8_t>(value >> (8 * i));
        if (bytes == good) continue;
        TryDamaged(std::move(bytes));
      }
    }
  }
}

TEST_P(Damage, CutOffAnywhere) {
  const std::vector<uint8_t> good = MakeImage();
  for (size_t size = 0; size < good.size(); ++size) {
    // The digest is what refuses most of these; where it is not looked at, the ranges are.
    LoadOptions options = Options();
    const absl::Span<const uint8_t> bytes = absl::MakeConstSpan(good).subspan(0, size);
    options.check.verify_digest = false;
    auto image = LoadMemory(bytes, options);
    if (image.ok() && size % 16 == 0) Ask(**image);
    if (size % 16 == 0 || size + 64 > good.size()) {
      EXPECT_FALSE(LoadMemory(bytes, Options()).ok()) << size;
    }
  }
}

TEST_P(Damage, RandomBytes) {
  const std::vector<uint8_t> good = MakeImage();
  std::mt19937_64 random(1);
  for (int i = Rounds(); i > 0; --i) {
    std::vector<uint8_t> bytes = good;
    for (uint64_t n = 1 + random() % 4; n > 0; --n) {
      // Guest memory is most of the file and means nothing to the loader.
      const size_t at = random() % (random() % 8 == 0 ? bytes.size() : bytes.size() / 3);
      bytes[at] = static_cast<uint8_t>(random());
    }
    if (bytes == good) continue;
    TryDamaged(std::move(bytes));
  }
}

TEST(NoImage, RandomBytes) {
  std::mt19937_64 random(2);
  for (int i = Rounds() / 10; i > 0; --i) {
    std::vector<uint8_t> bytes(random() % 5000);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    EXPECT_FALSE(LoadMemory(bytes, Options()).ok());
  }
}

INSTANTIATE_TEST_SUITE_P(Guests, Damage,
                         ::testing::Values(format::GuestKind::kRiscV32, format::GuestKind::kWasm),
                         [](const auto& info) {
                           return info.param == format::GuestKind::kWasm ? "wasm" : "riscv";
                         });

}  // namespace
}  // namespace precast::loader
