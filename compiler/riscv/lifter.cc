#include "compiler/riscv/lifter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/log/check.h"
#include "compiler/ir/builder.h"
#include "compiler/riscv/custom_lowering.h"
#include "compiler/riscv/elf_reader.h"
#include "compiler/riscv/lift_helper.h"
#include "compiler/riscv/region_analysis.h"
#include "openvm/counted_rows.h"
#include "openvm/extension.h"
#include "runtime/abi/helpers.h"
#include "runtime/abi/vm_context.h"

namespace precast::riscv {
namespace {

using ir::IntCond;
using ir::MemKind;
using ir::Opcode;
using ir::Type;
using ir::Value;

constexpr RegisterSet PassedSet() {
  RegisterSet set = 0;
  for (uint8_t r : abi::kPassed) set |= RegisterSet{1} << r;
  return set;
}
constexpr RegisterSet kPassed = PassedSet();

bool Contains(RegisterSet set, int r) { return (set >> r & 1) != 0; }

template <typename Visit>
void ForEach(RegisterSet set, Visit visit) {
  for (; set != 0; set &= set - 1) visit(std::countr_zero(set));
}

// The guest registers' values at one point of a node.
struct Registers {
  std::array<Value, 32> value;  // invalid: in VmContext, not loaded yet
  RegisterSet dirty = 0;        // value[] is newer than VmContext
  RegisterSet undeclared = 0;   // dirty, and not declared to sites yet
};

class Lifter {
 public:
  Lifter(const Region& region, const ControlFlow& flow, const Code& code,
         const LiftOptions& options)
      : region_(region),
        flow_(flow),
        code_(code),
        local_(options.local),
        strict_alignment_(options.strict_alignment),
        lower_custom_(options.lower_custom),
        count_rows_(options.count_rows),
        plan_(PlanRegion(region, code, kPassed, options.local)),
        function_(region.name, RegionSignature()),
        b_(function_),
        helper_(b_),
        ir_block_(plan_.nodes.size()),
        out_(plan_.nodes.size()) {}

  ir::Function Run() {
    size_t instructions = 0;
    for (const BasicBlock& block : region_.blocks) instructions += block.num_instructions();
    function_.Reserve(4 * instructions + 64);
    MakeBlocks();
    for (uint32_t n : plan_.order) {
      const Node& node = plan_.nodes[n];
      if (node.kind == Node::Kind::kBlock) LiftBlock(n);
      if (node.kind == Node::Kind::kEntry) LiftEntry(n);
      // kAfterCall is lifted with its call.
    }
    return std::move(function_);
  }

 private:
  // -- blocks, parameters and edges

  // Registers that come into block node `n` as block parameters.
  RegisterSet Parameters(uint32_t n) const {
    const Node& node = plan_.nodes[n];
    if (local_) return 0;
    RegisterSet set = 0;
    ForEach(node.needed, [&](int r) {
      if (node.source[r] == n && !Contains(node.in_context, r)) set |= RegisterSet{1} << r;
    });
    return set;
  }

  // Whether a way around a loop comes back to block node `n`.
  bool IsLoopHead(uint32_t n) const {
    return std::any_of(plan_.nodes[n].predecessors.begin(), plan_.nodes[n].predecessors.end(),
                       [&](uint32_t p) { return plan_.nodes[p].in_loop && rank_[p] >= rank_[n]; });
  }

  // All blocks and their parameters exist before any is filled, since edges go both ways.
  void MakeBlocks() {
    parameters_.resize(region_.blocks.size());
    rank_.resize(plan_.nodes.size());
    for (size_t k = 0; k < plan_.order.size(); ++k) rank_[plan_.order[k]] = k;
    for (uint32_t n : plan_.order) {
      const Node& node = plan_.nodes[n];
      if (node.kind == Node::Kind::kAfterCall) continue;
      ir_block_[n] = function_.NewBlock();
      ir::BlockData& data = function_.block(ir_block_[n]);
      data.guest_pc = region_.blocks[node.block].begin;
      if (node.kind == Node::Kind::kEntry) continue;
      if (node.in_loop && IsLoopHead(n)) data.unread = node.dirty & ~node.live & ~RegisterSet{1};
      parameters_[n] = Parameters(n);
      ForEach(parameters_[n], [&](int) { function_.AddParam(ir_block_[n], Type::kI32); });
    }
    // In the region's order of entries: the primary one first.
    for (uint32_t n = static_cast<uint32_t>(region_.blocks.size()); n < plan_.nodes.size(); ++n) {
      if (plan_.nodes[n].kind != Node::Kind::kEntry) continue;
      for (size_t i = 0; i < std::size(abi::kPassed); ++i)
        function_.AddParam(ir_block_[n], Type::kI32);
      function_.AddEntry(ir_block_[n]);
      function_.block(ir_block_[n]).cold = n != region_.blocks.size();
    }
  }

  // The edge from the current point to the block at `pc` in this region.
  ir::Edge EdgeTo(uint32_t target_node) {
    Flush(plan_.nodes[target_node].in_context & ~kPassed);
    ir::Edge edge{ir_block_[target_node], {}};
    edge.args.reserve(static_cast<size_t>(std::popcount(parameters_[target_node])));
    ForEach(parameters_[target_node], [&](int r) { edge.args.push_back(Read(r)); });
    return edge;
  }

  // Where a branch to `pc` goes: a block of this region, or else a new block that leaves the
  // region. What is stored on the way out of a loop is not stored in it: that takes a new block
  // too.
  ir::Edge EdgeToPc(uint32_t pc) {
    const std::optional<uint32_t> target = region_.FindBlock(pc);
    if (target && !StoresOutOfLoop(*target)) return EdgeTo(*target);
    const ir::Block here = b_.block();
    const Registers saved = now_;
    const ir::Block between = function_.NewBlock();
    function_.block(between).guest_pc = pc;
    b_.SetBlock(between);
    GoTo(pc);
    now_ = saved;
    b_.SetBlock(here);
    return {between, {}};
  }

  bool StoresOutOfLoop(uint32_t target_node) const {
    const Node& target = plan_.nodes[target_node];
    return plan_.nodes[node_].in_loop && !target.in_loop &&
           (now_.dirty & target.in_context & ~kPassed) != 0;
  }

  // Goes on at `pc`: in this region, or by leaving it.
  void GoTo(uint32_t pc) {
    if (std::optional<uint32_t> target = region_.FindBlock(pc)) {
      if (local_) Flush(~RegisterSet{0});
      b_.Br(EdgeTo(*target));
    } else {
      Leave(pc);
    }
  }

  // Tail-calls whatever is at `pc`.
  void Leave(uint32_t pc) {
    Flush(~kPassed);
    if (flow_.IsEntry(pc)) {
      b_.TailCall(ir::FuncRef(pc), Passed(), SiteHere(charged_));
    } else {
      b_.TailDispatch(Const(pc), Passed(), SiteHere(charged_));
    }
  }

  // -- guest registers

  Value Const(uint32_t value) { return b_.Iconst(Type::kI32, static_cast<int32_t>(value)); }

  Value Read(int r) {
    if (r == 0) return Const(0);
    if (!now_.value[r].valid()) now_.value[r] = b_.LoadState(static_cast<uint8_t>(r));
    return now_.value[r];
  }

  void Write(int r, Value value) {
    if (r == 0) return;
    now_.value[r] = value;
    now_.dirty |= RegisterSet{1} << r;
    now_.undeclared |= RegisterSet{1} << r;
  }

  // Stores dirty registers of `set` to VmContext.
  void Flush(RegisterSet set) {
    ForEach(now_.dirty & set,
            [&](int r) { b_.StoreState(static_cast<uint8_t>(r), now_.value[r]); });
    now_.dirty &= ~set;
    now_.undeclared &= ~set;
  }

  std::vector<Value> Passed() {
    std::vector<Value> values;
    values.reserve(abi::kNumPassed);
    for (uint8_t r : abi::kPassed) values.push_back(Read(r));
    return values;
  }

  // Registers are as a boundary leaves them: `values` are the passed ones.
  void TakeBoundary(absl::Span<const Value> values) {
    now_ = Registers{};
    for (size_t i = 0; i < values.size(); ++i) {
      now_.value[abi::kPassed[i]] = values[i];
      now_.dirty |= RegisterSet{1} << abi::kPassed[i];
    }
    if (local_) {
      Flush(kPassed);
      now_ = Registers{};
    }
  }

  // -- sites

  // Declares the values written since the last site, so that the next one can recover them.
  void DeclareDeferred() {
    ForEach(now_.undeclared, [&](int r) { b_.DeferState(static_cast<uint8_t>(r), now_.value[r]); });
    now_.undeclared = 0;
  }

  // Site of the instruction at hand: `retired` of the block's instructions have retired if it
  // stops.
  ir::Site SiteHere(uint32_t retired) const { return {pc_, charged_ - retired}; }
  ir::Site StopSite() {
    DeclareDeferred();
    return SiteHere(index_);
  }

  // -- lifting

  void LiftEntry(uint32_t n) {
    b_.SetBlock(ir_block_[n]);
    TakeBoundary(function_.block(ir_block_[n]).params);
    b_.Br(EdgeTo(plan_.nodes[n].block));
    out_[n] = now_;
  }

  void LiftBlock(uint32_t n) {
    const Node& node = plan_.nodes[n];
    const BasicBlock& block = region_.blocks[node.block];
    node_ = n;
    b_.SetBlock(ir_block_[n]);
    known_low_bits_.clear();
    EnterBlock(n, node);
    charged_ = block.num_instructions();
    pc_ = block.begin;
    b_.Meter(charged_, {pc_, charged_});
    if (count_rows_ != nullptr) CountRows(block);
    const uint32_t first = code_.IndexOf(block.begin);
    for (index_ = 0; index_ + 1 < charged_; ++index_, pc_ += 4)
      LiftInstruction(code_.At(first + index_));
    LiftEnd(n, block, code_.At(first + index_));
    out_[n] = now_;
    if (plan_.after_call[n] != Code::kNone) out_[plan_.after_call[n]] = now_;
  }

  // Registers as block `n` finds them.
  void EnterBlock(uint32_t n, const Node& node) {
    now_ = Registers{};
    if (local_) return;
    now_.dirty = node.dirty;
    size_t next_param = 0;
    ForEach(node.needed, [&](int r) {
      if (Contains(parameters_[n], r)) {
        now_.value[r] = function_.block(ir_block_[n]).params[next_param++];
      } else if (node.source[r] != n) {
        now_.value[r] = out_[node.source[r]].value[r];
      }
    });
    auto& state = function_.block(ir_block_[n]).state;
    ForEach(node.dirty, [&](int r) { state.emplace_back(static_cast<uint8_t>(r), now_.value[r]); });
  }

  void LiftInstruction(const Instruction& in) {
    auto rs1 = [&] { return Read(in.rs1); };
    auto rs2 = [&] { return Read(in.rs2); };
    auto imm = [&] { return Const(static_cast<uint32_t>(in.imm)); };
    auto binary = [&](Opcode op, Value x, Value y) { Write(in.rd, b_.Binary(op, x, y)); };
    auto compare = [&](IntCond cond, Value x, Value y) { Write(in.rd, b_.Icmp(cond, x, y)); };
    switch (in.op) {
      case Op::kLui:
        Write(in.rd, imm());
        break;
      case Op::kAuipc:
        Write(in.rd, Const(pc_ + static_cast<uint32_t>(in.imm)));
        break;
      case Op::kAddi:
        binary(Opcode::kAdd, rs1(), imm());
        break;
      case Op::kSlti:
        compare(IntCond::kSlt, rs1(), imm());
        break;
      case Op::kSltiu:
        compare(IntCond::kUlt, rs1(), imm());
        break;
      case Op::kXori:
        binary(Opcode::kXor, rs1(), imm());
        break;
      case Op::kOri:
        binary(Opcode::kOr, rs1(), imm());
        break;
      case Op::kAndi:
        binary(Opcode::kAnd, rs1(), imm());
        break;
      case Op::kSlli:
        binary(Opcode::kShl, rs1(), imm());
        break;
      case Op::kSrli:
        binary(Opcode::kShrU, rs1(), imm());
        break;
      case Op::kSrai:
        binary(Opcode::kShrS, rs1(), imm());
        break;
      case Op::kAdd:
        binary(Opcode::kAdd, rs1(), rs2());
        break;
      case Op::kSub:
        binary(Opcode::kSub, rs1(), rs2());
        break;
      case Op::kSll:
        binary(Opcode::kShl, rs1(), rs2());
        break;
      case Op::kSlt:
        compare(IntCond::kSlt, rs1(), rs2());
        break;
      case Op::kSltu:
        compare(IntCond::kUlt, rs1(), rs2());
        break;
      case Op::kXor:
        binary(Opcode::kXor, rs1(), rs2());
        break;
      case Op::kSrl:
        binary(Opcode::kShrU, rs1(), rs2());
        break;
      case Op::kSra:
        binary(Opcode::kShrS, rs1(), rs2());
        break;
      case Op::kOr:
        binary(Opcode::kOr, rs1(), rs2());
        break;
      case Op::kAnd:
        binary(Opcode::kAnd, rs1(), rs2());
        break;
      case Op::kMul:
        binary(Opcode::kMul, rs1(), rs2());
        break;
      case Op::kMulh:
        binary(Opcode::kSmulHi, rs1(), rs2());
        break;
      case Op::kMulhsu:
        binary(Opcode::kSumulHi, rs1(), rs2());
        break;
      case Op::kMulhu:
        binary(Opcode::kUmulHi, rs1(), rs2());
        break;
      case Op::kDiv:
        binary(Opcode::kSdivTotal, rs1(), rs2());
        break;
      case Op::kDivu:
        binary(Opcode::kUdivTotal, rs1(), rs2());
        break;
      case Op::kRem:
        binary(Opcode::kSremTotal, rs1(), rs2());
        break;
      case Op::kRemu:
        binary(Opcode::kUremTotal, rs1(), rs2());
        break;
      case Op::kLb:
        LiftLoad(in, MemKind::kS8);
        break;
      case Op::kLh:
        LiftLoad(in, MemKind::kS16);
        break;
      case Op::kLw:
        LiftLoad(in, MemKind::kU32);
        break;
      case Op::kLbu:
        LiftLoad(in, MemKind::kU8);
        break;
      case Op::kLhu:
        LiftLoad(in, MemKind::kU16);
        break;
      case Op::kSb:
        LiftStore(in, MemKind::kU8);
        break;
      case Op::kSh:
        LiftStore(in, MemKind::kU16);
        break;
      case Op::kSw:
        LiftStore(in, MemKind::kU32);
        break;
      case Op::kCustom:
      case Op::kCustomRegister:
        LiftCustom(in);
        break;
      case Op::kHelper:
        LiftHelper(in);
        break;
      case Op::kFence:
      case Op::kFenceI:
        break;  // one hart, and code that never changes
      default:
        CHECK(false) << "control flow inside a block at pc " << pc_;
    }
  }

  // Address of a load or store: base value and displacement. A constant base takes the displacement
  // in.
  std::pair<Value, int32_t> Address(const Instruction& in) {
    Value base = Read(in.rs1);
    if (std::optional<int64_t> c = b_.ConstantOf(base)) {
      return {Const(static_cast<uint32_t>(*c) + static_cast<uint32_t>(in.imm)), 0};
    }
    return {base, in.imm};
  }

  // -- alignment

  // What is known of the low bits of values, and of the values they were computed from: a value
  // known to be r modulo 2^n.
  struct LowBits {
    uint32_t bits = 0;  // n
    uint32_t value = 0;
  };

  LowBits KnownLowBits(Value v, int depth = 0) const {
    if (auto it = known_low_bits_.find(v.index); it != known_low_bits_.end()) return it->second;
    if (std::optional<int64_t> c = b_.ConstantOf(v)) return {2, static_cast<uint32_t>(*c) & 3};
    const ir::ValueData& data = function_.value(v);
    if (data.is_param || depth == 4) return {};
    const ir::InstData& inst = function_.inst(ir::Inst(data.def));
    if (inst.op != Opcode::kAdd && inst.op != Opcode::kAnd && inst.op != Opcode::kShl) return {};
    const Value x = function_.args(ir::Inst(data.def))[0];
    const Value y = function_.args(ir::Inst(data.def))[1];
    const std::optional<int64_t> c = b_.ConstantOf(y);
    if (inst.op == Opcode::kShl) {
      return c ? LowBits{std::min<uint32_t>(static_cast<uint32_t>(*c) & 31, 2), 0} : LowBits{};
    }
    const LowBits a = KnownLowBits(x, depth + 1);
    if (inst.op == Opcode::kAnd) {
      const uint32_t zeros = c ? std::min(std::countr_zero(static_cast<uint32_t>(*c) | 4), 2) : 0;
      return zeros > a.bits ? LowBits{zeros, 0} : LowBits{};
    }
    const LowBits b = KnownLowBits(y, depth + 1);
    const uint32_t bits = std::min(a.bits, b.bits);
    return {bits, (a.value + b.value) & ((1u << bits) - 1)};
  }

  // Traps unless base + displacement is a multiple of 2^bits.
  void CheckAlignment(Value base, int32_t displacement, uint32_t bits) {
    const uint32_t mask = (1u << bits) - 1;
    const uint32_t wanted = -static_cast<uint32_t>(displacement) & mask;
    const LowBits known = KnownLowBits(base);
    if (known.bits >= bits && (known.value & mask) == wanted) return;
    const Value low = wanted == 0 ? base : b_.Binary(Opcode::kAdd, base, Const(mask + 1 - wanted));
    b_.TrapIf(b_.Binary(Opcode::kAnd, low, Const(mask)),
              static_cast<uint8_t>(abi::TrapCode::kMisalignedAccess), StopSite());
    known_low_bits_[base.index] = {bits, wanted};
  }

  static uint32_t AlignmentBits(MemKind kind) {
    return kind == MemKind::kU32 ? 2 : kind == MemKind::kU16 || kind == MemKind::kS16 ? 1 : 0;
  }

  void LiftHelper(const Instruction& in) {
    const abi::HelperInfo& info = abi::kHelpers[in.imm];
    std::array<Value, 4> inputs;
    for (int k = 0; k < info.inputs; ++k) inputs[static_cast<size_t>(k)] = Read(10 + k);
    const std::array<Value, 2> outputs = helper_.Lift(static_cast<abi::Helper>(in.imm), inputs);
    Write(in.rd, Const(pc_ + 4));
    for (int k = 0; k < info.outputs; ++k) Write(10 + k, outputs[static_cast<size_t>(k)]);
  }

  void LiftLoad(const Instruction& in, MemKind kind) {
    const auto [base, displacement] = Address(in);
    if (strict_alignment_) CheckAlignment(base, displacement, AlignmentBits(kind));
    Write(in.rd, b_.Load(kind, Type::kI32, base, displacement, StopSite()));
  }

  void LiftStore(const Instruction& in, MemKind kind) {
    const auto [base, displacement] = Address(in);
    if (strict_alignment_) CheckAlignment(base, displacement, AlignmentBits(kind));
    const Value value = Read(in.rs2);
    b_.Store(kind, base, value, displacement, StopSite());
  }

  // -- custom instructions

  // The lowering of the instruction at hand, which is then custom_; null if there is none.
  CustomLowering FindLowering() {
    if (lower_custom_ == nullptr) return nullptr;
    const uint32_t word = WordAt(*lower_custom_, pc_);
    const openvm::Registry::Entry* entry = openvm::Registry::Global().Find(word);
    if (entry == nullptr) return nullptr;
    const Instruction in = Decode(word, Dialect::kOpenVm);
    custom_ = {.word = word,
               .rd = in.rd,
               .rs1 = in.rs1,
               .rs2 = in.rs2,
               .funct7 = static_cast<uint8_t>(word >> 25),
               .imm = in.imm};
    const CustomLowering lowering = CustomLowerings::Global().Find(entry->opcode->mnemonic);
    // Whoever executes it counts its rows.
    openvm::CountedRows rows = {};
    if (count_rows_ != nullptr && !openvm::AddCustomRows(*entry->opcode, rows)) return nullptr;
    return lowering;
  }

  // Counts the rows of the block that begins at pc_, but those of custom instructions that the
  // runtime executes.
  void CountRows(const BasicBlock& block) {
    openvm::CountedRows rows = {};
    const auto add = [&] {
      for (size_t group = 0; group < abi::kRowRegisters; ++group) {
        uint64_t counts = 0;
        for (size_t lane = 0; lane < 4; ++lane)
          counts |= uint64_t{rows[4 * group + lane]} << (16 * lane);
        if (counts != 0) b_.CountRows(static_cast<uint8_t>(group), counts);
      }
      rows = {};
    };
    constexpr uint32_t kMost = 0x400;  // a count has 16 bits; an instruction may add several rows
    const uint32_t begin = pc_;
    for (; pc_ != block.end; pc_ += 4) {
      if ((pc_ - begin) / 4 % kMost == kMost - 1) add();
      const uint32_t word = WordAt(*count_rows_, pc_);
      const openvm::Registry::Entry* entry = openvm::Registry::Global().Find(word);
      if (entry == nullptr) {
        openvm::AddBaseRows(word, rows);
      } else if (FindLowering() != nullptr) {
        openvm::AddCustomRows(*entry->opcode, rows);
      }
    }
    add();
    pc_ = begin;
  }

  // Calls the runtime, with the state where it is. If the instruction traps, it has done nothing,
  // and the interpreter finds out how by executing it again. Returns its value.
  Value LiftCustom(const Instruction& in) {
    const bool has_value = in.op != Op::kCustom;
    if (CustomLowering lowering = FindLowering()) {
      CustomContext context{.builder = b_,
                            .instruction = custom_,
                            .rd = Read(in.rd),
                            .rs1 = Read(in.rs1),
                            .rs2 = Read(in.rs2),
                            .config = lower_custom_->openvm_config,
                            .site = StopSite()};
      const Value value = lowering(context);
      if (in.op == Op::kCustomRegister) Write(in.rd, value);
      return value;
    }
    const Value args[] = {Const(pc_), Read(in.rd), Read(in.rs1), Read(in.rs2)};
    static constexpr Type kResults[] = {Type::kI32, Type::kI32};
    const std::vector<Value> results =
        b_.CallRuntime(static_cast<uint8_t>(abi::Callback::kCustom), args,
                       absl::MakeConstSpan(kResults, has_value ? 2 : 1), SiteHere(index_));
    // A call ends what was declared.
    now_.undeclared = now_.dirty;
    b_.TrapIf(results[0], static_cast<uint8_t>(abi::TrapCode::kNone), StopSite());
    if (in.op == Op::kCustomRegister) Write(in.rd, results[1]);
    return has_value ? results[1] : Value();
  }

  // Ends the guest; does not come back.
  void LiftCustomEnd() {
    Flush(~kPassed);
    b_.StoreState(abi::kSlotPc, Const(pc_));
    b_.Ret(b_.CallRuntime(static_cast<uint8_t>(abi::Callback::kHostCall), Passed(),
                          RegionSignature().results, SiteHere(charged_)));
  }

  // -- ends of blocks. `in` is the last instruction, at pc_; index_ instructions have retired
  // before it.

  void LiftEnd(uint32_t n, const BasicBlock& block, const Instruction& in) {
    switch (block.kind) {
      case BlockEnd::kFallThrough:
        LiftInstruction(in);
        GoTo(block.end);
        break;
      case BlockEnd::kBranch:
        LiftBranch(block, in);
        break;
      case BlockEnd::kJump:
        if (in.op == Op::kJalr) {
          LiftRegisterJump(n, block, in);
        } else {
          GoTo(block.target);
        }
        break;
      case BlockEnd::kCall:
        Write(in.rd, Const(block.end));
        CallDirect(n, block.target);
        break;
      case BlockEnd::kHostCall:
        LiftHostCall(n);
        break;
      case BlockEnd::kTrap:
        LiftTrap(in);
        break;
      case BlockEnd::kIndirectCall:
      case BlockEnd::kReturn:
      case BlockEnd::kSwitch:
      case BlockEnd::kIndirectJump:
        LiftRegisterJump(n, block, in);
        break;
    }
  }

  // Whether the branch is taken. What a comparison helper gives is compared with 0, as a rule.
  Value Compare(IntCond cond, const Instruction& in) {
    const Value y = Read(in.rs2), x = Read(in.rs1);
    std::optional<Value> direct;
    if (in.rs2 == 0) direct = helper_.CompareWithZero(cond, x);
    if (in.rs1 == 0) direct = helper_.CompareWithZero(ir::Swapped(cond), y);
    return direct.has_value() ? *direct : b_.Icmp(cond, x, y);
  }

  void LiftBranch(const BasicBlock& block, const Instruction& in) {
    static constexpr IntCond kConds[] = {IntCond::kEq,  IntCond::kNe,  IntCond::kSlt,
                                         IntCond::kSge, IntCond::kUlt, IntCond::kUge};
    const Value taken =
        in.op == Op::kCustomBranch
            ? LiftCustom(in)
            : Compare(kConds[static_cast<int>(in.op) - static_cast<int>(Op::kBeq)], in);
    if (in.imm % 4 != 0) {
      b_.TrapIf(taken, static_cast<uint8_t>(abi::TrapCode::kMisalignedPc), StopSite());
      GoTo(block.end);
      return;
    }
    if (local_) Flush(~RegisterSet{0});
    ir::Edge if_taken = EdgeToPc(block.target);
    ir::Edge if_not = EdgeToPc(block.end);
    b_.BrIf(taken, std::move(if_taken), std::move(if_not), /*cold=*/false);
  }

  // jalr. The target's value decides what the jump really is: recovery only guessed.
  void LiftRegisterJump(uint32_t n, const BasicBlock& block, const Instruction& in) {
    Value target = Read(in.rs1);
    if (in.imm != 0) target = b_.Binary(Opcode::kAdd, target, Const(static_cast<uint32_t>(in.imm)));
    if (in.rd == 0 && block.kind == BlockEnd::kSwitch) return LiftSwitch(block, target);
    target = Aligned(target);
    if (in.rd != 0) Write(in.rd, Const(block.end));
    const std::optional<int64_t> constant = b_.ConstantOf(target);
    if (in.rd != 0) {
      if (constant && flow_.IsEntry(static_cast<uint32_t>(*constant))) {
        CallDirect(n, static_cast<uint32_t>(*constant));
      } else {
        Flush(~kPassed);
        AfterCall(n,
                  b_.CallDispatch(target, Passed(), RegionSignature().results, SiteHere(charged_)));
      }
      return;
    }
    if (constant && block.kind == BlockEnd::kJump &&
        static_cast<uint32_t>(*constant) == block.target) {
      GoTo(block.target);
    } else {
      Flush(~kPassed);
      std::vector<Value> passed = Passed();
      if (block.kind == BlockEnd::kReturn) {
        passed.insert(passed.begin(), target);
        b_.Ret(passed);
      } else {
        b_.TailDispatch(target, passed, SiteHere(charged_));
      }
    }
  }

  // The pc that a jalr to `target` jumps to. Bit 0 of `target` is ignored, and a set bit 1 is a
  // trap; since neither happens, one test finds both, and the interpreter executes the jump
  // (abi::kLeftLane): in a block that ends there, so that its rows have been counted.
  Value Aligned(Value target) {
    if (const std::optional<int64_t> c = b_.ConstantOf(target)) {
      if ((*c & 2) != 0)
        b_.TrapIf(Const(1), static_cast<uint8_t>(abi::TrapCode::kMisalignedPc), StopSite());
      return (*c & 1) != 0 ? Const(static_cast<uint32_t>(*c) & ~1u) : target;
    }
    const Value low = b_.Binary(Opcode::kAnd, target, Const(3));
    if (b_.ConstantOf(low) != 0)
      b_.TrapIf(low, static_cast<uint8_t>(abi::TrapCode::kNone), StopSite());
    return target;
  }

  // A jump table by target address, of the span between the lowest and the highest target. A target
  // that is not in it goes through the dispatcher. If one of the low two bits of `target` is set,
  // the rotation makes it far too large.
  void LiftSwitch(const BasicBlock& block, Value target) {
    if (local_) Flush(~RegisterSet{0});
    const absl::Span<const uint32_t> targets = region_.TargetsOf(block);
    const uint32_t low = targets.front(), high = targets.back();
    const Value offset = b_.Binary(Opcode::kSub, target, Const(low));
    const Value slot = b_.Binary(Opcode::kRotl, offset, Const(30));
    const ir::Block here = b_.block();
    const Registers saved = now_;

    const ir::Block otherwise = function_.NewBlock();
    function_.block(otherwise).guest_pc = pc_;
    function_.block(otherwise).cold = true;
    b_.SetBlock(otherwise);
    Flush(~kPassed);
    now_.undeclared = now_.dirty;  // nothing is declared in this block yet
    const Value aligned = Aligned(target);
    b_.TailDispatch(aligned, Passed(), SiteHere(charged_));

    std::vector<ir::Edge> edges((high - low) / 4 + 1, ir::Edge{otherwise, {}});
    for (uint32_t pc : targets) {
      now_ = saved;
      const ir::Block arm = function_.NewBlock();
      function_.block(arm).guest_pc = pc;
      b_.SetBlock(arm);
      GoTo(pc);  // a target that calls reach too starts another region
      edges[(pc - low) / 4].target = arm;
    }
    edges.push_back({otherwise, {}});
    now_ = saved;
    b_.SetBlock(here);
    b_.BrTable(slot, std::move(edges));
  }

  void CallDirect(uint32_t n, uint32_t target) {
    Flush(~kPassed);
    if (flow_.IsEntry(target)) {
      AfterCall(
          n, b_.Call(ir::FuncRef(target), Passed(), RegionSignature().results, SiteHere(charged_)));
    } else {
      AfterCall(n, b_.CallDispatch(Const(target), Passed(), RegionSignature().results,
                                   SiteHere(charged_)));
    }
  }

  void LiftHostCall(uint32_t n) {
    Flush(~kPassed);
    b_.StoreState(abi::kSlotPc, Const(pc_));
    AfterCall(n, b_.CallRuntime(static_cast<uint8_t>(abi::Callback::kHostCall), Passed(),
                                RegionSignature().results, SiteHere(charged_)));
  }

  // The callee says at which pc to continue. Anything but the return site is for a caller further
  // out, or for the dispatcher: hand it on.
  void AfterCall(uint32_t n, std::vector<Value> results) {
    const uint32_t after = plan_.after_call[n];
    const uint32_t return_pc = region_.blocks[n].end;
    if (plan_.nodes[after].successors.empty()) {  // no code at the return site
      b_.Ret(results);
      return;
    }
    const Value mismatch = b_.Icmp(IntCond::kNe, results[0], Const(return_pc));
    const ir::Block elsewhere = function_.NewBlock();
    function_.block(elsewhere).cold = true;
    function_.block(elsewhere).guest_pc = return_pc;
    const ir::Block here = b_.block();
    b_.SetBlock(elsewhere);
    b_.Ret(results);
    b_.SetBlock(here);
    TakeBoundary(absl::MakeConstSpan(results).subspan(1));
    ir::Edge back = EdgeTo(plan_.nodes[after].successors[0]);
    b_.BrIf(mismatch, {elsewhere, {}}, std::move(back), /*cold=*/true);
  }

  void LiftTrap(const Instruction& in) {
    if (in.op == Op::kCustomEnd) return LiftCustomEnd();
    abi::TrapCode trap = abi::TrapCode::kIllegalInstruction;
    if (in.op == Op::kEbreak) trap = abi::TrapCode::kBreakpoint;
    if (in.op == Op::kJal) trap = abi::TrapCode::kMisalignedPc;
    b_.Trap(static_cast<uint8_t>(trap), StopSite());
  }

  const Region& region_;
  const ControlFlow& flow_;
  const Code& code_;
  const bool local_;
  const bool strict_alignment_;
  const guest::Program* const lower_custom_;
  const guest::Program* const count_rows_;
  const RegionPlan plan_;
  ir::Function function_;
  ir::Builder b_;
  HelperLifter helper_;

  std::vector<ir::Block> ir_block_;      // by node; none for kAfterCall
  std::vector<size_t> rank_;             // by node: its place in the plan's order
  std::vector<RegisterSet> parameters_;  // by block: registers that are its block parameters
  std::vector<Registers> out_;           // by node: registers at its end

  // The point of lifting.
  Registers now_;
  openvm::Instruction custom_;
  absl::flat_hash_map<uint32_t, LowBits> known_low_bits_;  // by value, from here on in the block
  uint32_t pc_ = 0;                                        // of the instruction at hand
  uint32_t index_ = 0;                                     // its number in the block
  uint32_t node_ = 0;                                      // being lifted
  uint32_t charged_ = 0;                                   // instructions in the block
};

}  // namespace

ir::Signature RegionSignature() {
  ir::Signature signature;
  signature.params.assign(std::size(abi::kPassed), Type::kI32);
  signature.results.assign(std::size(abi::kPassed) + 1, Type::kI32);
  return signature;
}

ir::Function Lift(const Region& region, const ControlFlow& flow, const Code& code,
                  const LiftOptions& options) {
  return Lifter(region, flow, code, options).Run();
}

}  // namespace precast::riscv
