#include "runtime/interpreter/interpreter.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "absl/log/check.h"
#include "runtime/abi/helpers.h"
#include "runtime/interpreter/helpers.h"

namespace precast::runtime {

namespace {

// The four bytes at `address` of the program's initial memory; false if no segment covers them.
bool FetchWord(const ProgramImage& program, uint32_t address, uint32_t& word) {
  for (const ProgramSegment& segment : program.segments) {
    uint64_t offset = uint64_t{address} - segment.address;
    if (address < segment.address || offset + 4 > segment.size) continue;
    uint8_t bytes[4] = {};
    for (int i = 0; i < 4; ++i) {
      if (offset + i < segment.data.size()) bytes[i] = segment.data[offset + i];
    }
    std::memcpy(&word, bytes, sizeof(word));
    return true;
  }
  return false;
}

int32_t Signed(uint32_t value) { return static_cast<int32_t>(value); }

// Chapter 7.2: division by zero and overflow have defined results and never trap.
uint32_t Div(uint32_t a, uint32_t b) {
  if (b == 0) return 0xFFFFFFFF;
  if (a == 0x80000000 && b == 0xFFFFFFFF) return a;
  return static_cast<uint32_t>(Signed(a) / Signed(b));
}
uint32_t Rem(uint32_t a, uint32_t b) {
  if (b == 0) return a;
  if (a == 0x80000000 && b == 0xFFFFFFFF) return 0;
  return static_cast<uint32_t>(Signed(a) % Signed(b));
}

// The first byte of [address, address + size), modulo 2^32, that the guest may not access in the
// way `permission` says; false if it may access all of them.
template <uint32_t kSize>
bool FindForbidden(const uint8_t* pages, uint32_t address, uint8_t permission,
                   uint32_t& forbidden) {
  if ((pages[address / kPageSize] & permission) == 0) {
    forbidden = address;
    return true;
  }
  uint32_t last = address + (kSize - 1);
  if ((pages[last / kPageSize] & permission) == 0) {
    forbidden = last / kPageSize * kPageSize;
    return true;
  }
  return false;
}

template <uint32_t kSize>
bool MayAccess(const uint8_t* pages, uint32_t address, uint8_t permission) {
  if (kSize == 1 || address % kPageSize <= kPageSize - kSize) [[likely]] {
    return (pages[address / kPageSize] & permission) != 0;
  }
  uint32_t forbidden;
  return !FindForbidden<kSize>(pages, address, permission, forbidden);
}

}  // namespace

void Interpreter::FreeDeleter::operator()(void* memory) const { std::free(memory); }

Interpreter::Interpreter(const ProgramImage& program, Options options)
    : program_(program), options_(std::move(options)) {
  uint32_t low = std::numeric_limits<uint32_t>::max(), high = 0;
  for (const ProgramCodeRange& range : program.code_ranges) {
    if (range.begin == range.end) continue;
    low = std::min(low, range.begin / kCodePageSize);
    high = std::max(high, (range.end - 1) / kCodePageSize);
  }
  if (low <= high) {
    first_page_ = low;
    num_pages_ = high - low + 1;
  }
  pages_.reset(static_cast<Page**>(std::calloc(std::max(num_pages_, 1u), sizeof(Page*))));
  CHECK(pages_ != nullptr);
}

const Interpreter::Page* Interpreter::EmptyPage() {
  static const Page* const empty_page = [] {
    // All kNotExecutable, like every DecodedInstruction at first.
    auto* page = new Page;
    page->instructions.back().operation = Operation::kPageEnd;
    return page;
  }();
  return empty_page;
}

const Interpreter::Page* Interpreter::AddPage(uint32_t index) {
  auto page = std::make_unique<Page>();
  page->instructions.fill({.operation = Operation::kNotDecoded});
  page->instructions.back().operation = Operation::kPageEnd;
  owned_pages_.push_back(std::move(page));
  return pages_.get()[index] = owned_pages_.back().get();
}

void Interpreter::DecodeAt(uint32_t first_pc) {
  Page& page = *pages_.get()[first_pc / kCodePageSize - first_page_];
  const uint32_t first = first_pc % kCodePageSize / 4 / kDecodedTogether * kDecodedTogether;
  for (uint32_t i = first; i < first + kDecodedTogether; ++i) {
    const uint32_t pc = first_pc / kCodePageSize * kCodePageSize + i * 4;
    DecodedInstruction& decoded = page.instructions[i];
    decoded = {};
    uint32_t word;
    if (!program_.IsCode(pc) || !FetchWord(program_, pc, word)) continue;
    page.words[i] = word;
    decoded = options_.custom == nullptr ? Decode(word) : DecodeOpenVm(word);
    if (options_.fast_helpers) {
      if (const std::optional<abi::Helper> helper = abi::DecodeHelper(word)) {
        decoded = {.operation = Operation::kFastHelper,
                   .rd = 1,
                   .immediate = static_cast<uint32_t>(*helper)};
      }
    }
    if (const precast::openvm::Registry::Entry* entry =
            options_.custom != nullptr ? options_.custom->Find(word) : nullptr) {
      CustomSite site{.entry = entry, .instruction = DecodeCustom(word, entry->opcode->form)};
      for (const precast::openvm::ChipRows& rows : entry->opcode->rows)
        site.rows_vary |= rows.count != nullptr;
      decoded = {.operation = Operation::kCustom,
                 .rd = site.instruction.rd != 0 ? site.instruction.rd : kSinkRegister,
                 .rs1 = site.instruction.rs1,
                 .rs2 = site.instruction.rs2,
                 .immediate = static_cast<uint32_t>(custom_sites_.size())};
      custom_sites_.push_back(site);
    }
    if (options_.has_native_entry != nullptr && options_.has_native_entry(pc)) {
      page.native_entries[i / 64] |= uint64_t{1} << (i % 64);
    }
  }
}

InterpreterResult Interpreter::Run(abi::VmContext& context, GuestMemory& memory,
                                   bool stop_at_native_entry) {
  if (observer_ != nullptr) {
    return stop_at_native_entry ? RunLoop<true, true>(context, memory)
                                : RunLoop<false, true>(context, memory);
  }
  return stop_at_native_entry ? RunLoop<true, false>(context, memory)
                              : RunLoop<false, false>(context, memory);
}

CustomSite* Interpreter::FindCustom(uint32_t pc) {
  if (pc % 4 != 0) return nullptr;
  const DecodedInstruction& i = FindPage(pc)->instructions[pc % kCodePageSize / 4];
  if (i.operation == Operation::kNotDecoded) DecodeAt(pc);
  if (i.operation != Operation::kCustom) return nullptr;
  CustomSite* const site = &custom_sites_[i.immediate];
  recent_customs_[pc / 4 % kRecentCustoms] = {pc, site};
  return site;
}

// Threaded code: each operation jumps to the next one itself. The guest's registers live in an
// array of this function, which nothing else can change.
template <bool kStopAtNativeEntry, bool kObserved>
InterpreterResult Interpreter::RunLoop(abi::VmContext& context, GuestMemory& memory) {
  static const void* const kLabels[] = {
#define PRECAST_OPERATION(Name) &&do_##Name,
#include "runtime/interpreter/operations.def"
#undef PRECAST_OPERATION
  };

  uint32_t x[33];
  std::memcpy(x, context.x, sizeof(context.x));
  x[0] = 0;
  x[kSinkRegister] = 0;
  int64_t fuel = context.fuel;
  uint8_t* const base = memory.base();
  const uint8_t* const pages = memory.page_table();
  const bool strict = options_.strict_alignment;
  const Page* page;
  uint32_t page_address;  // guest address of `page`
  const DecodedInstruction* at;
  InterpreterResult result;
  uint32_t address, target;  // of the memory access or jump being executed

#define ENTER(pc)                                        \
  do {                                                   \
    page = FindPage(pc);                                 \
    page_address = (pc) / kCodePageSize * kCodePageSize; \
    at = &page->instructions[(pc) % kCodePageSize / 4];  \
  } while (false)
#define DISPATCH()                                     \
  do {                                                 \
    if (fuel <= 0) goto out_of_fuel;                   \
    if (kObserved) goto observe;                       \
    goto* kLabels[static_cast<size_t>(at->operation)]; \
  } while (false)
// Executes what `at` points to, unless it has native code.
#define CONTINUE()                                                                   \
  do {                                                                               \
    if (kStopAtNativeEntry &&                                                        \
        page->HasNativeEntry(static_cast<size_t>(at - page->instructions.data()))) { \
      goto native_entry;                                                             \
    }                                                                                \
    DISPATCH();                                                                      \
  } while (false)
#define NEXT()  \
  do {          \
    --fuel;     \
    ++at;       \
    CONTINUE(); \
  } while (false)
#define PC() (page_address + static_cast<uint32_t>(at - page->instructions.data()) * 4)
#define RS1 x[at->rs1]
#define RS2 x[at->rs2]
#define IMM at->immediate
#define SET_RD(value)    \
  do {                   \
    x[at->rd] = (value); \
    NEXT();              \
  } while (false)
#define JUMP_TO_TARGET()                                          \
  do {                                                            \
    --fuel;                                                       \
    if (target / kCodePageSize * kCodePageSize == page_address) { \
      at = &page->instructions[target % kCodePageSize / 4];       \
    } else {                                                      \
      ENTER(target);                                              \
    }                                                             \
    CONTINUE();                                                   \
  } while (false)
#define BRANCH_IF(condition)                     \
  do {                                           \
    if (!(condition)) NEXT();                    \
    target = PC() + IMM;                         \
    if (target % 4 != 0) goto misaligned_target; \
    JUMP_TO_TARGET();                            \
  } while (false)
#define OBSERVE(Type, write)                                                                     \
  do {                                                                                           \
    if (kObserved) {                                                                             \
      observer_->OnAccess(precast::openvm::AddressSpace::kMemory, address, sizeof(Type), write); \
    }                                                                                            \
  } while (false)
#define LOAD(Type, Result)                                                  \
  do {                                                                      \
    address = RS1 + IMM;                                                    \
    if (strict && address % sizeof(Type) != 0) goto misaligned_access;      \
    if (!MayAccess<sizeof(Type)>(pages, address, kPageRead)) [[unlikely]] { \
      FindForbidden<sizeof(Type)>(pages, address, kPageRead, address);      \
      goto memory_fault;                                                    \
    }                                                                       \
    OBSERVE(Type, false);                                                   \
    Type value;                                                             \
    std::memcpy(&value, base + address, sizeof(Type));                      \
    SET_RD(static_cast<uint32_t>(static_cast<Result>(value)));              \
  } while (false)
#define STORE(Type)                                                          \
  do {                                                                       \
    address = RS1 + IMM;                                                     \
    if (strict && address % sizeof(Type) != 0) goto misaligned_access;       \
    if (!MayAccess<sizeof(Type)>(pages, address, kPageWrite)) [[unlikely]] { \
      FindForbidden<sizeof(Type)>(pages, address, kPageWrite, address);      \
      goto memory_fault;                                                     \
    }                                                                        \
    OBSERVE(Type, true);                                                     \
    Type value = static_cast<Type>(RS2);                                     \
    std::memcpy(base + address, &value, sizeof(Type));                       \
    NEXT();                                                                  \
  } while (false)

  if (context.pc % 4 != 0 && context.fuel > 0) {
    result.stop = InterpreterResult::Stop::kTrap;
    result.trap = abi::TrapCode::kMisalignedPc;
    result.fault_address = context.pc;
    return result;
  }
  ENTER(context.pc);
  // Here, for the first instruction is executed even if there is native code for it.
  if (at->operation == Operation::kNotDecoded) DecodeAt(context.pc);
  DISPATCH();

do_NotDecoded:
  DecodeAt(PC());
  CONTINUE();
do_NotExecutable:
  result.trap = abi::TrapCode::kPcNotExecutable;
  result.fault_address = PC();
  goto trap;
do_PageEnd:
  target = page_address + kCodePageSize;
  ENTER(target);
  CONTINUE();
do_Illegal:
  result.trap = abi::TrapCode::kIllegalInstruction;
  result.fault_address = PC();
  goto trap;
do_Ebreak:
  result.trap = abi::TrapCode::kBreakpoint;
  result.fault_address = PC();
  goto trap;

do_FastHelper:
  RunHelper(static_cast<abi::Helper>(IMM), x + 10);
  SET_RD(PC() + 4);
do_Lui:
  SET_RD(IMM);
do_Auipc:
  SET_RD(PC() + IMM);
do_Jal:
  target = PC() + IMM;
  if (target % 4 != 0) goto misaligned_target;
  x[at->rd] = PC() + 4;
  JUMP_TO_TARGET();
do_Jalr:
  target = (RS1 + IMM) & ~uint32_t{1};
  if (target % 4 != 0) goto misaligned_target;
  x[at->rd] = PC() + 4;
  JUMP_TO_TARGET();
do_Beq:
  BRANCH_IF(RS1 == RS2);
do_Bne:
  BRANCH_IF(RS1 != RS2);
do_Blt:
  BRANCH_IF(Signed(RS1) < Signed(RS2));
do_Bge:
  BRANCH_IF(Signed(RS1) >= Signed(RS2));
do_Bltu:
  BRANCH_IF(RS1 < RS2);
do_Bgeu:
  BRANCH_IF(RS1 >= RS2);
do_Lb:
  LOAD(uint8_t, int8_t);
do_Lh:
  LOAD(uint16_t, int16_t);
do_Lw:
  LOAD(uint32_t, uint32_t);
do_Lbu:
  LOAD(uint8_t, uint8_t);
do_Lhu:
  LOAD(uint16_t, uint16_t);
do_Sb:
  STORE(uint8_t);
do_Sh:
  STORE(uint16_t);
do_Sw:
  STORE(uint32_t);
do_Addi:
  SET_RD(RS1 + IMM);
do_Slti:
  SET_RD(Signed(RS1) < Signed(IMM) ? 1 : 0);
do_Sltiu:
  SET_RD(RS1 < IMM ? 1 : 0);
do_Xori:
  SET_RD(RS1 ^ IMM);
do_Ori:
  SET_RD(RS1 | IMM);
do_Andi:
  SET_RD(RS1 & IMM);
do_Slli:
  SET_RD(RS1 << IMM);
do_Srli:
  SET_RD(RS1 >> IMM);
do_Srai:
  SET_RD(static_cast<uint32_t>(Signed(RS1) >> IMM));
do_Add:
  SET_RD(RS1 + RS2);
do_Sub:
  SET_RD(RS1 - RS2);
do_Sll:
  SET_RD(RS1 << (RS2 % 32));
do_Slt:
  SET_RD(Signed(RS1) < Signed(RS2) ? 1 : 0);
do_Sltu:
  SET_RD(RS1 < RS2 ? 1 : 0);
do_Xor:
  SET_RD(RS1 ^ RS2);
do_Srl:
  SET_RD(RS1 >> (RS2 % 32));
do_Sra:
  SET_RD(static_cast<uint32_t>(Signed(RS1) >> (RS2 % 32)));
do_Or:
  SET_RD(RS1 | RS2);
do_And:
  SET_RD(RS1 & RS2);
do_Fence:
  NEXT();
do_Mul:
  SET_RD(RS1 * RS2);
do_Mulh:
  SET_RD(static_cast<uint32_t>(static_cast<uint64_t>(int64_t{Signed(RS1)} * int64_t{Signed(RS2)}) >>
                               32));
do_Mulhsu:
  SET_RD(static_cast<uint32_t>(static_cast<uint64_t>(int64_t{Signed(RS1)} * int64_t{RS2}) >> 32));
do_Mulhu:
  SET_RD(static_cast<uint32_t>(uint64_t{RS1} * uint64_t{RS2} >> 32));
do_Div:
  SET_RD(Div(RS1, RS2));
do_Divu:
  SET_RD(RS2 == 0 ? 0xFFFFFFFF : RS1 / RS2);
do_Rem:
  SET_RD(Rem(RS1, RS2));
do_Remu:
  SET_RD(RS2 == 0 ? RS1 : RS1 % RS2);
do_Custom : {
  const CustomSite& site = custom_sites_[IMM];
  const precast::openvm::Operands operands = {
      .rd = at->rd == kSinkRegister ? 0 : x[at->rd], .rs1 = RS1, .rs2 = RS2};
  const CustomResult custom = options_.custom->Execute(*site.entry, site.instruction, operands,
                                                       memory, kObserved ? observer_ : nullptr);
  if (custom.trap != abi::TrapCode::kNone) {
    result.trap = custom.trap;
    result.fault_address = custom.trap_address;
    goto trap;
  }
  switch (site.entry->opcode->effect) {
    case precast::openvm::Effect::kMemory:
      NEXT();
    case precast::openvm::Effect::kRegister:
      SET_RD(custom.value);
    case precast::openvm::Effect::kBranch:
      if (custom.value == 0) NEXT();
      target = PC() + static_cast<uint32_t>(site.instruction.imm);
      if (target % 4 != 0) goto misaligned_target;
      JUMP_TO_TARGET();
    case precast::openvm::Effect::kEnd:
      --fuel;
      result.stop = InterpreterResult::Stop::kEnded;
      result.exit_code = custom.value;
      goto leave;
  }
}
do_Ecall:
  --fuel;
  result.stop = InterpreterResult::Stop::kEcall;
  goto leave;

observe:
  if (kObserved && at->operation >= Operation::kNotExecutable) {
    if (observer_->ShouldSuspend()) goto out_of_fuel;
    x[0] = 0;
    observer_->OnInstruction(PC(), page->words[static_cast<size_t>(at - page->instructions.data())],
                             x);
  }
  goto* kLabels[static_cast<size_t>(at->operation)];

misaligned_target:
  result.trap = abi::TrapCode::kMisalignedPc;
  result.fault_address = target;
  goto trap;
misaligned_access:
  result.trap = abi::TrapCode::kMisalignedAccess;
  result.fault_address = address;
  goto trap;
memory_fault:
  result.trap = memory.TrapAt(address);
  result.fault_address = address;
  goto trap;
trap:
  result.stop = InterpreterResult::Stop::kTrap;
  goto leave;
native_entry:
  // At the very limit there is nothing left to run natively.
  if (fuel <= 0) goto out_of_fuel;
  result.stop = InterpreterResult::Stop::kNativeEntry;
  goto leave;
out_of_fuel:
  result.stop = InterpreterResult::Stop::kFuel;
leave:
  std::memcpy(context.x, x, sizeof(context.x));
  context.pc = PC();
  context.fuel = fuel;
  return result;

#undef ENTER
#undef DISPATCH
#undef CONTINUE
#undef NEXT
#undef PC
#undef RS1
#undef RS2
#undef IMM
#undef SET_RD
#undef JUMP_TO_TARGET
#undef BRANCH_IF
#undef OBSERVE
#undef LOAD
#undef STORE
}

}  // namespace precast::runtime
