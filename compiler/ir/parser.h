// Reads the text form of the IR (described in printer.h), for tests and tools.
//
// The parser checks syntax and that every value and block named is defined somewhere. Whether the
// function makes sense is for the verifier to say.
#ifndef PRECAST_COMPILER_IR_PARSER_H_
#define PRECAST_COMPILER_IR_PARSER_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "compiler/ir/ir.h"

namespace precast::ir {

// All functions in `text`. Errors are InvalidArgument, "line 3, column 5: expected …, found …".
// Safe on any bytes; uses memory in proportion to the size of the text.
absl::StatusOr<std::vector<Function>> ParseFunctions(std::string_view text);

// Exactly one function.
absl::StatusOr<Function> Parse(std::string_view text);

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_PARSER_H_
