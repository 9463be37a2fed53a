// See random_module.h.
#include "compiler/wasm/testing/random_module.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "compiler/wasm/instruction.h"
#include "compiler/wasm/testing/array_loop.h"
#include "compiler/wasm/testing/random_code.h"
#include "compiler/wasm/testing/switch_loop.h"

namespace precast::wasm {
namespace {

void Append(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

void Section(Bytes& module, uint8_t id, const Bytes& body) {
  module.push_back(id);
  Unsigned(module, body.size());
  Append(module, body);
}

// Types are the letters of opcodes.def: i l f d v.
uint8_t Code(char type) {
  switch (type) {
    case 'i':
      return 0x7f;
    case 'l':
      return 0x7e;
    case 'f':
      return 0x7d;
    case 'd':
      return 0x7c;
    default:
      return 0x7b;
  }
}

struct Row {
  Op op;
  uint8_t prefix;
  uint32_t code;
  Immediate immediate;
  std::string_view text, params, results;
  uint8_t align;
  Feature feature;
};

const std::vector<Row>& Rows() {
  static const auto& rows = *new std::vector<Row>{
#define PRECAST_WASM_OP(Name, text, prefix, code, immediate, params, results, align, feature) \
  {Op::k##Name, prefix,  code,  Immediate::k##immediate, text,                                \
   params,      results, align, Feature::k##feature},
#include "compiler/wasm/opcodes.def"
#undef PRECAST_WASM_OP
  };
  return rows;
}

struct Signature {
  std::string params, results;
  bool operator==(const Signature&) const = default;
};

class Generator : private RandomCode {
 public:
  Generator(uint64_t seed, const RandomModuleOptions& options)
      : RandomCode(seed), options_(options) {
    for (const Row& row : Rows()) {
      if (Usable(row)) by_result_[std::string(row.results)].push_back(&row);
    }
  }

  Bytes Run() {
    MakeSignatures();
    Bytes code;
    Unsigned(code, functions_.size());
    for (size_t k = 0; k < functions_.size(); ++k) {
      const Bytes body = Body(k);
      Unsigned(code, body.size());
      Append(code, body);
    }
    return Assemble(code);
  }

 private:
  static constexpr uint32_t kTableSize = 8;
  static constexpr int kPages = 2;
  static constexpr size_t kMaxBody = 3000;  // bytes; then only the simplest is made

  struct Label {
    std::string types;  // what a branch to it carries
  };

  // Whether an instruction can be made by its types alone.
  bool Usable(const Row& row) const {
    if (row.params == "*" || row.text.find("wait") != std::string_view::npos ||
        row.text.find("notify") != std::string_view::npos) {
      return false;
    }
    switch (row.immediate) {
      case Immediate::kNone:
      case Immediate::kMemArg:
      case Immediate::kMemArgLane:
      case Immediate::kLane:
      case Immediate::kV128:
      case Immediate::kI32:
      case Immediate::kI64:
      case Immediate::kF32:
      case Immediate::kF64:
        break;
      default:
        return false;
    }
    if (row.op == Op::kUnreachable || row.op == Op::kNop) return false;
    if (row.feature == Feature::kThreads && !options_.atomics) return false;
    if ((row.feature == Feature::kRelaxedSimd || row.feature == Feature::kWideArithmetic) &&
        !options_.beyond_2_0) {
      return false;
    }
    const bool vector = row.params.find('v') != std::string_view::npos ||
                        row.results.find('v') != std::string_view::npos;
    return options_.simd || !vector;
  }

  char RandomType() {
    const std::string_view all = options_.simd ? "iiillffddv" : "iiillffdd";
    return all[Pick(all.size())];
  }
  std::string RandomTypes(size_t max) {
    std::string out;
    for (size_t n = Pick(max + 1); n > 0; --n) out += RandomType();
    return out;
  }

  uint32_t TypeIndex(const Signature& s) {
    for (uint32_t k = 0; k < types_.size(); ++k) {
      if (types_[k] == s) return k;
    }
    types_.push_back(s);
    return static_cast<uint32_t>(types_.size() - 1);
  }

  void MakeSignatures() {
    const size_t n = static_cast<size_t>(options_.functions) + 3;
    for (size_t k = 0; k < n; ++k) {
      // Now and then more parameters than travel in registers.
      Signature s{RandomTypes(Chance(15) ? 24 : 4), RandomTypes(Chance(10) ? 14 : 2)};
      // The last ones call nobody; the table holds them, and two have one type.
      if (k + 1 == n) s = functions_.back();
      functions_.push_back(s);
      TypeIndex(s);
    }
  }
  size_t FirstLeaf() const { return functions_.size() - 3; }

  // -- code

  void Opcode(const Row& row) {
    if (row.prefix != 0) {
      code_.push_back(row.prefix);
      Unsigned(code_, row.code);
    } else {
      code_.push_back(static_cast<uint8_t>(row.code));
    }
  }
  // Brings the i32 on the stack into the first 16 bits, mostly.
  void TameAddress(char type, uint8_t align, bool atomic) {
    if (!atomic && Chance(3)) return;
    const int64_t mask = 0xffff & ~((int64_t{1} << align) - 1);
    if (type == 'l') {
      Byte(0x42);
      Signed(code_, atomic || Chance(50) ? mask : 0xffff);
      Byte(0x83);
    } else {
      Byte(0x41);
      Signed(code_, atomic || Chance(50) ? mask : 0xffff);
      Byte(0x71);
    }
  }

  void Operands(const Row& row, uint32_t memory, int depth) {
    const bool atomic = row.feature == Feature::kThreads;
    for (size_t k = 0; k < row.params.size(); ++k) {
      const char p = row.params[k];
      if (p == 'a') {
        const char type = memory == 2 ? 'l' : 'i';
        Expression(type, depth);
        TameAddress(type, row.align, atomic);
        continue;
      }
      Expression(p, depth);
      // Few divisions by zero: a run that traps is over.
      const bool divides = row.text.find(".div_") != std::string_view::npos ||
                           row.text.find(".rem_") != std::string_view::npos;
      if (divides && k == 1 && !Chance(3)) {
        Byte(p == 'i' ? 0x41 : 0x42);
        Byte(1);
        Byte(p == 'i' ? 0x72 : 0x84);
      }
    }
  }

  void Instruction(const Row& row, int depth) {
    const bool has_memory =
        row.immediate == Immediate::kMemArg || row.immediate == Immediate::kMemArgLane;
    const uint32_t memory =
        has_memory && options_.beyond_2_0 && Chance(30) ? static_cast<uint32_t>(Pick(3)) : 0;
    Operands(row, memory, depth);
    Opcode(row);
    switch (row.immediate) {
      case Immediate::kMemArg:
      case Immediate::kMemArgLane: {
        const bool atomic = row.feature == Feature::kThreads;
        const uint32_t align = atomic ? row.align : static_cast<uint32_t>(Pick(row.align + 1u));
        Unsigned(code_, align | (memory != 0 ? 0x40u : 0u));
        if (memory != 0) Unsigned(code_, memory);
        uint64_t offset = Chance(70) ? Pick(64) : Pick(70000);
        if (Chance(1)) offset = 0x7ffffff0 + Pick(64);
        if (Chance(1)) offset = 0xfffffff0 + Pick(16);
        if (atomic && !Chance(1)) offset &= ~((uint64_t{1} << row.align) - 1);
        Unsigned(code_, offset);
        if (row.immediate == Immediate::kMemArgLane) {
          Byte(static_cast<uint8_t>(Pick(16u >> row.align)));
        }
        return;
      }
      case Immediate::kLane: {
        int lanes = 2;
        if (row.text.substr(0, 5) == "i8x16") lanes = 16;
        if (row.text.substr(0, 5) == "i16x8") lanes = 8;
        if (row.text.substr(1, 4) == "32x4") lanes = 4;
        Byte(static_cast<uint8_t>(Pick(static_cast<uint64_t>(lanes))));
        return;
      }
      case Immediate::kV128:
        for (int k = 0; k < 16; ++k) {
          Byte(row.params.empty() ? static_cast<uint8_t>(random_())
                                  : static_cast<uint8_t>(Pick(32)));
        }
        return;
      default:
        return;
    }
  }

  // Of the instructions with exactly these results; false if there is none.
  bool RandomInstruction(const std::string& results, int depth) {
    const auto it = by_result_.find(results);
    if (it == by_result_.end()) return false;
    for (int attempt = 0; attempt < 4; ++attempt) {
      const Row& row = *it->second[Pick(it->second.size())];
      if (row.params.empty()) continue;  // constants are made apart
      const bool traps = row.text.find(".trunc_f") != std::string_view::npos;
      if (traps && !Chance(5)) continue;
      Instruction(row, depth);
      return true;
    }
    return false;
  }

  void BlockType(const Signature& s) {
    if (s.params.empty() && s.results.empty() && Chance(80)) return Byte(0x40);
    if (s.params.empty() && s.results.size() == 1 && Chance(80)) return Byte(Code(s.results[0]));
    Signed(code_, TypeIndex(s));
  }

  // A block, loop or if that leaves `results`, after what it takes.
  void Block(const std::string& results, int depth) {
    const Signature s{Chance(25) ? RandomTypes(2) : "", results};
    Values(s.params, depth - 1);
    switch (Pick(3)) {
      case 0:
        Byte(0x02);
        BlockType(s);
        labels_.push_back({s.results});
        Contents(s, depth - 1);
        break;
      case 1:
        Byte(0x03);
        BlockType(s);
        labels_.push_back({s.params});
        Contents(s, depth - 1);
        break;
      default:
        Expression('i', depth - 1);
        Byte(0x04);
        BlockType(s);
        labels_.push_back({s.results});
        Contents(s, depth - 1);
        if (s.params != s.results || Chance(60)) {
          Byte(0x05);
          Contents(s, depth - 1);
        }
        break;
    }
    labels_.pop_back();
    Byte(0x0b);
  }

  // Inside a block: takes its parameters from the stack, leaves its results.
  void Contents(const Signature& s, int depth) {
    if (s.params != s.results || Chance(50)) {
      for (size_t k = s.params.size(); k > 0; --k) Byte(0x1a);
      if (Statements(1 + Pick(3), depth)) Values(s.results, depth);
    } else {
      Statements(Pick(3), depth);
    }
  }

  void Values(const std::string& types, int depth) {
    for (char t : types) Expression(t, depth);
  }

  void Call(size_t callee, int depth) {
    Values(functions_[callee].params, depth - 1);
    if (callee >= FirstLeaf() && Chance(50)) {
      // Through the table; element k is leaf k % 3, others are null.
      Byte(0x41);
      Signed(code_, Chance(95) ? static_cast<int64_t>(callee - FirstLeaf())
                               : 6 + static_cast<int64_t>(Pick(4)));
      OpWithIndex(0x11, TypeIndex(functions_[callee]));
      Byte(0);
    } else {
      OpWithIndex(0x10, callee);
    }
  }

  // A callee with exactly these results, or none.
  size_t CalleeOf(const std::string& results) {
    for (size_t k = current_ + 1; k < functions_.size(); ++k) {
      if (functions_[k].results == results && Chance(60) && current_ < FirstLeaf()) return k;
    }
    return functions_.size();
  }

  void Expression(char type, int depth) {
    if (depth <= 0 || code_.size() > kMaxBody) return Simple(type);
    const std::string results(1, type);
    switch (Pick(10)) {
      case 0:
        return Simple(type);
      case 1: {
        const int local = LocalOf(type);
        if (local < 0) return Constant(type);
        Expression(type, depth - 1);
        return OpWithIndex(0x22, static_cast<uint64_t>(local));
      }
      case 2:
        return Block(results, depth);
      case 3: {
        Expression(type, depth - 1);
        Expression(type, depth - 1);
        Expression('i', depth - 1);
        if (type != 'v' && Chance(50)) return Byte(0x1b);
        Byte(0x1c);
        Byte(1);
        return Byte(Code(type));
      }
      case 4: {
        const size_t callee = CalleeOf(results);
        if (callee != functions_.size()) return Call(callee, depth);
        break;
      }
      case 5:
        if (type == 'i' && Chance(30)) {
          if (Chance(50)) return OpWithIndex(0x3f, 0);
          Byte(0x41);
          Byte(static_cast<uint8_t>(Pick(2)));
          return OpWithIndex(0x40, 0);
        }
        break;
      case 6:
        if (Chance(15) && ByteSwap(type, depth)) return;
        break;
      default:
        break;
    }
    if (!RandomInstruction(results, depth - 1)) Simple(type);
  }

  // An integer's bytes in reverse order, by shifts and masks; at times almost.
  bool ByteSwap(char type, int depth) {
    if (type != 'i' && type != 'l') return false;
    const int local = LocalOf(type);
    if (local < 0) return false;
    const bool wide = type == 'l';
    const auto op = [&](uint8_t narrow_op, uint8_t wide_op) { Byte(wide ? wide_op : narrow_op); };
    const auto constant = [&](uint64_t v) {
      op(0x41, 0x42);
      Signed(code_, wide ? static_cast<int64_t>(v) : int64_t{static_cast<int32_t>(v)});
    };
    Expression(type, depth - 1);
    OpWithIndex(0x21, static_cast<uint64_t>(local));
    const int bytes = wide ? 8 : 4;
    for (int from = 0; from < bytes; ++from) {
      const int to = bytes - 1 - from;
      OpWithIndex(0x20, static_cast<uint64_t>(local));
      constant(static_cast<uint64_t>(8 * (to > from ? to - from : from - to)));
      to > from ? op(0x74, 0x86) : op(0x76, 0x88);
      constant((Chance(99) ? uint64_t{0xff} : uint64_t{0xfe}) << (8 * to));
      op(0x71, 0x83);
      if (from != 0) op(0x72, 0x84);
    }
    return true;
  }

  void Simple(char type) {
    if (Chance(70)) {
      if (const int local = LocalOf(type); local >= 0) {
        return OpWithIndex(0x20, static_cast<uint64_t>(local));
      }
    }
    if (Chance(40)) {
      const size_t g = kGlobals.find(type);
      if (g != std::string_view::npos && (options_.simd || type != 'v'))
        return OpWithIndex(0x23, g);
    }
    Constant(type);
  }

  void SmallSize() {
    Byte(0x41);
    Signed(code_, static_cast<int64_t>(Pick(300)));
  }
  void SmallAddress(int depth) {
    Expression('i', depth);
    TameAddress('i', 0, false);
  }

  void BulkStatement(int depth) {
    switch (Pick(3)) {
      case 0:  // memory.fill
        SmallAddress(depth);
        Expression('i', depth);
        SmallSize();
        OpWithIndex(0xfc, 11);
        return Byte(0);
      case 1:  // memory.copy
        SmallAddress(depth);
        SmallAddress(depth);
        SmallSize();
        OpWithIndex(0xfc, 10);
        Byte(0);
        return Byte(0);
      default:  // memory.init of the passive segment
        SmallAddress(depth);
        Byte(0x41);
        Byte(static_cast<uint8_t>(Pick(20)));
        Byte(0x41);
        Byte(static_cast<uint8_t>(Pick(20)));
        OpWithIndex(0xfc, 8);
        Byte(1);
        return Byte(0);
    }
  }

  // A loop that runs a few times, counting in a local of its own.
  void CountedLoop(int depth) {
    if (counters_left_ == 0) return;
    const uint64_t counter = locals_.size() + static_cast<uint64_t>(--counters_left_);
    Byte(0x41);
    Signed(code_, static_cast<int64_t>(1 + Pick(8)));
    OpWithIndex(0x21, counter);
    Byte(0x03);
    Byte(0x40);
    labels_.push_back({""});
    if (Statements(1 + Pick(3), depth - 1)) {
      OpWithIndex(0x20, counter);
      Byte(0x41);
      Byte(1);
      Byte(0x6b);
      OpWithIndex(0x22, counter);
      OpWithIndex(0x0d, 0);
    }
    labels_.pop_back();
    Byte(0x0b);
  }

  void SwitchLoop(int depth) {
    counters_left_ -= 2;
    AppendSwitchLoop(*this, locals_.size() + static_cast<uint64_t>(counters_left_),
                     {.condition = [&] { Expression('i', depth - 1); },
                      .statements = [&] { return Statements(Pick(3), depth - 1); },
                      .open = [&] { labels_.push_back({""}); },
                      .close = [&] { labels_.pop_back(); }});
  }

  // False: what follows is unreachable.
  bool Branch(int depth) {
    const uint64_t to = Pick(labels_.size());
    const std::string types = labels_[labels_.size() - 1 - to].types;
    Values(types, depth - 1);
    if (Chance(70)) {
      Expression('i', depth - 1);
      OpWithIndex(0x0d, to);
      for (size_t k = types.size(); k > 0; --k) Byte(0x1a);
      return true;
    }
    if (Chance(50)) {
      OpWithIndex(0x0c, to);
      return false;
    }
    std::vector<uint64_t> same;
    for (uint64_t k = 0; k < labels_.size(); ++k) {
      if (labels_[labels_.size() - 1 - k].types == types) same.push_back(k);
    }
    Expression('i', depth - 1);
    if (Chance(70)) {  // a useful range
      Byte(0x41);
      Byte(7);
      Byte(0x71);
    }
    const uint64_t cases = Pick(6);
    OpWithIndex(0x0e, cases);
    for (uint64_t k = 0; k <= cases; ++k) Unsigned(code_, same[Pick(same.size())]);
    return false;
  }

  // False: what follows is unreachable.
  bool Leave(int depth) {
    const std::string& results = functions_[current_].results;
    if (options_.beyond_2_0 && Chance(50)) {
      const size_t callee = CalleeOf(results);
      if (callee != functions_.size()) {
        Values(functions_[callee].params, depth - 1);
        OpWithIndex(0x12, callee);
        return false;
      }
    }
    if (Chance(10)) {
      Byte(0x00);
      return false;
    }
    Values(results, depth - 1);
    Byte(0x0f);
    return false;
  }

  bool Statement(int depth) {
    switch (Pick(14)) {
      case 0:
      case 1:
      case 2:
        if (!locals_.empty()) {
          const size_t local = Pick(locals_.size());
          Expression(locals_[local], depth);
          OpWithIndex(0x21, local);
        }
        return true;
      case 3: {
        const size_t g = Pick(options_.simd ? kGlobals.size() : kGlobals.size() - 1);
        Expression(kGlobals[g], depth);
        OpWithIndex(0x24, g);
        return true;
      }
      case 4:
      case 5:
        RandomInstruction("", depth);  // stores
        return true;
      case 6:
        if (depth > 0) Block("", depth);
        return true;
      case 7:
        if (depth > 0) CountedLoop(depth);
        return true;
      case 8:
        return depth > 0 ? Branch(depth) : true;
      case 9:
        if (Chance(30)) BulkStatement(depth - 1);
        return true;
      case 10:
        if (depth > 0 && counters_left_ >= 3) {
          counters_left_ -= 3;
          AppendArrayLoop(*this, locals_.size() + static_cast<uint64_t>(counters_left_),
                          kPages * 0x10000, [&] { SmallAddress(depth - 1); });
        }
        return true;
      case 11: {
        const char type = RandomType();
        Expression(type, depth);
        Byte(0x1a);
        return true;
      }
      case 12:
        if (depth > 0 && counters_left_ >= 2) SwitchLoop(depth);
        return true;
      default:
        if (Chance(10)) return Leave(depth);
        if (options_.beyond_2_0 && RandomInstruction("ll", depth)) {
          Byte(0x1a);
          Byte(0x1a);
        }
        return true;
    }
  }

  // False: the end is not reached.
  bool Statements(uint64_t n, int depth) {
    for (uint64_t k = 0; k < n && code_.size() < kMaxBody; ++k) {
      if (!Statement(depth)) return false;
    }
    return true;
  }

  Bytes Body(size_t function) {
    current_ = function;
    code_.clear();
    locals_ = functions_[function].params;
    const std::string own = RandomTypes(8);
    locals_ += own;
    counters_left_ = kCounters;
    labels_ = {{functions_[function].results}};
    if (Statements(static_cast<uint64_t>(options_.statements), 4)) {
      Values(functions_[function].results, 3);
    }
    Byte(0x0b);

    Bytes out;
    Unsigned(out, own.size() + 1);
    for (char t : own) {
      Unsigned(out, 1);
      out.push_back(Code(t));
    }
    Unsigned(out, kCounters);
    out.push_back(Code('i'));
    Append(out, code_);
    return out;
  }

  // -- the module around the code

  Bytes Assemble(const Bytes& code) {
    Bytes module = {0, 'a', 's', 'm', 1, 0, 0, 0};
    Bytes s;
    Unsigned(s, types_.size());
    for (const Signature& t : types_) {
      s.push_back(0x60);
      for (const std::string* list : {&t.params, &t.results}) {
        Unsigned(s, list->size());
        for (char c : *list) s.push_back(Code(c));
      }
    }
    Section(module, 1, s);

    s.clear();
    Unsigned(s, functions_.size());
    for (const Signature& f : functions_) Unsigned(s, TypeIndex(f));
    Section(module, 3, s);

    Section(module, 4, {1, 0x70, 0, kTableSize});

    s = {static_cast<uint8_t>(options_.beyond_2_0 ? 3 : 1), 1, kPages, kPages + 2};
    if (options_.beyond_2_0) Append(s, {1, kPages, kPages, 5, kPages, kPages});
    Section(module, 5, s);

    s.clear();
    const std::string_view globals = options_.simd ? kGlobals : kGlobals.substr(0, 5);
    Unsigned(s, globals.size());
    for (char g : globals) {
      s.push_back(Code(g));
      s.push_back(1);
      std::swap(code_, s);
      Constant(g);
      std::swap(code_, s);
      s.push_back(0x0b);
    }
    Section(module, 6, s);

    s.clear();
    Unsigned(s, functions_.size() + globals.size() + 1);
    const auto name = [&](const std::string& text) {
      Unsigned(s, text.size());
      s.insert(s.end(), text.begin(), text.end());
    };
    for (size_t k = 0; k < functions_.size(); ++k) {
      name("f" + std::to_string(k));
      s.push_back(0);
      Unsigned(s, k);
    }
    for (size_t k = 0; k < globals.size(); ++k) {
      name("g" + std::to_string(k));
      s.push_back(3);
      Unsigned(s, k);
    }
    name("memory");
    s.push_back(2);
    s.push_back(0);
    Section(module, 7, s);

    // Elements 0 … 5: the leaves, twice.
    s = {1, 0, 0x41, 0, 0x0b, 6};
    for (size_t k = 0; k < 6; ++k) Unsigned(s, FirstLeaf() + k % 3);
    Section(module, 9, s);

    Section(module, 12, {2});
    Section(module, 10, code);

    s = {2, 0, 0x41, 0x80, 0x02, 0x0b};  // active, at 256
    Unsigned(s, 64);
    for (int k = 0; k < 64; ++k) s.push_back(static_cast<uint8_t>(random_()));
    s.push_back(1);  // passive
    Unsigned(s, 32);
    for (int k = 0; k < 32; ++k) s.push_back(static_cast<uint8_t>(random_()));
    Section(module, 11, s);
    return module;
  }

  static constexpr int kCounters = 9;
  static constexpr std::string_view kGlobals = "iilfdv";

  const RandomModuleOptions options_;
  std::map<std::string, std::vector<const Row*>> by_result_;
  std::vector<Signature> types_;
  std::vector<Signature> functions_;
  size_t current_ = 0;
  int counters_left_ = 0;
  std::vector<Label> labels_;
};

}  // namespace

std::vector<uint8_t> RandomModule(uint64_t seed, const RandomModuleOptions& options) {
  return Generator(seed, options).Run();
}

}  // namespace precast::wasm
