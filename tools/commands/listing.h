// The listing of an image: machine code function by function, with the guest instructions it came
// from and the places where it can stop.
#ifndef PRECAST_TOOLS_COMMANDS_LISTING_H_
#define PRECAST_TOOLS_COMMANDS_LISTING_H_

#include <string>

#include "absl/status/statusor.h"
#include "tools/commands/image_view.h"
#include "tools/commands/io.h"

namespace precast::aotc {

struct ListingOptions {
  std::string function;  // name, or guest pc such as 0x10124; empty: all, and the PLT
  bool guest = true;     // guest instructions
  bool native = true;    // machine instructions and sites
  Palette palette{false};
};

// NotFound if there is no such function; says which names are close.
absl::StatusOr<std::string> Listing(const ImageView& image, const ListingOptions& options);

// The listing in one line per instruction of one guest instruction: "00010094: addi sp, sp, -16".
std::string GuestLine(const ImageView& image, uint32_t pc);

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_LISTING_H_
