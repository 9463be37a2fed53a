// aotc disasm: the listing of an image.
#include <unistd.h>

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "tools/commands/commands.h"
#include "tools/commands/image_view.h"
#include "tools/commands/io.h"
#include "tools/commands/listing.h"

namespace precast::aotc {
namespace {

constexpr char kDescription[] =
    R"(Prints the machine code of IMAGE, function by function, each piece below the guest instruction it
came from. Behind a `;` is what the image's tables say of a place where execution can stop:

  may fault at PC      a guest memory access; a fault there is a trap of the guest at PC
  trap KIND at PC      always a trap
  suspend at PC        out of instructions (--max-insns): goes on at PC
  call returns at PC   return address of a call
  refund N             instructions charged for, but not yet executed
  a0=ecx, s1=[rsp+8]   where the guest's registers are that are not in the VmContext)";

}  // namespace

int DisasmMain(int argc, char** argv) {
  ListingOptions options;
  bool guest_only = false, native_only = false;
  cli::Command command{
      .name = "disasm",
      .usage = "IMAGE [--function=F] [flags]",
      .summary = "Print an image's machine code beside the guest's instructions",
      .description = kDescription,
      .examples =
          "  aotc disasm hello.so --function=main\n"
          "  aotc disasm hello.so --function=0x10124 --native-only\n",
      .flags = {cli::Text("function", 'f', "F", "only this function: its name or a guest pc in it",
                          &options.function),
                cli::Switch("guest-only", 0, "only guest instructions", &guest_only),
                cli::Switch("native-only", 0, "only machine instructions", &native_only)},
      .positional = {}};
  if (const std::optional<int> code = cli::Parse(kProgram, command, argc, argv)) return *code;
  if (command.positional.size() != 1) return UsageError("disasm", "expected one IMAGE");
  if (guest_only && native_only) {
    return UsageError("disasm", "--guest-only and --native-only leave nothing to print");
  }
  options.guest = !native_only;
  options.native = !guest_only;
  options.palette = Palette(UseColor(STDOUT_FILENO));

  const std::string& path = command.positional[0];
  absl::StatusOr<std::vector<uint8_t>> file = ReadFile(path);
  if (!file.ok()) {
    PrintError(file.status().message());
    return cli::kExitFailure;
  }
  absl::StatusOr<ImageView> view = ImageView::Parse(*file);
  absl::StatusOr<std::string> listing = view.ok() ? Listing(*view, options) : view.status();
  if (!listing.ok()) {
    PrintError(absl::StrCat(path, ": ", listing.status().message()));
    return cli::kExitFailure;
  }
  if (absl::Status s = WriteFileOrStdout("-", *listing); !s.ok()) {
    PrintError(s.message());
    return cli::kExitFailure;
  }
  return cli::kExitOk;
}

}  // namespace precast::aotc
