// Reads testdata/guests/manifest.txt: the cases that are run, and how each must end.
#ifndef PRECAST_TOOLS_TESTING_MANIFEST_H_
#define PRECAST_TOOLS_TESTING_MANIFEST_H_

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace precast::testing {

struct GuestCase {
  std::string name;
  std::string elf;                     // in testdata/prebuilt
  std::vector<std::string> arguments;  // without the program's name; may hold @tmp
  std::string input;                   // relative to testdata/guests; empty: no input
  std::vector<std::string> grants;     // relative to testdata/guests, or @tmp
  std::string expect;                  // exit:CODE, trap:KIND or limit
  std::vector<std::string> tags;

  bool Has(std::string_view tag) const;
  // For GoogleTest's messages.
  friend void PrintTo(const GuestCase& guest, std::ostream* out) { *out << guest.name; }
};

// CHECK-fails on a line that has not eight fields.
std::vector<GuestCase> ParseManifest(std::string_view text);

}  // namespace precast::testing

#endif  // PRECAST_TOOLS_TESTING_MANIFEST_H_
