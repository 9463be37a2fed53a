// Function references before anybody has called the function: its record is filled at first use,
// and nothing that a guest or a host can see depends on whether it is.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "compiler/driver/driver.h"
#include "gtest/gtest.h"
#include "loader/loader.h"
#include "runtime/trampolines.h"
#include "runtime/wasm/store.h"
#include "runtime/wasm/testing/make_module.h"
#include "runtime/wasm/testing/module_builder.h"
#include "runtime/wasm/testing/must.h"

namespace precast::runtime::wasm {
namespace {

using testing::Body;
using testing::Bytes;
using testing::Cat;
using testing::Export;
using testing::FunctionType;
using testing::I32Of;
using testing::Import;
using testing::kF64;
using testing::kFuncRef;
using testing::kI32;
using testing::Leb;
using testing::Must;
using testing::SectionOf;
using testing::Sleb;

class FunctionReferencesTest : public ::testing::TestWithParam<testing::Engine> {
 protected:
  static std::shared_ptr<const Module> Compile(const Bytes& bytes) {
    return testing::MakeModule(bytes, GetParam());
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, FunctionReferencesTest,
                         ::testing::Values(testing::Engine::kInterpreter, testing::Engine::kNative0,
                                           testing::Engine::kNative1, testing::Engine::kNative2),
                         [](const auto& info) { return testing::EngineName(info.param); });

// More integers and floats than travel in registers.
constexpr int kInts = 11, kFloats = 10;
Bytes ManyParams() {
  Bytes params;
  for (int i = 0; i < kInts + kFloats; ++i) params.push_back(i < kInts ? kI32 : kF64);
  return params;
}
// Pushes 1, 2, … of both kinds.
Bytes PushMany() {
  Bytes code;
  for (int i = 1; i <= kInts; ++i) code = Cat({code, Bytes{0x41}, Sleb(i)});
  for (int i = 1; i <= kFloats; ++i) {
    const double value = i;
    Bytes bits(8);
    std::memcpy(bits.data(), &value, 8);
    code = Cat({code, Bytes{0x44}, bits});
  }
  return code;
}
// A number that depends on each parameter and on `salt`.
Bytes Digest(int salt) {
  Bytes code = Cat({Bytes{0x41}, Sleb(salt)});
  for (uint8_t i = 0; i < kInts + kFloats; ++i) {
    code =
        Cat({code, Bytes{0x41, 31, 0x6c, 0x20, i}, i < kInts ? Bytes{} : Bytes{0xaa}, Bytes{0x6a}});
  }
  return code;
}
uint32_t DigestOf(uint32_t salt) {
  uint32_t value = salt;
  for (uint32_t i = 1; i <= kInts; ++i) value = value * 31 + i;
  for (uint32_t i = 1; i <= kFloats; ++i) value = value * 31 + i;
  return value;
}

// Types: 0 many -> i32, 1 i32 -> i32. Functions 0 and 1 digest, 2 has the other type; "via" (3) and
// "tail" (4) call the element given. Table "table": 0, 1, 2, null, 0.
Bytes ManyModule() {
  return testing::Module({
      SectionOf(1, {FunctionType(ManyParams(), {kI32}), FunctionType({kI32}, {kI32})}),
      SectionOf(3, {{0}, {0}, {1}, {1}, {1}}),
      SectionOf(4, {{kFuncRef, 0, 5}}),
      SectionOf(7, {Export("via", 0, 3), Export("tail", 0, 4), Export("table", 1, 0)}),
      SectionOf(9, {{0, 0x41, 0, 0x0b, 3, 0, 1, 2}, {0, 0x41, 4, 0x0b, 1, 0}}),
      SectionOf(10, {Body(Digest(5)), Body(Digest(6)), Body({0x20, 0, 0x41, 1, 0x6a}),
                     Body(Cat({PushMany(), Bytes{0x20, 0, 0x11, 0, 0}})),
                     Body(Cat({PushMany(), Bytes{0x20, 0, 0x13, 0, 0}}))}),
  });
}

TEST_P(FunctionReferencesTest, FirstCallsKeepParametersAndFuel) {
  const auto module = Compile(ManyModule());
  for (const char* name : {"via", "tail"}) {
    Store store({.fuel = 1'000'000});
    Func* call = Must(store.Instantiate(module, {}))->FindFunction(name);
    int64_t spent[3];
    for (int64_t& s : spent) {
      const int64_t before = store.fuel();
      EXPECT_EQ(I32Of(call->Call({Value::I32(0)})), DigestOf(5)) << name;
      s = before - store.fuel();
    }
    EXPECT_EQ(spent[0], spent[1]);
    EXPECT_EQ(spent[0], spent[2]);
    EXPECT_EQ(I32Of(call->Call({Value::I32(1)})), DigestOf(6)) << name;
    EXPECT_EQ(I32Of(call->Call({Value::I32(4)})), DigestOf(5)) << name;
  }
}

TEST_P(FunctionReferencesTest, FirstCallsCompareTypes) {
  Store store;
  Instance* instance = Must(store.Instantiate(Compile(ManyModule()), {}));
  Func* call = instance->FindFunction("via");
  for (int i = 0; i < 2; ++i) {
    const CallResult mismatch = call->Call({Value::I32(2)});
    EXPECT_EQ(mismatch.trap, abi::TrapCode::kIndirectCallTypeMismatch);
    EXPECT_EQ(mismatch.function, "via");
    EXPECT_NE(mismatch.offset, 0u);
    EXPECT_EQ(call->Call({Value::I32(3)}).trap, abi::TrapCode::kUninitializedElement);
  }
  EXPECT_EQ(I32Of(call->Call({Value::I32(0)})), DigestOf(5));
}

// The same table, imported: the first call comes from another instance. Types are other numbers
// there.
TEST_P(FunctionReferencesTest, FirstCallFromAnotherInstance) {
  const auto user = Compile(testing::Module({
      SectionOf(1, {FunctionType({}, {}), FunctionType({kI32}, {kI32}),
                    FunctionType(ManyParams(), {kI32})}),
      SectionOf(2, {Import("m", "table", {1, kFuncRef, 0, 5})}),
      SectionOf(3, {{1}, {1}, {0}}),
      SectionOf(7, {Export("via", 0, 0), Export("tail", 0, 1), Export("put", 0, 2)}),
      SectionOf(9, {{1, 0, 1, 0}}),
      SectionOf(10, {Body(Cat({PushMany(), Bytes{0x20, 0, 0x11, 2, 0}})),
                     Body(Cat({PushMany(), Bytes{0x20, 0, 0x13, 2, 0}})),
                     // table.init: element 3 becomes our "via".
                     Body({0x41, 3, 0x41, 0, 0x41, 1, 0xfc, 12, 0, 0})}),
  }));
  for (const char* name : {"via", "tail"}) {
    Store store;
    Instance* owner = Must(store.Instantiate(Compile(ManyModule()), {}));
    const Extern table = *owner->FindExport("table");
    std::vector<uint64_t> before;
    for (uint64_t i = 0; i < 5; ++i) before.push_back(*table.table->Get(i));
    EXPECT_EQ(before[0], before[4]);
    EXPECT_EQ(before[3], 0u);
    Instance* instance = Must(store.Instantiate(user, {table}));
    Func* call = instance->FindFunction(name);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(call->Call({Value::I32(2)}).trap, abi::TrapCode::kIndirectCallTypeMismatch);
      EXPECT_EQ(I32Of(call->Call({Value::I32(0)})), DigestOf(5));
      EXPECT_EQ(I32Of(call->Call({Value::I32(1)})), DigestOf(6));
      EXPECT_EQ(I32Of(owner->FindFunction(name)->Call({Value::I32(1)})), DigestOf(6));
    }
    for (uint64_t i = 0; i < 5; ++i) EXPECT_EQ(*table.table->Get(i), before[i]);
    ASSERT_TRUE(instance->FindFunction("put")->Call({}).ok());
    EXPECT_EQ(*table.table->Get(3), instance->FindFunction("via")->reference());
    EXPECT_EQ(store.FunctionOf(*table.table->Get(3)), instance->FindFunction("via"));
  }
}

// A reference goes to the host, which calls the function and asks for its type.
TEST_P(FunctionReferencesTest, HostsGetReferences) {
  Store store;
  Linker linker(store);
  uint64_t seen = 0;
  linker.Define("env", "f",
                store.NewFunction(
                    {{ValType::kFuncRef}, {ValType::kI32}},
                    [&](Caller& caller, absl::Span<const Value> args, absl::Span<Value> results) {
                      seen = args[0].As<uint64_t>();
                      Func* function = caller.store().FunctionOf(seen);
                      EXPECT_EQ(function->type().params.size(), 0u);
                      results[0] = Value::I32(I32Of(function->Call({})) + 1);
                      return HostResult::Return();
                    }));
  Instance* instance = Must(linker.Instantiate(Compile(testing::Module({
      SectionOf(1, {FunctionType({kFuncRef}, {kI32}), FunctionType({}, {kI32})}),
      SectionOf(2, {Import("env", "f", {0, 0})}),
      SectionOf(3, {{1}, {1}}),
      SectionOf(6, {{kFuncRef, 0, 0xd2, 1, 0x0b}}),
      SectionOf(7, {Export("run", 0, 2), Export("g", 3, 0)}),
      SectionOf(10, {Body({0x41, 41}), Body({0x23, 0, 0x10, 0})}),
  }))));
  EXPECT_EQ(I32Of(instance->FindFunction("run")->Call({})), 42u);
  EXPECT_EQ(instance->FindExport("g")->global->Get().As<uint64_t>(), seen);
}

// Enough functions and elements that contexts and tables are mapped, and used again by the next
// instance. Function i returns i; element i + 7 is function i * 3 % kFunctions.
constexpr uint32_t kFunctions = 3000, kElements = 5000;
Bytes LargeModule() {
  std::vector<Bytes> functions(kFunctions + 1, Bytes{0}), bodies;
  functions[kFunctions] = {1};
  Bytes elements = Cat({Bytes{0, 0x41, 7, 0x0b}, Leb(kElements)});
  Bytes passive = Cat({Bytes{1, 0}, Leb(kElements)});
  for (uint32_t i = 0; i < kFunctions; ++i) bodies.push_back(Body(Cat({Bytes{0x41}, Sleb(i)})));
  bodies.push_back(Body({0x20, 0, 0x11, 0, 0}));
  for (uint32_t i = 0; i < kElements; ++i) {
    elements = Cat({elements, Leb(i * 3 % kFunctions)});
    passive = Cat({passive, Leb(i * 7 % kFunctions)});
  }
  // "init" (to, from, size) and "drop" of the passive segment.
  functions.push_back({2});
  functions.push_back({3});
  bodies.push_back(Body({0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 12, 1, 0}));
  bodies.push_back(Body({0xfc, 13, 1}));
  return testing::Module({
      SectionOf(1, {FunctionType({}, {kI32}), FunctionType({kI32}, {kI32}),
                    FunctionType({kI32, kI32, kI32}, {}), FunctionType({}, {})}),
      SectionOf(3, functions),
      SectionOf(4, {Cat({Bytes{kFuncRef, 0}, Leb(6000)})}),
      SectionOf(7, {Export("via", 0, kFunctions), Export("init", 0, kFunctions + 1),
                    Export("drop", 0, kFunctions + 2), Export("table", 1, 0)}),
      SectionOf(9, {elements, passive}),
      SectionOf(10, bodies),
  });
}

TEST_P(FunctionReferencesTest, LargeTables) {
  const auto module = Compile(LargeModule());
  for (int round = 0; round < 3; ++round) {
    Store store;
    Instance* instance = Must(store.Instantiate(module, {}));
    Table& table = *instance->FindExport("table")->table;
    ASSERT_EQ(table.size(), 6000u);
    for (uint64_t i = 0; i < 6000; ++i) {
      ASSERT_EQ(*table.Get(i) == 0, i < 7 || i >= 7 + kElements) << i;
      // Equal functions, equal references.
      if (i >= 7 + kFunctions && i < 7 + kElements) {
        ASSERT_EQ(*table.Get(i), *table.Get(i - kFunctions));
      }
    }
    Func* via = instance->FindFunction("via");
    for (uint32_t i = 0; i < kElements; i += 371)
      EXPECT_EQ(I32Of(via->Call({Value::I32(i + 7)})), i * 3 % kFunctions);
    EXPECT_EQ(via->Call({Value::I32(6)}).trap, abi::TrapCode::kUninitializedElement);
    Func* init = instance->FindFunction("init");
    EXPECT_TRUE(init->Call({Value::I32(100), Value::I32(4000), Value::I32(1000)}).ok());
    EXPECT_EQ(I32Of(via->Call({Value::I32(1099)})), 4999 * 7 % kFunctions);
    EXPECT_EQ(I32Of(via->Call({Value::I32(99)})), 92u * 3);
    EXPECT_EQ(init->Call({Value::I32(100), Value::I32(4000), Value::I32(1001)}).trap,
              abi::TrapCode::kOutOfBoundsTableAccess);
    EXPECT_TRUE(instance->FindFunction("drop")->Call({}).ok());
    EXPECT_EQ(init->Call({Value::I32(0), Value::I32(0), Value::I32(1)}).trap,
              abi::TrapCode::kOutOfBoundsTableAccess);
    // What the next instance must not see.
    EXPECT_EQ(table.Grow(1000, *table.Get(7)), 6000u);
    EXPECT_TRUE(table.Set(0, *table.Get(7)));
  }
}

// An image whose tables have been altered is refused, or does something harmless.
class DamagedTablesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    driver::CompileOptions options;
    options.threads = 1;
    absl::StatusOr<driver::CompileResult> compiled = driver::Compile(ManyModule(), options);
    ASSERT_TRUE(compiled.ok()) << compiled.status();
    image_ = compiled->image;
    loader::LoadOptions load;
    load.callbacks = CallbackAddresses();
    absl::StatusOr<std::unique_ptr<loader::LoadedImage>> loaded = loader::LoadMemory(image_, load);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    declared_ = (*loaded)->view().table(format::Table::kDeclared);
    elements_ = (*loaded)->view().table(format::Table::kElements);
    // Functions 0 … 4; two segments, of three elements and of one.
    ASSERT_EQ(declared_.size, 5 * 8u);
    ASSERT_EQ(elements_.size, 4 + 2 * 8 + 4 * 4u);
  }

  // With field `at` of a table set, trusted or not.
  absl::StatusOr<Instance*> Run(Store& store, format::Range table, uint32_t at, uint32_t value,
                                bool trusted) {
    std::vector<uint8_t> image = image_;
    std::memcpy(&image[table.offset + at], &value, sizeof(value));
    loader::LoadOptions load;
    load.callbacks = CallbackAddresses();
    load.check.verify_digest = false;
    load.check.trusted = trusted;
    absl::StatusOr<std::unique_ptr<loader::LoadedImage>> loaded = loader::LoadMemory(image, load);
    if (!loaded.ok()) return loaded.status();
    auto module = Module::FromImage(std::shared_ptr<const loader::Image>(*std::move(loaded)));
    if (!module.ok()) return module.status();
    return store.Instantiate(*std::move(module), {});
  }

  std::vector<uint8_t> image_;
  format::Range declared_, elements_;
};

TEST_F(DamagedTablesTest, FunctionsAndTypesOutOfRange) {
  for (const uint32_t field : {0u, 4u}) {
    Store store;
    absl::StatusOr<Instance*> instance = Run(store, declared_, field, 0x7fffffff, /*trusted=*/true);
    ASSERT_TRUE(instance.ok()) << instance.status();
    Func* via = (*instance)->FindFunction("via");
    ASSERT_NE(via, nullptr);
    EXPECT_EQ(via->Call({Value::I32(0)}).kind, CallResult::Kind::kFailed);
    EXPECT_EQ(I32Of(via->Call({Value::I32(1)})), DigestOf(6));
    EXPECT_EQ(store.FunctionOf(*(*instance)->FindExport("table")->table->Get(0)), nullptr);
  }
  Store store;
  EXPECT_FALSE(Run(store, declared_, 0, 0x7fffffff, /*trusted=*/false).ok());
}

TEST_F(DamagedTablesTest, EveryField) {
  for (const format::Range& table : {declared_, elements_}) {
    for (uint32_t at = 0; at < table.size; at += 4) {
      for (const uint32_t value : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 100u, 0x7fffffffu, 0xffffffffu}) {
        Store store;
        absl::StatusOr<Instance*> instance = Run(store, table, at, value, value % 2 == 0);
        if (!instance.ok()) continue;
        Linker linker(store);
        linker.DefineInstance("m", *instance);
        const std::optional<Extern> exported = (*instance)->FindExport("table");
        if (!exported) continue;
        for (uint64_t i = 0; i < exported->table->size(); ++i) {
          if (const uint64_t reference = *exported->table->Get(i)) store.FunctionOf(reference);
        }
      }
    }
  }
}

}  // namespace
}  // namespace precast::runtime::wasm
