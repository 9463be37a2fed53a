// Store::Wrap: C++ callables with typed parameters as host functions. Included by store.h.
#ifndef PRECAST_RUNTIME_WASM_WRAP_H_
#define PRECAST_RUNTIME_WASM_WRAP_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "runtime/wasm/store.h"

namespace precast::runtime::wasm {

namespace wrap_internal {

template <typename T>
constexpr ValType ValTypeOf() {
  if constexpr (std::is_same_v<T, int32_t> || std::is_same_v<T, uint32_t>) {
    return ValType::kI32;
  } else if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, uint64_t>) {
    return ValType::kI64;
  } else if constexpr (std::is_same_v<T, float>) {
    return ValType::kF32;
  } else {
    static_assert(std::is_same_v<T, double>, "not a type that WebAssembly code can pass");
    return ValType::kF64;
  }
}

// What operator() takes and gives.
template <typename M>
struct Callable;
template <typename C, typename R, typename... A>
struct Callable<R (C::*)(Caller&, A...) const> {
  using Result = R;
  static FuncType Type() {
    FuncType type{{ValTypeOf<A>()...}, {}};
    if constexpr (!std::is_void_v<R> && !std::is_same_v<R, HostResult>)
      type.results.push_back(ValTypeOf<R>());
    return type;
  }
  template <typename F>
  static HostResult Call(F& f, Caller& caller, absl::Span<const Value> args,
                         absl::Span<Value> results) {
    return CallWith(f, caller, args, results, std::index_sequence_for<A...>());
  }

 private:
  template <typename F, size_t... I>
  static HostResult CallWith(F& f, Caller& caller, [[maybe_unused]] absl::Span<const Value> args,
                             [[maybe_unused]] absl::Span<Value> results,
                             std::index_sequence<I...>) {
    if constexpr (std::is_void_v<R>) {
      f(caller, args[I].template As<A>()...);
      return HostResult::Return();
    } else if constexpr (std::is_same_v<R, HostResult>) {
      return f(caller, args[I].template As<A>()...);
    } else {
      results[0] = Value::Of(ValTypeOf<R>(), f(caller, args[I].template As<A>()...));
      return HostResult::Return();
    }
  }
};
template <typename C, typename R, typename... A>
struct Callable<R (C::*)(Caller&, A...)> : Callable<R (C::*)(Caller&, A...) const> {};

}  // namespace wrap_internal

template <typename F>
Func* Store::Wrap(F function) {
  using Signature = wrap_internal::Callable<decltype(&F::operator())>;
  return NewFunction(Signature::Type(),
                     [function = std::move(function)](Caller& caller, absl::Span<const Value> args,
                                                      absl::Span<Value> results) mutable {
                       return Signature::Call(function, caller, args, results);
                     });
}

}  // namespace precast::runtime::wasm

#endif  // PRECAST_RUNTIME_WASM_WRAP_H_
