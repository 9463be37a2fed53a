// WebAssembly values and types as text: what `aotc run --invoke` reads and prints, and how reports
// name imports and exports.
#ifndef PRECAST_TOOLS_COMMANDS_WASM_VALUES_H_
#define PRECAST_TOOLS_COMMANDS_WASM_VALUES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "runtime/wasm/types.h"

namespace precast::aotc {

// A value of this type:
//   i32, i64    decimal or 0x hexadecimal, with or without sign, underscores between digits; from
//   the smallest
//               signed to the largest unsigned number
//   f32, f64    decimal or 0x hexadecimal with p exponent, inf, nan, nan:0x… (payload), with or
//   without sign v128        0x and up to 32 hexadecimal digits, the number whose low byte is lane
//   0 funcref     null
//   externref   null, or a number
// InvalidArgument says what was expected.
absl::StatusOr<runtime::wasm::Value> ParseValue(runtime::wasm::ValType type, std::string_view text);

// In the same form: signed decimal integers, the shortest decimal that reads as the same float. A
// funcref that is not null is "funcref".
std::string ValueText(const runtime::wasm::Value& value);

// "i32".
std::string_view TypeName(runtime::wasm::ValType type);
// "(i32, i64) -> f32", "() -> ()".
std::string TypeText(const runtime::wasm::FuncType& type);
// "function (i32) -> i32", "memory 1..16 pages", "table 10.. of funcref", "global mutable i32".
std::string TypeText(const runtime::wasm::ExternType& type);

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_WASM_VALUES_H_
