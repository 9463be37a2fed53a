// Vectors: the code of the other levels (x64/simd_emitter.h), without AVX, with operands that are
// always in registers. Memory instructions are made of a scalar access and an operation, as in the
// lifter.
#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "absl/log/check.h"
#include "compiler/baseline/wasm_function.h"
#include "compiler/ir/ir.h"
#include "compiler/wasm/simd_ops.h"
#include "compiler/x64/mir.h"
#include "compiler/x64/simd_emitter.h"
#include "compiler/x64/simd_lowering.h"

namespace precast::baseline {

using ir::SimdOp;
using ir::V128;
using x64::MInst;
using x64::MOp;

namespace {

static_assert(static_cast<int>(Type::kF32) == static_cast<int>(ir::Type::kF32));
static_assert(static_cast<int>(Type::kV128) == static_cast<int>(ir::Type::kV128));
Type ResultType(SimdOp op) { return static_cast<Type>(ir::Info(op).result); }

// The operation that does the same with lanes of floating point, if there is one.
SimdOp OnFloatLanes(SimdOp op) {
  switch (op) {
    case SimdOp::kI32x4Splat:
      return SimdOp::kF32x4Splat;
    case SimdOp::kI64x2Splat:
      return SimdOp::kF64x2Splat;
    case SimdOp::kI32x4ReplaceLane:
      return SimdOp::kF32x4ReplaceLane;
    case SimdOp::kI64x2ReplaceLane:
      return SimdOp::kF64x2ReplaceLane;
    case SimdOp::kI32x4ExtractLane:
      return SimdOp::kF32x4ExtractLane;
    case SimdOp::kI64x2ExtractLane:
      return SimdOp::kF64x2ExtractLane;
    default:
      return op;
  }
}

}  // namespace

// The operands of one instruction, each in a register; constants go to the function's.
class WasmFunction::VectorOperands final : public x64::emission::SimdOperands {
 public:
  explicit VectorOperands(WasmFunction& function) : function_(function) {}

  void Add(AnyReg r) { registers_[count_++] = r; }
  void AddConstant(const V128& constant) { constants_[num_constants_++] = constant; }
  void Emit(const MInst& inst) { x64::emission::SimdEmitter(*this, function_.e_, inst).Emit(); }

  bool IsReg(uint32_t) const override { return true; }
  Xmm X(uint32_t k) const override { return VectorReg(registers_[k]); }
  Reg R(uint32_t k) const override { return IntReg(registers_[k]); }
  Mem Slot(uint32_t) const override { return NotInMemory(); }
  Mem FoldedAccess(uint32_t) override { return NotInMemory(); }
  const V128& Constant(size_t index) const override { return constants_[index]; }
  void RelocateConstant(const V128& constant, int32_t trailing) override {
    function_.Relocate(Target::kConstants, function_.PlaceConstant(constant), trailing);
  }
  bool HasAvx2() const override { return false; }

 private:
  static Mem NotInMemory() {
    CHECK(false) << "a vector operand in memory";
    return {};
  }

  WasmFunction& function_;
  std::array<AnyReg, 5> registers_ = {};  // three inputs, the result, a temporary
  std::array<V128, 2> constants_;
  uint32_t count_ = 0, num_constants_ = 0;
};

// Offset of a constant among the function's: 16-aligned, and not twice if that shows soon.
uint32_t WasmFunction::PlaceConstant(const V128& constant) {
  constexpr size_t kSearched = 16;
  const size_t known = vector_constants_.size();
  for (size_t k = known; k > known - std::min(known, kSearched); --k) {
    const uint32_t at = vector_constants_[k - 1];
    if (std::equal(constant.begin(), constant.end(), constants_.begin() + at)) return at;
  }
  constants_.resize((constants_.size() + 15) & ~size_t{15});
  const auto at = static_cast<uint32_t>(constants_.size());
  constants_.insert(constants_.end(), constant.begin(), constant.end());
  vector_constants_.push_back(at);
  return at;
}

void WasmFunction::VectorConstant(const V128& constant) {
  VectorOperands operands(*this);
  operands.AddConstant(constant);
  const AnyReg d = stack_.Alloc(Type::kV128);
  operands.Add(d);
  MInst inst;
  inst.op = MOp::kVconst;
  operands.Emit(inst);
  stack_.PushReg(Type::kV128, d);
}

void WasmFunction::Shuffle(const V128& lanes) {
  constexpr uint8_t kZero = 0x80;  // as an index of pshufb
  const Operand b = stack_.Pop();
  const Operand a = stack_.Pop();
  V128 of_a, of_b;
  bool needs_a = false, needs_b = false;
  for (size_t k = 0; k < lanes.size(); ++k) {
    const bool from_a = lanes[k] < 16;
    of_a[k] = from_a ? lanes[k] : kZero;
    of_b[k] = from_a ? kZero : static_cast<uint8_t>(lanes[k] - 16);
    (from_a ? needs_a : needs_b) = true;
  }
  VectorOperands operands(*this);
  MInst inst;
  inst.op = MOp::kShuffle;
  if (needs_a && needs_b) {
    inst.shuffle = x64::ShuffleForm::kTwoBytes;
    operands.AddConstant(of_a);
    operands.AddConstant(of_b);
    operands.Add(stack_.Use(a));
    operands.Add(stack_.Use(b));
  } else {
    inst.shuffle = x64::ShuffleForm::kBytes;
    operands.AddConstant(needs_a ? of_a : of_b);
    operands.Add(stack_.Use(needs_a ? a : b));
  }
  const AnyReg d = stack_.Alloc(Type::kV128);
  operands.Add(d);
  operands.Emit(inst);
  stack_.PushReg(Type::kV128, d);
}

// Of operands popped.
void WasmFunction::VectorOperation(SimdOp op, absl::Span<const Operand> inputs, uint8_t lane) {
  const x64::SimdLowering& lowering = x64::Lowering(op);
  const x64::SimdPatternInfo& pattern = x64::Info(lowering.pattern);
  if (lane == 0 && (op == SimdOp::kF32x4ExtractLane || op == SimdOp::kF64x2ExtractLane)) {
    // A scalar is the low lane of its register.
    return stack_.PushReg(ResultType(op), stack_.Use(inputs[0]));
  }
  std::array<Operand, 3> in;
  std::copy(inputs.begin(), inputs.end(), in.begin());
  if (lowering.order == x64::SimdLowering::Order::kSwap) std::swap(in[0], in[1]);

  MInst inst;
  inst.op = MOp::kSimd;
  inst.aux = static_cast<uint8_t>(op);
  inst.imm = lane;
  size_t num_inputs = inputs.size();
  const char* letters = pattern.operands;
  std::array<AnyReg, 3> at = {};
  const bool is_shift = pattern.constant_shift[0] != '\0';
  if (is_shift) {
    const int32_t more = lowering.pattern == x64::SimdPattern::kShiftRightS8 ? 8 : 0;
    if (in[1].IsConst()) {
      letters = pattern.constant_shift;
      num_inputs = 1;
      inst.imm = (in[1].Immediate() & lowering.imm) + more;
    } else {
      stack_.LoadInto(Any(kScratch), in[1]);
      e_.AluRI(Alu::kAnd, Width::k32, kScratch, lowering.imm);
      if (more != 0) e_.AluRI(Alu::kAdd, Width::k32, kScratch, more);
      inst.imm = x64::kVariableShift;
      at[1] = Any(kScratch);
    }
  }
  for (size_t k = 0; k < num_inputs; ++k) {
    if (k != 1 || !is_shift) at[k] = stack_.Use(in[k]);
  }

  const Type type = ResultType(op);
  const char result = letters[num_inputs];
  AnyReg d;
  if (result >= '0' && result <= '2') {
    // The register of an input, which no other one shares.
    const auto tied = static_cast<size_t>(result - '0');
    d = at[tied];
    bool shared = !stack_.IsOwned(in[tied]);
    for (size_t k = 0; k < num_inputs; ++k) shared |= k != tied && at[k] == d;
    if (shared) {
      d = stack_.Alloc(type);
      e_.MovapsRR(VectorReg(d), VectorReg(at[tied]));
      at[tied] = d;
    }
  } else {
    d = stack_.Alloc(type);
  }
  VectorOperands operands(*this);
  for (size_t k = 0; k < num_inputs; ++k) operands.Add(at[k]);
  operands.Add(d);
  if (letters[num_inputs + 1] == 'v') operands.Add(stack_.Alloc(Type::kV128));
  operands.Emit(inst);
  stack_.PushReg(type, d);
}

bool WasmFunction::CompileVectorMemory(const wasm::Instruction& in) {
  using Form = wasm::VectorAccess::Form;
  if (in.op == Op::kV128Load) return Load(in, Type::kV128, Width::k64, Extend::kNone);
  if (in.op == Op::kV128Store) return Store(in, Width::k64);
  const std::optional<wasm::VectorAccess> access = wasm::VectorAccessOf(in.op);
  if (!access) return false;
  static constexpr Width kWidths[] = {Width::k8, Width::k16, Width::k32, Width::k64};
  const Width width = kWidths[wasm::Info(in.op).natural_align];
  // Scalars that fill a lane of a vector register are loaded into one, which clears the rest of it.
  const bool narrow = width == Width::k8 || width == Width::k16;
  const Type type = narrow ? Type::kI32 : width == Width::k32 ? Type::kF32 : Type::kF64;
  const SimdOp op = narrow ? access->op : OnFloatLanes(access->op);
  const auto load = [&] { return Load(in, type, width, narrow ? Extend::kZero : Extend::kNone); };
  switch (access->form) {
    case Form::kExtend:
      if (!load()) return false;
      VectorOperation(op, {stack_.Pop()}, 0);
      return true;
    case Form::kSplat:
      if (!load()) return false;
      if (op == SimdOp::kI32x4Low || op == SimdOp::kI64x2Low) {
        stack_.PushReg(Type::kV128, stack_.Pop().reg);
      } else {
        VectorOperation(op, {stack_.Pop()}, 0);
      }
      return true;
    case Form::kLoadLane: {
      const Operand v = stack_.Pop();
      if (!load()) return false;
      VectorOperation(op, {v, stack_.Pop()}, in.lane);
      return true;
    }
    case Form::kStoreLane:
      VectorOperation(op, {stack_.Pop()}, in.lane);
      return Store(in, width);
  }
  return false;
}

bool WasmFunction::CompileVector(const wasm::Instruction& in) {
  if (!CanHaveVectors()) return false;
  if (in.op == Op::kV128Const) {
    VectorConstant(in.v128);
    return true;
  }
  if (in.op == Op::kI8x16Shuffle) {
    Shuffle(in.v128);
    return true;
  }
  const std::optional<SimdOp> op = wasm::SimdOpOf(in.op);
  if (!op) return CompileVectorMemory(in);
  if (options_.canonical_nans && wasm::VectorNansOf(*op) != wasm::VectorNans::kNone) return false;
  const ir::SimdInfo& info = ir::Info(*op);
  std::array<Operand, 3> inputs;
  const size_t count = std::strlen(info.operands);
  for (size_t k = count; k-- > 0;) inputs[k] = stack_.Pop();
  VectorOperation(*op, absl::MakeConstSpan(inputs.data(), count), info.lanes != 0 ? in.lane : 0);
  return true;
}

}  // namespace precast::baseline
