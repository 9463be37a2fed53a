// The schema of metering configurations (metering_json.h) for editors and for programs that write
// them. Names of chips that must be there, and that each is there once, no schema can say; reading
// the file checks them.
#ifndef PRECAST_OPENVM_METERING_SCHEMA_H_
#define PRECAST_OPENVM_METERING_SCHEMA_H_

namespace precast::openvm {

// JSON Schema, draft 2020-12. Ends with a newline.
extern const char kMeteringSchema[];

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_METERING_SCHEMA_H_
