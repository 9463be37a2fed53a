// Writes the sample object as DIR/sample.so, and as DIR/sample.s, DIR/sample.ld and
// DIR/ld_options for the other writer: what tool_conformance_test.sh gives to other people's tools.

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "elfwriter/assembly.h"
#include "elfwriter/sample_object.h"

namespace precast::elfwriter {
namespace {

bool WriteFile(const std::string& path, absl::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (file.fail()) std::fprintf(stderr, "cannot write %s\n", path.c_str());
  return !file.fail();
}

int Main(int argc, char** argv) {
  SampleOptions options;
  bool is_minimal = false;
  if (argc < 2) {
    std::fprintf(stderr,
                 "usage: write_sample DIR [functions=N] [export] [bss] [note] [empty] | minimal\n");
    return 2;
  }
  for (int i = 2; i < argc; ++i) {
    absl::string_view arg = argv[i];
    if (arg == "export") {
      options.export_numbered = true;
    } else if (arg == "bss") {
      options.with_zero_fill = true;
    } else if (arg == "minimal") {
      is_minimal = true;
    } else if (arg == "empty") {
      options.with_empty_sections = true;
    } else if (arg == "note") {
      options.with_note = true;
    } else if (arg.substr(0, 10) != "functions=" ||
               !absl::SimpleAtoi(arg.substr(10), &options.numbered_functions)) {
      std::fprintf(stderr, "write_sample: what is '%s'?\n", argv[i]);
      return 2;
    }
  }
  const std::unique_ptr<Object> object =
      is_minimal ? MakeMinimalObject() : MakeSampleObject(options);
  const std::vector<uint8_t> image = object->Write();
  const Assembly assembly = WriteAssembly(*object);
  const std::string base = absl::StrCat(argv[1], "/sample");
  const absl::string_view bytes(reinterpret_cast<const char*>(image.data()), image.size());
  return WriteFile(base + ".so", bytes) && WriteFile(base + ".s", assembly.source) &&
                 WriteFile(base + ".ld", assembly.linker_script) &&
                 WriteFile(absl::StrCat(argv[1], "/ld_options"), assembly.linker_options)
             ? 0
             : 1;
}

}  // namespace
}  // namespace precast::elfwriter

int main(int argc, char** argv) { return precast::elfwriter::Main(argc, argv); }
