// See descriptors.h.
#include "runtime/host/wasi/descriptors.h"

#include <unistd.h>

#include <utility>

namespace precast::runtime::wasi {

Descriptor::~Descriptor() {
  if (owned) close(host);
}

std::optional<uint32_t> Descriptors::Add(std::unique_ptr<Descriptor> descriptor) {
  uint32_t fd = 0;
  while (fd < table_.size() && table_[fd] != nullptr) ++fd;
  if (fd == kMaxDescriptors) return std::nullopt;
  if (fd == table_.size()) table_.emplace_back();
  table_[fd] = std::move(descriptor);
  return fd;
}

bool Descriptors::Close(uint32_t fd) {
  if (Find(fd) == nullptr) return false;
  table_[fd].reset();
  return true;
}

bool Descriptors::Renumber(uint32_t from, uint32_t to) {
  if (Find(from) == nullptr || Find(to) == nullptr) return false;
  if (from != to) table_[to] = std::move(table_[from]);
  return true;
}

}  // namespace precast::runtime::wasi
