// Runs compiled functions with WebAssembly's calling convention: random ones, compared with the
// reference evaluator (ir/eval.h), and particular situations: spilled vectors, atomics, large
// frames.
#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/ir/eval.h"
#include "compiler/ir/ir.h"
#include "compiler/ir/random.h"
#include "compiler/ir/verifier.h"
#include "compiler/x64/compile.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/test_functions.h"
#include "compiler/x64/test_machine.h"
#include "gtest/gtest.h"
#include "runtime/abi/wasm_context.h"

namespace precast::x64::testing {
namespace {

using Kind = TestMachine::Stop::Kind;
using Outcome = ir::EvalResult::Outcome;

constexpr uint64_t kHostAddress = 0x2000'0000'0000;
constexpr size_t kHostBytes = 4096;
constexpr uint32_t kParams = 3, kResults = 2;
constexpr int32_t kContextBytes = 256;
// Where the context has the address of what calls through pointers call.
constexpr int32_t kPointerAt = TestMachine::kArea + kContextBytes;

// Memory that load_at and the like lead to, and nothing after it.
class HostPage {
 public:
  HostPage() {
    void* p = mmap(reinterpret_cast<void*>(kHostAddress), kHostBytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(p == reinterpret_cast<void*>(kHostAddress));
    bytes_ = static_cast<uint8_t*>(p);
  }
  ~HostPage() { munmap(bytes_, kHostBytes); }
  HostPage(const HostPage&) = delete;
  HostPage& operator=(const HostPage&) = delete;
  uint8_t* bytes() { return bytes_; }

 private:
  uint8_t* bytes_;
};

// What all calls call: results of the parameters, and of record and type if through a pointer.
std::vector<uint64_t> CalleeResults(absl::Span<const uint64_t> args, bool pointer) {
  uint32_t more = 0;
  if (pointer) {
    more = static_cast<uint32_t>(args[1]) + static_cast<uint32_t>(args[2]);
    args.remove_prefix(3);
  }
  const uint32_t a = static_cast<uint32_t>(args[0]), b = static_cast<uint32_t>(args[1]),
                 c = static_cast<uint32_t>(args[2]);
  return {a * 31 + b + more, c - a};
}

codegen::CompiledFunction Callee(bool pointer) {
  const Reg a = static_cast<Reg>(abi::kWasmPassedIn[0]),
            b = static_cast<Reg>(abi::kWasmPassedIn[1]),
            c = static_cast<Reg>(abi::kWasmPassedIn[2]);
  Encoder e;
  const Reg sum = Reg::r8;
  e.ImulImm(Width::k32, sum, a, 31);
  e.AluRR(Alu::kAdd, Width::k32, sum, b);
  if (pointer) {
    e.AluRR(Alu::kAdd, Width::k32, sum, static_cast<Reg>(abi::kRecordReg));
    e.AluRR(Alu::kAdd, Width::k32, sum, static_cast<Reg>(abi::kTypeReg));
  }
  e.AluRR(Alu::kSub, Width::k32, c, a);
  e.Mov(Width::k32, Reg::rax, sum);
  e.Mov(Width::k32, b, c);
  // Everything else is clobbered.
  for (Reg r : {Reg::rcx, Reg::rdx, Reg::rdi, Reg::r8, Reg::r9, Reg::r11, Reg::r12, Reg::r13,
                Reg::r14, Reg::r15}) {
    e.MovImm(r, 0xdeadbeef00000000u + Number(r));
  }
  for (int x = 0; x < 16; ++x) e.MovToXmm(Width::k64, static_cast<Xmm>(x), Reg::rcx);
  e.Ret();
  codegen::CompiledFunction f;
  f.name = "callee";
  f.code = e.Take();
  f.entries = {{0, 0}};
  return f;
}

// Directs what a random function addresses to what is there.
void Direct(Function& f) {
  for (uint32_t n = 0; n < f.num_blocks(); ++n) {
    std::vector<ir::Inst>& insts = f.block(Block(n)).insts;
    for (size_t k = 0; k < insts.size(); ++k) {
      InstData& d = f.inst(insts[k]);
      switch (d.op) {
        case Opcode::kContextAddress:
        case Opcode::kLoadContext:
        case Opcode::kStoreContext:
          d.imm += TestMachine::kArea;
          break;
        case Opcode::kCall:
        case Opcode::kTailCall:
          d.imm = 1;
          break;
        case Opcode::kCallPointer:
        case Opcode::kTailPointer: {
          InstData load{.op = Opcode::kLoadContext,
                        .type = Type::kI64,
                        .aux = static_cast<uint8_t>(ir::MemKind::k64),
                        .imm = kPointerAt};
          const ir::Inst call = insts[k];
          const ir::Inst code = f.Append(Block(n), load, {}, {Type::kI64});
          insts.pop_back();
          insts.insert(insts.begin() + static_cast<ptrdiff_t>(k), code);
          ++k;
          f.mutable_args(call)[0] = f.result(code);
          break;
        }
        default:
          break;
      }
    }
  }
}

void Compare(TestMachine& machine, HostPage& host, const Function& f, uint32_t entry,
             uint64_t seed) {
  std::mt19937_64 rng(seed);
  ir::EvalMachine e;
  e.memory.resize(TestMachine::kGuestBytes);
  for (size_t k = 0; k < 8192; k += 8) {
    const uint64_t word = rng();
    std::memcpy(&e.memory[k], &word, 8);
  }
  abi::VmContext& vm = machine.context();
  e.context_address = reinterpret_cast<uint64_t>(&vm);
  e.context.resize(TestMachine::kArea + TestMachine::kAreaBytes);
  for (size_t k = 0; k < kContextBytes; ++k) {
    e.context[TestMachine::kArea + k] = static_cast<uint8_t>(rng());
  }
  const uint64_t code = machine.CodeAddress(2);
  std::memcpy(&e.context[kPointerAt], &code, 8);
  e.host_address = kHostAddress;
  e.host.resize(kHostBytes);
  for (uint8_t& byte : e.host) byte = static_cast<uint8_t>(rng() % 5 == 0 ? rng() : 0);
  for (size_t k = 1; k < 32; ++k) e.state[k] = static_cast<uint32_t>(rng());
  e.fuel = static_cast<int64_t>(rng() % 4 == 0 ? rng() % 100 : 3000);

  for (size_t k = 0; k < 32; ++k) vm.x[k] = e.state[k];
  vm.fuel = e.fuel;
  std::memcpy(machine.memory(), e.memory.data(), e.memory.size());
  std::memcpy(machine.area(), &e.context[TestMachine::kArea], TestMachine::kAreaBytes);
  std::memcpy(host.bytes(), e.host.data(), kHostBytes);
  TestMachine::WasmRegisters registers;
  for (uint64_t& r : registers.ints) r = rng();
  std::vector<uint64_t> args;
  for (uint32_t k = 0; k < kParams; ++k) {
    args.push_back(static_cast<uint32_t>(rng() >> (rng() % 48)));
    registers.ints[abi::kWasmPassedIn[k]] = args.back();
  }

  ir::EvalOptions options;
  options.call = [](const InstData& d, absl::Span<const uint64_t> values, ir::EvalMachine&) {
    return CalleeResults(values, d.op == Opcode::kCallPointer);
  };
  options.max_steps = 20000;
  ir::EvalResult expected = ir::Eval(f, f.entries()[entry], args, e, options);
  if (expected.outcome == Outcome::kOutOfSteps) return;  // a loop that is not metered
  ASSERT_NE(expected.outcome, Outcome::kUnsupported);
  if (expected.outcome == Outcome::kTailCall || expected.outcome == Outcome::kTailPointer) {
    expected.values = CalleeResults(expected.values, expected.outcome == Outcome::kTailPointer);
    expected.outcome = Outcome::kReturned;
  }
  const TestMachine::Stop stop = machine.RunWasm(0, registers, entry);
  if (expected.outcome == Outcome::kReturned) {
    ASSERT_EQ(stop.kind, Kind::kReturned);
    ASSERT_EQ(registers.ints[0], expected.values[0]);
    ASSERT_EQ(registers.ints[abi::kWasmPassedIn[1]], expected.values[1]);
    ASSERT_EQ(vm.fuel, e.fuel);
    for (size_t k = 1; k < 32; ++k) ASSERT_EQ(vm.x[k], e.state[k]) << "slot " << k;
  } else {
    const TestMachine::SiteState state = machine.StateAt(stop.function, stop.offset);
    ASSERT_EQ(state.site->guest_pc, expected.site.guest_pc);
    if (expected.outcome == Outcome::kSuspended) {
      ASSERT_EQ(stop.kind, Kind::kIllegal);
      ASSERT_EQ(state.site->kind, codegen::Site::Kind::kSuspend);
    } else if (expected.outcome == Outcome::kTrap) {
      ASSERT_EQ(stop.kind, Kind::kIllegal);
      ASSERT_EQ(state.site->kind, codegen::Site::Kind::kTrap);
      ASSERT_EQ(state.site->trap_code, expected.trap_code);
    } else {
      ASSERT_EQ(expected.outcome, Outcome::kMemoryFault);
      ASSERT_EQ(stop.kind, Kind::kFault);
      ASSERT_EQ(state.site->kind, codegen::Site::Kind::kMemory);
    }
    ASSERT_EQ(machine.FuelAt(stop), e.fuel);
    for (uint8_t slot = 1; slot < 32; ++slot) {
      ASSERT_EQ(machine.SlotAt(stop, slot), e.state[slot]) << "slot " << int{slot};
    }
  }
  ASSERT_EQ(std::memcmp(machine.memory(), e.memory.data(), e.memory.size()), 0) << "memory";
  ASSERT_EQ(std::memcmp(machine.area(), &e.context[TestMachine::kArea], TestMachine::kAreaBytes), 0)
      << "context";
  ASSERT_EQ(std::memcmp(host.bytes(), e.host.data(), kHostBytes), 0) << "host memory";
}

// How many times the usual number of random functions; the long target sets it.
#ifndef PRECAST_SEED_FACTOR
#define PRECAST_SEED_FACTOR 1
#endif

void CompareRandom(uint64_t seeds, uint32_t max_blocks, uint32_t max_insts) {
  HostPage host;
  for (uint64_t seed = 1; seed <= seeds * PRECAST_SEED_FACTOR; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    ir::RandomOptions options;
    options.wasm = true;
    options.max_blocks = max_blocks;
    options.max_insts = max_insts;
    options.num_params = kParams;
    options.num_results = kResults;
    options.memory_size = kHostBytes;
    options.context_size = kContextBytes;
    options.host_address = kHostAddress;
    options.state = seed % 2 == 0;
    Function f = ir::RandomFunction(seed, options);
    Direct(f);
    ASSERT_TRUE(ir::Verify(f).ok());
    std::vector<codegen::CompiledFunction> functions;
    functions.push_back(Compile(f, seed % 3 == 0 ? NativeOptions() : Options()));
    functions.push_back(Callee(false));
    functions.push_back(Callee(true));
    TestMachine machine(std::move(functions));
    for (uint64_t run = 0; run < 6; ++run) {
      Compare(machine, host, f, static_cast<uint32_t>(run % f.entries().size()), 100 * seed + run);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(WasmRandomFunctionTest, Small) { CompareRandom(400, 6, 8); }
TEST(WasmRandomFunctionTest, Medium) { CompareRandom(200, 12, 30); }
TEST(WasmRandomFunctionTest, Large) { CompareRandom(60, 6, 200); }

// -- particular situations

// Calls a function of one integer parameter, `a`, and returns its first integer result.
uint64_t Run1(TestMachine& machine, uint64_t a) {
  TestMachine::WasmRegisters r;
  r.ints[abi::kWasmPassedIn[0]] = a;
  EXPECT_EQ(machine.RunWasm(0, r).kind, Kind::kReturned);
  return r.ints[0];
}

// Vectors, floats and integers that live over a call and across each other.
TEST(WasmExecuteTest, Pressure) {
  Function f("f", {{Type::kI64}, {Type::kI64}, ir::CallConv::kWasm});
  const Block b = f.NewBlock();
  const Value p = f.AddParam(b, Type::kI64);
  f.AddEntry(b);
  Build build(f);
  build.At(b);
  constexpr int kCount = 40;
  std::vector<Value> vectors, doubles, ints;
  for (int k = 0; k < kCount; ++k) {
    vectors.push_back(build.Op(Opcode::kLoadHost, Type::kV128, {p}, Type::kV128,
                               static_cast<uint8_t>(ir::MemKind::k128), 16 * k));
    doubles.push_back(build.Op(Opcode::kLoadHost, Type::kF64, {p}, Type::kF64,
                               static_cast<uint8_t>(ir::MemKind::k64), 16 * k));
    ints.push_back(build.Op(Opcode::kLoadHost, Type::kI64, {p}, Type::kI64,
                            static_cast<uint8_t>(ir::MemKind::k64), 16 * k + 8));
  }
  const Value zero = build.Const(Type::kI32, 0);
  f.Append(b, {.op = Opcode::kCall, .imm = 1}, {zero, zero, zero}, {Type::kI32, Type::kI32});
  for (int k = 0; k < kCount; ++k) {
    const size_t j = static_cast<size_t>(k * 17 % kCount);
    const int64_t at = 640 + 32 * static_cast<int64_t>(j);
    auto store = [&](Value v, Type t, ir::MemKind kind, int64_t disp) {
      build.Do(Opcode::kStoreHost, {p, v}, static_cast<uint8_t>(kind), disp, {}, {}, t);
    };
    store(vectors[j], Type::kV128, ir::MemKind::k128, at);
    store(doubles[j], Type::kF64, ir::MemKind::k64, at + 16);
    store(ints[j], Type::kI64, ir::MemKind::k64, at + 24);
  }
  build.Do(Opcode::kRet, {p});
  TestMachine machine({Compile(f, Options()), Callee(false)});
  HostPage host;
  std::mt19937_64 rng(3);
  for (size_t k = 0; k < kHostBytes; ++k) host.bytes()[k] = static_cast<uint8_t>(rng());
  EXPECT_EQ(Run1(machine, kHostAddress), kHostAddress);
  for (size_t j = 0; j < kCount; ++j) {
    EXPECT_EQ(std::memcmp(host.bytes() + 640 + 32 * j, host.bytes() + 16 * j, 16), 0) << j;
    EXPECT_EQ(std::memcmp(host.bytes() + 656 + 32 * j, host.bytes() + 16 * j, 16), 0) << j;
  }
}

// A select of vectors, and all kinds of memory for them.
TEST(WasmExecuteTest, VectorMemory) {
  Function f("f", {{Type::kI32}, {Type::kI32}, ir::CallConv::kWasm});
  const Block b = f.NewBlock();
  const Value p = f.AddParam(b, Type::kI32);
  f.AddEntry(b);
  Build build(f);
  build.At(b);
  const uint8_t k128 = static_cast<uint8_t>(ir::MemKind::k128);
  const Type v = Type::kV128;
  const Value host = build.Const(Type::kI64, static_cast<int64_t>(kHostAddress));
  const Value offset = build.Op(Opcode::kExtendU32, Type::kI32, {p}, Type::kI64);
  const Value a = build.Op(Opcode::kLoad, v, {p}, v, k128, 3, {5, 0});
  const Value c = build.Op(Opcode::kLoadAt, v, {host, offset}, v, k128, 1, {6, 0});
  const Value d = build.Op(Opcode::kLoadContext, v, {}, v, k128, TestMachine::kArea + 8);
  build.Do(Opcode::kStoreContext, {build.Op(Opcode::kSelect, v, {p, a, c}, v)}, k128,
           TestMachine::kArea + 32, {}, {}, v);
  build.Do(Opcode::kStoreAt, {host, offset, d}, k128, 64, {7, 0}, {}, v);
  build.Do(Opcode::kStore, {p, c}, k128, 128, {8, 0}, {}, v);
  build.Do(Opcode::kRet, {p});
  TestMachine machine({Compile(f, Options())});
  HostPage page;
  std::mt19937_64 rng(4);
  for (size_t k = 0; k < 512; ++k) {
    page.bytes()[k] = static_cast<uint8_t>(rng());
    machine.memory()[k] = static_cast<uint8_t>(rng());
    machine.area()[k] = static_cast<uint8_t>(rng());
  }
  for (size_t at : {size_t{0}, size_t{16}}) {
    EXPECT_EQ(Run1(machine, at), at);
    const uint8_t* from = at != 0 ? machine.memory() + at + 3 : page.bytes() + at + 1;
    EXPECT_EQ(std::memcmp(machine.area() + 32, from, 16), 0);
    EXPECT_EQ(std::memcmp(page.bytes() + at + 64, machine.area() + 8, 16), 0);
    EXPECT_EQ(std::memcmp(machine.memory() + at + 128, page.bytes() + at + 1, 16), 0);
  }
  // A fault of each.
  for (uint64_t at : {uint64_t{TestMachine::kGuestBytes - 18}, uint64_t{kHostBytes - 16},
                      uint64_t{kHostBytes - 79}}) {
    TestMachine::WasmRegisters r;
    r.ints[abi::kWasmPassedIn[0]] = at;
    const TestMachine::Stop stop = machine.RunWasm(0, r);
    ASSERT_EQ(stop.kind, Kind::kFault);
    EXPECT_EQ(machine.StateAt(0, stop.offset).site->guest_pc, at > kHostBytes         ? 5u
                                                              : at == kHostBytes - 16 ? 6u
                                                                                      : 7u);
  }
}

// Atomic operations of all widths, with and without a result, on bytes beside others.
TEST(WasmExecuteTest, AtomicRmw) {
  HostPage page;
  for (Type t : {Type::kI32, Type::kI64}) {
    for (ir::MemKind kind :
         {ir::MemKind::kU8, ir::MemKind::kU16, ir::MemKind::kU32, ir::MemKind::k64}) {
      if (t == Type::kI32 && kind == ir::MemKind::k64) continue;
      const size_t size = kind == ir::MemKind::kU8    ? 1
                          : kind == ir::MemKind::kU16 ? 2
                          : kind == ir::MemKind::kU32 ? 4
                                                      : 8;
      const uint64_t mask = size == 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * size)) - 1;
      for (int op = 0; op < 6; ++op) {
        for (bool used : {true, false}) {
          for (int constant = 0; constant < 3; ++constant) {
            const int64_t kConstants[] = {0, -3, 0x12345};
            Function f("f", {{t}, {t}, ir::CallConv::kWasm});
            const Block b = f.NewBlock();
            const Value p = f.AddParam(b, t);
            f.AddEntry(b);
            Build build(f);
            build.At(b);
            const Value host = build.Const(Type::kI64, static_cast<int64_t>(kHostAddress));
            const Value operand = constant == 0 ? p : build.Const(t, kConstants[constant]);
            const Value old =
                build.Op(Opcode::kAtomicRmw, t, {host, build.Const(Type::kI64, 16), operand}, t,
                         static_cast<uint8_t>(kind), op, {4, 0});
            build.Do(Opcode::kRet, {used ? old : p});
            TestMachine machine({Compile(f, Options())});
            for (uint64_t x : {uint64_t{0x1122334455667788}, uint64_t{0xffffffffffffffff}}) {
              for (size_t k = 0; k < 64; ++k) page.bytes()[k] = static_cast<uint8_t>(0xf1 - 3 * k);
              uint64_t before, after;
              std::memcpy(&before, page.bytes() + 16, 8);
              if (t == Type::kI32) x = static_cast<uint32_t>(x);
              const uint64_t y = constant == 0 ? x : static_cast<uint64_t>(kConstants[constant]);
              const uint64_t result = Run1(machine, x);
              std::memcpy(&after, page.bytes() + 16, 8);
              const uint64_t combined[] = {before + y, before - y, before & y,
                                           before | y, before ^ y, y};
              ASSERT_EQ(result, used ? before & mask : x) << op << " " << size;
              ASSERT_EQ(after, (combined[op] & mask) | (before & ~mask)) << op << " " << size;
            }
          }
        }
      }
    }
  }
}

TEST(WasmExecuteTest, AtomicCompareExchange) {
  HostPage page;
  for (Type t : {Type::kI32, Type::kI64}) {
    for (ir::MemKind kind :
         {ir::MemKind::kU8, ir::MemKind::kU16, ir::MemKind::kU32, ir::MemKind::k64}) {
      if (t == Type::kI32 && kind == ir::MemKind::k64) continue;
      const unsigned bits = kind == ir::MemKind::kU8    ? 8
                            : kind == ir::MemKind::kU16 ? 16
                            : kind == ir::MemKind::kU32 ? 32
                                                        : 64;
      const uint64_t mask = ~uint64_t{0} >> (64 - bits);
      Function f("f", {{t, t}, {t}, ir::CallConv::kWasm});
      const Block b = f.NewBlock();
      const Value expected = f.AddParam(b, t), replacement = f.AddParam(b, t);
      f.AddEntry(b);
      Build build(f);
      build.At(b);
      const Value host = build.Const(Type::kI64, static_cast<int64_t>(kHostAddress));
      build.Do(Opcode::kFence, {});
      const Value old = build.Op(
          Opcode::kAtomicCmpxchg, t,
          {host, build.Op(Opcode::kExtendU32, Type::kI32, {build.Const(Type::kI32, 8)}, Type::kI64),
           expected, replacement},
          t, static_cast<uint8_t>(kind), 0, {4, 0});
      build.Do(Opcode::kRet, {old});
      TestMachine machine({Compile(f, Options())});
      const uint64_t before = 0x8182838485868788;
      const uint64_t fits = before & mask;
      for (uint64_t e : {fits, fits ^ 1, fits | 0x100, fits | 0x10000, fits | uint64_t{1} << 40,
                         before, before & 0xffffffffu}) {
        if (t == Type::kI32) e = static_cast<uint32_t>(e);
        const uint64_t r = 0x1a2b3c4d5e6f7081;
        std::memcpy(page.bytes() + 8, &before, 8);
        TestMachine::WasmRegisters regs;
        regs.ints[abi::kWasmPassedIn[0]] = e;
        regs.ints[abi::kWasmPassedIn[1]] = t == Type::kI32 ? static_cast<uint32_t>(r) : r;
        ASSERT_EQ(machine.RunWasm(0, regs).kind, Kind::kReturned);
        ASSERT_EQ(regs.ints[0], fits);
        uint64_t after;
        std::memcpy(&after, page.bytes() + 8, 8);
        const uint64_t want = e == fits ? (before & ~mask) | (r & mask) : before;
        ASSERT_EQ(after, want) << e << " " << bits;
      }
    }
  }
}

// A frame of more than 32 KiB ends at the limit of the stack as a whole.
TEST(WasmExecuteTest, LargeFrame) {
  Function f("f", {{Type::kI64}, {Type::kI64}, ir::CallConv::kWasm});
  const Block b = f.NewBlock();
  const Value p = f.AddParam(b, Type::kI64);
  f.AddEntry(b);
  f.block(b).guest_pc = 0x33;
  Build build(f);
  build.At(b);
  std::vector<Value> vectors;
  constexpr int64_t kCount = 2500;
  const uint8_t k128 = static_cast<uint8_t>(ir::MemKind::k128);
  for (int64_t k = 0; k < kCount; ++k) {
    vectors.push_back(build.Op(Opcode::kLoadHost, Type::kV128, {p}, Type::kV128, k128, k % 200));
  }
  const Value again =
      f.result(f.Append(b, {.op = Opcode::kCall, .imm = 0, .site = {0x37, 2}}, {p}, {Type::kI64}));
  for (int64_t k = 0; k < kCount; ++k) {
    build.Do(Opcode::kStoreHost, {p, vectors[static_cast<size_t>(k)]}, k128, k % 100, {}, {},
             Type::kV128);
  }
  build.Do(Opcode::kRet, {again});
  TestMachine machine({Compile(f, Options())});
  HostPage page;
  TestMachine::WasmRegisters r;
  r.ints[abi::kWasmPassedIn[0]] = kHostAddress;
  const TestMachine::Stop stop = machine.RunWasm(0, r);
  ASSERT_EQ(stop.kind, Kind::kIllegal);
  EXPECT_EQ(machine.StateAt(0, stop.offset).site->guest_pc, 0x33u);
  // The site of the call it came from has the refund that a helper's trap there needs.
  bool found = false;
  for (const codegen::Site& site : machine.functions()[0].sites) {
    if (site.kind != codegen::Site::Kind::kCall) continue;
    EXPECT_EQ(site.guest_pc, 0x37u);
    EXPECT_EQ(site.refund, 2u);
    found = true;
  }
  EXPECT_TRUE(found);
}

// Loops whose exit compares the counter before its step for equality: how often they turn.
TEST(WasmExecuteTest, SteppedCompare) {
  for (Type t : {Type::kI32, Type::kI64}) {
    for (auto [start, step, last] :
         std::vector<std::array<int64_t, 3>>{{0, 1, 9},
                                             {0, 4, 36},
                                             {-8, 1, -1},
                                             {7, -1, 1},
                                             {7, -1, 0},
                                             {INT32_MAX - 2, 1, INT32_MAX},
                                             {INT32_MIN + 2, -1, INT32_MIN},
                                             {5, 0, 5}}) {
      for (bool equal : {false, true}) {
        Function f("f", {{Type::kI64}, {Type::kI64}, ir::CallConv::kWasm});
        const Block entry = f.NewBlock(), loop = f.NewBlock(), exit = f.NewBlock();
        f.AddParam(entry, Type::kI64);
        f.AddEntry(entry);
        const Value counter = f.AddParam(loop, t), turns = f.AddParam(loop, Type::kI64);
        Build build(f);
        build.At(entry);
        build.Do(Opcode::kBr, {}, 0, 0, {},
                 {{loop, {build.Const(t, start), build.Const(Type::kI64, 0)}}});
        build.At(loop);
        const Value stepped = build.Binary(Opcode::kAdd, t, counter, build.Const(t, step));
        const Value more =
            build.Binary(Opcode::kAdd, Type::kI64, turns, build.Const(Type::kI64, 1));
        const Value c =
            build.Icmp(equal ? IntCond::kEq : IntCond::kNe, t, counter, build.Const(t, last));
        const ir::Edge again{loop, {stepped, more}}, out{exit};
        build.Do(Opcode::kBrIf, {c}, 0, 0, {}, {equal ? out : again, equal ? again : out});
        build.At(exit);
        build.Do(Opcode::kRet, {more});
        ASSERT_TRUE(ir::Verify(f).ok()) << ir::Verify(f);
        TestMachine machine({Compile(f, Options())});
        const int64_t expected = step == 0 ? 1 : (last - start) / step + 1;
        EXPECT_EQ(Run1(machine, 0), static_cast<uint64_t>(expected))
            << start << " " << step << " " << last;
      }
    }
  }
}

// 32-bit operations that do nothing, on what is wrapped: the upper half is gone all the same.
TEST(WasmExecuteTest, WrappedIdentity) {
  struct Case {
    Opcode op;
    int64_t operand;
  };
  for (const Case& c :
       {Case{Opcode::kAdd, 0}, Case{Opcode::kSub, 0}, Case{Opcode::kMul, 1}, Case{Opcode::kShl, 0},
        Case{Opcode::kShrU, 0}, Case{Opcode::kShrS, 32}, Case{Opcode::kRotl, 0},
        Case{Opcode::kOr, 0}, Case{Opcode::kXor, 0}, Case{Opcode::kAnd, -1},
        Case{Opcode::kSdivTotal, 1}, Case{Opcode::kUdivTotal, 1}}) {
    Function f("f", {{Type::kI64}, {Type::kI64}, ir::CallConv::kWasm});
    const Block b = f.NewBlock();
    const Value p = f.AddParam(b, Type::kI64);
    f.AddEntry(b);
    Build build(f);
    build.At(b);
    const Value r =
        build.Binary(c.op, Type::kI32, build.Low(p), build.Const(Type::kI32, c.operand));
    build.Do(Opcode::kRet, {build.Op(Opcode::kExtendU32, Type::kI32, {r}, Type::kI64)});
    TestMachine machine({Compile(f, Options())});
    EXPECT_EQ(Run1(machine, 0x1234567887654321), 0x87654321u) << ir::Info(c.op).text;
  }
}

}  // namespace
}  // namespace precast::x64::testing
