// What tests want of instances and calls that must succeed.
#ifndef PRECAST_RUNTIME_WASM_TESTING_MUST_H_
#define PRECAST_RUNTIME_WASM_TESTING_MUST_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "runtime/wasm/store.h"

namespace precast::runtime::wasm::testing {

// Null, and a failed expectation, if there is none.
inline Instance* Must(absl::StatusOr<Instance*> instance) {
  EXPECT_TRUE(instance.ok()) << instance.status();
  return instance.ok() ? *instance : nullptr;
}

// The one result, which is an i32; 0xdeadbeef, and a failed expectation, if the call has not
// returned.
inline uint32_t I32Of(const CallResult& result) {
  EXPECT_EQ(result.kind, CallResult::Kind::kReturned) << TrapText(result.trap) << result.failure;
  return result.ok() && result.values.size() == 1 ? result.values[0].As<uint32_t>() : 0xdeadbeef;
}

}  // namespace precast::runtime::wasm::testing

#endif  // PRECAST_RUNTIME_WASM_TESTING_MUST_H_
