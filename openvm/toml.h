// Reads the machine's configuration from an `openvm.toml`.
#ifndef PRECAST_OPENVM_TOML_H_
#define PRECAST_OPENVM_TOML_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "openvm/config.h"

namespace precast::openvm {

// Takes what `openvm.toml` files consist of: tables, arrays of tables, strings, integers, booleans
// and arrays of TOML 1.0 (own code: no TOML library is among the archives that this is built from).
// Tables `app_vm_config.*` name the extensions and their parameters; other tables are not looked
// at. InvalidArgument, naming the line.
absl::StatusOr<Config> FromToml(std::string_view text);

// Either form of a configuration: FromToml or FromText.
absl::StatusOr<Config> ReadConfig(std::string_view text);

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_TOML_H_
