// See test_machine.h. The image is one mapping: GOT, dispatch table, stubs, then code and constants
// of each function.
#include "compiler/x64/test_machine.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <utility>

#include "absl/log/check.h"
#include "compiler/x64/encoder.h"

namespace precast::x64 {
namespace {

using codegen::CodeRelocation;
using codegen::StateLocation;

constexpr size_t kImageBytes = 16 << 20;
constexpr size_t kGot = 0;
constexpr size_t kStubs = 4096;
constexpr size_t kDispatch = 2 * 4096;
constexpr size_t kReservation = size_t{8} << 30;
constexpr size_t kGuard = size_t{2} << 30;  // negative displacements
constexpr size_t kStackBytes = 1 << 20;
constexpr uint64_t kFaultFlag = 1000;

abi::VmContext* g_context = nullptr;
uint8_t* g_leave = nullptr;
uint8_t* g_image = nullptr;

// Puts the machine state into the context and goes on in the leaving stub.
void OnFault(int signal, siginfo_t*, void* raw) {
  auto* uc = static_cast<ucontext_t*>(raw);
  greg_t* g = uc->uc_mcontext.gregs;
  const uint64_t rip = static_cast<uint64_t>(g[REG_RIP]);
  const uint64_t image = reinterpret_cast<uint64_t>(g_image);
  CHECK(g_context != nullptr && rip >= image && rip < image + kImageBytes)
      << "fault of the test itself";
  const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                         REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  for (int i = 0; i < 16; ++i) g_context->gpr[i] = static_cast<uint64_t>(g[order[i]]);
  g_context->fuel = g[order[abi::kFuelReg]];
  g_context->stop_rip = rip;
  g_context->exit_reason = static_cast<uint32_t>(kFaultFlag) + static_cast<uint32_t>(signal);
  g[order[abi::kContextReg]] = reinterpret_cast<greg_t>(g_context) + abi::kContextBias;
  g[REG_RIP] = reinterpret_cast<greg_t>(g_leave);
}

Mem Ctx(size_t offset) { return InContext(offset); }
Mem Gpr(Reg r) { return Ctx(offsetof(abi::VmContext, gpr) + 8 * Number(r)); }

const Reg kSaved[] = {Reg::rbx, Reg::rbp, Reg::r12, Reg::r13, Reg::r14, Reg::r15};

}  // namespace

TestMachine::TestMachine(std::vector<codegen::CompiledFunction> functions, uint32_t dispatch_base,
                         uint32_t dispatch_count)
    : functions_(std::move(functions)) {
  auto map = [](size_t size, int protection) {
    void* p = mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(p != MAP_FAILED);
    return static_cast<uint8_t*>(p);
  };
  image_ = map(kImageBytes, PROT_READ | PROT_WRITE | PROT_EXEC);
  memory_ = map(kGuard + kReservation, PROT_NONE) + kGuard;
  CHECK_EQ(mprotect(memory_, kGuestBytes, PROT_READ | PROT_WRITE), 0);
  stack_ = map(kStackBytes, PROT_READ | PROT_WRITE);
  BuildStubs();

  size_t at = kDispatch + 4 * size_t{dispatch_count};
  auto align = [&] { at = (at + 15) & ~size_t{15}; };
  std::vector<uint8_t*> constants;
  for (const codegen::CompiledFunction& f : functions_) {
    align();
    code_.push_back(image_ + at);
    CHECK_LE(at + f.code.size() + f.constants.size() + 64, kImageBytes);
    if (!f.code.empty()) std::memcpy(image_ + at, f.code.data(), f.code.size());
    at += f.code.size();
    align();
    constants.push_back(image_ + at);
    if (!f.constants.empty()) std::memcpy(image_ + at, f.constants.data(), f.constants.size());
    at += f.constants.size();
  }
  auto put32 = [](uint8_t* field, int64_t value) {
    CHECK_EQ(value, static_cast<int32_t>(value));
    const int32_t v = static_cast<int32_t>(value);
    std::memcpy(field, &v, 4);
  };
  for (size_t i = 0; i < functions_.size(); ++i) {
    const codegen::CompiledFunction& f = functions_[i];
    for (const CodeRelocation& r : f.relocations) {
      uint8_t* target = nullptr;
      switch (r.target) {
        case CodeRelocation::Target::kFunction:
          target = code_[r.index];
          break;
        case CodeRelocation::Target::kGotRuntime:
          target = image_ + kGot + 8 * size_t{r.index};
          break;
        case CodeRelocation::Target::kPltRuntime:  // as if bound: straight to the callback
          std::memcpy(&target, image_ + kGot + 8 * size_t{r.index}, 8);
          break;
        case CodeRelocation::Target::kConstants:
          target = constants[i] + r.index;
          break;
        case CodeRelocation::Target::kDispatchTable:
          target = image_ + kDispatch;
          break;
      }
      uint8_t* field = code_[i] + r.offset;
      put32(field, target + r.addend - field);
    }
    for (const codegen::ConstantRelocation& r : f.constant_relocations) {
      put32(constants[i] + r.offset, code_[i] + r.code_offset - (constants[i] + r.base));
    }
    for (const codegen::Entry& e : f.entries) {
      const uint32_t word = (e.guest_pc - dispatch_base) / 4;
      if (word < dispatch_count) {
        put32(image_ + kDispatch + 4 * size_t{word},
              code_[i] + e.code_offset - (image_ + kDispatch));
      }
    }
  }
  struct sigaction action = {};
  action.sa_sigaction = &OnFault;
  action.sa_flags = SA_SIGINFO;
  for (int signal : {SIGSEGV, SIGILL, SIGBUS, SIGFPE})
    CHECK_EQ(sigaction(signal, &action, nullptr), 0);
  g_image = image_;
}

TestMachine::~TestMachine() {
  for (int signal : {SIGSEGV, SIGILL, SIGBUS, SIGFPE}) ::signal(signal, SIG_DFL);
  g_context = nullptr;
  g_image = nullptr;
  munmap(image_, kImageBytes);
  munmap(memory_ - kGuard, kGuard + kReservation);
  munmap(stack_, kStackBytes);
}

void TestMachine::BuildStubs() {
  Encoder e;
  // enter(context, code): saves the host's registers, loads the guest's, calls, then leaves.
  auto enter = [&] {
    e.AluRI(Alu::kSub, Width::k64, Reg::rsp, 56);
    for (size_t i = 0; i < std::size(kSaved); ++i) {
      e.Store(Width::k64, Mem::At(Reg::rsp, static_cast<int32_t>(8 * i)), kSaved[i]);
    }
    e.Lea(Width::k64, kContext, Mem::At(Reg::rdi, abi::kContextBias));
    e.Mov(Width::k64, Reg::r11, Reg::rsi);
    e.Store(Width::k64, Ctx(offsetof(abi::VmContext, host_rsp)), Reg::rsp);
    e.Load(Width::k64, Reg::rsp, Ctx(offsetof(abi::VmContext, native_stack_top)));
    e.Load(Width::k64, kMemory, Ctx(offsetof(abi::VmContext, memory_base)));
    e.Load(Width::k64, kFuel, Ctx(offsetof(abi::VmContext, fuel)));
  };
  auto returned = [&] {
    e.Store(Width::k64, Gpr(kMemory), kMemory);
    e.Store(Width::k64, Gpr(Reg::rsp), Reg::rsp);
    e.Store(Width::k64, Ctx(offsetof(abi::VmContext, fuel)), kFuel);
    e.StoreImm(Width::k32, Ctx(offsetof(abi::VmContext, exit_reason)), 0);
  };
  auto ints = [](Reg r) { return Ctx(offsetof(Context, registers.ints) + 8 * Number(r)); };
  auto vectors = [](size_t k) { return Ctx(offsetof(Context, registers.vectors) + 16 * k); };
  const Reg pinned[] = {Reg::rsp, kContext, kMemory, kFuel};
  auto is_pinned = [&](Reg r) { return std::find(pinned, pinned + 4, r) != pinned + 4; };
  enter();
  // All that the callee may not rely on has what it left there last time.
  for (int i = 0; i < 16; ++i) {
    const Reg r = static_cast<Reg>(i);
    if (!is_pinned(r) && r != Reg::r11) e.Load(Width::k64, r, ints(r));
  }
  for (size_t k = 0; k < kNumVectors; ++k) e.MovupsLoad(static_cast<Xmm>(k), vectors(k));
  e.CallReg(Reg::r11);
  for (int i = 0; i < 16; ++i) {
    const Reg r = static_cast<Reg>(i);
    if (!is_pinned(r)) e.Store(Width::k64, ints(r), r);
  }
  for (size_t k = 0; k < kNumVectors; ++k) e.MovupsStore(vectors(k), static_cast<Xmm>(k));
  returned();
  // On to the leaving stub, which the encoder has no jump for.
  e.MovImm(Reg::r11, 0x1122334455667788);  // patched below
  const size_t leave_field = e.size() - 8;
  e.JmpReg(Reg::r11);

  const size_t enter_guest = e.size();
  enter();
  for (int i = 0; i < abi::kNumPassed; ++i) {
    e.Load(Width::k32, static_cast<Reg>(abi::kPassedIn[i]), Ctx(4 * size_t{abi::kPassed[i]}));
  }
  e.CallReg(Reg::r11);
  for (int i = 0; i < abi::kNumPassed; ++i) {
    e.Store(Width::k64, Gpr(static_cast<Reg>(abi::kPassedIn[i])),
            static_cast<Reg>(abi::kPassedIn[i]));
  }
  e.Store(Width::k64, Gpr(Reg::rax), Reg::rax);
  returned();
  const size_t leave = e.size();
  e.Load(Width::k64, Reg::rsp, Ctx(offsetof(abi::VmContext, host_rsp)));
  for (size_t i = 0; i < std::size(kSaved); ++i) {
    e.Load(Width::k64, kSaved[i], Mem::At(Reg::rsp, static_cast<int32_t>(8 * i)));
  }
  e.AluRI(Alu::kAdd, Width::k64, Reg::rsp, 56);
  e.Ret();
  // Callbacks.
  size_t stubs[8] = {};
  for (int k = 0; k <= static_cast<int>(abi::Callback::kResolvePlt); ++k) {
    stubs[k] = e.size();
    if (k == static_cast<int>(abi::Callback::kHostCall)) {
      e.AluMI(Alu::kAdd, Width::k32, Ctx(4 * 31), 1);
      for (int i = 0; i < abi::kNumPassed; ++i) {
        const Reg r = static_cast<Reg>(abi::kPassedIn[i]);
        if (abi::kPassed[i] == 10) e.Mov(Width::k32, Reg::rax, r);
        e.AluRI(Alu::kAdd, Width::k32, r, 1);
      }
      e.MovImm(Reg::r11, 0x1111222233334444);
      e.MovImm(Reg::r12, 0x5555666677778888);
      e.Ret();
      continue;
    }
    for (int r = 0; r < 16; ++r) e.Store(Width::k64, Gpr(static_cast<Reg>(r)), static_cast<Reg>(r));
    if (k != static_cast<int>(abi::Callback::kDispatchMiss)) {
      // As if the return address had not been pushed.
      e.Load(Width::k64, Reg::r11, Mem::At(Reg::rsp, 0));
      e.Store(Width::k64, Ctx(offsetof(abi::VmContext, stop_rip)), Reg::r11);
      e.AluMI(Alu::kAdd, Width::k64, Gpr(Reg::rsp), 8);
    }
    e.Store(Width::k64, Ctx(offsetof(abi::VmContext, fuel)), kFuel);
    e.StoreImm(Width::k32, Ctx(offsetof(abi::VmContext, exit_reason)), 100 + k);
    // Leave. The encoder has no short way back: load the address.
    e.MovImm(Reg::r11, reinterpret_cast<uint64_t>(image_ + kStubs + leave));
    e.JmpReg(Reg::r11);
  }
  const size_t size = e.size();
  CHECK_LE(size, size_t{4096});
  const std::vector<uint8_t> bytes = e.Take();
  std::memcpy(image_ + kStubs, bytes.data(), size);
  for (int k = 0; k <= static_cast<int>(abi::Callback::kResolvePlt); ++k) {
    const uint64_t target = reinterpret_cast<uint64_t>(image_ + kStubs + stubs[k]);
    std::memcpy(image_ + kGot + 8 * k, &target, 8);
  }
  const uint64_t leave_address = reinterpret_cast<uint64_t>(image_ + kStubs + leave);
  std::memcpy(image_ + kStubs + leave_field, &leave_address, 8);
  enter_ = image_ + kStubs + enter_guest;
  enter_wasm_ = image_ + kStubs;
  g_leave = image_ + kStubs + leave;
}

uint64_t TestMachine::CodeAddress(uint32_t function, uint32_t entry) const {
  return reinterpret_cast<uint64_t>(code_[function] +
                                    functions_[function].entries[entry].code_offset);
}

TestMachine::Stop TestMachine::RunWasm(uint32_t function, WasmRegisters& registers,
                                       uint32_t entry) {
  context_.registers = registers;
  const Stop stop = Enter(enter_wasm_, function, entry);
  registers = context_.registers;
  return stop;
}

TestMachine::Stop TestMachine::Run(uint32_t function, uint32_t entry) {
  const Stop stop = Enter(enter_, function, entry);
  if (stop.kind == Stop::Kind::kReturned) {
    abi::VmContext& vm = context_.vm;
    for (int i = 0; i < abi::kNumPassed; ++i) {
      vm.x[abi::kPassed[i]] = static_cast<uint32_t>(vm.gpr[abi::kPassedIn[i]]);
    }
    vm.pc = static_cast<uint32_t>(vm.gpr[abi::kNextPcReg]);
  }
  return stop;
}

TestMachine::Stop TestMachine::Enter(const uint8_t* stub, uint32_t function, uint32_t entry) {
  abi::VmContext& vm = context_.vm;
  vm.memory_base = memory_;
  vm.native_stack_top = reinterpret_cast<uint64_t>(stack_ + kStackBytes);
  vm.native_stack_limit =
      stack_exhausted_ ? ~uint64_t{0} : reinterpret_cast<uint64_t>(stack_ + kStackBytes / 2);
  vm.stop_rip = 0;
  g_context = &vm;
  auto enter =
      reinterpret_cast<void (*)(abi::VmContext*, uint64_t)>(reinterpret_cast<uintptr_t>(stub));
  enter(&vm, CodeAddress(function, entry));
  Stop stop{Stop::Kind::kReturned};
  if (vm.exit_reason == 0) {
    CHECK_EQ(vm.gpr[4], vm.native_stack_top) << "stack pointer at return";
    CHECK_EQ(vm.gpr[abi::kMemoryReg], reinterpret_cast<uint64_t>(memory_))
        << "memory base at return";
    return stop;
  }
  const uint8_t* rip = reinterpret_cast<const uint8_t*>(context_.vm.stop_rip);
  if (context_.vm.exit_reason >= kFaultFlag) {
    constexpr uint8_t kHlt = 0xf4;  // a trap like an invalid instruction, but with SIGSEGV
    const bool is_illegal = context_.vm.exit_reason == kFaultFlag + SIGILL || *rip == kHlt;
    stop.kind = is_illegal ? Stop::Kind::kIllegal : Stop::Kind::kFault;
  } else {
    stop.kind = Stop::Kind::kCallback;
    stop.callback = static_cast<abi::Callback>(context_.vm.exit_reason - 100);
  }
  for (uint32_t i = 0; i < functions_.size(); ++i) {
    if (rip >= code_[i] && rip < code_[i] + functions_[i].code.size()) {
      stop.function = i;
      stop.offset = static_cast<uint32_t>(rip - code_[i]);
    }
  }
  return stop;
}

TestMachine::SiteState TestMachine::StateAt(uint32_t function, uint32_t offset) const {
  SiteState result{};
  for (const codegen::Site& site : functions_[function].sites) {
    if (site.reset) result.locations.clear();
    for (const StateLocation& l : functions_[function].StateOf(site)) {
      if (l.kind == StateLocation::Kind::kContext) {
        result.locations.erase(l.slot);
      } else {
        result.locations[l.slot] = l;
      }
    }
    if (site.code_offset == offset) {
      // The charge that could not be paid.
      auto found = std::make_shared<codegen::Site>(site);
      for (const codegen::Charge& next : functions_[function].MoreOf(site)) {
        if (context_.vm.fuel + next.refund < 0) break;
        found->guest_pc = next.guest_pc;
        found->refund = next.refund;
      }
      result.site = std::move(found);
      return result;
    }
  }
  CHECK(false) << "no site at offset " << offset << " of " << functions_[function].name;
  return result;
}

uint32_t TestMachine::SlotAt(const Stop& stop, uint8_t slot) const {
  const SiteState state = StateAt(stop.function, stop.offset);
  const auto it = state.locations.find(slot);
  if (it == state.locations.end()) return slot == 32 ? context_.vm.pc : context_.vm.x[slot];
  switch (it->second.kind) {
    case StateLocation::Kind::kContext:
      break;
    case StateLocation::Kind::kRegister:
      return static_cast<uint32_t>(context_.vm.gpr[it->second.value % 16] >>
                                   (it->second.value / 16 * 32));
    case StateLocation::Kind::kFrame: {
      uint32_t value;
      std::memcpy(&value, reinterpret_cast<const uint8_t*>(context_.vm.gpr[4]) + it->second.value,
                  4);
      return value;
    }
    case StateLocation::Kind::kConstant:
      return static_cast<uint32_t>(it->second.value);
  }
  return 0;
}

int64_t TestMachine::FuelAt(const Stop& stop) const {
  return context_.vm.fuel + StateAt(stop.function, stop.offset).site->refund;
}

}  // namespace precast::x64
