#include "compiler/wasm/reader.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "compiler/wasm/byte_reader.h"
#include "compiler/wasm/testing/module_builder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::wasm {
namespace {

using testing::Body;
using testing::Bytes;
using testing::Concat;
using ::testing::ElementsAre;
using testing::FunctionType;
using ::testing::HasSubstr;
using testing::Leb;
using testing::Section;
using testing::Sized;
using testing::String;
using testing::Vector;

// "" if `bytes` can be read, else the error.
std::string Read(const Bytes& bytes, const Features& features = Features()) {
  const absl::StatusOr<Module> module = ReadModule(bytes, features);
  return std::string(module.status().message());
}

std::string ReadSections(const std::vector<Bytes>& sections,
                         const Features& features = Features()) {
  return Read(testing::Module(sections), features);
}

TEST(ReaderTest, Preamble) {
  EXPECT_EQ(Read({0, 'a', 's', 'm', 1, 0, 0, 0}), "");
  EXPECT_EQ(Read({}), "unexpected end: magic needs 4 bytes, not 0 at offset 0x0");
  EXPECT_THAT(Read({0, 'a', 's'}), HasSubstr("unexpected end"));
  EXPECT_THAT(Read({0, 'a', 's', 'm', 1, 0}), HasSubstr("unexpected end"));
  EXPECT_EQ(Read({0, 'a', 's', 'n', 1, 0, 0, 0}), "magic header not detected at offset 0x0");
  EXPECT_THAT(Read({0, 'a', 's', 'm', 2, 0, 0, 0}), HasSubstr("unknown binary version"));
  EXPECT_TRUE(IsModule(Bytes{0, 'a', 's', 'm', 1, 0, 0, 0}));
  EXPECT_FALSE(IsModule(Bytes{0, 'a', 's', 'm', 1, 0, 0}));
  EXPECT_FALSE(IsModule(Bytes{0, 'a', 's', 'm', 13, 0, 1, 0}));  // a component
}

TEST(ReaderTest, Sections) {
  const Bytes types = Section(1, Vector({}));
  const Bytes imports = Section(2, Vector({}));
  const Bytes note = Section(0, String("note"));
  EXPECT_EQ(ReadSections({note, types, note, imports, note, note}), "");
  EXPECT_THAT(ReadSections({imports, types}), HasSubstr("section 1 is out of order"));
  EXPECT_THAT(ReadSections({types, types}),
              HasSubstr("unexpected content after last section: section 1 is there twice"));
  EXPECT_THAT(ReadSections({{14, 1, 0}}), HasSubstr("malformed section id 0x0e at offset 0x8"));
  EXPECT_THAT(ReadSections({{13, 1, 0}}),
              HasSubstr("malformed section id 0x0d (exception handling, not supported) at"));
  EXPECT_THAT(ReadSections({{1}}), HasSubstr("unexpected end"));
  EXPECT_THAT(ReadSections({{1, 5, 0}}), HasSubstr("length out of bounds"));
  EXPECT_THAT(ReadSections({{1, 2, 0, 0}}), HasSubstr("section size mismatch"));
  // The contents of a section may not go on in the next.
  EXPECT_THAT(ReadSections({{1, 2, 1, 0x60}, {0, 0}}), HasSubstr("unexpected end"));
  // Data count stands between elements and code.
  EXPECT_EQ(ReadSections({Section(9, {0}), Section(12, {0}), Section(10, {0}), Section(11, {0})}),
            "");
  EXPECT_THAT(ReadSections({Section(10, {0}), Section(12, {0}), Section(11, {0})}),
              HasSubstr("out of order"));
}

TEST(ReaderTest, CustomSectionNames) {
  EXPECT_EQ(ReadSections({Section(0, Concat({String("é"), {0xff}}))}), "");
  EXPECT_THAT(ReadSections({Section(0, {})}), HasSubstr("unexpected end"));
  EXPECT_THAT(ReadSections({Section(0, {5, 'a'})}), HasSubstr("length out of bounds"));
  EXPECT_THAT(ReadSections({Section(0, String("\xc0\x80"))}),
              HasSubstr("malformed UTF-8 encoding"));
}

TEST(ReaderTest, Integers) {
  const auto types = [](const Bytes& count) { return std::vector<Bytes>{Section(1, count)}; };
  EXPECT_EQ(ReadSections(types(Leb(0, 5))), "");
  EXPECT_THAT(ReadSections(types(Leb(0, 6))), HasSubstr("integer representation too long"));
  EXPECT_THAT(ReadSections(types({0x80, 0x80, 0x80, 0x80, 0x10})), HasSubstr("integer too large"));
  EXPECT_THAT(ReadSections(types({0x80})), HasSubstr("unexpected end"));

  const auto global = [](uint8_t type, const Bytes& value) {
    const uint8_t op = type == 0x7f ? 0x41 : 0x42;
    return std::vector<Bytes>{Section(6, Vector({Concat({{type, 0, op}, value, {0x0b}})}))};
  };
  EXPECT_EQ(ReadSections(global(0x7f, {0xff, 0xff, 0xff, 0xff, 0x7f})), "");
  EXPECT_EQ(ReadSections(global(0x7f, {0x80, 0x80, 0x80, 0x80, 0x78})), "");
  EXPECT_THAT(ReadSections(global(0x7f, {0xff, 0xff, 0xff, 0xff, 0x0f})),
              HasSubstr("integer too large"));
  EXPECT_THAT(ReadSections(global(0x7f, {0x80, 0x80, 0x80, 0x80, 0x70})),
              HasSubstr("integer too large"));
  EXPECT_THAT(ReadSections(global(0x7f, {0x80, 0x80, 0x80, 0x80, 0x80, 0})),
              HasSubstr("integer representation too long"));
  const Bytes ones(9, 0xff), zeros(9, 0x80);
  EXPECT_EQ(ReadSections(global(0x7e, Concat({ones, {0x7f}}))), "");
  EXPECT_EQ(ReadSections(global(0x7e, Concat({zeros, {0x7f}}))), "");
  EXPECT_THAT(ReadSections(global(0x7e, Concat({ones, {0x01}}))), HasSubstr("integer too large"));
  EXPECT_THAT(ReadSections(global(0x7e, Concat({zeros, {0x80, 0}}))),
              HasSubstr("integer representation too long"));
}

TEST(ReaderTest, SignedValues) {
  const auto value = [](const Bytes& bytes) {
    ByteReader reader(bytes, {0, static_cast<uint32_t>(bytes.size())});
    int64_t out = 0;
    EXPECT_TRUE(reader.S64(out));
    return out;
  };
  EXPECT_EQ(value({0x7f}), -1);
  EXPECT_EQ(value({0x3f}), 63);
  EXPECT_EQ(value({0x40}), -64);
  EXPECT_EQ(value({0xc0, 0x00}), 64);
  EXPECT_EQ(value({0x80, 0x80, 0x80, 0x80, 0x78}), -2147483648LL);
  EXPECT_EQ(value(Concat({Bytes(9, 0x80), {0x7f}})), INT64_MIN);
  EXPECT_EQ(value(Concat({Bytes(9, 0xff), {0x00}})), INT64_MAX);
}

TEST(ReaderTest, Utf8) {
  for (const char* good : {"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2z", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xe1\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

TEST(ReaderTest, Types) {
  EXPECT_EQ(ReadSections({Section(1, Vector({FunctionType({0x7f, 0x7b, 0x6f}, {0x70})}))}), "");
  EXPECT_THAT(ReadSections({Section(1, {1, 0x5f, 0, 0})}),
              HasSubstr("malformed function type 0x5f (garbage collection, not supported)"));
  EXPECT_THAT(ReadSections({Section(1, {1, 0x60, 1, 0x40, 0})}),
              HasSubstr("malformed value type 0x40"));
  EXPECT_THAT(ReadSections({Section(1, Vector({FunctionType(Bytes(1001, 0x7f), {})}))}),
              HasSubstr("parameters: 1001, at most 1000 allowed"));
  EXPECT_THAT(ReadSections({Section(1, Vector({FunctionType({}, Bytes(1001, 0x7f))}))}),
              HasSubstr("results: 1001, at most 1000 allowed"));
  EXPECT_THAT(ReadSections({Section(1, Leb(1'000'001))}), HasSubstr("types: 1000001, at most"));
  EXPECT_THAT(ReadSections({Section(1, Leb(1'000'000))}), HasSubstr("unexpected end"));
}

TEST(ReaderTest, CanonicalTypes) {
  const Bytes bytes = testing::Module(
      {Section(1, Vector({FunctionType({}, {}), FunctionType({0x7f}, {}), FunctionType({}, {0x7f}),
                          FunctionType({}, {}), FunctionType({0x7f}, {})}))});
  const absl::StatusOr<Module> module = ReadModule(bytes, Features());
  ASSERT_TRUE(module.ok());
  EXPECT_THAT(module->canonical_types, ElementsAre(0, 1, 2, 0, 1));
}

TEST(ReaderTest, MalformedEntries) {
  const auto import = [](const Bytes& what) {
    return std::vector<Bytes>{Section(2, Vector({Concat({String("m"), String("n"), what})}))};
  };
  EXPECT_EQ(ReadSections(import({1, 0x70, 1, 0, 1})), "");
  EXPECT_THAT(ReadSections(import({4, 0})),
              HasSubstr("malformed import kind 0x04 (exception handling, not supported)"));
  EXPECT_THAT(ReadSections(import({3, 0x7f, 2})), HasSubstr("malformed mutability 0x02"));
  EXPECT_THAT(ReadSections(import({1, 0x7f, 0, 0})), HasSubstr("malformed reference type 0x7f"));
  EXPECT_THAT(ReadSections(import({1, 0x70, 2, 0})), HasSubstr("malformed limits flags 0x02"));
  EXPECT_THAT(ReadSections(import({2, 8, 0})), HasSubstr("malformed limits flags 0x08"));
  EXPECT_THAT(ReadSections({Section(7, Vector({Concat({String("e"), {5, 0}})}))}),
              HasSubstr("malformed export kind 0x05"));
  EXPECT_THAT(ReadSections({Section(9, {1, 8})}), HasSubstr("malformed elements segment kind 8"));
  EXPECT_THAT(ReadSections({Section(9, {1, 1, 1, 0})}), HasSubstr("malformed element kind 0x01"));
  EXPECT_THAT(ReadSections({Section(11, {1, 3})}), HasSubstr("malformed data segment kind 3"));
  EXPECT_THAT(ReadSections({Section(11, {1, 1, 5, 0})}), HasSubstr("length out of bounds"));
  EXPECT_THAT(ReadSections({Section(6, {1, 0x7f, 0, 0x41, 0})}), HasSubstr("unexpected end"));
  EXPECT_THAT(ReadSections({Section(6, {1, 0x7f, 0, 0xff, 0x0b})}),
              HasSubstr("illegal opcode 0xff"));
}

TEST(ReaderTest, FeaturesOfLimits) {
  const auto memory = [](const Bytes& limits) {
    return std::vector<Bytes>{Section(5, Vector({limits}))};
  };
  EXPECT_EQ(ReadSections(memory({3, 1, 2})), "");
  EXPECT_EQ(ReadSections(memory({4, 1})), "");
  EXPECT_EQ(ReadSections(memory(Concat({{4}, Leb(uint64_t{1} << 40)}))), "");
  EXPECT_EQ(ReadSections({Section(4, {1, 0x70, 5, 1, 2})}), "");
  EXPECT_THAT(ReadSections(memory({3, 1, 2}), Features::Wasm2()),
              HasSubstr("malformed limits flags 0x03"));
  EXPECT_THAT(ReadSections(memory({4, 1}), Features::Wasm2()),
              HasSubstr("malformed limits flags 0x04"));
  EXPECT_THAT(ReadSections({Section(4, {1, 0x70, 4, 1})}, Features::Wasm2()),
              HasSubstr("malformed limits flags 0x04"));
}

TEST(ReaderTest, InconsistentLengths) {
  const Bytes types = Section(1, Vector({FunctionType({}, {})}));
  EXPECT_THAT(ReadSections({types, Section(3, {1, 0})}),
              HasSubstr("function and code section have inconsistent lengths: 1 and 0"));
  EXPECT_THAT(ReadSections({types, Section(10, Vector({Body({}, {0x0b})}))}),
              HasSubstr("function and code section have inconsistent lengths: 0 and 1"));
  EXPECT_THAT(ReadSections({Section(12, {1})}),
              HasSubstr("data count and data section have inconsistent lengths: 1 and 0"));
  EXPECT_THAT(ReadSections({Section(12, {0}), Section(11, {1, 1, 0})}),
              HasSubstr("data count and data section have inconsistent lengths: 0 and 1"));
}

TEST(ReaderTest, Limits) {
  const auto exhausted = [](const std::vector<Bytes>& sections) {
    const Bytes bytes = testing::Module(sections);
    const absl::Status status = ReadModule(bytes, Features()).status();
    return absl::IsResourceExhausted(status) ? std::string(status.message()) : status.ToString();
  };
  EXPECT_THAT(exhausted({Section(3, Leb(1'000'001))}), HasSubstr("functions: 1000001"));
  EXPECT_THAT(exhausted({Section(4, Leb(10'001))}), HasSubstr("tables: 10001"));
  EXPECT_THAT(exhausted({Section(5, Leb(101))}), HasSubstr("memories: 101"));
  EXPECT_THAT(exhausted({Section(9, Leb(100'001))}), HasSubstr("element segments: 100001"));
  EXPECT_THAT(exhausted({Section(11, Leb(100'001))}), HasSubstr("data segments: 100001"));
  EXPECT_THAT(exhausted({Section(1, Vector({FunctionType({}, {})})), Section(3, {1, 0}),
                         Section(10, Concat({{1}, Leb(7'654'322)}))}),
              HasSubstr("function size: 7654322"));
  EXPECT_THAT(exhausted({Section(6, Concat({{1, 0x7f, 0}, Bytes(100'001, 0x01), {0x0b}}))}),
              HasSubstr("bytes of a constant expression"));
}

TEST(ReaderTest, ContentsOfAModule) {
  const Bytes bytes = testing::Module({
      Section(1, Vector({FunctionType({}, {}), FunctionType({0x7f}, {0x7e})})),
      Section(2, Vector({Concat({String("env"), String("f"), {0, 1}}),
                         Concat({String("env"), String("g"), {3, 0x7f, 1}})})),
      Section(3, Vector({{0}, {0}, {0}})),
      Section(5, Vector({{1, 1, 3}})),
      Section(6, Vector({{0x70, 0, 0xd2, 2, 0x0b}})),
      Section(7, Vector({Concat({String("run"), {0, 1}}), Concat({String("memory"), {2, 0}})})),
      Section(8, {3}),
      Section(9, Vector({{1, 0, 1, 0}})),
      Section(10, Vector({Body({}, {0x0b}), Body({}, {0x01, 0x0b}), Body({}, {0x0b})})),
      Section(11, Vector({Concat({{0, 0x41, 7, 0x0b}, String("hello")})})),
      Section(
          0,
          Concat({String("name"),
                  {0},
                  Sized(String("m")),
                  {1},
                  Sized(Vector({Concat({{1}, String("run")}), Concat({{9}, String("none")})}))})),
  });
  const absl::StatusOr<Module> module = ReadModule(bytes, Features());
  ASSERT_TRUE(module.ok()) << module.status();
  EXPECT_EQ(module->num_imported_functions, 1u);
  EXPECT_EQ(module->num_imported_globals, 1u);
  ASSERT_EQ(module->imports.size(), 2u);
  EXPECT_EQ(module->imports[0].module, "env");
  EXPECT_EQ(module->imports[1].name, "g");
  EXPECT_EQ(module->imports[1].index, 0u);
  EXPECT_TRUE(module->globals[0].type.is_mutable);
  ASSERT_EQ(module->functions.size(), 4u);
  EXPECT_EQ(module->TypeOf(0).results[0], kI64);
  EXPECT_EQ(module->functions[2].body.end - module->functions[2].body.begin, 3u);
  EXPECT_THAT(module->declared, ElementsAre(true, true, true, false));
  EXPECT_EQ(module->start, 3u);
  EXPECT_EQ(module->exports[1].kind, ExternKind::kMemory);
  EXPECT_EQ(module->memories[0].limits, (wasm::Limits{1, 3}));
  ASSERT_EQ(module->data.size(), 1u);
  EXPECT_EQ(bytes[module->data[0].bytes.begin], 'h');
  EXPECT_EQ(bytes[module->data[0].offset.begin], 0x41);
  EXPECT_EQ(module->name, "m");
  EXPECT_THAT(module->function_names, ElementsAre("", "run"));
}

TEST(ReaderTest, MalformedNamesAreIgnored) {
  for (const Bytes& names : std::vector<Bytes>{{0, 5, 1},
                                               {1, 3, 1, 0, 9},
                                               {1, 1, 1},
                                               {1, 0, 0, 2, 1, 'x'},
                                               {1, 4, 1, 0, 1, 0xff},
                                               {0, 2, 1}}) {
    const Bytes bytes = testing::Module({Section(0, Concat({String("name"), names}))});
    const absl::StatusOr<Module> module = ReadModule(bytes, Features());
    ASSERT_TRUE(module.ok()) << module.status();
    EXPECT_EQ(module->name, "");
    EXPECT_TRUE(module->function_names.empty());
  }
}

// Whatever is cut off, the reader notices, or what is left is a module.
TEST(ReaderTest, EveryPrefix) {
  const Bytes bytes =
      testing::Module({Section(1, Vector({FunctionType({0x7f}, {})})), Section(3, {1, 0}),
                       Section(6, Vector({{0x7f, 0, 0x41, 0x80, 0, 0x0b}})),
                       Section(7, Vector({Concat({String("run"), {0, 0}})})),
                       Section(10, Vector({Body({}, {0x0b})}))});
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string error =
        Read(Bytes(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size)));
    const bool between_sections = size == 8 || size == 8 + 7;
    EXPECT_EQ(error.empty(), between_sections) << size;
  }
  EXPECT_EQ(Read(bytes), "");
}

}  // namespace
}  // namespace precast::wasm
