// Tables: where their elements are.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "runtime/wasm/objects.h"

namespace precast::runtime::wasm {

namespace {

// Larger ones are mapped, and take up no memory before they are used.
constexpr uint64_t kMaxHeapElements = 2048;

// Mapped room for elements that no table uses, with whatever was in it.
class Pool {
 public:
  struct Slot {
    void* elements = nullptr;
    uint64_t mapped = 0;  // bytes
    uint64_t used = 0;    // elements from the beginning that need not be zero
  };

  std::optional<Slot> Take(uint64_t mapped) {
    absl::MutexLock lock(&mutex_);
    for (Slot& slot : slots_) {
      if (slot.mapped != mapped) continue;
      const Slot taken = slot;
      slot = slots_.back();
      slots_.pop_back();
      return taken;
    }
    return std::nullopt;
  }
  bool Put(const Slot& slot) {
    absl::MutexLock lock(&mutex_);
    if (slots_.size() >= kMaxSlots || slot.used > kMaxUsed) return false;
    slots_.push_back(slot);
    return true;
  }
  static Pool& Get() {
    static auto* const pool = new Pool;
    return *pool;
  }

 private:
  static constexpr size_t kMaxSlots = 16;
  // Writing zeros to so many is quicker than getting new pages.
  static constexpr uint64_t kMaxUsed = 1 << 17;
  absl::Mutex mutex_;
  std::vector<Slot> slots_ ABSL_GUARDED_BY(mutex_);
};

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
  void* elements = nullptr;
  if (room <= kMaxHeapElements) {
    elements = std::calloc(room, sizeof(uint64_t));
  } else {
    table->mapped_ = room * sizeof(uint64_t);
    if (const std::optional<Pool::Slot> slot = Pool::Get().Take(table->mapped_)) {
      elements = slot->elements;
      std::memset(elements, 0, slot->used * sizeof(uint64_t));
      table->populated_ = slot->used;
    }
  }
  if (room > kMaxHeapElements && elements == nullptr) {
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
    const Pool::Slot slot{.elements = record_.elements, .mapped = mapped_, .used = record_.size};
    if (!Pool::Get().Put(slot)) munmap(record_.elements, mapped_);
  } else {
    std::free(record_.elements);
  }
}

void TableObject::ExpectWrites(uint64_t first, uint64_t count) {
  constexpr uint64_t kElementsInPage = 4096 / sizeof(uint64_t);
  if (mapped_ == 0 || first >= record_.size || count < 2 * kElementsInPage) return;
  if (first + count <= populated_) return;
  first = first / kElementsInPage * kElementsInPage;
  count = std::min(count, record_.size - first);
  // An older Linux does not know the request; then there are faults.
  madvise(record_.elements + first, count * sizeof(uint64_t), MADV_POPULATE_WRITE);
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
