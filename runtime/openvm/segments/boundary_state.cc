#include "runtime/openvm/segments/boundary_state.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "loader/format/sha256.h"
#include "runtime/byte_stream.h"
#include "runtime/openvm/segments/chain_error.h"

namespace precast::runtime {
namespace {

constexpr std::string_view kMagic = "PRECSTAT";
constexpr uint32_t kVersion = 1;
constexpr size_t kDigestSize = 32;
constexpr size_t kFixedSize = 8 + 4 + 4 + 8 + kDigestSize;

absl::Span<const uint8_t> BytesOf(std::string_view text) {
  return absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

MemoryDigest ReadDigest(ByteReader& in) {
  MemoryDigest digest = {};
  const absl::Span<const uint8_t> bytes = in.Bytes(digest.size());
  std::copy(bytes.begin(), bytes.end(), digest.begin());
  return digest;
}

// The index is part of what the digest protects.
MemoryDigest DigestOf(uint32_t index, absl::Span<const uint8_t> rest) {
  ByteWriter out;
  out.Number(index);
  const std::string text = out.Take();
  format::Sha256 hash;
  hash.Update(BytesOf(text));
  hash.Update(rest);
  return hash.Finish();
}

}  // namespace

std::string EncodeHeader(const BoundaryState& state) {
  ByteWriter body;
  body.Bytes(state.program_commit);
  body.String(state.hash);
  body.Number(state.memory_bits);
  body.Number(state.retired);
  body.Number(static_cast<uint8_t>(state.ended ? 1 : 0));
  body.Number(state.exit_code);
  body.Number(state.pc);
  for (uint32_t x : state.x) body.Number(x);
  body.String(state.host_name);
  body.String(state.host_state);
  body.String(state.public_values);
  body.Bytes(state.root);
  body.Number(static_cast<uint32_t>(state.pages.size()));
  for (const BoundaryState::Page& page : state.pages) {
    body.Number(page.number);
    body.Bytes(page.digest);
  }
  const std::string rest = body.Take();
  ByteWriter out;
  out.Bytes(BytesOf(kMagic));
  out.Number(kVersion);
  out.Number(state.index);
  out.Number(uint64_t{kFixedSize + rest.size()});
  out.Bytes(DigestOf(state.index, BytesOf(rest)));
  out.Bytes(BytesOf(rest));
  return out.Take();
}

absl::StatusOr<BoundaryState> DecodeHeader(absl::Span<const uint8_t> bytes, uint64_t file_size,
                                           uint64_t& header_size) {
  auto bad = [](ChainError error, std::string_view field, std::string_view expected,
                std::string_view actual) {
    return ChainFault(error,
                      absl::StrFormat("%s: expected %s, actual %s", field, expected, actual));
  };
  ByteReader fixed(bytes);
  const absl::Span<const uint8_t> magic = fixed.Bytes(kMagic.size());
  if (magic != BytesOf(kMagic)) {
    return bad(ChainError::kMalformed, "magic", kMagic,
               absl::CHexEscape(std::string(magic.begin(), magic.end())));
  }
  const auto version = fixed.Number<uint32_t>();
  if (version != kVersion)
    return bad(ChainError::kMalformed, "version", absl::StrCat(kVersion), absl::StrCat(version));
  BoundaryState state;
  state.index = fixed.Number<uint32_t>();
  header_size = fixed.Number<uint64_t>();
  const MemoryDigest digest = ReadDigest(fixed);
  if (!fixed.ok() || header_size < kFixedSize || header_size > bytes.size()) {
    return bad(ChainError::kMalformed, "size of header",
               absl::StrFormat("%d to %d", kFixedSize, bytes.size()), absl::StrCat(header_size));
  }
  const absl::Span<const uint8_t> rest = bytes.subspan(kFixedSize, header_size - kFixedSize);
  if (const MemoryDigest actual = DigestOf(state.index, rest); actual != digest)
    return bad(ChainError::kDamaged, "digest of header", HexOf(digest), HexOf(actual));

  ByteReader in(rest);
  state.program_commit = ReadDigest(in);
  state.hash = in.String();
  state.memory_bits = in.Number<uint32_t>();
  if (state.memory_bits < 12 || state.memory_bits > 32)
    return bad(ChainError::kMalformed, "memory bits", "12 to 32", absl::StrCat(state.memory_bits));
  state.retired = in.Number<uint64_t>();
  const auto ended = in.Number<uint8_t>();
  if (ended > 1) return bad(ChainError::kMalformed, "ended", "0 or 1", absl::StrCat(ended));
  state.ended = ended == 1;
  state.exit_code = in.Number<uint32_t>();
  state.pc = in.Number<uint32_t>();
  for (uint32_t& x : state.x) x = in.Number<uint32_t>();
  if (state.x[0] != 0) return bad(ChainError::kMalformed, "x0", "0", absl::StrCat(state.x[0]));
  state.host_name = in.String();
  state.host_state = in.String();
  state.public_values = in.String();
  state.root = ReadDigest(in);
  const auto count = in.Number<uint32_t>();
  uint64_t free = 0;  // no page below it is still to come
  const uint64_t pages = uint64_t{1} << (state.memory_bits - 12);
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    BoundaryState::Page page;
    page.number = in.Number<uint32_t>();
    page.digest = ReadDigest(in);
    if (in.ok() && (page.number < free || page.number >= pages)) {
      return bad(ChainError::kMalformed, absl::StrFormat("page %d", i),
                 absl::StrFormat("%d to %d", free, pages - 1), absl::StrCat(page.number));
    }
    free = uint64_t{page.number} + 1;
    state.pages.push_back(page);
  }
  if (!in.ok() || !in.AtEnd()) {
    return bad(ChainError::kMalformed, "size of header", "another one", absl::StrCat(header_size));
  }
  const uint64_t expected_size = header_size + uint64_t{count} * kPageSize;
  if (file_size != expected_size) {
    return bad(ChainError::kDamaged, "size of file", absl::StrCat(expected_size),
               absl::StrCat(file_size));
  }
  return state;
}

absl::Status SetLeaves(const BoundaryState& state, MemoryTree& tree) {
  using precast::openvm::AddressSpace;
  if (state.memory_bits != tree.memory_bits()) {
    return ChainFault(ChainError::kState, absl::StrFormat("memory bits: expected %d, actual %d",
                                                          tree.memory_bits(), state.memory_bits));
  }
  std::vector<uint8_t> page(kPageSize);
  for (int i = 0; i < 32; ++i) {
    for (int byte = 0; byte < 4; ++byte)
      page[static_cast<size_t>(4 * i + byte)] = static_cast<uint8_t>(state.x[i] >> (8 * byte));
  }
  tree.Set(tree.LeafOf(AddressSpace::kRegisters, 0), tree.hash().Leaf(page));
  const size_t most = uint64_t{1} << state.memory_bits;
  if (state.public_values.size() > most) {
    return ChainFault(ChainError::kMalformed,
                      absl::StrFormat("public values: expected at most %d bytes, actual %d", most,
                                      state.public_values.size()));
  }
  for (size_t at = 0; at < state.public_values.size(); at += kPageSize) {
    const std::string_view part = std::string_view(state.public_values).substr(at, kPageSize);
    std::fill(page.begin(), page.end(), uint8_t{0});
    std::memcpy(page.data(), part.data(), part.size());
    tree.Set(tree.LeafOf(AddressSpace::kPublicValues, static_cast<uint32_t>(at / kPageSize)),
             tree.hash().Leaf(page));
  }
  for (const BoundaryState::Page& p : state.pages)
    tree.Set(tree.LeafOf(AddressSpace::kMemory, p.number), p.digest);
  return absl::OkStatus();
}

MemoryDigest ProgramCommit(std::string_view guid, std::string_view machine, uint32_t entry_pc,
                           const MemoryDigest& initial_root) {
  ByteWriter out;
  out.String("precast program");
  out.String(guid);
  out.String(machine);
  out.Number(entry_pc);
  out.Bytes(initial_root);
  const std::string text = out.Take();
  return format::Sha256::Hash(BytesOf(text));
}

}  // namespace precast::runtime
