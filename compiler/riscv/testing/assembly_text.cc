#include "compiler/riscv/testing/assembly_text.h"

#include <map>
#include <string>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "compiler/riscv/decoder.h"
#include "compiler/riscv/testing/assembler.h"

namespace precast::riscv::testing {
namespace {

enum class Format : uint8_t { R, I, Load, Shift, S, B, U, J, Jalr, Fence, System };

struct Row {
  Op op;
  std::string_view mnemonic;
  Format format;
};
constexpr Row kRows[] = {
#define PRECAST_RV_OP(Name, mnemonic, match, mask, format) {Op::k##Name, mnemonic, Format::format},
#include "compiler/riscv/opcodes.def"
#undef PRECAST_RV_OP
};

const Row& RowOf(std::string_view mnemonic) {
  for (const Row& row : kRows) {
    if (row.mnemonic == mnemonic) return row;
  }
  CHECK(false) << "no instruction " << mnemonic;
  return kRows[0];
}

uint8_t RegisterOf(std::string_view name) {
  for (uint8_t r = 0; r < 32; ++r) {
    if (name == RegisterName(r)) return r;
  }
  CHECK(false) << "no register " << name;
  return 0;
}

struct Statement {
  uint32_t address;
  std::string mnemonic;
  std::vector<std::string> operands;
};

class Assembler {
 public:
  std::vector<uint8_t> Run(std::string_view text) {
    Read(text);
    std::vector<uint32_t> code, data;
    for (const Statement& s : statements_) {
      std::vector<uint32_t>& words = s.address >= kDataBase ? data : code;
      if (s.mnemonic == ".word") {
        for (size_t i = 0; i < s.operands.size(); ++i)
          words.push_back(Evaluate(s.operands[i], s.address + 4 * static_cast<uint32_t>(i)));
      } else {
        words.push_back(Encode(Translate(s)));
      }
    }
    return MakeElf(code, data);
  }

 private:
  // Gives every statement and label its address.
  void Read(std::string_view text) {
    uint32_t address = kCodeBase;
    for (std::string_view line : absl::StrSplit(text, '\n')) {
      line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
      if (const size_t colon = line.find(':'); colon != line.npos) {
        labels_[std::string(line.substr(0, colon))] = address;
        line = absl::StripAsciiWhitespace(line.substr(colon + 1));
      }
      if (line.empty()) continue;
      if (line == ".data") {
        address = kDataBase;
        continue;
      }
      const std::pair<std::string, std::string> parts =
          absl::StrSplit(line, absl::MaxSplits(' ', 1));
      Statement s{address, parts.first, {}};
      for (std::string_view operand : absl::StrSplit(parts.second, ',', absl::SkipWhitespace()))
        s.operands.emplace_back(absl::StripAsciiWhitespace(operand));
      address += s.mnemonic == ".word" ? 4 * static_cast<uint32_t>(s.operands.size()) : 4;
      statements_.push_back(std::move(s));
    }
  }

  uint32_t Evaluate(std::string_view text, uint32_t here) const {
    if (absl::ConsumePrefix(&text, "%hi(")) {
      return (Evaluate(text.substr(0, text.size() - 1), here) + 0x800) & 0xfffff000;
    }
    if (absl::ConsumePrefix(&text, "%lo(")) {
      return static_cast<uint32_t>(
          static_cast<int32_t>(Evaluate(text.substr(0, text.size() - 1), here) << 20) >> 20);
    }
    uint32_t sum = 0;
    while (!text.empty()) {
      const bool negative = absl::ConsumePrefix(&text, "-");
      if (!negative) absl::ConsumePrefix(&text, "+");
      const std::string term(text.substr(0, text.find_first_of("+-")));
      text.remove_prefix(term.size());
      const uint32_t value = Term(term, here);
      sum += negative ? -value : value;
    }
    return sum;
  }

  uint32_t Term(const std::string& term, uint32_t here) const {
    if (term == ".") return here;
    if (auto it = labels_.find(term); it != labels_.end()) return it->second;
    uint32_t value;
    const bool is_number = absl::StartsWith(term, "0x") ? absl::SimpleHexAtoi(term, &value)
                                                        : absl::SimpleAtoi(term, &value);
    CHECK(is_number) << "neither a number nor a label: " << term;
    return value;
  }

  Instruction Translate(const Statement& s) const {
    const Row& row = RowOf(s.mnemonic);
    auto operand = [&](size_t i) -> const std::string& {
      CHECK_LT(i, s.operands.size()) << s.mnemonic << " has more operands";
      return s.operands[i];
    };
    auto reg = [&](size_t i) { return RegisterOf(operand(i)); };
    auto value = [&](size_t i) { return static_cast<int32_t>(Evaluate(operand(i), s.address)); };
    auto target = [&](size_t i) {
      return static_cast<int32_t>(Evaluate(operand(i), s.address) - s.address);
    };
    Instruction in{.op = row.op};
    switch (row.format) {
      case Format::R:
        in.rd = reg(0), in.rs1 = reg(1), in.rs2 = reg(2);
        break;
      case Format::I:
      case Format::Shift:
        in.rd = reg(0), in.rs1 = reg(1), in.imm = value(2);
        break;
      case Format::Load:
      case Format::Jalr:
      case Format::S: {
        std::string_view address = operand(1);
        absl::ConsumeSuffix(&address, ")");
        const size_t open = address.rfind('(');
        CHECK(open != address.npos) << "not an address: " << address;
        in.rs1 = RegisterOf(address.substr(open + 1));
        in.imm = static_cast<int32_t>(Evaluate(address.substr(0, open), s.address));
        (row.format == Format::S ? in.rs2 : in.rd) = reg(0);
        break;
      }
      case Format::B:
        in.rs1 = reg(0), in.rs2 = reg(1), in.imm = target(2);
        break;
      case Format::U:
        in.rd = reg(0), in.imm = value(1);
        break;
      case Format::J:
        in.rd = reg(0), in.imm = target(1);
        break;
      case Format::Fence:
      case Format::System:
        break;
    }
    return in;
  }

  std::vector<Statement> statements_;
  std::map<std::string, uint32_t> labels_;
};

}  // namespace

std::vector<uint8_t> Assemble(std::string_view text) { return Assembler().Run(text); }

}  // namespace precast::riscv::testing
