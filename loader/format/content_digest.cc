#include "loader/format/content_digest.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "absl/log/check.h"

namespace precast::format {

Sha256Digest ContentDigest(absl::Span<const uint8_t> file, size_t field) {
  std::vector<Sha256Digest> digests((file.size() + kDigestPiece - 1) / kDigestPiece);
  const auto digest = [&](size_t begin, size_t end) {  // pieces, by number
    if (begin >= end) return;
    DigestPieces(file.subspan(begin * kDigestPiece, (end - begin) * kDigestPiece),
                 absl::MakeSpan(digests).subspan(begin, end - begin));
  };
  // The pieces that hold the field are digested by themselves, with zeros in them.
  const size_t field_end = std::min(field + sizeof(Sha256Digest), file.size());
  if (field >= field_end) {
    digest(0, digests.size());
    return ContentDigest(digests);
  }
  const size_t first = field / kDigestPiece, last = (field_end - 1) / kDigestPiece;
  digest(0, first);
  for (size_t i = first; i <= last; ++i) {
    const size_t at = i * kDigestPiece;
    const absl::Span<const uint8_t> piece = file.subspan(at, kDigestPiece);
    std::vector<uint8_t> copy(piece.begin(), piece.end());
    const size_t begin = std::max(field, at) - at, end = std::min(field_end - at, copy.size());
    std::fill(copy.begin() + static_cast<ptrdiff_t>(begin),
              copy.begin() + static_cast<ptrdiff_t>(end), 0);
    digests[i] = Sha256::Hash(copy);
  }
  digest(last + 1, digests.size());
  return ContentDigest(digests);
}

void DigestPieces(absl::Span<const uint8_t> pieces, absl::Span<Sha256Digest> digests) {
  CHECK_EQ(digests.size(), (pieces.size() + kDigestPiece - 1) / kDigestPiece);
  size_t i = 0;
  for (; 2 * kDigestPiece <= pieces.size(); i += 2, pieces.remove_prefix(2 * kDigestPiece)) {
    std::tie(digests[i], digests[i + 1]) =
        Sha256::HashTwo(pieces.first(kDigestPiece), pieces.subspan(kDigestPiece, kDigestPiece));
  }
  for (; !pieces.empty(); ++i) {
    const absl::Span<const uint8_t> piece = pieces.subspan(0, kDigestPiece);
    digests[i] = Sha256::Hash(piece);
    pieces.remove_prefix(piece.size());
  }
}

Sha256Digest ContentDigest(absl::Span<const Sha256Digest> digests) {
  Sha256 hash;
  for (const Sha256Digest& digest : digests) hash.Update(digest);
  return hash.Finish();
}

}  // namespace precast::format
