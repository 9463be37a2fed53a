#include "compiler/image/image_builder.h"

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "compiler/image/build_identity.h"
#include "compiler/image/side_tables.h"
#include "compiler/image/write_image.h"
#include "gtest/gtest.h"
#include "loader/format/guid.h"
#include "loader/image_check.h"
#include "runtime/abi/fingerprint.h"

namespace precast::image {
namespace {

using codegen::CodeRelocation;
using codegen::CompiledFunction;

constexpr uint32_t kBase = 0x10000;

// A function that returns at once, entered at `pc`.
CompiledFunction FunctionAt(uint32_t pc, std::string name) {
  CompiledFunction f;
  f.name = std::move(name);
  f.guest_begin = pc;
  f.guest_end = pc + 4;
  f.code = {0xc3};
  f.entries = {{.guest_pc = pc, .code_offset = 0}};
  f.frame_rules = {{.code_offset = 0, .cfa_offset = 8}};
  f.lines = {{.code_offset = 0, .guest_pc = pc}};
  return f;
}

guest::Program SmallProgram() {
  guest::Program program;
  for (uint8_t i = 0; i < program.guid.size(); ++i) program.guid[i] = static_cast<uint8_t>(i * 7);
  program.entry = kBase;
  program.initial_brk = kBase + 0x123;
  program.segments = {{kBase, 4096, std::vector<uint8_t>(4096, 0x13), true, false, true},
                      {kBase + 4096, uint64_t{1} << 31, {}, true, true, false}};
  program.code = {{kBase, kBase + 4096}};
  return program;
}

struct Built {
  std::vector<uint8_t> bytes;
  loader::ImageView view;
};

void BuildAndCheck(const guest::Program& program, const std::vector<CompiledFunction>& functions,
                   const ImageOptions& options, Built* built) {
  std::vector<uint32_t> entries;
  for (const CompiledFunction& f : functions) {
    for (const codegen::Entry& e : f.entries) entries.push_back(e.guest_pc);
  }
  const bool is_wasm = program.kind == guest::Kind::kWasm;
  LaidOutImage image =
      Build(program, functions, is_wasm ? DispatchRange() : CoverEntries(entries), options);
  built->bytes = Finish(image);
  const loader::CheckReport report = loader::CheckImage(built->bytes, {.deep = true}, &built->view);
  ASSERT_TRUE(report.ok()) << report.ToStatus();
}

TEST(CoverEntries, TheWindowWithTheMostEntries) {
  constexpr uint32_t kMax = 1 << 22;  // instructions
  auto expect = [](std::vector<uint32_t> entries, uint32_t base, uint32_t count) {
    const DispatchRange range = CoverEntries(entries);
    EXPECT_EQ(range.base, base);
    EXPECT_EQ(range.count, count);
  };
  expect({}, 0, 0);
  expect({0}, 0, 1);
  expect({0xfffffffc}, 0xfffffffc, 1);
  expect({8, 16}, 8, 3);
  expect({0, 0xfffffffc}, 0, 1);  // of equals, the first
  expect({0, 0xfffffff8, 0xfffffffc}, 0xfffffff8, 2);
  expect({0, 0x80000000, 0x80000004, 0xf0000000}, 0x80000000, 2);
  expect({0, 4 * (kMax - 1)}, 0, kMax);
  expect({0, 4 * kMax}, 0, 1);
  expect({0, 4, 4 * kMax, 4 * kMax + 4, 4 * kMax + 8}, 4 * kMax, 3);
}

// The image is written in pieces; fields lie across the places where they meet.
TEST(ImageBuilder, PiecesMeetInFields) {
  const guest::Program program = SmallProgram();
  constexpr uint32_t kCalls = 40'000;
  std::vector<CompiledFunction> functions;
  for (uint32_t i = 0; i < 3; ++i) {
    CompiledFunction f = FunctionAt(kBase + 4 * i, absl::StrCat("f", i));
    f.code.clear();
    for (uint32_t call = 0; call < kCalls; ++call) {
      f.relocations.push_back({static_cast<uint32_t>(f.code.size()) + 1,
                               CodeRelocation::Target::kFunction, kBase + 4 * (call % 3), -4});
      f.code.insert(f.code.end(), {0xe8, 0, 0, 0, 0});
    }
    f.code.insert(f.code.end(), i, 0xc3);
    functions.push_back(std::move(f));
  }
  Built built;
  ASSERT_NO_FATAL_FAILURE(BuildAndCheck(program, functions, {}, &built));
  const uint32_t text = built.view.info.text.offset;
  for (uint32_t i = 0; i < 3; ++i) {
    const uint32_t begin = *built.view.FindEntry(kBase + 4 * i);
    EXPECT_EQ(begin % 16, 0u);
    for (uint32_t call = 0; call < kCalls; ++call) {
      const uint32_t at = begin + 5 * call;
      ASSERT_EQ(built.bytes[text + at], 0xe8);
      uint32_t distance;
      std::memcpy(&distance, built.bytes.data() + text + at + 1, 4);
      ASSERT_EQ(at + 5 + distance, *built.view.FindEntry(kBase + 4 * (call % 3)));
    }
  }
  for (int threads : {2, 5}) {
    LaidOutImage image = Build(program, functions, CoverEntries({kBase, kBase + 4, kBase + 8}), {});
    EXPECT_EQ(Finish(image, threads), built.bytes);
  }
}

// What the sink says is what one hears; after it nothing more is written than what is under way.
TEST(ImageBuilder, ErrorsOfTheSink) {
  class FullDisk final : public ImageSink {
   public:
    explicit FullDisk(bool at_begin) : at_begin_(at_begin) {}
    absl::Status Begin(uint64_t) override {
      return at_begin_ ? absl::ResourceExhaustedError("begin") : absl::OkStatus();
    }
    absl::Status Write(uint64_t, absl::Span<const uint8_t>) override {
      return absl::ResourceExhaustedError("full");
    }

   private:
    const bool at_begin_;
  };
  const guest::Program program = SmallProgram();
  const std::vector<CompiledFunction> functions = {FunctionAt(kBase, "start")};
  LaidOutImage image = Build(program, functions, CoverEntries({kBase}), {});
  FullDisk begin(true), full(false);
  EXPECT_EQ(Finish(image, 2, begin).message(), "begin");
  EXPECT_EQ(Finish(image, 2, full).message(), "full");
}

TEST(ImageBuilder, IdentityAndOptions) {
  const guest::Program program = SmallProgram();
  Built built;
  ASSERT_NO_FATAL_FAILURE(
      BuildAndCheck(program, {FunctionAt(kBase, "start")}, {.opt_level = 1}, &built));
  const format::AotFileInfo& info = built.view.info;
  EXPECT_EQ(info.magic, format::kMagic);
  EXPECT_EQ(info.format_version, format::kFormatVersion);
  EXPECT_EQ(info.struct_size, sizeof info);
  EXPECT_EQ(info.program_guid, program.guid);
  EXPECT_EQ(info.options_guid, format::GuidOf("opt=1;metered=1"));
  EXPECT_EQ(info.abi_fingerprint, abi::kFingerprint);
  EXPECT_EQ(info.cpu_features, 0u);
  EXPECT_EQ(info.guest_kind, 1u);
  EXPECT_EQ(info.dispatch_base_pc, kBase);
  EXPECT_EQ(info.dispatch_shift, 2u);
  EXPECT_EQ(info.reserved, 0u);
  const format::Metadata& metadata = built.view.metadata;
  EXPECT_EQ(metadata.options, "opt=1;metered=1");
  EXPECT_EQ(metadata.compiler, kCompilerIdentity);
  EXPECT_EQ(metadata.entry_pc, kBase);
  EXPECT_EQ(metadata.initial_brk, kBase + 0x123);
  ASSERT_EQ(metadata.segments.size(), 2u);
  EXPECT_EQ(metadata.segments[1].size, uint64_t{1} << 31);
  EXPECT_EQ(metadata.segments[1].data_size, 0u);
  ASSERT_EQ(metadata.code_ranges.size(), 1u);
  EXPECT_EQ(metadata.code_ranges[0].end, kBase + 4096);
  EXPECT_EQ(built.view.At(info.guest_data)[0], 0x13);

  Built other;
  ASSERT_NO_FATAL_FAILURE(
      BuildAndCheck(program, {FunctionAt(kBase, "start")}, {.opt_level = 0}, &other));
  EXPECT_NE(other.view.info.options_guid, info.options_guid);
  EXPECT_EQ(other.view.info.program_guid, info.program_guid);
}

TEST(ImageBuilder, TheSameInputGivesTheSameBytes) {
  Built a, b;
  const std::vector<CompiledFunction> functions = {FunctionAt(kBase, "a"),
                                                   FunctionAt(kBase + 4, "b")};
  ASSERT_NO_FATAL_FAILURE(BuildAndCheck(SmallProgram(), functions, {}, &a));
  ASSERT_NO_FATAL_FAILURE(BuildAndCheck(SmallProgram(), functions, {}, &b));
  EXPECT_EQ(a.bytes, b.bytes);
}

TEST(ImageBuilder, WithoutFunctions) {
  Built built;
  ASSERT_NO_FATAL_FAILURE(BuildAndCheck(SmallProgram(), {}, {}, &built));
  EXPECT_EQ(built.view.functions.count(), 0u);
  EXPECT_FALSE(built.view.FindEntry(kBase));
}

TEST(ImageBuilder, DispatchTableAndExports) {
  std::vector<CompiledFunction> functions;
  for (uint32_t i = 0; i < 100; ++i) {
    functions.push_back(FunctionAt(kBase + 12 * i, "function " + std::to_string(i)));
    functions.back().code.resize(1 + i, 0x90);
    functions.back().entries.push_back({.guest_pc = kBase + 12 * i + 4, .code_offset = i});
  }
  functions.push_back(FunctionAt(0xf0000000, "function 5"));  // out of the table, a name twice
  Built built;
  ASSERT_NO_FATAL_FAILURE(BuildAndCheck(SmallProgram(), functions, {}, &built));
  const loader::ImageView& view = built.view;
  ASSERT_EQ(view.functions.count(), functions.size());
  for (uint32_t i = 0; i < 100; ++i) {
    const auto function = view.FunctionAt(i);
    ASSERT_TRUE(function);
    EXPECT_EQ(function->code_offset % 16, 0u);
    EXPECT_EQ(function->code_size, 1 + i);
    EXPECT_EQ(view.FindEntry(kBase + 12 * i), function->code_offset);
    EXPECT_EQ(view.FindEntry(kBase + 12 * i + 4), function->code_offset + i);
    EXPECT_FALSE(view.FindEntry(kBase + 12 * i + 8));
    EXPECT_FALSE(view.FindEntry(kBase + 12 * i + 2));
    const auto exported =
        view.exports.Find("function " + std::to_string(i), format::ExportKind::kFunction);
    ASSERT_TRUE(exported);
    EXPECT_EQ(exported->index, i);
    EXPECT_EQ(view.GuestPcOf(function->code_offset), kBase + 12 * i);
  }
  EXPECT_FALSE(view.FindEntry(kBase - 4));
  EXPECT_FALSE(view.FindEntry(0xf0000000));
  EXPECT_FALSE(view.exports.Find("function 100", format::ExportKind::kFunction));
  EXPECT_FALSE(view.exports.Find("", format::ExportKind::kFunction));
}

TEST(ImageBuilder, CallsAndConstants) {
  std::vector<CompiledFunction> functions = {FunctionAt(kBase, "caller"),
                                             FunctionAt(kBase + 4, "callee")};
  CompiledFunction& f = functions[0];
  f.code = {0xe8, 0, 0, 0, 0, 0x48, 0x8d, 0x05, 0, 0, 0, 0, 0xc3};  // call callee; lea table
  f.constants = {1, 2, 3, 4, 0, 0, 0, 0};
  f.relocations = {{1, CodeRelocation::Target::kFunction, kBase + 4, -4},
                   {8, CodeRelocation::Target::kConstants, 0, -4}};
  f.constant_relocations = {{.offset = 4, .code_offset = 12, .base = 0}};
  Built built;
  ASSERT_NO_FATAL_FAILURE(BuildAndCheck(SmallProgram(), functions, {}, &built));
  const auto text = built.view.At(built.view.info.text);
  auto word = [](absl::Span<const uint8_t> bytes, size_t at) {
    int32_t value;
    std::memcpy(&value, bytes.data() + at, 4);
    return value;
  };
  EXPECT_EQ(static_cast<uint32_t>(5 + word(text, 1)), built.view.FunctionAt(1)->code_offset);
  const uint32_t text_at = built.view.info.text.offset;
  const uint32_t table = text_at + 12 + static_cast<uint32_t>(word(text, 8));
  ASSERT_LT(table + 8, built.bytes.size());
  EXPECT_EQ(table % 16, 0u);
  EXPECT_EQ(built.bytes[table], 1);
  EXPECT_EQ(table + static_cast<uint32_t>(word(built.bytes, table + 4)), text_at + 12);
}

// A large module's tables would take more room than all of its code.
TEST(ImageBuilder, SideTablesThatAreEncodedTakeNoRoom) {
  CompiledFunction f = FunctionAt(kBase, "f");
  f.sites = {
      {.code_offset = 0, .kind = codegen::Site::Kind::kTrap, .guest_pc = kBase, .refund = 1}};
  f.states = {{.slot = 1, .kind = codegen::StateLocation::Kind::kConstant, .value = 2}};
  f.charges = {{.guest_pc = kBase, .refund = 1}};
  format::ExInfoEncoder encoder;
  EncodeSideTables(guest::Kind::kRiscV32, f, encoder);
  DropSideTables(f);
  EXPECT_EQ(f.sites.capacity() + f.states.capacity() + f.charges.capacity() +
                f.frame_rules.capacity() + f.lines.capacity(),
            0u);
  EXPECT_FALSE(f.ex_info.empty());
}

TEST(ImageBuilder, Wasm) {
  const std::vector<uint8_t> module = {0, 'a', 's', 'm', 1, 0, 0, 0, 99};
  guest::Program program;
  program.kind = guest::Kind::kWasm;
  program.module = module;
  program.guid = format::GuidOf(module);
  program.exports = {{"go", guest::ExportKind::kFunction, 1},
                     {"go", guest::ExportKind::kMemory, 3},
                     {"host", guest::ExportKind::kImportedFunction, 7}};
  std::vector<CompiledFunction> functions;
  for (uint32_t i = 0; i < 300; ++i) {
    functions.push_back(FunctionAt(11 + 3 * i + (i > 200 ? 70001 : 0), "same name"));
    functions.back().sites = {{.code_offset = 0,
                               .kind = codegen::Site::Kind::kTrap,
                               .trap_code = 9,
                               .guest_pc = functions.back().guest_begin + 1,
                               .refund = 2}};
  }
  Built built;
  ASSERT_NO_FATAL_FAILURE(BuildAndCheck(
      program, functions, {.opt_level = 0, .metered = false, .canonical_nans = true}, &built));
  const loader::ImageView& view = built.view;
  EXPECT_EQ(view.info.flags, 4u);
  EXPECT_EQ(view.info.guest_kind, 2u);
  EXPECT_EQ(view.info.dispatch_shift, 0u);
  EXPECT_EQ(view.metadata.options, "opt=0;metered=0;canonical_nans=1");
  EXPECT_EQ(view.At(view.info.guest_module), module);
  for (uint32_t i = 0; i < functions.size(); ++i) {
    const uint32_t pc = functions[i].guest_begin;
    EXPECT_EQ(view.FindEntry(pc), view.FunctionAt(i)->code_offset);
    EXPECT_FALSE(view.FindEntry(pc + 1));
    EXPECT_EQ(view.FindSite(view.FunctionAt(i)->code_offset)->guest_pc, pc + 1);
  }
  EXPECT_EQ(view.exports.count(), 3u);
  EXPECT_EQ(view.exports.Find("go", format::ExportKind::kFunction)->index, 1u);
  EXPECT_EQ(view.exports.Find("go", format::ExportKind::kMemory)->index, 3u);
  EXPECT_EQ(view.exports.Find("host", format::ExportKind::kImportedFunction)->index, 7u);

  // Without functions, and with what it imports: another image.
  program.exports.clear();
  Built empty;
  ASSERT_NO_FATAL_FAILURE(
      BuildAndCheck(program, {}, {.imports = {{"lib", format::GuidOf("lib")}}}, &empty));
  EXPECT_FALSE(empty.view.FindEntry(11));
  EXPECT_EQ(empty.view.images.size(), 1u);
}

}  // namespace
}  // namespace precast::image
