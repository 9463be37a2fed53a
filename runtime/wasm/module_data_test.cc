#include "runtime/wasm/module_data.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "loader/format/function_references.h"
#include "loader/format/varint.h"
#include "runtime/wasm/testing/module_builder.h"

namespace precast::runtime::wasm {
namespace {

using testing::Body;
using testing::Bytes;
using testing::Cat;
using testing::FunctionType;
using testing::kF64;
using testing::kFuncRef;
using testing::kI32;
using testing::kI64;
using testing::Leb;
using testing::Section;
using testing::SectionOf;
using testing::Sized;

// One of everything: functions 0 (imported), 1 … 5.
Bytes EverythingModule() {
  return testing::Module({
      SectionOf(1, {FunctionType({kI32, kF64}, {kI64}), FunctionType({}, {}),
                    FunctionType({kI32, kF64}, {kI64})}),
      SectionOf(2, {testing::Import("env", "f", {0, 2}), testing::Import("env", "g", {3, kI32, 0}),
                    testing::Import("env", "m", {2, 3, 1, 9})}),
      SectionOf(3, {{1}, {1}, {1}, {1}, {1}}),
      SectionOf(4, {{kFuncRef, 1, 2, 5}, {0x40, 0, kFuncRef, 0, 1, 0xd2, 2, 0x0b}}),
      SectionOf(5, {{5, 1, 0x80, 2}}),
      SectionOf(6, {{kFuncRef, 1, 0xd2, 4, 0x0b}, {kI32, 0, 0x23, 0, 0x41, 1, 0x6a, 0x0b}}),
      SectionOf(7, {testing::Export("run", 0, 5), testing::Export("mem", 2, 1)}),
      Section(8, {3}),
      SectionOf(9, {{0, 0x41, 0, 0x0b, 1, 0},
                    {3, 0, 1, 2},
                    {5, kFuncRef, 2, 0xd2, 2, 0x0b, 0xd0, kFuncRef, 0x0b}}),
      Section(12, {2}),
      SectionOf(10, {Body({}), Body({0x01}), Body({}), Body({}), Body({})}),
      SectionOf(11, {{2, 1, 0x42, 3, 0x0b, 2, 'h', 'i'}, {1, 1, 'x'}}),
      Section(0, Cat({testing::Name("name"), Bytes{1},
                      Sized(Cat({Leb(1), Leb(3), testing::Name("start")}))})),
  });
}

std::vector<uint32_t> RecordsOf(const ModuleData& m, uint32_t segment) {
  const ModuleData::ElementSegment& s = m.elements[segment];
  const absl::Span<const uint8_t> bytes = m.element_functions.Records(s.first, s.count);
  std::vector<uint32_t> records;
  for (size_t i = 0; i < bytes.size(); i += 4) records.push_back(format::LoadLe32(&bytes[i]));
  return records;
}

TEST(ModuleDataTest, DecodesEverySection) {
  Bytes bytes = EverythingModule();
  absl::StatusOr<std::unique_ptr<ModuleData>> decoded = ModuleData::Decode(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const ModuleData& m = **decoded;
  EXPECT_EQ(m.canonical_types, (std::vector<uint32_t>{0, 1, 0}));
  EXPECT_EQ(m.num_functions, 6u);
  EXPECT_EQ(m.functions(), (std::vector<uint32_t>{2, 1, 1, 1, 1, 1}));
  EXPECT_EQ(m.num_imported_functions, 1u);
  EXPECT_EQ(m.num_imported_memories, 1u);
  EXPECT_EQ(m.num_imported_globals, 1u);
  ASSERT_EQ(m.memories.size(), 2u);
  EXPECT_TRUE(m.memories[0].shared);
  EXPECT_EQ(m.memories[0].limits.max, 9u);
  EXPECT_TRUE(m.memories[1].is_64);
  EXPECT_EQ(m.memories[1].limits.max, 256u);
  ASSERT_EQ(m.tables.size(), 2u);
  EXPECT_EQ(m.tables[0].type.limits.max, 5u);
  EXPECT_EQ(m.tables[0].init.end, 0u);
  EXPECT_EQ(m.tables[1].init.end - m.tables[1].init.begin, 3u);
  EXPECT_EQ(m.start, 3u);
  ASSERT_EQ(m.elements.size(), 3u);
  EXPECT_EQ(m.elements[0].mode, ModuleData::SegmentMode::kActive);
  EXPECT_EQ(m.elements[1].mode, ModuleData::SegmentMode::kDeclarative);
  EXPECT_EQ(RecordsOf(m, 0), (std::vector<uint32_t>{0}));
  EXPECT_EQ(RecordsOf(m, 1), (std::vector<uint32_t>{1}));
  EXPECT_EQ(m.elements[2].expressions.size(), 2u);
  ASSERT_EQ(m.data().size(), 2u);
  EXPECT_EQ(m.data()[0].memory, 1u);
  EXPECT_EQ(bytes[m.data()[0].bytes.begin], 'h');
  EXPECT_EQ(m.data()[1].mode, ModuleData::SegmentMode::kPassive);
  ASSERT_EQ(m.bodies().size(), 5u);
  EXPECT_EQ(m.bodies()[1].end - m.bodies()[1].begin, 3u);
  ASSERT_EQ(m.function_names().size(), 4u);
  EXPECT_EQ(m.function_names()[3], "start");
  // Records: the import, then 2 (elements, table), 4 (global), 5 (export). The start function has
  // none.
  const uint32_t records[] = {0, ModuleData::kNone, 1, ModuleData::kNone, 2, 3};
  for (uint32_t f = 0; f < m.num_functions; ++f) EXPECT_EQ(m.RecordOf(f), records[f]) << f;
  EXPECT_EQ(m.FunctionOfRecord(2), (format::DeclaredFunction{.function = 4, .type = 1}));
  EXPECT_EQ(m.FunctionOfRecord(0), std::nullopt);
  EXPECT_EQ(m.FunctionOfRecord(4), std::nullopt);
  EXPECT_EQ(m.layout.num_records, 4u);
  EXPECT_EQ(m.layout.num_globals, 3u);
}

// What is looked for later is inside of the file, and there is as much of it as was announced.
void ExpectInside(const ModuleData& m) {
  const auto is_inside = [&](const ByteRange& range) {
    return range.begin <= range.end && range.end <= m.bytes.size();
  };
  ASSERT_EQ(m.bodies().size() + m.num_imported_functions, m.num_functions);
  for (const ByteRange& body : m.bodies()) EXPECT_TRUE(is_inside(body));
  ASSERT_EQ(m.data().size(), m.num_data_segments());
  for (const ModuleData::DataSegment& segment : m.data()) {
    EXPECT_TRUE(is_inside(segment.bytes));
    EXPECT_TRUE(is_inside(segment.offset));
    EXPECT_TRUE(segment.mode != ModuleData::SegmentMode::kActive ||
                segment.memory < m.memories.size());
  }
  EXPECT_LE(m.function_names().size(), m.num_functions);
  ASSERT_EQ(m.functions().size(), m.num_functions);
  for (uint32_t type : m.functions())
    EXPECT_TRUE(type < m.types.size() || type == ModuleData::kNone);
  for (uint32_t f = 0; f < m.num_functions; ++f) {
    EXPECT_LT(m.TypeOf(f).value_or(0), m.types.size());
    const uint32_t record = m.RecordOf(f);
    EXPECT_TRUE(record < m.layout.num_records || record == ModuleData::kNone);
  }
  for (uint32_t r = 0; r < m.layout.num_records; ++r) {
    const std::optional<format::DeclaredFunction> function = m.FunctionOfRecord(r);
    if (!function) continue;
    EXPECT_LT(function->function, m.num_functions);
    EXPECT_LT(function->type, m.types.size());
  }
  for (uint32_t i = 0; i < m.elements.size(); ++i) RecordsOf(m, i);
}

TEST(ModuleDataTest, EveryPrefixIsRejectedOrDecodes) {
  Bytes bytes = EverythingModule();
  for (size_t size = 0; size < bytes.size(); ++size) {
    Bytes prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    absl::StatusOr<std::unique_ptr<ModuleData>> decoded = ModuleData::Decode(prefix);
    if (decoded.ok()) ExpectInside(**decoded);
  }
}

TEST(ModuleDataTest, SurvivesMutations) {
  std::mt19937 random(1);
  const Bytes original = EverythingModule();
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes = original;
    for (uint32_t k = 0; k < 1 + random() % 3; ++k)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    absl::StatusOr<std::unique_ptr<ModuleData>> decoded = ModuleData::Decode(bytes);
    if (!decoded.ok()) continue;
    ExpectInside(**decoded);
  }
}

// As an image has them.
struct Tables {
  Bytes declared, elements;
};
Tables TablesOf(const Bytes& bytes, const ModuleData& m) {
  std::vector<format::DeclaredFunction> declared;
  for (uint32_t i = 0; i < m.declared.count(); ++i) declared.push_back(m.declared.Get(i));
  std::vector<format::ElementSegmentRecords> elements;
  for (uint32_t i = 0; i < m.elements.size(); ++i)
    elements.push_back({m.element_functions.SegmentAt(i)->end, RecordsOf(m, i)});
  EXPECT_LE(elements.back().end, bytes.size());
  return {format::EncodeDeclaredFunctions(declared), format::EncodeElementFunctions(elements)};
}

absl::StatusOr<std::unique_ptr<ModuleData>> DecodePrepared(const Bytes& bytes,
                                                           const Tables& tables) {
  const auto declared = format::DeclaredFunctions::Parse(tables.declared);
  const auto elements = format::ElementFunctions::Parse(tables.elements);
  if (!declared.ok()) return declared.status();
  if (!elements.ok()) return elements.status();
  return ModuleData::Decode(bytes, *declared, *elements);
}

TEST(ModuleDataTest, IsTheSameWithAnImagesTables) {
  const Bytes bytes = EverythingModule();
  const std::unique_ptr<ModuleData> own = *ModuleData::Decode(bytes);
  const Tables tables = TablesOf(bytes, *own);
  absl::StatusOr<std::unique_ptr<ModuleData>> decoded = DecodePrepared(bytes, tables);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const ModuleData& m = **decoded;
  EXPECT_EQ(m.functions(), own->functions());
  EXPECT_EQ(m.start, own->start);
  EXPECT_EQ(m.layout.Size(), own->layout.Size());
  ASSERT_EQ(m.elements.size(), own->elements.size());
  for (uint32_t i = 0; i < m.elements.size(); ++i) {
    EXPECT_EQ(m.elements[i].mode, own->elements[i].mode);
    EXPECT_EQ(m.elements[i].size(), own->elements[i].size());
    EXPECT_EQ(RecordsOf(m, i), RecordsOf(*own, i));
  }
  for (uint32_t f = 0; f < m.num_functions; ++f) {
    EXPECT_EQ(m.RecordOf(f), own->RecordOf(f));
    EXPECT_EQ(m.TypeOf(f), own->TypeOf(f));
  }
  ExpectInside(m);
}

TEST(ModuleDataTest, SurvivesMutationsOfAnImagesTables) {
  std::mt19937 random(2);
  const Bytes original = EverythingModule();
  const Tables tables = TablesOf(original, **ModuleData::Decode(original));
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes = original;
    Tables damaged = tables;
    for (uint32_t k = 0; k < random() % 3; ++k)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    for (Bytes* table : {&damaged.declared, &damaged.elements}) {
      for (uint32_t k = 0; k < random() % 3; ++k)
        (*table)[random() % table->size()] = static_cast<uint8_t>(random() % 64);
    }
    absl::StatusOr<std::unique_ptr<ModuleData>> decoded = DecodePrepared(bytes, damaged);
    if (decoded.ok()) ExpectInside(**decoded);
  }
}

}  // namespace
}  // namespace precast::runtime::wasm
