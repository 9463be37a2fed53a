// The digest of an image's file: what it is, computed by whoever writes an image and whoever checks
// one.
#ifndef PRECAST_LOADER_FORMAT_CONTENT_DIGEST_H_
#define PRECAST_LOADER_FORMAT_CONTENT_DIGEST_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "loader/format/sha256.h"

namespace precast::format {

// The file is taken in pieces of this size; the last one may be shorter. So pieces can be hashed at
// the same time.
inline constexpr size_t kDigestPiece = size_t{64} << 10;

// SHA-256 of the SHA-256 of each piece, one after another, with the 32 bytes of `file` from `field`
// on taken as zero: there the digest itself is (AotFileInfo::content_digest).
Sha256Digest ContentDigest(absl::Span<const uint8_t> file, size_t field);

// The same in two steps, for who has not all of the file at once: the digests of the pieces that
// begin at a multiple of kDigestPiece, with those 32 bytes zero; and what they amount to.
void DigestPieces(absl::Span<const uint8_t> pieces, absl::Span<Sha256Digest> digests);
Sha256Digest ContentDigest(absl::Span<const Sha256Digest> digests);

}  // namespace precast::format

#endif  // PRECAST_LOADER_FORMAT_CONTENT_DIGEST_H_
