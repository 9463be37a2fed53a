// IR for small modules, compared with expectations in the same file: filetests/*.wat hold a module,
// then the IR of its functions as comments. A module is lifted without metering, or with it after a
// line `;; metered`; with canonical NaNs after a line `;; canonical_nans`. To accept what the
// lifter now makes, after reading it:
//   bazel run //compiler/wasm:lifter_test -- --update
#include "compiler/wasm/lifter.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "compiler/ir/printer.h"
#include "compiler/ir/verifier.h"
#include "compiler/wasm/reader.h"
#include "compiler/wasm/validator.h"
#include "gtest/gtest.h"
#include "tools/wast/text.h"

namespace precast::wasm {
namespace {

constexpr char kFolder[] = "compiler/wasm/filetests";
constexpr char kMark[] = ";; ---- lifted\n";

bool g_update = false;

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::string AsComment(std::string_view text) {
  std::string result;
  for (std::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    absl::StrAppend(&result, ";; ", line, "\n");
  }
  return result;
}

std::string LiftedText(const std::string& name, const std::string& source) {
  const absl::StatusOr<std::vector<uint8_t>> bytes = wast::ModuleFromText(name, source);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  if (!bytes.ok()) return "";
  const absl::StatusOr<Module> module = ReadModule(*bytes, Features{});
  EXPECT_TRUE(module.ok()) << module.status();
  if (!module.ok()) return "";
  const absl::Status valid = Validate(*module, Features{});
  EXPECT_TRUE(valid.ok()) << valid;
  if (!valid.ok()) return "";
  const LiftContext context(*module);
  const LiftOptions options = {.metered = absl::StrContains(source, "\n;; metered\n"),
                               .canonical_nans = absl::StartsWith(source, ";; canonical_nans\n")};
  std::string text;
  for (uint32_t f = module->num_imported_functions; f < module->functions.size(); ++f) {
    const absl::StatusOr<ir::Function> function = Lift(context, f, options);
    EXPECT_TRUE(function.ok()) << function.status();
    if (!function.ok()) continue;
    EXPECT_TRUE(ir::Verify(*function).ok()) << ir::Verify(*function);
    absl::StrAppend(&text, text.empty() ? "" : ";;\n", AsComment(ir::Print(*function)));
  }
  return text;
}

TEST(Lifter, Files) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".wat") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  ASSERT_FALSE(paths.empty());
  for (const std::filesystem::path& path : paths) {
    SCOPED_TRACE(path.filename());
    const std::string text = ReadText(path);
    const std::string source = text.substr(0, text.find(kMark));
    const std::string result = absl::StrCat(source, kMark, LiftedText(path.filename(), source));
    if (g_update) {
      const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
      ASSERT_NE(workspace, nullptr) << "--update needs `bazel run`";
      std::ofstream(std::filesystem::path(workspace) / kFolder / path.filename(), std::ios::binary)
          << result;
    } else {
      EXPECT_EQ(result, text);
    }
  }
}

}  // namespace
}  // namespace precast::wasm

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--update") precast::wasm::g_update = true;
  }
  return RUN_ALL_TESTS();
}
