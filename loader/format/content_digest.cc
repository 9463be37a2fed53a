#include "loader/format/content_digest.h"

#include <algorithm>
#include <vector>

namespace precast::format {

Sha256Digest ContentDigest(absl::Span<const uint8_t> file, size_t field) {
  const size_t field_end = field + sizeof(Sha256Digest);
  Sha256 digests;
  const auto holds_field = [&](size_t at) { return at < field_end && field < at + kDigestPiece; };
  for (size_t at = 0; at < file.size();) {
    const absl::Span<const uint8_t> piece = file.subspan(at, kDigestPiece);
    const size_t next = at + kDigestPiece;
    if (holds_field(at)) {
      std::vector<uint8_t> copy(piece.begin(), piece.end());
      const size_t end = std::min(field_end - at, copy.size());
      const size_t begin = std::min(std::max(field, at) - at, end);
      std::fill(copy.begin() + static_cast<ptrdiff_t>(begin),
                copy.begin() + static_cast<ptrdiff_t>(end), 0);
      digests.Update(Sha256::Hash(copy));
      at = next;
    } else if (next + kDigestPiece <= file.size() && !holds_field(next)) {
      const auto [first, second] = Sha256::HashTwo(piece, file.subspan(next, kDigestPiece));
      digests.Update(first);
      digests.Update(second);
      at = next + kDigestPiece;
    } else {
      digests.Update(Sha256::Hash(piece));
      at = next;
    }
  }
  return digests.Finish();
}

}  // namespace precast::format
