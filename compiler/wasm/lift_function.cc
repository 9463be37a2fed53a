// The walk over one function body: what every instruction goes through, and the plain ones.
#include "compiler/wasm/lift_function.h"

#include <algorithm>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"

namespace precast::wasm {

using ir::Opcode;
using ir::Type;

ir::Type TypeOf(ValType type) {
  if (type == kI32) return Type::kI32;
  if (type == kI64) return Type::kI64;
  if (type == kF32) return Type::kF32;
  if (type == kF64) return Type::kF64;
  if (type == kV128) return Type::kV128;
  return Type::kI64;  // references
}

ir::MemKind KindOf(ir::Type type) {
  switch (type) {
    case Type::kI32:
    case Type::kF32:
      return ir::MemKind::kU32;
    case Type::kI64:
    case Type::kF64:
      return ir::MemKind::k64;
    case Type::kV128:
      break;
  }
  return ir::MemKind::k128;
}

FunctionLifter::FunctionLifter(const LiftContext& context, uint32_t function,
                               const LiftOptions& options)
    : context_(context),
      module_(context.module),
      definition_(context.module.functions[function]),
      type_(context.module.TypeOf(function)),
      options_(options),
      reader_(context.module.bytes, definition_.body, Features{}),
      f_(FunctionName(context, function), SignatureOf(type_)),
      b_(f_) {}

absl::StatusOr<ir::Function> FunctionLifter::Run() {
  if (absl::Status status = Begin(); !status.ok()) return status;
  Instruction in;
  while (!frames_.empty()) {
    at_ = reader_.offset();
    if (absl::Status status = reader_.Next(in); !status.ok()) return status;
    if (absl::Status status = Lift(in); !status.ok()) return status;
  }
  EndSegment();
  return std::move(f_);
}

absl::Status FunctionLifter::Begin() {
  std::vector<LocalRun> runs;
  if (absl::Status status = reader_.ReadLocals(runs); !status.ok()) return status;
  uint32_t num_locals = static_cast<uint32_t>(type_.params.size());
  for (const LocalRun& run : runs) num_locals += run.count;
  absl::StatusOr<BodyScan> scan = ScanBody(reader_, num_locals, kMaxJoinValues);
  if (!scan.ok()) return scan.status();
  scan_ = *std::move(scan);

  const Block entry = f_.NewBlock();
  f_.AddEntry(entry);
  f_.block(entry).guest_pc = definition_.body.begin;
  b_.SetBlock(entry);
  for (Type type : f_.signature().params) f_.AddParam(entry, type);
  LoadParams();
  for (const LocalRun& run : runs) {
    if (run.count != 0) locals_.insert(locals_.end(), run.count, ZeroOf(TypeOf(run.type)));
  }
  logged_at_.resize(locals_.size(), 0);
  seen_.resize(locals_.size(), 0);
  position_.resize(locals_.size(), 0);

  Frame frame;
  frame.kind = Frame::Kind::kFunction;
  frame.num_results = static_cast<uint32_t>(type_.results.size());
  frames_.push_back(std::move(frame));
  segment_begin_ = f_.num_insts();
  return absl::OkStatus();
}

FunctionLifter::Value FunctionLifter::ZeroOf(ir::Type type) {
  switch (type) {
    case Type::kI32:
    case Type::kI64:
      return b_.Iconst(type, 0);
    case Type::kF32:
    case Type::kF64:
      return b_.Fconst(type, 0);
    case Type::kV128:
      break;
  }
  return b_.Vconst({});
}

FunctionLifter::Value FunctionLifter::Pop() {
  DCHECK(!stack_.empty());
  const Value v = stack_.back();
  stack_.pop_back();
  return v;
}

std::vector<FunctionLifter::Value> FunctionLifter::PopMany(size_t n) {
  DCHECK_LE(n, stack_.size());
  const auto begin = stack_.end() - static_cast<ptrdiff_t>(n);
  std::vector<Value> values(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  return values;
}

FunctionLifter::Value FunctionLifter::AsI64(Value v) {
  return f_.type(v) == Type::kI32 ? b_.Unary(Opcode::kExtendU32, v) : v;
}

FunctionLifter::Value FunctionLifter::AsIndex(Value v, bool is_64) {
  return is_64 ? v : b_.Unary(Opcode::kWrap, v);
}

void FunctionLifter::TrapIf(Value condition, Trap code) {
  b_.TrapIf(condition, static_cast<ir::TrapCode>(code), Here());
}

void FunctionLifter::BeginInstruction() {
  if (!options_.metered || meter_.valid()) return;
  b_.Meter(0, {.guest_pc = at_});
  meter_ = f_.block(b_.block()).insts.back();
}

void FunctionLifter::EndSegment() {
  if (meter_.valid()) {
    ir::InstData& meter = f_.inst(meter_);
    meter.imm = retired_;
    meter.site.refund = retired_;
    for (size_t k = segment_begin_; k < f_.num_insts(); ++k) {
      ir::InstData& inst = f_.inst(ir::Inst(static_cast<uint32_t>(k)));
      if (!ir::CanStop(inst.op) || inst.op == Opcode::kMeter) continue;
      inst.site.refund = retired_ - inst.site.refund;
    }
  }
  retired_ = 0;
  meter_ = ir::Inst();
  segment_begin_ = f_.num_insts();
}

absl::Status FunctionLifter::Lift(const Instruction& in) {
  bool done = false;
  if (absl::Status status = LiftControl(in, done); done || !status.ok()) return status;
  if (dead_ || in.op == Op::kNop) return absl::OkStatus();
  BeginInstruction();
  const bool is_call = LiftCall(in);
  CHECK(is_call || LiftVariable(in) || LiftNumeric(in) || LiftMemory(in) || LiftTable(in) ||
        LiftBulk(in) || LiftAtomic(in) || LiftSimd(in))
      << "instruction " << Info(in.op).text << " is not lifted";
  ++retired_;
  if (in.op == Op::kReturnCall || in.op == Op::kReturnCallIndirect) {
    SetUnreachable();
  } else if (is_call) {
    EndSegment();
  }
  return absl::OkStatus();
}

FunctionLifter::Value FunctionLifter::LoadGlobalCell(uint32_t global) {
  return b_.LoadContext(MemKind::k64, Type::kI64,
                        static_cast<int64_t>(context_.layout.Global(global)));
}

bool FunctionLifter::LiftVariable(const Instruction& in) {
  switch (in.op) {
    case Op::kDrop:
      Pop();
      return true;
    case Op::kSelect:
    case Op::kSelectT: {
      const Value condition = Pop();
      const Value if_false = Pop();
      const Value if_true = Pop();
      Push(b_.Select(condition, if_true, if_false));
      return true;
    }
    case Op::kLocalGet:
      Push(locals_[in.index]);
      return true;
    case Op::kLocalSet:
      SetLocal(in.index, Pop());
      return true;
    case Op::kLocalTee:
      SetLocal(in.index, stack_.back());
      return true;
    case Op::kGlobalGet: {
      const Type type = TypeOf(module_.globals[in.index].type.type);
      if (in.index < module_.num_imported_globals) {
        Push(b_.LoadHost(KindOf(type), type, LoadGlobalCell(in.index), 0));
      } else {
        Push(b_.LoadContext(KindOf(type), type,
                            static_cast<int64_t>(context_.layout.Global(in.index))));
      }
      return true;
    }
    case Op::kGlobalSet: {
      const Value v = Pop();
      const MemKind kind = KindOf(f_.type(v));
      if (in.index < module_.num_imported_globals) {
        b_.StoreHost(kind, LoadGlobalCell(in.index), v, 0);
      } else {
        b_.StoreContext(kind, v, static_cast<int64_t>(context_.layout.Global(in.index)));
      }
      return true;
    }
    case Op::kRefNull:
      Push(I64(0));
      return true;
    case Op::kRefIsNull:
      Push(b_.Icmp(ir::IntCond::kEq, Pop(), I64(0)));
      return true;
    case Op::kRefFunc: {
      const uint32_t record = context_.record_of[in.index];
      CHECK_NE(record, LiftContext::kNoRecord) << "ref.func of an undeclared function";
      Push(b_.ContextAddress(static_cast<int64_t>(context_.layout.Record(record))));
      return true;
    }
    default:
      return false;
  }
}

FunctionLifter::Value FunctionLifter::TableRecord(uint32_t table) {
  return b_.LoadContext(MemKind::k64, Type::kI64,
                        static_cast<int64_t>(context_.layout.Table(table)));
}

bool FunctionLifter::LiftTable(const Instruction& in) {
  const auto size = [&](Value record) {
    return b_.LoadHost(MemKind::k64, Type::kI64, record, abi::kTableSize);
  };
  // Address of an element, after the check that it exists.
  const auto element = [&](Value record, Value index) {
    TrapIf(b_.Icmp(ir::IntCond::kUge, index, size(record)), Trap::kOutOfBoundsTableAccess);
    const Value elements = b_.LoadHost(MemKind::k64, Type::kI64, record, abi::kTableElements);
    return b_.Add(elements, b_.Shl(index, I64(3)));
  };
  switch (in.op) {
    case Op::kTableGet: {
      const Value index = AsI64(Pop());
      Push(b_.LoadHost(MemKind::k64, Type::kI64, element(TableRecord(in.index), index), 0));
      return true;
    }
    case Op::kTableSet: {
      const Value v = Pop();
      const Value index = AsI64(Pop());
      b_.StoreHost(MemKind::k64, element(TableRecord(in.index), index), v, 0);
      return true;
    }
    case Op::kTableSize:
      Push(AsIndex(size(TableRecord(in.index)), module_.tables[in.index].type.is_64));
      return true;
    default:
      return false;
  }
}

}  // namespace precast::wasm
