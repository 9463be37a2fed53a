// Memories, tables and globals, as instances share them.
#ifndef PRECAST_RUNTIME_WASM_OBJECTS_H_
#define PRECAST_RUNTIME_WASM_OBJECTS_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "loader/image.h"
#include "runtime/abi/wasm_context.h"
#include "runtime/wasm/store.h"
#include "runtime/wasm/types.h"

namespace precast::runtime::wasm {

// A memory in a reservation of address space that never moves. What is beyond its size is not
// accessible. Reservations of 32-bit memories are kept for the next one.
class LinearMemory final : public Memory {
 public:
  // `image`: if not null, the initial contents are its segments, mapped copy-on-write from the file
  // if there is one. `huge_pages`: ask for them when it is large.
  static absl::StatusOr<std::shared_ptr<LinearMemory>> Create(const MemoryType& type,
                                                              const loader::Image* image,
                                                              bool huge_pages);
  ~LinearMemory() override;
  LinearMemory(const LinearMemory&) = delete;
  LinearMemory& operator=(const LinearMemory&) = delete;

  const MemoryType& type() const override { return type_; }
  uint8_t* base() const override { return record_.base; }
  uint64_t bytes() const override { return __atomic_load_n(&record_.bytes, __ATOMIC_ACQUIRE); }
  std::optional<uint64_t> Grow(uint64_t pages) override;
  abi::MemoryRecord* record() override { return &record_; }

  // Whether a host address is in the reservation: then a fault there is the guest's.
  bool Reserves(uint64_t host_address) const {
    return host_address - reinterpret_cast<uint64_t>(record_.base) < reservation_;
  }

 private:
  LinearMemory() = default;
  absl::Status MapSegments(const loader::Image& image);
  void Advise();

  MemoryType type_;
  abi::MemoryRecord record_ = {};
  uint64_t reservation_ = 0;
  uint64_t accessible_ = 0;
  uint64_t max_bytes_ = 0;
  bool file_mapped_ = false;
  bool huge_pages_ = false;
  bool advised_ = false;  // huge pages have been asked for
  absl::Mutex grow_mutex_;
};

// Elements are in reserved address space for the largest size the table may have, which is kept for
// the next one.
class TableObject final : public Table {
 public:
  // Implementation limit.
  static constexpr uint64_t kMaxElements = 10'000'000;

  static absl::StatusOr<std::unique_ptr<TableObject>> Create(const TableType& type,
                                                             uint64_t initial_reference);
  ~TableObject() override;
  TableObject(const TableObject&) = delete;
  TableObject& operator=(const TableObject&) = delete;

  const TableType& type() const override { return type_; }
  uint64_t size() const override { return record_.size; }
  std::optional<uint64_t> Get(uint64_t i) const override;
  bool Set(uint64_t i, uint64_t reference) override;
  std::optional<uint64_t> Grow(uint64_t elements, uint64_t reference) override;
  abi::TableRecord* record() override { return &record_; }
  // All these elements will be written soon: one request for all pages is cheaper than a fault for
  // each.
  void ExpectWrites(uint64_t first, uint64_t count);

 private:
  TableObject() = default;

  TableType type_;
  abi::TableRecord record_ = {};
  uint64_t max_elements_ = 0;
  uint64_t mapped_ = 0;     // bytes; 0: from the heap
  uint64_t populated_ = 0;  // elements from the beginning, in pages that are there already
};

class GlobalObject final : public Global {
 public:
  // With a cell of its own, or that of an instance.
  GlobalObject(const GlobalType& type, const Value& value) : type_(type), cell_(&own_) {
    Set(value);
  }
  GlobalObject(const GlobalType& type, abi::WasmValue* cell) : type_(type), cell_(cell) {}
  GlobalObject(const GlobalObject&) = delete;
  GlobalObject& operator=(const GlobalObject&) = delete;

  const GlobalType& type() const override { return type_; }
  Value Get() const override { return Value{type_.type, *cell_}; }
  void Set(const Value& value) override { *cell_ = value.bits; }
  abi::WasmValue* cell() override { return cell_; }

 private:
  GlobalType type_;
  abi::WasmValue own_ = {};
  abi::WasmValue* cell_;
};

}  // namespace precast::runtime::wasm

#endif  // PRECAST_RUNTIME_WASM_OBJECTS_H_
