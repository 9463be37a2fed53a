// IR for small programs, compared with expectations in the same file: filetests/*.s hold assembly,
// then the control flow and the IR as comments, block by block (local) and in SSA form. To accept
// what the lifter now makes, after reading it:
//   bazel run //compiler/riscv:lifter_test -- --update
#include "compiler/riscv/lifter.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "compiler/ir/printer.h"
#include "compiler/ir/verifier.h"
#include "compiler/riscv/control_flow_text.h"
#include "compiler/riscv/elf_reader.h"
#include "compiler/riscv/testing/assembler.h"
#include "compiler/riscv/testing/assembly_text.h"
#include "compiler/riscv/testing/random_program.h"
#include "gtest/gtest.h"

namespace precast::riscv {
namespace {

constexpr char kFolder[] = "compiler/riscv/filetests";
constexpr char kMark[] = "# ---- lifted\n";

bool g_update = false;

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::vector<std::filesystem::path> FilesIn(const char* folder, std::string_view extension) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == extension) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string AsComment(std::string_view text) {
  std::string result;
  for (std::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty()))
    absl::StrAppend(&result, "# ", line, "\n");
  return result;
}

std::string LiftedText(const std::vector<uint8_t>& elf) {
  const absl::StatusOr<guest::Program> program = ReadElf(elf);
  EXPECT_TRUE(program.ok()) << program.status();
  const Code code(*program);
  const ControlFlow flow = RecoverControlFlow(*program, code);
  std::string text = AsComment(ToString(flow));
  for (const bool local : {true, false}) {
    absl::StrAppend(&text, local ? "#\n# -- local\n" : "#\n# -- SSA\n");
    for (const Region& region : flow.regions) {
      const ir::Function function = Lift(region, flow, code, {.local = local});
      EXPECT_TRUE(ir::Verify(function).ok()) << ir::Verify(function);
      absl::StrAppend(&text, "#\n", AsComment(ir::Print(function)));
    }
  }
  return text;
}

TEST(Lifter, Files) {
  const std::vector<std::filesystem::path> paths = FilesIn(kFolder, ".s");
  ASSERT_FALSE(paths.empty());
  for (const std::filesystem::path& path : paths) {
    SCOPED_TRACE(path.filename());
    const std::string text = ReadText(path);
    const std::string source = text.substr(0, text.find(kMark));
    const std::string result = source + kMark + LiftedText(testing::Assemble(source));
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

// Lifts all regions in both ways; every function must keep the IR's rules.
void LiftAndVerify(const guest::Program& program) {
  const Code code(program);
  const ControlFlow flow = RecoverControlFlow(program, code);
  for (const bool local : {true, false}) {
    for (const Region& region : flow.regions) {
      const ir::Function function = Lift(region, flow, code, {.local = local});
      const absl::Status status = ir::Verify(function);
      ASSERT_TRUE(status.ok()) << status << "\n" << ToString({{region}, {}});
      ASSERT_EQ(function.entries().size(), region.entries.size());
      for (size_t i = 0; i < region.entries.size(); ++i)
        ASSERT_EQ(function.block(function.entries()[i]).guest_pc, region.entries[i]);
    }
  }
}

TEST(Lifter, EveryPrebuiltGuestVerifies) {
  const std::vector<std::filesystem::path> paths = FilesIn("testdata/prebuilt", ".elf");
  ASSERT_GT(paths.size(), 100u);
  for (const std::filesystem::path& path : paths) {
    SCOPED_TRACE(path.filename());
    const std::string bytes = ReadText(path);
    const absl::StatusOr<guest::Program> program =
        ReadElf(std::vector<uint8_t>(bytes.begin(), bytes.end()));
    ASSERT_TRUE(program.ok());
    ASSERT_NO_FATAL_FAILURE(LiftAndVerify(*program));
  }
}

TEST(Lifter, RandomProgramsVerify) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    const absl::StatusOr<guest::Program> program = ReadElf(testing::RandomProgram(seed));
    ASSERT_TRUE(program.ok());
    ASSERT_NO_FATAL_FAILURE(LiftAndVerify(*program));
  }
}

TEST(Lifter, RandomWordsVerify) {
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    SCOPED_TRACE(i);
    const absl::StatusOr<guest::Program> program =
        ReadElf(testing::MakeElf(testing::RandomWords(random(), 64), {0x10000, 0x10010, 0x10020}));
    ASSERT_TRUE(program.ok());
    ASSERT_NO_FATAL_FAILURE(LiftAndVerify(*program));
  }
}

// -- large functions. What is quadratic in their size would take minutes.

double SecondsToLift(const std::vector<uint32_t>& code) {
  const absl::StatusOr<guest::Program> program = ReadElf(testing::MakeElf(code, {}));
  EXPECT_TRUE(program.ok()) << program.status();
  const auto start = std::chrono::steady_clock::now();
  const Code decoded(*program);
  const ControlFlow flow = RecoverControlFlow(*program, decoded);
  size_t blocks = 0;
  for (const Region& region : flow.regions) {
    Lift(region, flow, decoded, {});
    blocks = std::max(blocks, region.blocks.size());
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::cout << blocks << " blocks, " << code.size() << " words: " << 1e3 * seconds << " ms\n";
  return seconds;
}

constexpr double kPatience = 20;
constexpr uint32_t kWords = 40000;

// Every block branches back to the one before: loops whose heads follow each other.
TEST(LargeFunctions, BackEdgesOneByOne) {
  std::vector<uint32_t> code = {testing::Encode({.op = Op::kAddi, .rd = 20, .rs1 = 20, .imm = 1})};
  while (code.size() + 2 < kWords) {
    const uint8_t r = static_cast<uint8_t>(5 + code.size() % 27);
    code.push_back(testing::Encode({.op = Op::kAddi, .rd = r, .rs1 = r, .imm = 1}));
    code.push_back(testing::Encode({.op = Op::kBne, .rs1 = r, .rs2 = 20, .imm = -12}));
  }
  code.push_back(testing::Encode({.op = Op::kJalr, .rs1 = 1}));
  EXPECT_LT(SecondsToLift(code), kPatience);
}

// Blocks laid out in reverse: each jumps to the one before it.
TEST(LargeFunctions, JumpsBackwards) {
  std::vector<uint32_t> code = {
      testing::Encode({.op = Op::kJal, .imm = static_cast<int32_t>(4 * kWords - 16)})};
  code.push_back(testing::Encode({.op = Op::kJalr, .rs1 = 1}));
  while (code.size() + 2 < kWords) {
    const uint8_t r = static_cast<uint8_t>(5 + code.size() % 27);
    code.push_back(testing::Encode({.op = Op::kAddi, .rd = r, .rs1 = r, .imm = 1}));
    code.push_back(testing::Encode({.op = Op::kJal, .imm = -12}));
  }
  EXPECT_LT(SecondsToLift(code), kPatience);
}

// Branches to anywhere near.
TEST(LargeFunctions, RandomBranches) {
  std::mt19937 random(1);
  std::vector<uint32_t> code;
  while (code.size() + 2 < kWords) {
    const uint8_t r = static_cast<uint8_t>(5 + random() % 27);
    code.push_back(testing::Encode({.op = Op::kAddi, .rd = r, .rs1 = r, .imm = 1}));
    code.push_back(testing::Encode({.op = Op::kBne,
                                    .rs1 = r,
                                    .rs2 = 20,
                                    .imm = static_cast<int32_t>(random() % 512) * 8 - 2048}));
  }
  code.push_back(testing::Encode({.op = Op::kJalr, .rs1 = 1}));
  EXPECT_LT(SecondsToLift(code), kPatience);
}

}  // namespace
}  // namespace precast::riscv

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--update") precast::riscv::g_update = true;
  }
  return RUN_ALL_TESTS();
}
