// Runs text tests of passes: a file holds functions as IR text, and what a pass makes of each.
//
//   //! pass: dce meter
//   function "before"(…) … { … }
//   //! expect
//   function "before"(…) … { … }
//   //! pass: …
//
// Comments between functions are kept. `--update` rewrites the expectations in the source tree,
// when the test is run by `bazel run`.
#ifndef PRECAST_COMPILER_OPT_FILETEST_H_
#define PRECAST_COMPILER_OPT_FILETEST_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace precast::opt {

// The file as it should be: the same text with the expectations replaced by what the passes make
// now. InvalidArgument if the file cannot be read or a function does not verify.
absl::StatusOr<std::string> RunFileTest(std::string_view text);

}  // namespace precast::opt

#endif  // PRECAST_COMPILER_OPT_FILETEST_H_
