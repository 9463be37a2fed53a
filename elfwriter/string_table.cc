// Finds strings by hash in the table's own bytes, so that no string is stored twice.

#include "elfwriter/string_table.h"

#include <cstring>
#include <limits>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/log/check.h"

namespace precast::elfwriter {

size_t StringTable::Hash::operator()(uint32_t offset) const {
  return operator()(absl::string_view(bytes->data() + offset));
}

size_t StringTable::Hash::operator()(absl::string_view text) const { return absl::HashOf(text); }

bool StringTable::Equal::operator()(uint32_t offset, absl::string_view text) const {
  // Every string in the table ends in NUL, and `text` has none: neither comparison can run over.
  return std::strncmp(bytes->data() + offset, text.data(), text.size()) == 0 &&
         (*bytes)[offset + text.size()] == 0;
}

bool StringTable::Equal::operator()(absl::string_view text, uint32_t offset) const {
  return operator()(offset, text);
}

StringTable::StringTable(SectionSpec spec)
    : Section(std::move(spec)),
      bytes_(std::make_unique<std::vector<char>>(1)),
      offsets_(0, Hash{bytes_.get()}, Equal{bytes_.get()}) {}

uint32_t StringTable::Add(absl::string_view text) {
  if (text.empty()) return 0;
  CHECK_EQ(text.find('\0'), absl::string_view::npos) << name() << ": NUL in a name";
  const auto found = offsets_.find(text);
  if (found != offsets_.end()) return *found;
  CheckNotPlaced();
  const size_t offset = bytes_->size();
  CHECK_LE(text.size(), std::numeric_limits<uint32_t>::max() - offset) << name();
  bytes_->insert(bytes_->end(), text.begin(), text.end());
  bytes_->push_back(0);
  offsets_.insert(static_cast<uint32_t>(offset));
  return static_cast<uint32_t>(offset);
}

absl::string_view StringTable::Get(uint32_t offset) const {
  CHECK_LT(offset, bytes_->size());
  return bytes_->data() + offset;
}

void StringTable::WriteTo(absl::Span<uint8_t> out) const {
  CHECK_EQ(out.size(), bytes_->size());
  std::memcpy(out.data(), bytes_->data(), bytes_->size());
}

}  // namespace precast::elfwriter
