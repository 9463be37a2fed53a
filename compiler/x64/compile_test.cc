// Assembly for small IR functions, compared with expectations in the same file: filetests/*.ir hold
// IR, then the assembly as comments. A name that ends in _o2 means -O2, in _v3 --cpu=x86-64-v3. To
// accept what the compiler now makes, after reading it:
//   bazel run //compiler/x64:compile_test -- --update
#include "compiler/x64/compile.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "compiler/ir/parser.h"
#include "compiler/ir/verifier.h"
#include "compiler/x64/assembly_text.h"
#include "gtest/gtest.h"
#include "loader/format/cpu_features.h"

namespace precast::x64 {
namespace {

constexpr char kFolder[] = "compiler/x64/filetests";
constexpr char kMark[] = "// ---- x86-64\n";

bool g_update = false;

std::string Read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST(CompileTest, Files) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  ASSERT_FALSE(paths.empty());
  for (const std::filesystem::path& path : paths) {
    SCOPED_TRACE(path.filename());
    const std::string text = Read(path);
    const size_t mark = text.find(kMark);
    const std::string source = text.substr(0, mark);
    const auto functions = ir::ParseFunctions(source);
    ASSERT_TRUE(functions.ok()) << functions.status();
    std::string result = source + kMark;
    for (const ir::Function& f : *functions) {
      ASSERT_TRUE(ir::Verify(f).ok()) << ir::Verify(f);
      codegen::CompileOptions options;
      options.check_allocation = true;
      options.dispatch_base = 0x10000;
      options.dispatch_count = 1000;
      options.opt_level = path.stem().string().ends_with("_o2") ? 2 : 1;
      if (path.stem().string().ends_with("_v3")) options.cpu_features = format::kX86_64V3;
      absl::StrAppend(&result, "//\n// ", f.name(), "\n");
      const std::string assembly = AssemblyText(Compile(f, options));
      for (absl::string_view line : absl::StrSplit(assembly, '\n', absl::SkipEmpty())) {
        absl::StrAppend(&result, "// ", line, "\n");
      }
    }
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
}  // namespace precast::x64

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--update") precast::x64::g_update = true;
  }
  return RUN_ALL_TESTS();
}
