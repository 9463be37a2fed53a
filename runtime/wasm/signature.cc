#include "runtime/wasm/signature.h"

#include <cstring>
#include <utility>

#include "absl/base/const_init.h"
#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/synchronization/mutex.h"

namespace precast::runtime::wasm {

namespace {

struct Entry {
  const Signature* signature;
  std::weak_ptr<const Signature> weak;
};

struct HashOfType {
  using is_transparent = void;
  size_t operator()(const FuncType& type) const { return absl::HashOf(type.params, type.results); }
  size_t operator()(const Entry& entry) const { return (*this)(entry.signature->type); }
};

struct EqualType {
  using is_transparent = void;
  static const FuncType& Of(const FuncType& type) { return type; }
  static const FuncType& Of(const Entry& entry) { return entry.signature->type; }
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return Of(a).params == Of(b).params && Of(a).results == Of(b).results;
  }
};

ABSL_CONST_INIT absl::Mutex mutex(absl::kConstInit);

// Never destroyed: stores may outlive static objects.
using Signatures = absl::flat_hash_set<Entry, HashOfType, EqualType>;
Signatures& Known() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  static auto* const known = new Signatures;
  return *known;
}

void Forget(const Signature* signature) {
  {
    absl::MutexLock lock(&mutex);
    auto it = Known().find(signature->type);
    // Somebody may have made a new one since the last reference to this one went.
    if (it != Known().end() && it->signature == signature) Known().erase(it);
  }
  delete signature;
}

// Sets the places of `types`; returns how many args have to be handed on.
uint32_t Assign(const std::vector<ValType>& types, std::vector<Place>& places) {
  uint16_t integers = 0, vectors = 0;
  uint32_t args = 0;
  for (uint32_t n = 0; n < types.size(); ++n) {
    const ValType type = types[n];
    const bool vector = type == ValType::kF32 || type == ValType::kF64 || type == ValType::kV128;
    const auto size = static_cast<uint8_t>(type == ValType::kI32 || type == ValType::kF32 ? 4
                                           : type == ValType::kV128                       ? 16
                                                                                          : 8);
    if (vector && vectors < abi::kNumWasmVectorPassed) {
      places.push_back({Place::Kind::kVector, size, vectors++});
    } else if (!vector && integers < abi::kNumWasmIntPassed) {
      places.push_back({Place::Kind::kInteger, size, integers++});
    } else {
      places.push_back({Place::Kind::kArgs, size, static_cast<uint16_t>(n)});
      args = n + 1;
    }
  }
  return args;
}

}  // namespace

std::shared_ptr<const Signature> InternSignature(const FuncType& type) {
  absl::MutexLock lock(&mutex);
  const auto known = Known().find(type);
  if (known != Known().end()) {
    if (std::shared_ptr<const Signature> signature = known->weak.lock()) return signature;
    Known().erase(known);  // before its type goes
  }
  auto* made = new Signature;
  made->type = type;
  made->args_params = Assign(type.params, made->params);
  made->args_results = Assign(type.results, made->results);
  std::shared_ptr<const Signature> signature(made, &Forget);
  Known().insert({made, signature});
  return signature;
}

void ToPlaces(const std::vector<Place>& places, const abi::WasmValue* values, PassedArea& area,
              abi::WasmValue* args) {
  for (size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    abi::WasmValue value = {};
    std::memcpy(value.bytes, values[i].bytes, place.size);
    switch (place.kind) {
      case Place::Kind::kInteger:
        std::memcpy(&area.integers[place.index], value.bytes, 8);
        break;
      case Place::Kind::kVector:
        area.vectors[place.index] = value;
        break;
      case Place::Kind::kArgs:
        args[place.index] = value;
        break;
    }
  }
}

void FromPlaces(const std::vector<Place>& places, const PassedArea& area,
                const abi::WasmValue* args, abi::WasmValue* values) {
  for (size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    const void* from = place.kind == Place::Kind::kInteger
                           ? static_cast<const void*>(&area.integers[place.index])
                       : place.kind == Place::Kind::kVector ? &area.vectors[place.index]
                                                            : &args[place.index];
    values[i] = {};
    std::memcpy(values[i].bytes, from, place.size);
  }
}

}  // namespace precast::runtime::wasm
