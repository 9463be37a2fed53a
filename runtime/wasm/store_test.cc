#include "runtime/wasm/store.h"

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
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
using testing::kExternRef;
using testing::kF64;
using testing::kFuncRef;
using testing::kI32;
using testing::kI64;
using testing::kV128;
using testing::Leb;
using testing::Must;
using testing::Section;
using testing::SectionOf;
using testing::Sleb;

// Everything must be the same interpreted and native.
class StoreTest : public ::testing::TestWithParam<testing::Engine> {
 protected:
  static std::shared_ptr<const Module> Compile(const Bytes& bytes) {
    return testing::MakeModule(bytes, GetParam());
  }
  static std::shared_ptr<const Module> ImportModule(const Bytes& description) {
    return Compile(testing::Module({SectionOf(2, {Import("m", "x", description)})}));
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, StoreTest,
                         ::testing::Values(testing::Engine::kInterpreter, testing::Engine::kNative0,
                                           testing::Engine::kNative1, testing::Engine::kNative2),
                         [](const auto& info) { return testing::EngineName(info.param); });

// (func $add (export "add") (param i32 i32) (result i32) …)
Bytes AddModule() {
  return testing::Module({SectionOf(1, {FunctionType({kI32, kI32}, {kI32})}), SectionOf(3, {{0}}),
                          SectionOf(7, {Export("add", 0, 0)}),
                          SectionOf(10, {Body({0x20, 0, 0x20, 1, 0x6a})})});
}

TEST_P(StoreTest, CallsAnExport) {
  Store store;
  Instance* instance = Must(store.Instantiate(Compile(AddModule()), {}));
  Func* add = instance->FindFunction("add");
  ASSERT_NE(add, nullptr);
  EXPECT_EQ(add->type(), (FuncType{{ValType::kI32, ValType::kI32}, {ValType::kI32}}));
  EXPECT_EQ(I32Of(add->Call({Value::I32(40), Value::I32(2)})), 42u);
  EXPECT_EQ(instance->FindFunction("sub"), nullptr);
}

TEST_P(StoreTest, CountsFuel) {
  Store store({.fuel = 7});
  Func* add = Must(store.Instantiate(Compile(AddModule()), {}))->FindFunction("add");
  EXPECT_TRUE(add->Call({Value::I32(1), Value::I32(2)}).ok());
  EXPECT_EQ(store.fuel(), 4);
  EXPECT_TRUE(add->Call({Value::I32(1), Value::I32(2)}).ok());
  CallResult result = add->Call({Value::I32(1), Value::I32(2)});
  EXPECT_EQ(result.kind, CallResult::Kind::kTrapped);
  EXPECT_EQ(result.trap, abi::TrapCode::kOutOfFuel);
  EXPECT_EQ(result.function, "add");
  EXPECT_EQ(store.fuel(), 1);
}

// Calls import "env" "f" (i32) -> i32 and adds 1; "via" the same through table 0.
Bytes CallerModule() {
  return testing::Module({
      SectionOf(1, {FunctionType({kI32}, {kI32}), FunctionType({}, {})}),
      SectionOf(2, {Import("env", "f", {0, 0})}),
      SectionOf(3, {{0}, {0}}),
      SectionOf(4, {{kFuncRef, 0, 2}}),
      SectionOf(
          7, {Export("run", 0, 1), Export("via", 0, 2), Export("f", 0, 0), Export("table", 1, 0)}),
      SectionOf(9, {{0, 0x41, 1, 0x0b, 1, 0}}),
      SectionOf(10, {Body({0x20, 0, 0x10, 0, 0x41, 1, 0x6a}),
                     Body({0x20, 0, 0x41, 1, 0x11, 0, 0, 0x41, 1, 0x6a})}),
  });
}

TEST_P(StoreTest, HostFunctionsAreTyped) {
  Store store;
  Linker linker(store);
  Instance* seen = nullptr;
  linker.Define("env", "f", store.Wrap([&](Caller& caller, int32_t x) {
    seen = caller.instance();
    EXPECT_EQ(caller.memory(), nullptr);
    return x * 2;
  }));
  Instance* instance = Must(linker.Instantiate(Compile(CallerModule())));
  EXPECT_EQ(I32Of(instance->FindFunction("run")->Call({Value::I32(20)})), 41u);
  EXPECT_EQ(seen, instance);
  EXPECT_EQ(I32Of(instance->FindFunction("via")->Call({Value::I32(30)})), 61u);
  // A host function that is exported again can be called, too.
  EXPECT_EQ(I32Of(instance->FindFunction("f")->Call({Value::I32(4)})), 8u);
  EXPECT_EQ(seen, nullptr);
}

TEST_P(StoreTest, HostFunctionsEndTheGuest) {
  Store store;
  HostResult next;
  Linker linker(store);
  linker.Define(
      "env", "f",
      store.NewFunction({{ValType::kI32}, {ValType::kI32}},
                        [&](Caller&, absl::Span<const Value>, absl::Span<Value>) { return next; }));
  Func* run = Must(linker.Instantiate(Compile(CallerModule())))->FindFunction("run");
  next = HostResult::Exit(3);
  CallResult result = run->Call({Value::I32(1)});
  EXPECT_EQ(result.kind, CallResult::Kind::kExited);
  EXPECT_EQ(result.exit_code, 3u);
  next = HostResult::Trap(abi::TrapCode::kUnreachable);
  result = run->Call({Value::I32(1)});
  EXPECT_EQ(result.kind, CallResult::Kind::kTrapped);
  EXPECT_EQ(result.trap, abi::TrapCode::kUnreachable);
  next = HostResult::Fail(absl::DataLossError("gone"));
  result = run->Call({Value::I32(1)});
  EXPECT_EQ(result.kind, CallResult::Kind::kFailed);
  EXPECT_EQ(result.failure, absl::DataLossError("gone"));
  next = HostResult::Return();
  EXPECT_EQ(I32Of(run->Call({Value::I32(1)})), 1u);
}

TEST_P(StoreTest, HostFunctionsCallBack) {
  Store store;
  Linker linker(store);
  Instance* instance = nullptr;
  int depth = 0;
  linker.Define("env", "f", store.Wrap([&](Caller&, int32_t x) -> int32_t {
    if (x == 0) return 100;
    ++depth;
    return static_cast<int32_t>(
        I32Of(instance->FindFunction("run")->Call({Value::I32(static_cast<uint32_t>(x - 1))})));
  }));
  instance = Must(linker.Instantiate(Compile(CallerModule())));
  EXPECT_EQ(I32Of(instance->FindFunction("run")->Call({Value::I32(10)})), 111u);
  EXPECT_EQ(depth, 10);
}

TEST_P(StoreTest, RecursionThroughTheHostEnds) {
  Store store;
  Linker linker(store);
  Instance* instance = nullptr;
  linker.Define(
      "env", "f",
      store.NewFunction({{ValType::kI32}, {ValType::kI32}},
                        [&](Caller&, absl::Span<const Value> args, absl::Span<Value> results) {
                          CallResult r = instance->FindFunction("run")->Call(args);
                          if (!r.ok()) return HostResult::Trap(r.trap);
                          results[0] = r.values[0];
                          return HostResult::Return();
                        }));
  instance = Must(linker.Instantiate(Compile(CallerModule())));
  CallResult result = instance->FindFunction("run")->Call({Value::I32(10)});
  EXPECT_EQ(result.kind, CallResult::Kind::kTrapped);
  EXPECT_EQ(result.trap, abi::TrapCode::kCallStackExhausted);
}

TEST_P(StoreTest, ImportsAreChecked) {
  Store store;
  auto module = Compile(CallerModule());
  Linker linker(store);
  absl::StatusOr<Instance*> r = linker.Instantiate(module);
  EXPECT_EQ(r.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(r.status().message().find("unknown import"), std::string::npos) << r.status();
  linker.Define("env", "f", store.Wrap([](Caller&, int64_t) { return 1; }));
  r = linker.Instantiate(module);
  EXPECT_NE(r.status().message().find("incompatible import type"), std::string::npos) << r.status();
  linker.Define("env", "f",
                Extern{.kind = ExternKind::kGlobal,
                       .global = store.NewGlobal({ValType::kI32, false}, Value::I32(1))});
  r = linker.Instantiate(module);
  EXPECT_NE(r.status().message().find("incompatible import type"), std::string::npos) << r.status();
}

TEST_P(StoreTest, LimitsOfImportsAreChecked) {
  Store store;
  auto memory = Memory::Create({.limits = {.min = 2, .max = 5}});
  ASSERT_TRUE(memory.ok());
  auto table = store.NewTable({.limits = {.min = 10, .max = 20}});
  ASSERT_TRUE(table.ok());
  const Extern m{.kind = ExternKind::kMemory, .memory = *memory};
  const Extern t{.kind = ExternKind::kTable, .table = *table};
  auto fits = [&](const Extern& what, const Bytes& description) {
    return store.Instantiate(ImportModule(description), {what}).ok();
  };
  EXPECT_TRUE(fits(m, {2, 0, 0}));
  EXPECT_TRUE(fits(m, {2, 0, 2}));
  EXPECT_FALSE(fits(m, {2, 0, 3}));
  EXPECT_TRUE(fits(m, {2, 1, 2, 5}));
  EXPECT_FALSE(fits(m, {2, 1, 2, 4}));
  EXPECT_FALSE(fits(m, {2, 3, 2, 5}));
  EXPECT_FALSE(fits(m, {2, 5, 2, 5}));
  ASSERT_TRUE((*memory)->Grow(1).has_value());
  EXPECT_TRUE(fits(m, {2, 0, 3}));
  EXPECT_TRUE(fits(t, {1, kFuncRef, 0, 10}));
  EXPECT_FALSE(fits(t, {1, kExternRef, 0, 10}));
  EXPECT_FALSE(fits(t, {1, kFuncRef, 0, 11}));
  EXPECT_FALSE(fits(t, {1, kFuncRef, 1, 10, 19}));
  const Extern g{.kind = ExternKind::kGlobal,
                 .global = store.NewGlobal({ValType::kI64, true}, Value::I64(1))};
  EXPECT_TRUE(fits(g, {3, kI64, 1}));
  EXPECT_FALSE(fits(g, {3, kI64, 0}));
  EXPECT_FALSE(fits(g, {3, kF64, 1}));
}

TEST_P(StoreTest, MemoriesGrowWithinLimits) {
  auto memory = *Memory::Create({.limits = {.min = 1, .max = 3}});
  uint8_t* const base = memory->base();
  base[65535] = 7;
  EXPECT_EQ(memory->Grow(0), 1u);
  EXPECT_EQ(memory->Grow(2), 1u);
  EXPECT_EQ(memory->base(), base);
  EXPECT_EQ(base[3 * 65536 - 1], 0);
  EXPECT_EQ(memory->Grow(1), std::nullopt);
  EXPECT_EQ(memory->Grow(~uint64_t{0}), std::nullopt);
  EXPECT_EQ(memory->bytes(), 3u * 65536);
  EXPECT_TRUE(memory->Slice(3 * 65536, 0).has_value());
  EXPECT_FALSE(memory->Slice(3 * 65536, 1).has_value());
  EXPECT_FALSE(memory->Slice(~uint64_t{0}, 2).has_value());
  // The next memory in the same place is empty.
  memory.reset();
  memory = *Memory::Create({.limits = {.min = 1, .max = 3}});
  EXPECT_EQ(memory->base()[65535], 0);
  EXPECT_EQ(memory->Grow(1), 1u);
  EXPECT_EQ(memory->base()[65536], 0);
  EXPECT_FALSE(Memory::Create({.limits = {.min = 65537}}).ok());
  EXPECT_TRUE(Memory::Create({.limits = {.min = 1}, .is_64 = true}).ok());
}

// Compiled code relies on it, see compiler/opt/fold_addresses.h.
TEST_P(StoreTest, NoMemoryGrowsToItsLastPage) {
  auto memory = *Memory::Create({.limits = {.min = 1}});
  EXPECT_EQ(memory->Grow(65535), std::nullopt);
  EXPECT_EQ(memory->Grow(65534), 1u);
  EXPECT_EQ(memory->Grow(1), std::nullopt);
  memory = *Memory::Create({.limits = {.min = 65535, .max = 65536}});
  EXPECT_EQ(memory->Grow(1), std::nullopt);
  memory = *Memory::Create({.limits = {.min = 65536}});
  EXPECT_EQ(memory->bytes(), uint64_t{65536} << 16);
}

// Whether the mapping of `address` has asked for huge pages; nullopt if the kernel knows none.
std::optional<bool> AsksForHugePages(const uint8_t* address) {
  if (!std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled")) return std::nullopt;
  std::ifstream maps("/proc/self/smaps");
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long long begin, end;
    if (std::sscanf(line.c_str(), "%llx-%llx ", &begin, &end) == 2) {
      const auto at = reinterpret_cast<uint64_t>(address);
      here = begin <= at && at < end;
    } else if (here && line.rfind("VmFlags:", 0) == 0) {
      return line.find(" hg") != std::string::npos;
    }
  }
  return std::nullopt;
}

TEST_P(StoreTest, LargeMemoriesAskForHugePages) {
  if (!std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled")) GTEST_SKIP();
  auto memory = *Memory::Create({.limits = {.min = 63}});
  EXPECT_EQ(AsksForHugePages(memory->base()), false);
  EXPECT_EQ(memory->Grow(1), 63u);
  EXPECT_EQ(AsksForHugePages(memory->base()), true);
  // The next memory in the same place.
  memory.reset();
  memory = *Memory::Create({.limits = {.min = 40}});
  EXPECT_EQ(AsksForHugePages(memory->base()), false);
  memory = *Memory::Create({.limits = {.min = 64}});
  EXPECT_EQ(AsksForHugePages(memory->base()), true);
}

// Global initializers, extended constant expressions, segments of every kind; "mem" reads memory,
// "call" calls a table element.
TEST_P(StoreTest, InitializesInOrder) {
  Store store;
  auto module = Compile(testing::Module({
      SectionOf(1, {FunctionType({kI32}, {kI32}), FunctionType({}, {kI32})}),
      SectionOf(2, {Import("m", "base", {3, kI32, 0})}),
      SectionOf(3, {{0}, {0}, {1}}),
      SectionOf(4, {{kFuncRef, 0, 4}}),
      SectionOf(5, {{0, 1}}),
      SectionOf(6, {{kI32, 0, 0x23, 0, 0x41, 3, 0x6c, 0x41, 1, 0x6a, 0x0b},
                    {kFuncRef, 0, 0xd2, 2, 0x0b},
                    Cat({Bytes{kI64, 1, 0x42}, Sleb(-5), Bytes{0x0b}})}),
      SectionOf(7, {Export("mem", 0, 0), Export("call", 0, 1), Export("g1", 3, 1),
                    Export("g3", 3, 3), Export("memory", 2, 0), Export("t", 1, 0)}),
      SectionOf(9,
                {{0, 0x41, 1, 0x0b, 1, 2}, {4, 0x23, 0, 0x0b, 1, 0xd2, 2, 0x0b}, {7, kFuncRef, 0}}),
      SectionOf(10, {Body({0x20, 0, 0x2d, 0, 0}), Body({0x20, 0, 0x11, 1, 0}), Body({0x41, 42})}),
      SectionOf(11, {{0, 0x23, 0, 0x0b, 3, 'a', 'b', 'c'}, {0, 0x41, 3, 0x0b, 1, 'X'}}),
  }));
  Extern base{.kind = ExternKind::kGlobal,
              .global = store.NewGlobal({ValType::kI32, false}, Value::I32(2))};
  Instance* instance = Must(store.Instantiate(module, {base}));
  Func* mem = instance->FindFunction("mem");
  EXPECT_EQ(I32Of(mem->Call({Value::I32(2)})), uint32_t{'a'});
  EXPECT_EQ(I32Of(mem->Call({Value::I32(3)})), uint32_t{'X'});
  EXPECT_EQ(I32Of(mem->Call({Value::I32(4)})), uint32_t{'c'});
  EXPECT_EQ(instance->FindExport("g1")->global->Get().As<uint32_t>(), 7u);
  EXPECT_EQ(instance->FindExport("g3")->global->Get().As<int64_t>(), -5);
  Func* call = instance->FindFunction("call");
  EXPECT_EQ(I32Of(call->Call({Value::I32(1)})), 42u);
  EXPECT_EQ(I32Of(call->Call({Value::I32(2)})), 42u);
  EXPECT_EQ(call->Call({Value::I32(0)}).trap, abi::TrapCode::kUninitializedElement);
  CallResult undefined = call->Call({Value::I32(4)});
  EXPECT_EQ(undefined.trap, abi::TrapCode::kUndefinedElement);
  EXPECT_EQ(undefined.function, "call");
  EXPECT_NE(undefined.offset, 0u);
  CallResult out = mem->Call({Value::I32(65536)});
  EXPECT_EQ(out.trap, abi::TrapCode::kOutOfBoundsMemoryAccess);
  std::optional<uint64_t> element = instance->FindExport("t")->table->Get(1);
  ASSERT_TRUE(element.has_value());
  EXPECT_EQ(I32Of(store.FunctionOf(*element)->Call({})), 42u);
}

TEST_P(StoreTest, StopsAtTheFirstSegmentThatDoesNotFit) {
  Store store;
  auto module = Compile(testing::Module({
      SectionOf(2, {Import("m", "m", {2, 0, 1})}),
      SectionOf(11, {{0, 0x41, 0, 0x0b, 1, 'A'},
                     Cat({Bytes{0, 0x41}, Sleb(65535), Bytes{0x0b, 2, 'B', 'B'}}),
                     {0, 0x41, 1, 0x0b, 1, 'C'}}),
  }));
  auto memory = *Memory::Create({.limits = {.min = 1}});
  absl::StatusOr<Instance*> r =
      store.Instantiate(module, {Extern{.kind = ExternKind::kMemory, .memory = memory}});
  EXPECT_EQ(r.status(), absl::FailedPreconditionError("out of bounds memory access"));
  EXPECT_EQ(memory->base()[0], 'A');
  EXPECT_EQ(memory->base()[1], 0);
  EXPECT_EQ(memory->base()[65535], 0);
}

TEST_P(StoreTest, StartMayTrap) {
  Store store;
  auto module = Compile(testing::Module({SectionOf(1, {FunctionType({}, {})}), SectionOf(3, {{0}}),
                                         Section(8, {0}), SectionOf(10, {Body({0x00})})}));
  absl::StatusOr<Instance*> r = store.Instantiate(module, {});
  EXPECT_EQ(r.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(r.status().message().find("unreachable"), std::string::npos) << r.status();
}

// All of a module's functions may be exported to another; types are compared by structure.
TEST_P(StoreTest, InstancesCallEachOther) {
  Store store({.fuel = 1000});
  Instance* add =
      Must(store.Instantiate(Compile(testing::Module({
                                 SectionOf(1, {FunctionType({}, {}), FunctionType({kI32}, {kI32})}),
                                 SectionOf(3, {{1}, {1}}),
                                 SectionOf(7, {Export("f", 0, 0), Export("trap", 0, 1)}),
                                 SectionOf(10, {Body({0x20, 0, 0x41, 5, 0x6a}), Body({0x00})}),
                             })),
                             {}));
  Linker linker(store);
  linker.DefineInstance("env", add);
  Instance* caller = Must(linker.Instantiate(Compile(CallerModule())));
  EXPECT_EQ(I32Of(caller->FindFunction("run")->Call({Value::I32(1)})), 7u);
  EXPECT_EQ(store.fuel(), 1000 - 4 - 3);
  EXPECT_EQ(I32Of(caller->FindFunction("via")->Call({Value::I32(1)})), 7u);
  EXPECT_EQ(caller->FindFunction("f"), add->FindFunction("f"));
  linker.Define("env", "f", add->FindFunction("trap"));
  store.set_fuel(100);
  CallResult result =
      Must(linker.Instantiate(Compile(CallerModule())))->FindFunction("run")->Call({Value::I32(1)});
  EXPECT_EQ(result.trap, abi::TrapCode::kUnreachable);
  EXPECT_EQ(result.function, "trap");
  EXPECT_EQ(store.fuel(), 100 - 2);  // local.get, call; the trap is not counted
}

TEST_P(StoreTest, ManyInstancesOfOneModule) {
  Store store;
  auto module = Compile(testing::Module({
      SectionOf(1, {FunctionType({kI32}, {kI32})}),
      SectionOf(3, {{0}}),
      SectionOf(5, {{0, 1}}),
      SectionOf(7, {Export("f", 0, 0), Export("memory", 2, 0)}),
      // Adds to what memory holds at 0.
      SectionOf(10, {Body({0x41, 0, 0x41, 0, 0x28, 2, 0, 0x20, 0, 0x6a, 0x36, 2, 0, 0x41, 0, 0x28,
                           2, 0})}),
  }));
  std::vector<Instance*> instances;
  const uint32_t count = testing::UnderThreadSanitizer() ? 100 : 1000;
  for (uint32_t i = 0; i < count; ++i) {
    instances.push_back(Must(store.Instantiate(module, {})));
    ASSERT_NE(instances.back(), nullptr);
    EXPECT_EQ(I32Of(instances[i]->FindFunction("f")->Call({Value::I32(i)})), i);
  }
  for (uint32_t i = 0; i < count; ++i)
    EXPECT_EQ(I32Of(instances[i]->FindFunction("f")->Call({Value::I32(1)})), i + 1);
}

Bytes LoopModule() {
  return testing::Module({SectionOf(1, {FunctionType({}, {})}), SectionOf(3, {{0}}),
                          SectionOf(7, {Export("loop", 0, 0)}),
                          SectionOf(10, {Body({0x03, 0x40, 0x0c, 0, 0x0b})})});
}

TEST_P(StoreTest, InterruptsFromAnotherThread) {
  if (GetParam() != testing::Engine::kInterpreter && testing::UnderThreadSanitizer()) GTEST_SKIP();
  Store store;
  Func* loop = Must(store.Instantiate(Compile(LoopModule()), {}))->FindFunction("loop");
  for (int i = 0; i < 3; ++i) {
    std::thread other([&] { store.Interrupt(); });
    CallResult result = loop->Call({});
    other.join();
    EXPECT_EQ(result.trap, abi::TrapCode::kInterrupted);
  }
  store.set_fuel(10);
  EXPECT_EQ(loop->Call({}).trap, abi::TrapCode::kOutOfFuel);
}

// Recursion without end: direct, through a table, and from instance to instance.
TEST_P(StoreTest, StackIsLimited) {
  Store store({.native_stack_size = 1 << 20});
  const Bytes bytes = testing::Module({
      SectionOf(1, {FunctionType({kI32}, {kI32})}),
      SectionOf(2, {Import("env", "t", {1, kFuncRef, 0, 2})}),
      SectionOf(3, {{0}, {0}, {0}}),
      SectionOf(7, {Export("direct", 0, 0), Export("self", 0, 1), Export("other", 0, 2)}),
      SectionOf(10, {Body({0x20, 0, 0x10, 0, 0x20, 0, 0x6a}),
                     Body({0x20, 0, 0x41, 0, 0x11, 0, 0, 0x20, 0, 0x6a}),
                     Body({0x20, 0, 0x41, 1, 0x11, 0, 0, 0x20, 0, 0x6a})}),
  });
  Table* table = *store.NewTable({.limits = {.min = 2}});
  const Extern import{.kind = ExternKind::kTable, .table = table};
  auto module = Compile(bytes);
  Instance* a = Must(store.Instantiate(module, {import}));
  Instance* b = Must(store.Instantiate(module, {import}));
  // Slot 0 calls itself; slot 1 of a calls b's "other", which calls slot 1 …
  table->Set(0, a->FindFunction("self")->reference());
  table->Set(1, b->FindFunction("other")->reference());
  for (const char* name : {"direct", "self", "other"}) {
    CallResult result = a->FindFunction(name)->Call({Value::I32(1)});
    EXPECT_EQ(result.kind, CallResult::Kind::kTrapped) << name << result.failure;
    EXPECT_EQ(result.trap, abi::TrapCode::kCallStackExhausted) << name;
  }
}

// More parameters and results than registers, of all types, through tables, instances and the host.
TEST_P(StoreTest, ManyParametersAndResults) {
  std::vector<uint8_t> types;
  FuncType type;
  for (int i = 0; i < 40; ++i) {
    static constexpr uint8_t kTypes[] = {kI32, kF64, kI64, testing::kF32, kV128, kExternRef};
    types.push_back(kTypes[i % 6]);
    type.params.push_back(static_cast<ValType>(types.back()));
  }
  type.results = type.params;
  std::vector<Value> values;
  for (uint32_t i = 0; i < 40; ++i) {
    Value v{type.params[i], {}};
    const bool is_32 = v.type == ValType::kI32 || v.type == ValType::kF32;
    const size_t size = is_32 ? 4 : v.type == ValType::kV128 ? 16 : 8;
    for (size_t k = 0; k < size; ++k) v.bits.bytes[k] = static_cast<uint8_t>(i * 16 + k + 1);
    values.push_back(v);
  }
  Bytes code;
  for (uint8_t i = 0; i < 40; ++i) code.insert(code.end(), {0x20, i});
  const Bytes call = Cat({code, {0x10, 0}});
  const Bytes indirect = Cat({code, {0x41, 0, 0x11, 0, 0}});
  auto module = Compile(testing::Module({
      SectionOf(1, {FunctionType(types, types)}),
      SectionOf(2, {Import("env", "f", {0, 0})}),
      SectionOf(3, {{0}, {0}, {0}}),
      SectionOf(4, {{kFuncRef, 0, 1}}),
      SectionOf(7, {Export("f", 0, 1), Export("call", 0, 2), Export("indirect", 0, 3)}),
      SectionOf(9, {{0, 0x41, 0, 0x0b, 1, 0}}),
      SectionOf(10, {Body(code), Body(call), Body(indirect)}),
  }));
  Store store;
  Func* host = store.NewFunction(
      type, [&](Caller&, absl::Span<const Value> args, absl::Span<Value> results) {
        for (size_t i = 0; i < args.size(); ++i) {
          EXPECT_EQ(std::memcmp(args[i].bits.bytes, values[i].bits.bytes, 16), 0) << i;
          results[i] = args[i];
        }
        return HostResult::Return();
      });
  Linker linker(store);
  linker.Define("env", "f", host);
  Instance* first = Must(linker.Instantiate(module));
  linker.Define("env", "f", first->FindFunction("f"));
  Instance* second = Must(linker.Instantiate(module));
  for (Instance* instance : {first, second}) {
    for (const char* name : {"f", "call", "indirect"}) {
      CallResult result = instance->FindFunction(name)->Call(values);
      ASSERT_TRUE(result.ok()) << name;
      for (size_t i = 0; i < values.size(); ++i) {
        EXPECT_EQ(result.values[i].type, values[i].type);
        EXPECT_EQ(std::memcmp(result.values[i].bits.bytes, values[i].bits.bytes, 16), 0)
            << name << " " << i;
      }
    }
  }
}

// A load may be executed before it is charged for, but not fault where the fuel does not suffice.
TEST_P(StoreTest, FuelEndsBeforeLoads) {
  // block local.get 0 i32.load br_if 0 | local.get 0 i32.load offset=8 i32.eqz br_if 0 |
  // local.get 0 i32.load offset=12 drop i32.const 5 return end | i32.const 9
  auto module = Compile(testing::Module({
      SectionOf(1, {FunctionType({kI32}, {kI32})}),
      SectionOf(3, {{0}}),
      SectionOf(5, {{0, 1}}),
      SectionOf(7, {Export("f", 0, 0)}),
      SectionOf(10, {Body({0x02, 0x40, 0x20, 0,    0x28, 2,    0,    0x0d, 0, 0x20,
                           0,    0x28, 2,    8,    0x45, 0x0d, 0,    0x20, 0, 0x28,
                           2,    0x0c, 0x1a, 0x41, 5,    0x0f, 0x0b, 0x41, 9})}),
  }));
  struct Case {
    int32_t address;
    std::vector<int64_t> segments;  // that are begun, each with what it costs
    int64_t spent;
  };
  const Case cases[] = {
      {0x10000, {3}, 1}, {0x10000 - 8, {3, 4}, 4}, {0x10000 - 12, {3, 4, 1}, 8},  // returns
  };
  for (const Case& c : cases) {
    for (int64_t fuel = 0; fuel < 12; ++fuel) {
      int64_t spent = 0;
      bool is_short = false;
      for (int64_t cost : c.segments) {
        is_short = fuel - spent < cost;
        if (is_short) break;
        spent += cost;
      }
      Store store({.fuel = fuel});
      Func* f = Must(store.Instantiate(module, {}))->FindFunction("f");
      const CallResult result = f->Call({Value::I32(c.address)});
      EXPECT_EQ(fuel - store.fuel(), is_short ? spent : c.spent) << c.address << ", fuel " << fuel;
      if (is_short) {
        EXPECT_EQ(result.trap, abi::TrapCode::kOutOfFuel) << c.address << ", fuel " << fuel;
      } else if (c.segments.size() == 3) {
        EXPECT_TRUE(result.ok()) << fuel;
      } else {
        EXPECT_EQ(result.trap, abi::TrapCode::kOutOfBoundsMemoryAccess) << c.address;
      }
    }
  }
}

// What is given back of a segment's fuel when an instruction in it traps: here after 3 of 7.
TEST_P(StoreTest, FuelIsExactAtTraps) {
  struct Case {
    Bytes code;
    abi::TrapCode trap;
    int64_t spent;
  };
  const Case cases[] = {
      // i32.const i32.const drop | i32.load …
      {{0x41, 0, 0x41, 1, 0x1a, 0x28, 2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x1a, 0x01, 0x41, 1, 0x1a},
       abi::TrapCode::kOutOfBoundsMemoryAccess,
       3},
      // memory.fill beyond the end: a helper
      {{0x41, 0, 0x41, 1, 0x41, 0x7f, 0xfc, 11, 0, 0x41, 1, 0x1a},
       abi::TrapCode::kOutOfBoundsMemoryAccess,
       3},
      {{0x41, 1, 0x41, 0, 0x6d, 0x1a}, abi::TrapCode::kIntegerDivideByZero, 2},
      // call_indirect of another type: element 0 is this function
      {{0x41, 1, 0x41, 0, 0x11, 1, 0, 0x1a}, abi::TrapCode::kIndirectCallTypeMismatch, 2},
      {{0x41, 1, 0x41, 7, 0x11, 1, 0, 0x1a}, abi::TrapCode::kUndefinedElement, 2},
      {{0x00}, abi::TrapCode::kUnreachable, 0},
  };
  for (const Case& c : cases) {
    auto module = Compile(testing::Module({
        SectionOf(1, {FunctionType({}, {}), FunctionType({kI32}, {kI32})}),
        SectionOf(3, {{0}}),
        SectionOf(4, {{kFuncRef, 0, 1}}),
        SectionOf(5, {{0, 1}}),
        SectionOf(7, {Export("f", 0, 0)}),
        SectionOf(9, {{0, 0x41, 0, 0x0b, 1, 0}}),
        SectionOf(10, {Body(c.code)}),
    }));
    Store store({.fuel = 1000});
    CallResult result = Must(store.Instantiate(module, {}))->FindFunction("f")->Call({});
    EXPECT_EQ(result.trap, c.trap) << TrapText(result.trap) << result.failure;
    EXPECT_EQ(result.function, "f");
    EXPECT_EQ(1000 - store.fuel(), c.spent) << TrapText(c.trap);
  }
}

// A trap in a callback ends the callback only.
TEST_P(StoreTest, TrapsStopAtTheHost) {
  Store store({.fuel = 100});
  Linker linker(store);
  Instance* instance = nullptr;
  linker.Define("env", "f", store.Wrap([&](Caller& caller, int32_t x) -> int32_t {
    if (x == 1) return 0;
    const int64_t fuel = caller.store().fuel();
    CallResult result = instance->FindFunction("trap")->Call({});
    EXPECT_EQ(result.trap, abi::TrapCode::kUnreachable);
    EXPECT_EQ(caller.store().fuel(), fuel);
    EXPECT_EQ(I32Of(instance->FindFunction("run")->Call({Value::I32(1)})), 1u);
    return 5;
  }));
  instance = Must(linker.Instantiate(Compile(testing::Module({
      SectionOf(1, {FunctionType({kI32}, {kI32}), FunctionType({}, {})}),
      SectionOf(2, {Import("env", "f", {0, 0})}),
      SectionOf(3, {{0}, {1}}),
      SectionOf(7, {Export("run", 0, 1), Export("trap", 0, 2)}),
      SectionOf(10, {Body({0x20, 0, 0x10, 0, 0x41, 1, 0x6a}), Body({0x00})}),
  }))));
  EXPECT_EQ(I32Of(instance->FindFunction("run")->Call({Value::I32(2)})), 6u);
  EXPECT_EQ(store.fuel(), 100 - 4 - 4);
}

// A native module and an interpreted one in one store call each other.
TEST_P(StoreTest, EnginesMix) {
  Store store({.fuel = 1000});
  const Bytes bytes = CallerModule();
  Linker linker(store);
  linker.Define("env", "f", store.Wrap([](Caller&, int32_t x) { return x; }));
  Func* f = nullptr;
  for (int i = 0; i < 6; ++i) {
    Instance* instance = Must(linker.Instantiate(Compile(bytes), {.interpret = i % 2 == 0}));
    f = instance->FindFunction(i % 3 == 0 ? "run" : "via");
    linker.Define("env", "f", f);
  }
  EXPECT_EQ(I32Of(f->Call({Value::I32(0)})), 6u);
  EXPECT_EQ(store.fuel(), 1000 - 2 * 4 - 4 * 5);
}

// Four threads, each with a store and an instance of its own, and one memory: a lock of wait and
// notify around a counter that is not atomic.
TEST_P(StoreTest, ThreadsShareMemory) {
  // lock at 0, counter at 4:
  //   loop
  //     block $got
  //       (br_if $got (i32.eqz (i32.atomic.rmw.cmpxchg (0) (0) (1))))
  //       (drop (memory.atomic.wait32 (0) (1) (-1 or 1 ms)))
  //       br $again …
  auto module = Compile(testing::Module({
      SectionOf(1, {FunctionType({kI32}, {})}),
      SectionOf(2, {Import("env", "m", {2, 3, 1, 1})}),
      SectionOf(3, {{0}}),
      SectionOf(7, {Export("count", 0, 0)}),
      SectionOf(
          10,
          {Body({0x03, 0x40,                                               // loop $round
                 0x02, 0x40, 0x03, 0x40,                                   // block $got loop $try
                 0x41, 0,    0x41, 0,    0x41, 1,    0xfe, 0x48, 2,    0,  // cmpxchg
                 0x45, 0x0d, 1,                                            // i32.eqz br_if $got
                 0x41, 0,    0x41, 1,    0x42, 0x7f, 0xfe, 0x01, 2,    0,    0x1a,  // wait, drop
                 0x0c, 0,    0x0b, 0x0b,                                            // br $try
                 0x41, 4,    0x41, 4,    0x28, 2,    0,    0x41, 1,    0x6a, 0x36,
                 2,    0,                                               // ++counter
                 0x41, 0,    0x41, 0,    0xfe, 0x17, 2,    0,           // unlock
                 0x41, 0,    0x41, 1,    0xfe, 0x00, 2,    0,    0x1a,  // notify 1, drop
                 0x20, 0,    0x41, 1,    0x6b, 0x22, 0,    0x0d, 0,     // br_if $round (--n)
                 0x0b})}),
  }));
  auto memory = *Memory::Create({.limits = {.min = 1, .max = 1}, .shared = true});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Store store;
      Linker linker(store);
      linker.Define("env", "m", Extern{.kind = ExternKind::kMemory, .memory = memory});
      CallResult result =
          Must(linker.Instantiate(module))->FindFunction("count")->Call({Value::I32(2000)});
      EXPECT_TRUE(result.ok()) << TrapText(result.trap);
    });
  }
  for (std::thread& thread : threads) thread.join();
  uint32_t counter;
  std::memcpy(&counter, memory->base() + 4, 4);
  EXPECT_EQ(counter, 8000u);
}

TEST_P(StoreTest, WaitingCanBeInterrupted) {
  auto module = Compile(testing::Module({
      SectionOf(1, {FunctionType({kI64}, {kI32})}),
      SectionOf(3, {{0}}),
      SectionOf(5, {{3, 1, 1}}),
      SectionOf(7, {Export("wait", 0, 0)}),
      SectionOf(10, {Body({0x41, 8, 0x41, 0, 0x20, 0, 0xfe, 0x01, 2, 0})}),
  }));
  Store store;
  Func* wait = Must(store.Instantiate(module, {}))->FindFunction("wait");
  EXPECT_EQ(I32Of(wait->Call({Value::I64(1000)})), 2u);
  std::thread other([&] { store.Interrupt(); });
  EXPECT_EQ(wait->Call({Value::I64(~uint64_t{0})}).trap, abi::TrapCode::kInterrupted);
  other.join();
}

// Thousands of signals at any point of entering, calling out and leaving.
TEST_P(StoreTest, InterruptsAtAnyPoint) {
  if (GetParam() != testing::Engine::kInterpreter && testing::UnderThreadSanitizer()) GTEST_SKIP();
  Store store;
  Linker linker(store);
  linker.Define("env", "f", store.Wrap([](Caller&, int32_t x) { return x; }));
  Func* run = Must(linker.Instantiate(Compile(CallerModule())))->FindFunction("run");
  std::atomic<bool> done = false;
  std::thread other([&] {
    while (!done) store.Interrupt();
  });
  int interrupted = 0;
  while (interrupted < 200) {
    CallResult result = run->Call({Value::I32(1)});
    if (result.ok()) {
      EXPECT_EQ(I32Of(result), 2u);
    } else {
      EXPECT_EQ(result.trap, abi::TrapCode::kInterrupted)
          << TrapText(result.trap) << result.failure;
      ++interrupted;
    }
  }
  done = true;
  other.join();
}

}  // namespace
}  // namespace precast::runtime::wasm
