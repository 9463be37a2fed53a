// Tables: where their elements are.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_format.h"
#include "runtime/wasm/objects.h"

namespace precast::runtime::wasm {

namespace {
// Larger ones are mapped, and take up no memory before they are used.
constexpr uint64_t kMaxHeapElements = 2048;
}  // namespace

absl::StatusOr<std::unique_ptr<TableObject>> TableObject::Create(const TableType& type,
                                                                 uint64_t initial_reference) {
  const uint64_t min = type.limits.min;
  if (min > kMaxElements) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("table of %d elements: expected at most %d", min, kMaxElements));
  }
  std::unique_ptr<TableObject> table(new TableObject);
  table->type_ = type;
  table->max_elements_ =
      std::max(min, std::min(type.limits.max.value_or(kMaxElements), kMaxElements));
  const uint64_t room = std::max<uint64_t>(table->max_elements_, 1);
  void* elements;
  if (room <= kMaxHeapElements) {
    elements = std::calloc(room, sizeof(uint64_t));
  } else {
    table->mapped_ = room * sizeof(uint64_t);
    elements = mmap(nullptr, table->mapped_, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (elements == MAP_FAILED) elements = nullptr;
  }
  if (elements == nullptr)
    return absl::ResourceExhaustedError(
        absl::StrFormat("no memory for a table of %d elements", room));
  table->record_ = {static_cast<uint64_t*>(elements), min, table.get()};
  if (initial_reference != 0) std::fill_n(table->record_.elements, min, initial_reference);
  return table;
}

TableObject::~TableObject() {
  if (mapped_ != 0) {
    munmap(record_.elements, mapped_);
  } else {
    std::free(record_.elements);
  }
}

std::optional<uint64_t> TableObject::Get(uint64_t i) const {
  if (i >= record_.size) return std::nullopt;
  return record_.elements[i];
}

bool TableObject::Set(uint64_t i, uint64_t reference) {
  if (i >= record_.size) return false;
  record_.elements[i] = reference;
  return true;
}

std::optional<uint64_t> TableObject::Grow(uint64_t elements, uint64_t reference) {
  const uint64_t before = record_.size;
  if (elements > max_elements_ - before) return std::nullopt;
  std::fill_n(record_.elements + before, elements, reference);
  record_.size = before + elements;
  return before;
}

}  // namespace precast::runtime::wasm
