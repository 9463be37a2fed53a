// Typed access to the guest's memory at addresses it chose: every access is checked, and says so
// when it fails.
#ifndef PRECAST_RUNTIME_HOST_WASI_GUEST_MEMORY_H_
#define PRECAST_RUNTIME_HOST_WASI_GUEST_MEMORY_H_

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "runtime/wasm/store.h"

namespace precast::runtime::wasi {

class GuestMemory {
 public:
  // `memory` may be null: then nothing is accessible.
  explicit GuestMemory(wasm::Memory* memory) : memory_(memory) {}

  std::optional<absl::Span<uint8_t>> Slice(uint64_t offset, uint64_t size) const {
    if (memory_ == nullptr) return std::nullopt;
    return memory_->Slice(offset, size);
  }

  template <typename T>
  std::optional<T> Load(uint64_t offset) const {
    const std::optional<absl::Span<uint8_t>> bytes = Slice(offset, sizeof(T));
    if (!bytes) return std::nullopt;
    T value;
    std::memcpy(&value, bytes->data(), sizeof value);
    return value;
  }

  // False if out of bounds; then nothing is written.
  template <typename T>
  [[nodiscard]] bool Store(uint64_t offset, T value) const {
    const std::optional<absl::Span<uint8_t>> bytes = Slice(offset, sizeof(T));
    if (!bytes) return false;
    std::memcpy(bytes->data(), &value, sizeof value);
    return true;
  }

  [[nodiscard]] bool Write(uint64_t offset, std::string_view data) const {
    const std::optional<absl::Span<uint8_t>> bytes = Slice(offset, data.size());
    if (!bytes) return false;
    if (!data.empty()) std::memcpy(bytes->data(), data.data(), data.size());
    return true;
  }

  // A copy: the guest's other threads cannot change it afterwards.
  std::optional<std::string> String(uint64_t offset, uint64_t size) const {
    const std::optional<absl::Span<uint8_t>> bytes = Slice(offset, size);
    if (!bytes) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  }

 private:
  wasm::Memory* memory_;
};

}  // namespace precast::runtime::wasi

#endif  // PRECAST_RUNTIME_HOST_WASI_GUEST_MEMORY_H_
