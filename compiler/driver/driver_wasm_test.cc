// WebAssembly through the driver: modules in, images that the loader takes out.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "compiler/driver/driver.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "loader/format/cpu_features.h"
#include "loader/format/guid.h"
#include "loader/image_check.h"

namespace precast::driver {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

Bytes Module(std::string_view name) {
  std::ifstream file(absl::StrCat("testdata/wasm/", name, ".wasm"), std::ios::binary);
  Bytes bytes(std::istreambuf_iterator<char>(file), {});
  EXPECT_FALSE(bytes.empty()) << name;
  return bytes;
}

// Compiles with all checks on, and has the loader check all of the image.
void CompileAndCheck(const Bytes& file, CompileOptions options, loader::ImageView* view,
                     Bytes* image) {
  options.check = true;
  absl::StatusOr<CompileResult> result = Compile(file, options);
  ASSERT_TRUE(result.ok()) << result.status();
  *image = std::move(result->image);
  const loader::CheckReport report = loader::CheckImage(*image, {.deep = true}, view);
  ASSERT_TRUE(report.ok()) << report.ToStatus();
}

void AppendNumber(uint64_t value, Bytes& out) {
  for (; value >= 128; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

void AppendSection(uint8_t id, const Bytes& contents, Bytes& out) {
  out.push_back(id);
  AppendNumber(contents.size(), out);
  out.insert(out.end(), contents.begin(), contents.end());
}

// A module of `count` functions, each of which calls the one before and adds its number.
Bytes ManyFunctions(uint32_t count) {
  Bytes module = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f};
  Bytes functions, code;
  AppendNumber(count, functions);
  AppendNumber(count, code);
  for (uint32_t i = 0; i < count; ++i) {
    functions.push_back(0);
    Bytes body = {0, 0x10};
    AppendNumber(i == 0 ? 0 : i - 1, body);
    body.insert(body.end(), {0x41, static_cast<uint8_t>(i % 64), 0x6a, 0x0b});
    AppendNumber(body.size(), code);
    code.insert(code.end(), body.begin(), body.end());
  }
  AppendSection(3, functions, module);
  AppendSection(10, code, module);
  return module;
}

class Wasm : public ::testing::TestWithParam<std::string> {};

TEST_P(Wasm, CompilesWithChecks) {
  const Bytes file = Module(GetParam());
  for (int level : {0, 1, 2}) {
    for (bool metered : {false, true}) {
      loader::ImageView view;
      Bytes image;
      ASSERT_NO_FATAL_FAILURE(CompileAndCheck(
          file, {.opt_level = level, .metered = metered, .canonical_nans = !metered}, &view,
          &image));
      EXPECT_TRUE(view.is_wasm());
      EXPECT_EQ(view.At(view.info.guest_module), file);
      EXPECT_EQ(view.info.program_guid, format::GuidOf(file));
      EXPECT_EQ(view.info.cpu_features, format::kX86_64V2);
      EXPECT_EQ(format::HasFlag(view.info.flags, format::ImageFlag::kMetered), metered);
      EXPECT_EQ(format::HasFlag(view.info.flags, format::ImageFlag::kCanonicalNans), !metered);
      EXPECT_EQ(view.table(format::Table::kDispatch).size, 0u);
      for (uint32_t i = 0; i < view.functions.count(); ++i) {
        const auto info = view.FunctionInfoOf(i);
        ASSERT_TRUE(info);
        EXPECT_EQ(view.FindEntry(info->guest_begin), view.FunctionAt(i)->code_offset);
        EXPECT_EQ(file[info->guest_end - 1], 0x0b);  // the `end` of the body
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Modules, Wasm,
                         ::testing::Values("arithmetic", "data", "hello", "library", "start_traps",
                                           "uses_library"),
                         [](const auto& info) { return info.param; });

TEST(CompileWasm, TheSameBytesOnAnyNumberOfThreads) {
  for (const Bytes& file : {Module("arithmetic"), ManyFunctions(1000)}) {
    for (int level : {0, 1, 2}) {
      const auto once = Compile(file, {.opt_level = level, .threads = 1});
      ASSERT_TRUE(once.ok()) << once.status();
      for (int threads : {1, 2, 7}) {
        const auto again = Compile(file, {.opt_level = level, .threads = threads});
        ASSERT_TRUE(again.ok());
        EXPECT_EQ(once->image, again->image);
      }
    }
  }
}

TEST(CompileWasm, OptionsAreInTheImage) {
  const Bytes file = Module("arithmetic");
  loader::ImageView view, free;
  Bytes image, free_image;
  ASSERT_NO_FATAL_FAILURE(CompileAndCheck(file, {}, &view, &image));
  ASSERT_NO_FATAL_FAILURE(CompileAndCheck(file, {.metered = false}, &free, &free_image));
  EXPECT_EQ(view.metadata.options, "opt=1;metered=1;canonical_nans=0");
  EXPECT_NE(view.info.options_guid, free.info.options_guid);
  EXPECT_LT(free.info.text.size, view.info.text.size);
}

TEST(CompileWasm, ExportsImportsAndMemory) {
  const Bytes library = Module("library");
  loader::ImageView view;
  Bytes image;
  ASSERT_NO_FATAL_FAILURE(CompileAndCheck(
      Module("uses_library"), {.imports = {{"library", format::GuidOf(library)}}}, &view, &image));
  EXPECT_EQ(view.exports.Find("four_times", format::ExportKind::kFunction)->index, 0u);
  EXPECT_EQ(view.exports.Find("also_twice", format::ExportKind::kImportedFunction)->index, 0u);
  EXPECT_FALSE(format::HasFlag(view.info.flags, format::ImageFlag::kMemoryInitialized));
  ASSERT_EQ(view.images.size(), 1u);
  EXPECT_EQ(view.images[0].name, "library");

  ASSERT_NO_FATAL_FAILURE(CompileAndCheck(library, {}, &view, &image));
  EXPECT_TRUE(format::HasFlag(view.info.flags, format::ImageFlag::kMemoryInitialized));
  EXPECT_EQ(view.exports.Find("calls", format::ExportKind::kGlobal)->index, 0u);
  ASSERT_EQ(view.metadata.segments.size(), 1u);
  EXPECT_EQ(view.At(view.info.guest_data)[0], '*');

  ASSERT_NO_FATAL_FAILURE(CompileAndCheck(Module("data"), {}, &view, &image));
  ASSERT_EQ(view.metadata.segments.size(), 2u);
  EXPECT_EQ(view.metadata.segments[1].address, 47u * 65536 + 15 * 4096);

  const auto wrong = Compile(Module("uses_library"), {.imports = {{"lib", {}}}});
  EXPECT_THAT(std::string(wrong.status().message()), HasSubstr("it imports from: library"));
}

TEST(CompileWasm, Statistics) {
  size_t calls = 0;
  CompileOptions options{.threads = 3};
  options.progress = [&](size_t done, size_t total) {
    EXPECT_EQ(done, ++calls);
    EXPECT_EQ(total, 50u);
  };
  const auto result = Compile(ManyFunctions(50), options);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(calls, 50u);
  EXPECT_EQ(result->stats.kind, guest::Kind::kWasm);
  EXPECT_EQ(result->stats.regions, 50u);
  EXPECT_EQ(result->stats.guest_instructions, 200u);
  EXPECT_EQ(result->stats.image_bytes, result->image.size());
}

TEST(CompileWasm, OtherOutputForms) {
  const Bytes file = Module("arithmetic");
  const auto ir = CompileToIr(file, {});
  ASSERT_TRUE(ir.ok()) << ir.status();
  EXPECT_THAT(*ir, HasSubstr("factorial"));
  EXPECT_EQ(*ir, *CompileToIr(file, {.threads = 4}));
  EXPECT_NE(*ir, *CompileToIr(file, {.metered = false}));
  EXPECT_TRUE(CompileToAssembly(file, {}).ok());
}

TEST(CompileWasm, WhatIsNoModule) {
  Bytes empty = {0, 'a', 's', 'm', 1, 0, 0, 0};
  loader::ImageView view;
  Bytes image;
  ASSERT_NO_FATAL_FAILURE(CompileAndCheck(empty, {}, &view, &image));
  EXPECT_EQ(view.functions.count(), 0u);
  empty[4] = 0x0d;  // a component
  EXPECT_THAT(std::string(Compile(empty, {}).status().message()), HasSubstr("version 1"));
  EXPECT_EQ(Compile(Module("invalid"), {}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(ReadProgram(Module("invalid")).ok());
  const auto program = ReadProgram(Module("library"));
  EXPECT_TRUE(program.ok() && program->kind == guest::Kind::kWasm);
}

TEST(CompileWasm, ManyFunctions) {
  loader::ImageView view;
  Bytes image;
  const Bytes file = ManyFunctions(100000);
  const absl::StatusOr<CompileResult> result = Compile(file, {});
  ASSERT_TRUE(result.ok()) << result.status();
  const loader::CheckReport report = loader::CheckImage(result->image, {}, &view);
  ASSERT_TRUE(report.ok()) << report.ToStatus();
  EXPECT_EQ(view.functions.count(), 100000u);
  const auto info = view.FunctionInfoOf(77777);
  EXPECT_EQ(view.FindEntry(info->guest_begin), view.FunctionAt(77777)->code_offset);
}

TEST(CompileWasm, DamagedModules) {
  // What the validator accepts must compile.
  std::mt19937_64 random(1);
  const std::vector<Bytes> modules = {Module("arithmetic"), Module("data"), Module("uses_library")};
  int accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    Bytes file = modules[random() % modules.size()];
    for (uint64_t n = 1 + random() % 3; n > 0; --n)
      file[8 + random() % (file.size() - 8)] = static_cast<uint8_t>(random());
    const absl::StatusOr<CompileResult> result = Compile(file, {.threads = 1, .check = true});
    if (!result.ok()) continue;
    ++accepted;
    const loader::CheckReport report = loader::CheckImage(result->image, {.deep = true}, nullptr);
    ASSERT_TRUE(report.ok()) << report.ToStatus();
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace precast::driver
