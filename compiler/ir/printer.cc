// Writes the text form described in printer.h.
#include "compiler/ir/printer.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "compiler/ir/syntax.h"

namespace precast::ir {
namespace {

class Printer {
 public:
  explicit Printer(const Function& f) : f_(f) {}

  void WriteFunction() {
    absl::StrAppend(&out_, "function \"", absl::CEscape(f_.name()), "\"(");
    WriteTypes(f_.signature().params);
    absl::StrAppend(&out_, ") -> (");
    WriteTypes(f_.signature().results);
    absl::StrAppend(&out_, ") ", Name(f_.signature().conv));
    for (size_t i = 0; i < f_.entries().size(); ++i) {
      absl::StrAppend(&out_, i == 0 ? " entries block" : ", block", f_.entries()[i].index);
    }
    absl::StrAppend(&out_, " {\n");
    for (uint32_t b = 0; b < f_.num_blocks(); ++b) {
      if (b != 0) out_ += '\n';
      WriteBlock(Block(b));
    }
    out_ += "}\n";
  }

  void WriteInst(Inst i) {
    const InstData& inst = f_.inst(i);
    WriteResults(i);
    out_ += Info(inst.op).text;
    if (HasType(inst.op)) absl::StrAppend(&out_, ".", Name(inst.type));
    if (IsSimd(inst)) {
      absl::StrAppend(&out_, ".", Info(static_cast<SimdOp>(inst.aux)).text);
    }
    WriteOperands(i);
    if (inst.cold) out_ += " cold";
    if (CanStop(inst.op) || inst.site.guest_pc != 0 || inst.site.refund != 0) {
      absl::StrAppend(&out_, " @0x", absl::Hex(inst.site.guest_pc));
      WriteRefund(inst.site);
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  void WriteRefund(const Site& site) {
    const uint32_t refund = site.IsUnpaid() ? f_.unpaid(site).refund : site.refund;
    if (refund != 0) absl::StrAppend(&out_, " refund ", refund);
    if (!site.IsUnpaid()) return;
    for (const Unpaid::Charge& c : f_.unpaid(site).charges) {
      absl::StrAppend(&out_, " unpaid ", c.amount, " @0x", absl::Hex(c.guest_pc));
    }
  }

  void WriteTypes(absl::Span<const Type> types) {
    for (size_t i = 0; i < types.size(); ++i) {
      absl::StrAppend(&out_, i == 0 ? "" : ", ", Name(types[i]));
    }
  }

  void WriteBlock(Block b) {
    const BlockData& block = f_.block(b);
    absl::StrAppend(&out_, "block", b.index);
    for (size_t i = 0; i < block.params.size(); ++i) {
      const Value v = block.params[i];
      absl::StrAppend(&out_, i == 0 ? "(v" : ", v", v.index, ": ", Name(f_.type(v)));
    }
    if (!block.params.empty()) out_ += ')';
    if (block.cold) out_ += " cold";
    if (block.weight != 0) absl::StrAppend(&out_, " weight ", block.weight);
    if (block.guest_pc != 0) absl::StrAppend(&out_, " pc 0x", absl::Hex(block.guest_pc));
    if (block.loop_depth != 0) absl::StrAppend(&out_, " depth ", block.loop_depth);
    if (block.unread != 0) absl::StrAppend(&out_, " unread 0x", absl::Hex(block.unread));
    for (size_t i = 0; i < block.state.size(); ++i) {
      const auto& [slot, v] = block.state[i];
      absl::StrAppend(&out_, i == 0 ? " state[x" : ", x", slot, "=v", v.index);
    }
    if (!block.state.empty()) out_ += ']';
    out_ += ":\n";
    for (Inst i : block.insts) {
      out_ += "  ";
      WriteInst(i);
      out_ += '\n';
    }
  }

  void WriteResults(Inst i) {
    const InstData& inst = f_.inst(i);
    const bool typed = !ResultCount(inst.op).has_value();
    for (uint32_t k = 0; k < inst.results_count; ++k) {
      const Value v = f_.result(i, k);
      absl::StrAppend(&out_, k == 0 ? "v" : ", v", v.index);
      if (typed) absl::StrAppend(&out_, ": ", Name(f_.type(v)));
    }
    if (inst.results_count != 0) out_ += " = ";
  }

  void WriteValues(absl::Span<const Value> values, const char* first) {
    for (size_t i = 0; i < values.size(); ++i) {
      absl::StrAppend(&out_, i == 0 ? first : ", ", "v", values[i].index);
    }
  }

  // The values from the n-th on, if there are so many.
  static absl::Span<const Value> From(absl::Span<const Value> values, size_t n) {
    return values.subspan(std::min(n, values.size()));
  }

  void WriteCallArgs(absl::Span<const Value> values) {
    out_ += '(';
    WriteValues(values, "");
    out_ += ')';
  }

  static bool IsSimd(const InstData& inst) {
    return inst.op == Opcode::kSimd && inst.aux < kNumSimdOps;
  }

  // The 16 bytes, first first; nothing if there is no such constant.
  void WriteV128(int64_t index) {
    out_ += "0x";
    if (index < 0 || static_cast<uint64_t>(index) >= f_.v128_constants().size()) return;
    for (uint8_t byte : f_.v128_constants()[static_cast<size_t>(index)]) {
      absl::StrAppend(&out_, absl::Hex(byte, absl::kZeroPad2));
    }
  }

  void WriteKind(const InstData& inst) {
    absl::StrAppend(&out_, " ", Name(static_cast<MemKind>(inst.aux)));
  }

  // The displacement of an access, if there is one.
  void WriteOffset(int64_t imm) {
    if (imm > 0) absl::StrAppend(&out_, " + ", imm);
    if (imm < 0) absl::StrAppend(&out_, " - ", uint64_t{0} - static_cast<uint64_t>(imm));
  }

  void WriteEdge(const Edge& edge) {
    absl::StrAppend(&out_, "block", edge.target.index);
    if (!edge.args.empty()) WriteCallArgs(edge.args);
  }

  void WriteOperands(Inst i) {
    const InstData& inst = f_.inst(i);
    const absl::Span<const Value> args = f_.args(i);
    const absl::Span<const Edge> edges = f_.edges(i);
    switch (FormOf(inst.op)) {
      case Form::kIconst:
      case Form::kAmount:
        absl::StrAppend(&out_, " ", inst.imm);
        break;
      case Form::kFconst:
        absl::StrAppend(&out_, " 0x", absl::Hex(inst.imm));
        break;
      case Form::kCountRows:
        absl::StrAppend(&out_, " ", inst.aux, ", 0x", absl::Hex(inst.imm));
        break;
      case Form::kMarkPage:
        WriteValues(args, " ");
        WriteOffset(inst.imm);
        if (inst.aux != 0) absl::StrAppend(&out_, ", ", inst.aux);
        break;
      case Form::kVconst:
        out_ += ' ';
        WriteV128(inst.imm);
        break;
      case Form::kUnary:
      case Form::kSelect:
      case Form::kRet:
        WriteValues(args, " ");
        break;
      case Form::kBinary:
        WriteValues(args, " ");
        if (inst.aux != 0) out_ += " guarded";
        break;
      case Form::kConvert:
        WriteValues(args, " ");
        if (inst.aux != 0) out_ += " in_range";
        break;
      case Form::kFcmp:
        absl::StrAppend(&out_, " ", Name(static_cast<FloatCond>(inst.aux)));
        WriteValues(args, " ");
        break;
      case Form::kSimd:
        WriteValues(args, " ");
        if (IsSimd(inst) && Info(static_cast<SimdOp>(inst.aux)).lanes != 0) {
          absl::StrAppend(&out_, ", ", inst.imm);
        }
        break;
      case Form::kShuffle:
        WriteValues(args, " ");
        out_ += ", ";
        WriteV128(inst.imm);
        break;
      case Form::kIcmp:
        absl::StrAppend(&out_, " ", Name(static_cast<IntCond>(inst.aux)));
        WriteValues(args, " ");
        break;
      case Form::kLoad:
      case Form::kStore:
        WriteKind(inst);
        WriteValues(args.subspan(0, 1), " ");
        WriteOffset(inst.imm);
        WriteValues(From(args, 1), ", ");
        break;
      case Form::kLoadAt:
      case Form::kStoreAt:
        WriteKind(inst);
        WriteValues(args.subspan(0, 2), " ");
        WriteOffset(inst.imm);
        WriteValues(From(args, 2), ", ");
        break;
      case Form::kAtomicRmw:
        absl::StrAppend(&out_, " ", Name(static_cast<AtomicOp>(inst.imm)));
        WriteKind(inst);
        WriteValues(args, " ");
        break;
      case Form::kAtomicCmpxchg:
        WriteKind(inst);
        WriteValues(args, " ");
        break;
      case Form::kFence:
      case Form::kLoadFuel:
        break;
      case Form::kContextAddress:
        absl::StrAppend(&out_, " ", inst.imm);
        break;
      case Form::kLoadContext:
      case Form::kStoreContext:
        WriteKind(inst);
        absl::StrAppend(&out_, " ", inst.imm);
        WriteValues(args, ", ");
        break;
      case Form::kLoadState:
        absl::StrAppend(&out_, " x", inst.aux);
        break;
      case Form::kStoreState:
        absl::StrAppend(&out_, " x", inst.aux);
        WriteValues(args, ", ");
        break;
      case Form::kChargeValue:
        WriteValues(args, " ");
        break;
      case Form::kTrapIf:
        WriteValues(args, " ");
        absl::StrAppend(&out_, ", ", inst.aux);
        break;
      case Form::kCall:
        absl::StrAppend(&out_, " @f", inst.imm);
        WriteCallArgs(args);
        break;
      case Form::kCallDispatch:
        WriteValues(args.subspan(0, 1), " ");
        WriteCallArgs(From(args, 1));
        break;
      case Form::kCallRuntime:
        absl::StrAppend(&out_, " ", inst.aux);
        WriteCallArgs(args);
        break;
      case Form::kCallPointer:
        WriteValues(args.subspan(0, 3), " ");
        WriteCallArgs(From(args, 3));
        break;
      case Form::kBr:
        out_ += ' ';
        WriteEdge(edges[0]);
        break;
      case Form::kBrIf:
        WriteValues(args, " ");
        for (const Edge& edge : edges) {
          out_ += ", ";
          WriteEdge(edge);
        }
        break;
      case Form::kBrTable:
        WriteValues(args, " ");
        out_ += ", [";
        for (size_t k = 0; k < edges.size(); ++k) {
          if (k != 0) out_ += ", ";
          WriteEdge(edges[k]);
        }
        out_ += ']';
        break;
      case Form::kTrap:
        absl::StrAppend(&out_, " ", inst.aux);
        break;
    }
  }

  const Function& f_;
  std::string out_;
};

}  // namespace

std::string Print(const Function& function) {
  Printer printer(function);
  printer.WriteFunction();
  return printer.Take();
}

std::string PrintInst(const Function& function, Inst inst) {
  Printer printer(function);
  printer.WriteInst(inst);
  return printer.Take();
}

}  // namespace precast::ir
