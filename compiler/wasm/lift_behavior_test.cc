// What lifted functions do, run by the IR's reference interpreter; and that hostile bodies are
// lifted, or refused, in reasonable time.
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "compiler/ir/eval.h"
#include "compiler/ir/printer.h"
#include "compiler/ir/verifier.h"
#include "compiler/wasm/lifter.h"
#include "compiler/wasm/reader.h"
#include "compiler/wasm/validator.h"
#include "gtest/gtest.h"
#include "runtime/abi/vm_context.h"
#include "tools/wast/text.h"

namespace precast::wasm {
namespace {

using Outcome = ir::EvalResult::Outcome;
using abi::TrapCode;

template <typename T>
uint64_t Bits(T v) {
  uint64_t bits = 0;
  std::memcpy(&bits, &v, sizeof(v));
  return bits;
}

class TestModule {
 public:
  explicit TestModule(const std::string& text) : TestModule(FromText(text)) {}
  explicit TestModule(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {
    absl::StatusOr<Module> module = ReadModule(bytes_, Features{});
    CHECK_OK(module);
    CHECK_OK(Validate(*module, Features{}));
    module_ = std::make_unique<Module>(*std::move(module));
    context_ = std::make_unique<LiftContext>(*module_);
    machine.memory.resize(65536);
    machine.context.resize(context_->layout.Size());
    machine.host.resize(65536);
    machine.fuel = 1'000'000;
  }

  const Module& module() const { return *module_; }
  const abi::WasmLayout& layout() const { return context_->layout; }

  absl::StatusOr<ir::Function> Lift(uint32_t function, bool metered = true) const {
    absl::StatusOr<ir::Function> lifted = wasm::Lift(*context_, function, {.metered = metered});
    if (lifted.ok()) {
      const absl::Status status = ir::Verify(*lifted);
      CHECK_OK(status) << ir::Print(*lifted);
    }
    return lifted;
  }

  uint32_t Index(std::string_view name) const {
    for (const Export& e : module_->exports) {
      if (e.name == name) return e.index;
    }
    LOG(FATAL) << "no export " << name;
  }

  // Runs an exported function. Calls of the module's own functions work; others stop.
  ir::EvalResult Run(std::string_view name, std::vector<uint64_t> args, bool metered = true) {
    return Run(Index(name), std::move(args), metered);
  }
  ir::EvalResult Run(uint32_t index, std::vector<uint64_t> args, bool metered) {
    const absl::StatusOr<ir::Function> function = Lift(index, metered);
    CHECK_OK(function);
    const auto call = [&](const ir::InstData& inst, absl::Span<const uint64_t> operands,
                          ir::EvalMachine& at) -> std::optional<std::vector<uint64_t>> {
      if (inst.op != ir::Opcode::kCall) {
        if (!pointer_call) return std::nullopt;
        return pointer_call(inst, operands);
      }
      for (uint32_t k = module_->num_imported_functions; k < module_->functions.size(); ++k) {
        if (module_->functions[k].body.begin != static_cast<uint32_t>(inst.imm)) continue;
        // The machine of the caller is the callee's.
        std::swap(machine, at);
        ir::EvalResult result =
            Run(k, std::vector<uint64_t>(operands.begin(), operands.end()), metered);
        std::swap(machine, at);
        if (result.outcome != Outcome::kReturned) {
          inner = result;
          return std::nullopt;
        }
        return result.values;
      }
      return std::nullopt;
    };
    ir::EvalOptions options;
    options.call = call;
    return ir::Eval(*function, function->entries()[0], args, machine, options);
  }

  // The only result of a function that returns.
  uint64_t Value(std::string_view name, std::vector<uint64_t> args) {
    const ir::EvalResult result = Run(name, std::move(args));
    EXPECT_EQ(result.outcome, Outcome::kReturned) << name;
    return result.values.size() == 1 ? result.values[0] : 0xdead;
  }

  void SetContext(uint64_t at, uint64_t v) { std::memcpy(&machine.context[at], &v, 8); }
  void SetHost(uint64_t at, uint64_t v) { std::memcpy(&machine.host[at], &v, 8); }

  ir::EvalMachine machine;
  std::optional<ir::EvalResult> inner;  // of a call that did not return
  std::function<std::optional<std::vector<uint64_t>>(const ir::InstData&,
                                                     absl::Span<const uint64_t>)>
      pointer_call;

 private:
  static std::vector<uint8_t> FromText(const std::string& text) {
    absl::StatusOr<std::vector<uint8_t>> bytes = wast::ModuleFromText("test", text);
    CHECK_OK(bytes);
    return *std::move(bytes);
  }

  const std::vector<uint8_t> bytes_;
  std::unique_ptr<Module> module_;
  std::unique_ptr<LiftContext> context_;
};

void ExpectTrap(const ir::EvalResult& result, TrapCode code) {
  EXPECT_EQ(result.outcome, Outcome::kTrap);
  EXPECT_EQ(result.trap_code, static_cast<ir::TrapCode>(code));
}

TEST(Lifted, ControlFlow) {
  TestModule m(R"((module
    (func (export "factorial") (param i64) (result i64) (local i64)
      (local.set 1 (i64.const 1))
      (block (loop
        (br_if 1 (i64.eqz (local.get 0)))
        (local.set 1 (i64.mul (local.get 1) (local.get 0)))
        (local.set 0 (i64.sub (local.get 0) (i64.const 1)))
        (br 0)))
      (local.get 1))
    (func $fib (export "fib") (param i32) (result i32)
      (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
        (then (local.get 0))
        (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                       (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func (export "switch") (param i32) (result i32) (local $r i32)
      (local.set $r (i32.const 7))
      (block $d (block $2 (block $1 (block $0
        (br_table $0 $1 $2 $0 $d (local.get 0)))
        (return (i32.const 100)))
        (local.set $r (i32.const 200)) (br $d))
        (local.set $r (i32.add (local.get $r) (i32.const 1))))
      (local.get $r))
    (func (export "swap") (param i32 i32 i32) (result i32) (local i32)
      (loop
        (local.set 3 (local.get 0))
        (local.set 0 (local.get 1))
        (local.set 1 (local.get 3))
        (br_if 0 (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))))
      (local.get 0))
    (func (export "gcd") (param i32 i32) (result i32)
      (loop (result i32)
        (if (result i32) (local.get 1)
          (then (local.get 1) (i32.rem_u (local.get 0) (local.get 1)) (local.set 1) (local.set 0) (br 1))
          (else (local.get 0)))))
    (func (export "constant_branch") (param i32) (result i32)
      (block (br_if 0 (i32.const 1)) (local.set 0 (i32.const 5)))
      (if (i32.const 0) (then (local.set 0 (i32.const 6))))
      (block (block (br_table 0 1 (i32.const 0))))
      (local.get 0))))");
  EXPECT_EQ(m.Value("factorial", {20}), 2432902008176640000u);
  EXPECT_EQ(m.Value("fib", {15}), 610u);
  EXPECT_EQ(m.Value("switch", {0}), 100u);
  EXPECT_EQ(m.Value("switch", {1}), 200u);
  EXPECT_EQ(m.Value("switch", {2}), 8u);
  EXPECT_EQ(m.Value("switch", {3}), 100u);
  EXPECT_EQ(m.Value("switch", {4}), 7u);
  EXPECT_EQ(m.Value("switch", {0xffffffff}), 7u);
  EXPECT_EQ(m.Value("swap", {1, 2, 5}), 2u);
  EXPECT_EQ(m.Value("swap", {1, 2, 6}), 1u);
  EXPECT_EQ(m.Value("gcd", {1071, 462}), 21u);
  EXPECT_EQ(m.Value("constant_branch", {9}), 9u);
}

TEST(Lifted, Division) {
  TestModule m(R"((module
    (func (export "div_s") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
    (func (export "rem_s") (param i64 i64) (result i64) (i64.rem_s (local.get 0) (local.get 1)))
    (func (export "by_0") (param i32) (result i32) (i32.rem_u (local.get 0) (i32.const 0)))
    (func (export "by_minus_1") (param i32) (result i32) (i32.div_s (local.get 0) (i32.const -1)))))");
  EXPECT_EQ(m.Value("div_s", {static_cast<uint32_t>(-7), 2}), static_cast<uint32_t>(-3));
  ExpectTrap(m.Run("div_s", {1, 0}), TrapCode::kIntegerDivideByZero);
  ExpectTrap(m.Run("div_s", {0x80000000, 0xffffffff}), TrapCode::kIntegerOverflow);
  EXPECT_EQ(m.Value("rem_s", {uint64_t{1} << 63, ~uint64_t{0}}), 0u);
  ExpectTrap(m.Run("rem_s", {1, 0}), TrapCode::kIntegerDivideByZero);
  ExpectTrap(m.Run("by_0", {1}), TrapCode::kIntegerDivideByZero);
  EXPECT_EQ(m.Value("by_minus_1", {5}), static_cast<uint32_t>(-5));
  ExpectTrap(m.Run("by_minus_1", {0x80000000}), TrapCode::kIntegerOverflow);
}

// Around both ends of every integer type: what trunc gives or how it traps.
template <typename Float, typename Int>
void CheckTrunc() {
  const std::string text = absl::StrCat(sizeof(Int) == 4 ? "i32" : "i64", ".", "trunc_",
                                        sizeof(Float) == 4 ? "f32" : "f64",
                                        std::numeric_limits<Int>::is_signed ? "_s" : "_u");
  SCOPED_TRACE(text);
  TestModule m(absl::StrCat("(module (func (export \"f\") (param ", text.substr(10, 3),
                            ") (result ", text.substr(0, 3), ") (", text, " (local.get 0))))"));
  constexpr Float kInfinity = std::numeric_limits<Float>::infinity();
  std::vector<Float> values = {0,           Float{-0.0}, Float{0.9}, Float{-0.9}, Float{-1},
                               Float{-1.5}, 100,         kInfinity,  -kInfinity};
  for (const Float end : {static_cast<Float>(std::numeric_limits<Int>::min()),
                          static_cast<Float>(std::numeric_limits<Int>::max())}) {
    Float low = end;
    Float high = end;
    for (int k = 0; k < 3; ++k) {
      values.push_back(low);
      values.push_back(high);
      low = std::nextafter(low, -kInfinity);
      high = std::nextafter(high, kInfinity);
    }
    for (const Float d : {-1.5, -1.0, -0.5, 0.5, 1.0, 1.5})
      values.push_back(end + static_cast<Float>(d));
  }
  for (const Float v : values) {
    const ir::EvalResult result = m.Run("f", {Bits(v)});
    // Exactly: long double holds all of both types.
    const long double whole = std::trunc(static_cast<long double>(v));
    const bool fits = whole >= static_cast<long double>(std::numeric_limits<Int>::min()) &&
                      whole <= static_cast<long double>(std::numeric_limits<Int>::max());
    if (fits) {
      EXPECT_EQ(result.outcome, Outcome::kReturned) << v;
      ASSERT_EQ(result.values.size(), 1u);
      EXPECT_EQ(result.values[0], Bits(static_cast<Int>(whole))) << v;
    } else {
      SCOPED_TRACE(v);
      ExpectTrap(result, TrapCode::kIntegerOverflow);
    }
  }
  ExpectTrap(m.Run("f", {Bits(std::numeric_limits<Float>::quiet_NaN())}),
             TrapCode::kInvalidConversionToInteger);
}

TEST(Lifted, Truncation) {
  CheckTrunc<float, int32_t>();
  CheckTrunc<float, uint32_t>();
  CheckTrunc<double, int32_t>();
  CheckTrunc<double, uint32_t>();
  CheckTrunc<float, int64_t>();
  CheckTrunc<float, uint64_t>();
  CheckTrunc<double, int64_t>();
  CheckTrunc<double, uint64_t>();
}

// 0xfc-prefixed instructions the text format's library does not know: by hand.
std::vector<uint8_t> WideModule(uint8_t opcode, uint8_t num_params) {
  std::vector<uint8_t> type = {0x60, num_params};
  type.insert(type.end(), num_params, 0x7e);
  type.insert(type.end(), {2, 0x7e, 0x7e});
  std::vector<uint8_t> body = {0};
  for (uint8_t k = 0; k < num_params; ++k) body.insert(body.end(), {0x20, k});
  body.insert(body.end(), {0xfc, opcode, 0x0b});
  std::vector<uint8_t> m = {0, 'a', 's', 'm', 1, 0, 0, 0};
  const auto section = [&](uint8_t id, std::vector<uint8_t> bytes) {
    m.push_back(id);
    m.push_back(static_cast<uint8_t>(bytes.size() + 1));
    m.push_back(1);  // one item
    m.insert(m.end(), bytes.begin(), bytes.end());
  };
  section(1, type);
  section(3, {0});
  section(7, {1, 'f', 0, 0});
  body.insert(body.begin(), static_cast<uint8_t>(body.size()));
  section(10, body);
  return m;
}

TEST(Lifted, WideArithmetic) {
  TestModule add(WideModule(0x13, 4));
  TestModule sub(WideModule(0x14, 4));
  TestModule mul_s(WideModule(0x15, 2));
  TestModule mul_u(WideModule(0x16, 2));
  std::mt19937_64 random(1);
  const auto any = [&]() -> uint64_t {
    const uint64_t special[] = {0, 1, ~uint64_t{0}, uint64_t{1} << 63, (uint64_t{1} << 63) - 1};
    return random() % 2 ? special[random() % 5] : random();
  };
  const auto expect = [](const ir::EvalResult& result, unsigned __int128 v) {
    ASSERT_EQ(result.values.size(), 2u);
    EXPECT_EQ(result.values[0], static_cast<uint64_t>(v));
    EXPECT_EQ(result.values[1], static_cast<uint64_t>(v >> 64));
  };
  for (int k = 0; k < 500; ++k) {
    const uint64_t a = any(), b = any(), c = any(), d = any();
    const auto ab = static_cast<unsigned __int128>(b) << 64 | a;
    const auto cd = static_cast<unsigned __int128>(d) << 64 | c;
    expect(add.Run("f", {a, b, c, d}), ab + cd);
    expect(sub.Run("f", {a, b, c, d}), ab - cd);
    expect(mul_u.Run("f", {a, b}), static_cast<unsigned __int128>(a) * b);
    expect(mul_s.Run("f", {a, b}),
           static_cast<unsigned __int128>(static_cast<__int128>(static_cast<int64_t>(a)) *
                                          static_cast<int64_t>(b)));
  }
}

// Fuel that is left is exact, wherever a function stops.
TEST(Lifted, Fuel) {
  TestModule m(R"((module
    (func (export "div") (param i32) (result i32)
      (i32.add (i32.const 1) (i32.div_u (i32.const 6) (local.get 0))))
    (func (export "loop") (param i32)
      (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func $trap (drop (i32.const 1)) (unreachable) (drop (i32.const 1)))
    (func (export "call") (drop (i32.const 1)) (call $trap) (drop (i32.const 1)))))");
  const auto left = [&](std::string_view name, std::vector<uint64_t> args, int64_t fuel,
                        Outcome expected) {
    m.machine.fuel = fuel;
    m.inner.reset();
    EXPECT_EQ(m.Run(name, std::move(args)).outcome, expected);
    return m.machine.fuel;
  };
  EXPECT_EQ(left("div", {2}, 100, Outcome::kReturned), 95);
  EXPECT_EQ(left("div", {0}, 100, Outcome::kTrap), 97);
  EXPECT_EQ(left("div", {2}, 5, Outcome::kReturned), 0);
  EXPECT_EQ(left("div", {2}, 4, Outcome::kSuspended), 4);
  EXPECT_EQ(left("loop", {10}, 100, Outcome::kReturned), 50);
  EXPECT_EQ(left("loop", {10}, 49, Outcome::kSuspended), 4);
  // drop, const, call; and two in the callee.
  EXPECT_EQ(left("call", {}, 100, Outcome::kStoppedByCall), 95);
  ASSERT_TRUE(m.inner.has_value());
  ExpectTrap(*m.inner, TrapCode::kUnreachable);
}

TEST(Lifted, Memory64Bounds) {
  TestModule m(R"((module (memory i64 1)
    (func (export "load") (param i64) (result i32) (i32.load offset=16 (local.get 0)))
    (func (export "far") (param i64) (result i32) (i32.load offset=0x20000 (local.get 0)))))");
  // The record at the start of the host memory, the guest's behind.
  constexpr uint64_t kBase = 4096, kBytes = 32768;
  m.SetContext(m.layout().Memory(0), m.machine.host_address + kBase);
  m.SetContext(m.layout().Memory(0) + 8, m.machine.host_address);
  m.SetHost(0, m.machine.host_address + kBase);
  m.SetHost(8, kBytes);
  m.SetHost(kBase + 16 + 8, 0x12345678);
  m.SetHost(kBase + kBytes - 8, 0x9abcdef0'00000000);
  EXPECT_EQ(m.Value("load", {8}), 0x12345678u);
  EXPECT_EQ(m.Value("load", {kBytes - 20}), 0x9abcdef0u);
  for (const uint64_t address : {kBytes - 19, kBytes, uint64_t{1} << 32, uint64_t{1} << 63,
                                 ~uint64_t{0}, ~uint64_t{0} - 15, ~uint64_t{0} - 19}) {
    SCOPED_TRACE(address);
    ExpectTrap(m.Run("load", {address}), TrapCode::kOutOfBoundsMemoryAccess);
  }
  ExpectTrap(m.Run("far", {0}), TrapCode::kOutOfBoundsMemoryAccess);
  ExpectTrap(m.Run("far", {~uint64_t{0} - 0x1ffff}), TrapCode::kOutOfBoundsMemoryAccess);
}

TEST(Lifted, CallIndirect) {
  TestModule m(R"((module
    (type $other (func))
    (type $t (func (param i32) (result i32)))
    (table 4 funcref)
    (func (export "call") (param i32 i32) (result i32)
      (call_indirect (type $t) (local.get 1) (local.get 0)))))");
  const uint64_t host = m.machine.host_address;
  constexpr uint64_t kKey = uint64_t{5} << 20, kSlow = 0x5105;
  m.SetContext(offsetof(abi::VmContext, instance_key), kKey);
  m.SetContext(offsetof(abi::VmContext, indirect_slow), kSlow);
  m.SetContext(m.layout().Table(0), host);
  m.SetHost(0, host + 64);  // elements
  m.SetHost(8, 4);
  m.SetHost(64, 0);
  m.SetHost(64 + 8, host + 256);
  m.SetHost(64 + 16, host + 512);
  m.SetHost(256 + abi::kRecordKey, kKey + 1);
  m.SetHost(256 + abi::kRecordCode, 0xc0de);
  m.SetHost(512 + abi::kRecordKey, kKey);  // another type
  std::vector<uint64_t> seen;
  m.pointer_call =
      [&](const ir::InstData&,
          absl::Span<const uint64_t> operands) -> std::optional<std::vector<uint64_t>> {
    seen.assign(operands.begin(), operands.end());
    return std::vector<uint64_t>{77};
  };
  EXPECT_EQ(m.Value("call", {1, 42}), 77u);
  EXPECT_EQ(seen, (std::vector<uint64_t>{0xc0de, host + 256, 1, 42}));
  EXPECT_EQ(m.Value("call", {2, 43}), 77u);
  EXPECT_EQ(seen, (std::vector<uint64_t>{kSlow, host + 512, 1, 43}));
  ExpectTrap(m.Run("call", {0, 1}), TrapCode::kUninitializedElement);
  ExpectTrap(m.Run("call", {4, 1}), TrapCode::kUndefinedElement);
  ExpectTrap(m.Run("call", {0xffffffff, 1}), TrapCode::kUndefinedElement);
}

// What does not fit in registers arrives through the context, also from function to function.
TEST(Lifted, ManyParametersAndResults) {
  std::string params, results, gets, consts;
  for (int k = 0; k < 20; ++k) {
    absl::StrAppend(&params, k % 2 ? " i64" : " f32");
    absl::StrAppend(&gets, " (local.get ", 19 - k, ")");
    absl::StrAppend(&results, k % 2 ? " f32" : " i64");
    absl::StrAppend(&consts, k % 2 ? " (i64.const " : " (f32.const ", k, ")");
  }
  std::string text = absl::StrCat(
      "(module (func $reverse (param", params, ") (result", results, ")", gets, ")",
      "(func (export \"f\") (result i64) (local $f f32) (local $i i64) (local $sum i64)", consts,
      " (call $reverse)");
  for (int k = 0; k < 20; ++k) {
    absl::StrAppend(
        &text, k % 2 ? " (local.set $i)" : " (i64.trunc_f32_s) (local.set $i)",
        " (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 3)) (local.get $i)))");
  }
  absl::StrAppend(&text, " (local.get $sum)))");
  uint64_t expected = 0;
  for (uint64_t k = 0; k < 20; ++k) expected = expected * 3 + k;
  EXPECT_EQ(TestModule(text).Value("f", {}), expected);
}

// -- hostile bodies

class BodyBuilder {
 public:
  void Byte(uint8_t b) { bytes_.push_back(b); }
  void Number(uint32_t v) {
    for (; v >= 0x80; v >>= 7) Byte(static_cast<uint8_t>(v | 0x80));
    Byte(static_cast<uint8_t>(v));
  }
  void Const() { Byte(0x41), Byte(1); }
  void Set(uint32_t local) { Const(), Byte(0x21), Number(local); }
  void Get(uint32_t local) { Byte(0x20), Number(local); }
  void Block() { Byte(0x02), Byte(0x40); }
  void Loop() { Byte(0x03), Byte(0x40); }
  void End() { Byte(0x0b); }
  void BrIf(uint32_t depth) { Get(0), Byte(0x0d), Number(depth); }

  // A module with this function, of `locals` i32 and no parameters.
  std::vector<uint8_t> Module(uint32_t locals) const {
    BodyBuilder body;
    body.Number(1), body.Number(locals), body.Byte(0x7f);
    body.bytes_.insert(body.bytes_.end(), bytes_.begin(), bytes_.end());
    body.End();
    BodyBuilder code;
    code.Number(1), code.Number(static_cast<uint32_t>(body.bytes_.size()));
    code.bytes_.insert(code.bytes_.end(), body.bytes_.begin(), body.bytes_.end());
    BodyBuilder m;
    m.bytes_ = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10};
    m.Number(static_cast<uint32_t>(code.bytes_.size()));
    m.bytes_.insert(m.bytes_.end(), code.bytes_.begin(), code.bytes_.end());
    return m.bytes_;
  }

 private:
  std::vector<uint8_t> bytes_;
};

constexpr uint32_t kManyLocals = 50'000;
constexpr uint32_t kDeep = 10'000;

// The status of lifting, which must not take long.
absl::Status LiftInTime(const BodyBuilder& body) {
  const std::vector<uint8_t> bytes = body.Module(kManyLocals);
  const absl::StatusOr<Module> module = ReadModule(bytes, Features{});
  CHECK_OK(module);
  CHECK_OK(Validate(*module, Features{}));
  const LiftContext context(*module);
  const auto begin = std::chrono::steady_clock::now();
  const absl::StatusOr<ir::Function> function = Lift(context, 0, {});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(seconds.count(), 10.0);
  if (!function.ok()) return function.status();
  const absl::Status status = ir::Verify(*function);
  EXPECT_TRUE(status.ok()) << status;
  return absl::OkStatus();
}

TEST(Hostile, DeepBlocksAndManyLocals) {
  BodyBuilder body;
  for (uint32_t k = 0; k < kManyLocals; ++k) body.Set(k);
  for (uint32_t k = 0; k < kDeep; ++k) body.Block(), body.BrIf(0), body.Set(k);
  for (uint32_t k = 0; k < kDeep; ++k) body.End();
  for (uint32_t k = 0; k < kManyLocals; ++k) body.Get(k), body.Byte(0x1a);
  // Every block's label needs a parameter for every block inside: 10^8 / 2.
  EXPECT_EQ(LiftInTime(body).code(), absl::StatusCode::kResourceExhausted);
}

TEST(Hostile, DeepBlocksThatChangeNothing) {
  BodyBuilder body;
  for (uint32_t k = 0; k < kManyLocals; ++k) body.Set(k);
  for (uint32_t k = 0; k < kDeep; ++k) body.Block(), body.BrIf(0);
  for (uint32_t k = 0; k < kDeep; ++k) body.End();
  for (uint32_t k = 0; k < kManyLocals; ++k) body.Get(k), body.Byte(0x1a);
  EXPECT_TRUE(LiftInTime(body).ok());
}

TEST(Hostile, ManyBlocksAndManyLocals) {
  BodyBuilder body;
  body.Block();
  for (uint32_t k = 0; k < kManyLocals; ++k) body.Set(k);
  for (uint32_t k = 0; k < 100'000; ++k)
    body.Block(), body.BrIf(0), body.Set(k % kManyLocals), body.End();
  body.End();
  EXPECT_TRUE(LiftInTime(body).ok());
}

TEST(Hostile, EverythingDiffersAtEveryBranch) {
  BodyBuilder body;
  body.Block();
  for (uint32_t k = 0; k < 10'000; ++k) body.Set(k), body.BrIf(0);
  body.End();
  for (uint32_t k = 0; k < 10'000; ++k) body.Get(k), body.Byte(0x1a);
  EXPECT_EQ(LiftInTime(body).code(), absl::StatusCode::kResourceExhausted);
}

// The same, but nobody wants the locals.
TEST(Hostile, NothingThatDiffersIsWanted) {
  BodyBuilder body;
  body.Block();
  for (uint32_t k = 0; k < 10'000; ++k) body.Set(k), body.BrIf(0);
  body.End();
  EXPECT_TRUE(LiftInTime(body).ok());
}

TEST(Hostile, DeepLoopsAndManyLocals) {
  BodyBuilder body;
  for (uint32_t k = 0; k < kDeep; ++k) body.Loop();
  for (uint32_t k = 0; k < kManyLocals; ++k) body.Set(k);
  for (uint32_t k = 0; k < kDeep; ++k) body.BrIf(0), body.End();
  EXPECT_EQ(LiftInTime(body).code(), absl::StatusCode::kResourceExhausted);
}

TEST(Hostile, DeepLoopsThatAreLeftUntouched) {
  BodyBuilder body;
  for (uint32_t k = 0; k < kDeep; ++k) body.Loop(), body.BrIf(0);
  for (uint32_t k = 0; k < kManyLocals; ++k) body.Set(k);
  for (uint32_t k = 0; k < kDeep; ++k) body.End();
  EXPECT_TRUE(LiftInTime(body).ok());
}

TEST(Hostile, ManyLoopsInDeepLoops) {
  BodyBuilder body;
  for (uint32_t k = 0; k < kDeep; ++k) body.Loop();
  for (uint32_t k = 0; k < 100'000; ++k) body.Loop(), body.Set(1), body.End();
  for (uint32_t k = 0; k < kDeep; ++k) body.BrIf(0), body.End();
  EXPECT_EQ(LiftInTime(body).code(), absl::StatusCode::kResourceExhausted);
}

TEST(Hostile, BranchTableToEverywhere) {
  BodyBuilder body;
  for (uint32_t k = 0; k < kDeep; ++k) body.Block(), body.Set(k);
  for (int n = 0; n < 10; ++n) {
    body.Block(), body.Get(0), body.Byte(0x0e), body.Number(kDeep);
    for (uint32_t k = 0; k <= kDeep; ++k) body.Number(k);
    body.End();
  }
  for (uint32_t k = 0; k < kDeep; ++k) body.End();
  EXPECT_EQ(LiftInTime(body).code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace precast::wasm
