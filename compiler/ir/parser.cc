// A recursive-descent parser of the text form described in printer.h.
//
// Values are used before they are defined (loops; blocks in any order), so uses are taken as the
// numbers in the text, and when a function is complete its definitions are given the same numbers
// (`Function::RelabelDefinitions`).
#include "compiler/ir/parser.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "compiler/ir/fold.h"
#include "compiler/ir/syntax.h"

namespace precast::ir {
namespace {

struct Position {
  uint32_t line = 1;
  uint32_t column = 1;
};

enum class TokenKind : uint8_t { kEnd, kWord, kNumber, kString, kPunctuation };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  Position position;
};

// Any error ends parsing; `Failed()` is asked after every step that could have failed.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) { Next(); }

  absl::StatusOr<std::vector<Function>> Run() {
    std::vector<Function> functions;
    while (!Failed() && token_.kind != TokenKind::kEnd) {
      std::optional<Function> f = ParseFunction();
      if (Failed()) break;
      functions.push_back(*std::move(f));
    }
    if (Failed()) return status_;
    return functions;
  }

 private:
  static bool IsWordChar(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '.'; }

  bool Failed() const { return !status_.ok(); }

  void Fail(Position at, std::string_view message) {
    if (Failed()) return;
    status_ = absl::InvalidArgumentError(
        absl::StrCat("line ", at.line, ", column ", at.column, ": ", message));
  }

  void FailExpected(std::string_view what) {
    const std::string found =
        token_.kind == TokenKind::kEnd
            ? "the end of the text"
            : absl::StrCat("'", absl::CEscape(token_.text.substr(0, 40)), "'");
    Fail(token_.position, absl::StrCat("expected ", what, ", found ", found));
  }

  void Skip(size_t n) {
    for (char c : rest_.substr(0, n)) {
      if (c == '\n') {
        ++position_.line;
        position_.column = 1;
      } else {
        ++position_.column;
      }
    }
    rest_.remove_prefix(std::min(n, rest_.size()));
  }

  // Reads the next token into `token_`.
  void Next() {
    while (true) {
      size_t n = 0;
      while (n < rest_.size() && absl::ascii_isspace(rest_[n])) ++n;
      Skip(n);
      if (rest_.substr(0, 2) != "//") break;
      Skip(std::min(rest_.find('\n'), rest_.size()));
    }
    token_ = {.kind = TokenKind::kEnd, .text = {}, .position = position_};
    if (rest_.empty()) return;
    size_t n = 1;
    const char c = rest_[0];
    if (absl::ascii_isdigit(c)) {
      token_.kind = TokenKind::kNumber;
      while (n < rest_.size() && IsWordChar(rest_[n])) ++n;
    } else if (IsWordChar(c)) {
      token_.kind = TokenKind::kWord;
      while (n < rest_.size() && IsWordChar(rest_[n])) ++n;
    } else if (c == '"') {
      token_.kind = TokenKind::kString;
      while (n < rest_.size() && rest_[n] != '"' && rest_[n] != '\n') {
        n += rest_[n] == '\\' && n + 1 < rest_.size() ? 2 : 1;
      }
      if (n >= rest_.size() || rest_[n] != '"') {
        Fail(position_, "string without end");
        n = std::min(n, rest_.size());
      } else {
        ++n;
      }
    } else if (rest_.substr(0, 2) == "->") {
      token_.kind = TokenKind::kPunctuation;
      n = 2;
    } else {
      token_.kind = TokenKind::kPunctuation;
    }
    token_.text = rest_.substr(0, n);
    Skip(n);
  }

  bool At(std::string_view text) const {
    return token_.kind != TokenKind::kString && token_.text == text &&
           token_.kind != TokenKind::kEnd;
  }
  bool Accept(std::string_view text) {
    if (Failed() || !At(text)) return false;
    Next();
    return true;
  }
  void Expect(std::string_view text) {
    if (!Accept(text)) FailExpected(absl::StrCat("'", text, "'"));
  }

  // An unsigned number, decimal or hexadecimal, at most `max`.
  uint64_t ParseNumber(std::string_view what, uint64_t max) {
    uint64_t value = 0;
    const bool hex = token_.text.substr(0, 2) == "0x";
    if (token_.kind != TokenKind::kNumber ||
        !(hex ? absl::SimpleHexAtoi(token_.text, &value) : absl::SimpleAtoi(token_.text, &value))) {
      FailExpected(what);
      return 0;
    }
    if (value > max) {
      Fail(token_.position, absl::StrCat(what, " must be at most ", max, ", found ", token_.text));
      return 0;
    }
    Next();
    return value;
  }

  int64_t ParseSigned(std::string_view what) {
    constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
    if (Accept("-")) return static_cast<int64_t>(uint64_t{0} - ParseNumber(what, kMax + 1));
    return static_cast<int64_t>(ParseNumber(what, kMax));
  }

  // A word of a prefix and a number, such as v12 or block3.
  std::optional<uint32_t> ParsePrefixed(std::string_view prefix, std::string_view what) {
    uint32_t number = 0;
    const std::string_view text = token_.text;
    if (Failed() || token_.kind != TokenKind::kWord || text.substr(0, prefix.size()) != prefix ||
        text.size() == prefix.size() || !absl::ascii_isdigit(text[prefix.size()]) ||
        !absl::SimpleAtoi(text.substr(prefix.size()), &number)) {
      FailExpected(what);
      return std::nullopt;
    }
    Next();
    return number;
  }

  // A value number. Bounded by the text's size, so that a number does not cost more memory than
  // text.
  uint32_t ParseValueNumber() {
    const Position at = token_.position;
    const uint64_t limit = 1024 + 16 * uint64_t{text_.size()};
    const uint32_t number = ParsePrefixed("v", "a value (v and a number)").value_or(0);
    if (number > limit || number == Value::kNone) {
      Fail(at, absl::StrCat("value number ", number, " is out of proportion to the text"));
      return 0;
    }
    return number;
  }

  Value ParseUse() {
    const Position at = token_.position;
    const uint32_t number = ParseValueNumber();
    if (!Failed() && !defined_.contains(number)) pending_uses_.push_back({number, at});
    return Value(number);
  }

  // `dense` is the number under which the function defines the value for the time being.
  void Define(uint32_t number, Value dense, Position at) {
    if (Failed()) return;
    if (!defined_.insert({number, dense.index}).second) {
      Fail(at, absl::StrCat("v", number, " is defined twice"));
    }
  }

  Block ParseBlockUse() {
    const Position at = token_.position;
    const uint32_t number = ParsePrefixed("block", "a block (block and a number)").value_or(0);
    if (!Failed()) pending_blocks_.push_back({number, at});
    return Block(number);
  }

  Type ParseTypeName() {
    std::optional<Type> type;
    if (token_.kind == TokenKind::kWord) type = ParseType(token_.text);
    if (!type) {
      FailExpected("a type");
      return Type::kI32;
    }
    Next();
    return *type;
  }

  std::vector<Type> ParseTypes() {
    std::vector<Type> types;
    Expect("(");
    if (Accept(")")) return types;
    do types.push_back(ParseTypeName());
    while (Accept(","));
    Expect(")");
    return types;
  }

  // Values up to `end` (which is consumed).
  std::vector<Value> ParseUses(std::string_view end) {
    std::vector<Value> values;
    if (Accept(end)) return values;
    do values.push_back(ParseUse());
    while (Accept(","));
    Expect(end);
    return values;
  }

  Edge ParseEdge() {
    Edge edge{ParseBlockUse()};
    if (Accept("(")) edge.args = ParseUses(")");
    return edge;
  }

  StateSlot ParseSlot() {
    const Position at = token_.position;
    const uint32_t slot = ParsePrefixed("x", "a state slot (x and a number)").value_or(0);
    if (slot > 255) Fail(at, absl::StrCat("state slot must be at most 255, found ", slot));
    return static_cast<StateSlot>(slot);
  }

  std::optional<Function> ParseFunction() {
    defined_.clear();
    pending_uses_.clear();
    pending_blocks_.clear();
    Expect("function");
    if (!Failed() && token_.kind != TokenKind::kString) FailExpected("the function's name");
    if (Failed()) return std::nullopt;
    std::string name, error;
    if (!absl::CUnescape(token_.text.substr(1, token_.text.size() - 2), &name, &error)) {
      Fail(token_.position, absl::StrCat("bad name: ", error));
    }
    Next();
    Signature signature;
    signature.params = ParseTypes();
    Expect("->");
    signature.results = ParseTypes();
    if (std::optional<CallConv> conv = ParseCallConv(token_.text);
        conv && token_.kind == TokenKind::kWord) {
      signature.conv = *conv;
      Next();
    } else {
      FailExpected("a calling convention");
    }
    Function f(std::move(name), std::move(signature));
    if (Accept("entries")) {
      do f.AddEntry(ParseBlockUse());
      while (Accept(","));
    }
    Expect("{");
    while (!Failed() && !Accept("}")) ParseBlock(f);
    if (Failed()) return std::nullopt;
    for (const auto& [number, at] : pending_blocks_) {
      if (number >= f.num_blocks()) Fail(at, absl::StrCat("block", number, " is not defined"));
    }
    for (const auto& [number, at] : pending_uses_) {
      if (!defined_.contains(number)) Fail(at, absl::StrCat("v", number, " is not defined"));
    }
    if (Failed()) return std::nullopt;
    std::vector<uint32_t> numbers(f.num_values());
    for (const auto& [number, dense] : defined_) numbers[dense] = number;
    f.RelabelDefinitions(numbers);
    return f;
  }

  void ParseBlock(Function& f) {
    const Position at = token_.position;
    const uint32_t number = ParsePrefixed("block", "a block or '}'").value_or(0);
    if (Failed()) return;
    if (number != f.num_blocks()) {
      Fail(at, absl::StrCat("blocks come in order: expected block", f.num_blocks(), ", found block",
                            number));
      return;
    }
    const Block b = f.NewBlock();
    if (Accept("(")) {
      do {
        const Position param_at = token_.position;
        const uint32_t v = ParseValueNumber();
        Expect(":");
        const Type type = ParseTypeName();
        Define(v, f.AddParam(b, type), param_at);
      } while (Accept(","));
      Expect(")");
    }
    BlockData& block = f.block(b);
    if (Accept("cold")) block.cold = true;
    if (Accept("weight")) block.weight = static_cast<uint32_t>(ParseNumber("a weight", kMax32));
    if (Accept("pc")) block.guest_pc = static_cast<uint32_t>(ParseNumber("a guest pc", kMax32));
    if (Accept("depth")) block.loop_depth = static_cast<uint32_t>(ParseNumber("a depth", kMax32));
    if (Accept("unread")) block.unread = static_cast<uint32_t>(ParseNumber("registers", kMax32));
    if (Accept("state")) {
      Expect("[");
      do {
        const StateSlot slot = ParseSlot();
        Expect("=");
        block.state.emplace_back(slot, ParseUse());
      } while (Accept(","));
      Expect("]");
    }
    Expect(":");
    while (!Failed() && !At("}") && !AtBlockHeader()) ParseInst(f, b);
  }

  // A block header is the only thing inside a function that begins with the word block….
  bool AtBlockHeader() const {
    return token_.kind == TokenKind::kWord && token_.text.substr(0, 5) == "block";
  }

  bool AtValue() const {
    return token_.kind == TokenKind::kWord && token_.text.size() >= 2 && token_.text[0] == 'v' &&
           absl::ascii_isdigit(token_.text[1]);
  }

  struct Result {
    uint32_t number;
    std::optional<Type> type;
    Position at;
  };

  void ParseInst(Function& f, Block b) {
    std::vector<Result> results;
    if (AtValue()) {
      do {
        Result& r = results.emplace_back();
        r.at = token_.position;
        r.number = ParseValueNumber();
        if (Accept(":")) r.type = ParseTypeName();
        if (r.number != results[0].number + results.size() - 1) {
          Fail(r.at, "numbers of an instruction's results must be consecutive");
        }
      } while (Accept(","));
      Expect("=");
    }
    if (Failed()) return;

    // Opcode and type.
    const Position at = token_.position;
    const size_t dot = std::min(token_.text.find('.'), token_.text.size());
    std::optional<Opcode> op;
    if (token_.kind == TokenKind::kWord) op = ParseOpcode(token_.text.substr(0, dot));
    if (!op) return FailExpected("an instruction");
    InstData inst{.op = *op};
    const bool has_suffix = dot != token_.text.size();
    if ((HasType(*op) || *op == Opcode::kSimd) != has_suffix) {
      return Fail(at,
                  absl::StrCat(Info(*op).text, has_suffix ? " takes no type" : " needs a type"));
    }
    inst.type = ImpliedType(*op);
    if (*op == Opcode::kSimd) {
      const std::optional<SimdOp> simd = ParseSimdOp(token_.text.substr(dot + 1));
      if (!simd) return FailExpected("a vector operation after the '.'");
      inst.aux = static_cast<uint8_t>(*simd);
      inst.type = Info(*simd).result;
    } else if (has_suffix) {
      const std::optional<Type> type = ParseType(token_.text.substr(dot + 1));
      if (!type) return FailExpected("a type after the '.'");
      inst.type = *type;
    }
    Next();

    std::vector<Value> args;
    std::vector<Edge> edges;
    ParseOperands(f, inst, args, edges);
    if (*op == Opcode::kBrIf && Accept("cold")) inst.cold = true;
    if (Accept("@")) {
      inst.site.guest_pc = static_cast<uint32_t>(ParseNumber("a guest pc", kMax32));
      if (Accept("refund")) {
        inst.site.refund = static_cast<uint32_t>(ParseNumber("a refund", Site::kUnpaid - 1));
      }
      ParseUnpaid(f, inst.site);
    } else if (CanStop(*op)) {
      FailExpected(absl::StrCat("the site of ", Info(*op).text, " ('@' and a guest pc)"));
    }
    if (args.size() > kMax16 || results.size() > kMax16) Fail(at, "more than 65535 operands");

    // Results.
    const std::optional<int> count = ResultCount(*op);
    std::vector<Type> types;
    for (const Result& r : results) {
      if (count && r.type) Fail(r.at, "only results of calls name their type");
      if (!count && !r.type) Fail(r.at, "results of calls name their type");
      types.push_back(r.type.value_or(ResultType(*op, inst.type)));
    }
    if (count && results.size() != static_cast<size_t>(*count)) {
      Fail(at, absl::StrCat(Info(*op).text, " has ", *count, " results, found ", results.size()));
    }
    if (Failed()) return;
    const Inst i = f.Append(b, inst, args, types, std::move(edges));
    for (uint32_t k = 0; k < results.size(); ++k) {
      Define(results[k].number, f.result(i, k), results[k].at);
    }
  }

  // `InstData::type` of an instruction whose text does not name it.
  static Type ImpliedType(Opcode op) {
    return op == Opcode::kVconst || op == Opcode::kShuffle ? Type::kV128 : Type::kI32;
  }

  // 16 bytes, first first: 0x and 32 hexadecimal digits. Gives the number of the constant.
  int64_t ParseV128(Function& f) {
    std::string bytes;
    if (Failed() || token_.kind != TokenKind::kNumber || token_.text.size() != 34 ||
        token_.text.substr(0, 2) != "0x" ||
        !absl::HexStringToBytes(token_.text.substr(2), &bytes)) {
      FailExpected("16 bytes (0x and 32 digits)");
      return 0;
    }
    Next();
    V128 value;
    std::copy(bytes.begin(), bytes.end(), value.begin());
    return f.AddV128(value);
  }

  void ParseKind(InstData& inst) {
    const std::optional<MemKind> kind = ParseMemKind(token_.text);
    if (!kind) return FailExpected("an access kind");
    Next();
    inst.aux = static_cast<uint8_t>(*kind);
  }

  // "+ imm", "- imm" or nothing.
  void ParseOffset(InstData& inst) {
    constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
    if (Accept("+")) inst.imm = static_cast<int64_t>(ParseNumber("an offset", kMax));
    if (Accept("-")) {
      inst.imm = static_cast<int64_t>(uint64_t{0} - ParseNumber("an offset", kMax + 1));
    }
  }

  void ParseUnpaid(Function& f, Site& site) {
    Unpaid unpaid{.refund = site.refund};
    while (Accept("unpaid")) {
      Unpaid::Charge charge;
      charge.amount = static_cast<uint32_t>(ParseNumber("an amount", Site::kUnpaid - 1));
      if (!Accept("@")) return FailExpected("'@' and a guest pc");
      charge.guest_pc = static_cast<uint32_t>(ParseNumber("a guest pc", kMax32));
      unpaid.charges.push_back(charge);
    }
    if (!unpaid.charges.empty()) f.SetUnpaid(site, std::move(unpaid));
  }

  void ParseOperands(Function& f, InstData& inst, std::vector<Value>& args,
                     std::vector<Edge>& edges) {
    // `n` values with commas between.
    const auto values = [&](int n) {
      for (int k = 0; k < n; ++k) {
        if (k != 0) Expect(",");
        args.push_back(ParseUse());
      }
    };
    const auto call_args = [&] {
      Expect("(");
      for (Value v : ParseUses(")")) args.push_back(v);
    };
    const auto byte = [&](std::string_view what) {
      inst.aux = static_cast<uint8_t>(ParseNumber(what, 255));
    };
    switch (FormOf(inst.op)) {
      case Form::kIconst: {
        const Position at = token_.position;
        inst.imm = ParseSigned("a constant");
        if (inst.imm != Canonical(inst.type, inst.imm) && IsInteger(inst.type)) {
          Fail(at, absl::StrCat("constant is not an i32: ", inst.imm));
        }
        break;
      }
      case Form::kAmount:
        inst.imm = ParseSigned("an amount");
        break;
      case Form::kFconst:
        inst.imm = static_cast<int64_t>(ParseNumber("bits", ~uint64_t{0}));
        break;
      case Form::kCountRows:
        inst.aux = static_cast<uint8_t>(ParseNumber("a register", 255));
        Expect(",");
        inst.imm = static_cast<int64_t>(ParseNumber("bits", ~uint64_t{0}));
        break;
      case Form::kMarkPage:
        values(1);
        ParseOffset(inst);
        if (Accept(",")) inst.aux = static_cast<uint8_t>(ParseNumber("a mode", 255));
        break;
      case Form::kVconst:
        inst.imm = ParseV128(f);
        break;
      case Form::kUnary:
        values(1);
        break;
      case Form::kConvert:
        values(1);
        if (Accept("in_range")) inst.aux = 1;
        break;
      case Form::kBinary:
        values(2);
        if (Accept("guarded")) inst.aux = 1;
        break;
      case Form::kSimd: {
        const SimdInfo& info = Info(static_cast<SimdOp>(inst.aux));
        values(static_cast<int>(std::string_view(info.operands).size()));
        if (info.lanes == 0) break;
        Expect(",");
        inst.imm = static_cast<int64_t>(ParseNumber("a lane", info.lanes - 1u));
        break;
      }
      case Form::kShuffle:
        values(2);
        Expect(",");
        inst.imm = ParseV128(f);
        break;
      case Form::kFcmp: {
        const std::optional<FloatCond> cond = ParseFloatCond(token_.text);
        if (!cond) return FailExpected("a condition");
        Next();
        inst.aux = static_cast<uint8_t>(*cond);
        values(2);
        break;
      }
      case Form::kSelect:
        values(3);
        break;
      case Form::kIcmp: {
        std::optional<IntCond> cond = ParseIntCond(token_.text);
        if (!cond) return FailExpected("a condition");
        Next();
        inst.aux = static_cast<uint8_t>(*cond);
        values(2);
        break;
      }
      case Form::kLoad:
        ParseKind(inst);
        values(1);
        ParseOffset(inst);
        break;
      case Form::kStore:
        ParseKind(inst);
        values(1);
        ParseOffset(inst);
        Expect(",");
        values(1);
        break;
      case Form::kLoadAt:
        ParseKind(inst);
        values(2);
        ParseOffset(inst);
        break;
      case Form::kStoreAt:
        ParseKind(inst);
        values(2);
        ParseOffset(inst);
        Expect(",");
        values(1);
        break;
      case Form::kAtomicRmw: {
        const std::optional<AtomicOp> op = ParseAtomicOp(token_.text);
        if (!op) return FailExpected("an atomic operation");
        Next();
        inst.imm = static_cast<int64_t>(*op);
        ParseKind(inst);
        values(3);
        break;
      }
      case Form::kAtomicCmpxchg:
        ParseKind(inst);
        values(4);
        break;
      case Form::kFence:
      case Form::kLoadFuel:
        break;
      case Form::kContextAddress:
        inst.imm = ParseSigned("a displacement");
        break;
      case Form::kLoadContext:
        ParseKind(inst);
        inst.imm = ParseSigned("a displacement");
        break;
      case Form::kStoreContext:
        ParseKind(inst);
        inst.imm = ParseSigned("a displacement");
        Expect(",");
        values(1);
        break;
      case Form::kLoadState:
        inst.aux = ParseSlot();
        break;
      case Form::kStoreState:
        inst.aux = ParseSlot();
        Expect(",");
        values(1);
        break;
      case Form::kChargeValue:
        values(1);
        break;
      case Form::kTrapIf:
        values(1);
        Expect(",");
        byte("a trap code");
        break;
      case Form::kCall:
        Expect("@");
        inst.imm = ParsePrefixed("f", "a function (f and a number)").value_or(0);
        call_args();
        break;
      case Form::kCallDispatch:
        values(1);
        call_args();
        break;
      case Form::kCallRuntime:
        byte("a callback number");
        call_args();
        break;
      case Form::kCallPointer:
        values(3);
        call_args();
        break;
      case Form::kBr:
        edges.push_back(ParseEdge());
        break;
      case Form::kBrIf:
        values(1);
        for (int k = 0; k < 2; ++k) {
          Expect(",");
          edges.push_back(ParseEdge());
        }
        break;
      case Form::kBrTable:
        values(1);
        Expect(",");
        Expect("[");
        do edges.push_back(ParseEdge());
        while (Accept(","));
        Expect("]");
        break;
      case Form::kRet:
        if (AtValue()) {
          do args.push_back(ParseUse());
          while (Accept(","));
        }
        break;
      case Form::kTrap:
        byte("a trap code");
        break;
    }
  }

  static constexpr uint64_t kMax16 = std::numeric_limits<uint16_t>::max();
  static constexpr uint64_t kMax32 = std::numeric_limits<uint32_t>::max();

  const std::string_view text_;
  std::string_view rest_;
  Position position_;
  Token token_;
  absl::Status status_;

  // Of the function at hand.
  absl::flat_hash_map<uint32_t, uint32_t> defined_;  // number in the text -> number when defined
  std::vector<std::pair<uint32_t, Position>> pending_uses_;
  std::vector<std::pair<uint32_t, Position>> pending_blocks_;
};

}  // namespace

absl::StatusOr<std::vector<Function>> ParseFunctions(std::string_view text) {
  return Parser(text).Run();
}

absl::StatusOr<Function> Parse(std::string_view text) {
  absl::StatusOr<std::vector<Function>> functions = ParseFunctions(text);
  if (!functions.ok()) return functions.status();
  if (functions->size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected one function, found ", functions->size()));
  }
  return std::move((*functions)[0]);
}

}  // namespace precast::ir
