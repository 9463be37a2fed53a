// Vectors of FIPS 180-4's examples (NIST, "Cryptographic Standards and Guidelines: Example
// Values"), for both implementations, and their agreement on random messages cut anywhere.
#include "loader/format/sha256.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "loader/format/guid.h"

namespace precast::format {
namespace {

absl::Span<const uint8_t> Bytes(std::string_view text) {
  return absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

class Sha256Test : public testing::TestWithParam<Sha256::Implementation> {
 protected:
  std::string HexOf(std::string_view text) {
    Sha256 hash(GetParam());
    hash.Update(Bytes(text));
    return ToHex(hash.Finish());
  }
};

TEST_P(Sha256Test, NistVectors) {
  EXPECT_EQ(HexOf(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexOf("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(HexOf("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
                  "klmnopqrlmnopqrsmnopqrstnopqrstu"),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

TEST_P(Sha256Test, MillionTimesA) {
  EXPECT_EQ(HexOf(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

INSTANTIATE_TEST_SUITE_P(Implementations, Sha256Test,
                         testing::Values(Sha256::Implementation::kPortable,
                                         Sha256::Implementation::kBest));

TEST(Sha256, ImplementationsAgreeHoweverTheMessageIsCut) {
  std::mt19937_64 random(1);
  for (size_t size = 0; size < 300; ++size) {
    std::vector<uint8_t> message(size);
    for (uint8_t& byte : message) byte = static_cast<uint8_t>(random());
    Sha256 portable(Sha256::Implementation::kPortable);
    portable.Update(message);
    const Sha256Digest expected = portable.Finish();
    EXPECT_EQ(Sha256::Hash(message), expected);
    Sha256 pieces;
    absl::Span<const uint8_t> rest = message;
    while (!rest.empty()) {
      const size_t piece = random() % (rest.size() + 1);
      pieces.Update(rest.subspan(0, piece));
      rest.remove_prefix(piece);
    }
    EXPECT_EQ(pieces.Finish(), expected);
  }
}

}  // namespace
}  // namespace precast::format
