// The metering configuration as JSON: chips, their costs, the limits that end segments.
// metering_schema.h has the schema.
#ifndef PRECAST_OPENVM_METERING_JSON_H_
#define PRECAST_OPENVM_METERING_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "openvm/metering.h"

namespace precast::openvm {

// What the text does not say is as in `defaults`. InvalidArgument, naming the field's path, what
// was expected and what was found; every field is checked, and unknown ones are errors.
absl::StatusOr<MeteringConfig> MeteringFromJson(std::string_view text,
                                                const MeteringConfig& defaults);

// All fields, so that reading it gives an equal configuration whatever the defaults. Ends with a
// newline.
std::string MeteringToJson(const MeteringConfig& config);

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_METERING_JSON_H_
