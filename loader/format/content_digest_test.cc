// The digest by its definition, for files of many sizes with the field anywhere, and for the
// portable implementation.
#include "loader/format/content_digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace precast::format {
namespace {

Sha256Digest ByDefinition(std::vector<uint8_t> file, size_t field) {
  std::fill_n(file.begin() + static_cast<ptrdiff_t>(field), 32, 0);
  Sha256 all(Sha256::Implementation::kPortable);
  for (size_t at = 0; at < file.size(); at += kDigestPiece) {
    Sha256 piece(Sha256::Implementation::kPortable);
    piece.Update(absl::MakeConstSpan(file).subspan(at, kDigestPiece));
    all.Update(piece.Finish());
  }
  return all.Finish();
}

TEST(ContentDigest, IsWhatItsDefinitionSays) {
  std::mt19937_64 random(1);
  const size_t p = kDigestPiece;
  for (size_t size :
       {size_t{32}, size_t{1000}, p - 1, p, p + 1, 2 * p - 64, 2 * p, 3 * p + 77, 5 * p}) {
    std::vector<uint8_t> file(size);
    for (uint8_t& byte : file) byte = static_cast<uint8_t>(random());
    for (size_t field : {size_t{0}, p - 32, p - 16, p, 2 * p + 5, 3 * p - 1, size - 32}) {
      if (field + 32 > size) continue;
      EXPECT_EQ(ContentDigest(file, field), ByDefinition(file, field)) << size << " " << field;
    }
  }
}

TEST(ContentDigest, EveryByteButTheFieldCounts) {
  std::vector<uint8_t> file(2 * kDigestPiece + 100, 7);
  const Sha256Digest digest = ContentDigest(file, 50);
  for (size_t at : {size_t{0}, size_t{49}, size_t{82}, kDigestPiece, 2 * kDigestPiece + 99}) {
    file[at] ^= 1;
    EXPECT_NE(ContentDigest(file, 50), digest) << at;
    file[at] ^= 1;
  }
  file[50] = file[81] = 1;
  EXPECT_EQ(ContentDigest(file, 50), digest);
}

TEST(ContentDigest, InPieces) {
  std::vector<uint8_t> file(5 * kDigestPiece + 100);
  for (size_t i = 0; i < file.size(); ++i) file[i] = static_cast<uint8_t>(i * i >> 8);
  std::fill_n(file.begin() + 50, 32, 0);
  for (size_t step = 1; step < 7; ++step) {
    std::vector<Sha256Digest> digests(6);
    for (size_t i = 0; i < 6; i += step) {
      DigestPieces(absl::MakeConstSpan(file).subspan(i * kDigestPiece, step * kDigestPiece),
                   absl::MakeSpan(digests).subspan(i, step));
    }
    EXPECT_EQ(ContentDigest(digests), ContentDigest(file, 50)) << step;
  }
}

TEST(Sha256, TwoMessagesAtOnce) {
  std::mt19937_64 random(2);
  for (size_t size : {0, 1, 63, 64, 65, 128, 1000}) {
    std::vector<uint8_t> a(size), b(size);
    for (uint8_t& byte : a) byte = static_cast<uint8_t>(random());
    for (uint8_t& byte : b) byte = static_cast<uint8_t>(random());
    EXPECT_EQ(Sha256::HashTwo(a, b), std::pair(Sha256::Hash(a), Sha256::Hash(b))) << size;
  }
}

}  // namespace
}  // namespace precast::format
