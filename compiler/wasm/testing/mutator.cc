#include "compiler/wasm/testing/mutator.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "compiler/wasm/instruction.h"
#include "compiler/wasm/module.h"
#include "compiler/wasm/reader.h"
#include "compiler/wasm/validator.h"

namespace precast::wasm::testing {
namespace {

// A piece of a file whose length stands before it: a section or a function body.
struct Piece {
  size_t length_at, begin, end;
};

// Reads a LEB128 number without care for its form; nullopt if it does not end.
std::optional<uint64_t> ReadLeb(const Bytes& bytes, size_t& at, size_t end) {
  uint64_t value = 0;
  for (int shift = 0; at < end && shift < 35; shift += 7) {
    const uint8_t byte = bytes[at++];
    value |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

std::optional<Piece> ReadPiece(const Bytes& bytes, size_t length_at, size_t end) {
  size_t at = length_at;
  const std::optional<uint64_t> length = ReadLeb(bytes, at, end);
  if (!length.has_value() || *length > end - at) return std::nullopt;
  return Piece{length_at, at, at + static_cast<size_t>(*length)};
}

// The sections; Piece::length_at - 1 is where the number of the section is.
std::vector<Piece> Sections(const Bytes& bytes) {
  std::vector<Piece> out;
  for (size_t at = 8; at + 1 < bytes.size();) {
    const std::optional<Piece> piece = ReadPiece(bytes, at + 1, bytes.size());
    if (!piece.has_value()) break;
    out.push_back(*piece);
    at = piece->end;
  }
  return out;
}

std::vector<Piece> Bodies(const Bytes& bytes, const Piece& code) {
  std::vector<Piece> out;
  size_t at = code.begin;
  if (!ReadLeb(bytes, at, code.end).has_value()) return out;
  while (at < code.end) {
    const std::optional<Piece> piece = ReadPiece(bytes, at, code.end);
    if (!piece.has_value()) break;
    out.push_back(*piece);
    at = piece->end;
  }
  return out;
}

// Replaces a piece and its length.
void Replace(Bytes& bytes, const Piece& piece, const Bytes& contents) {
  const Bytes sized = Sized(contents);
  const auto begin = bytes.begin();
  Bytes out(begin, begin + static_cast<ptrdiff_t>(piece.length_at));
  out.insert(out.end(), sized.begin(), sized.end());
  out.insert(out.end(), begin + static_cast<ptrdiff_t>(piece.end), bytes.end());
  bytes = std::move(out);
}

Bytes RandomNumber(Random& random) {
  static constexpr uint64_t kInteresting[] = {
      0,          1,          2,          3,          7,          63,          64,    127,
      128,        255,        1000,       1001,       50000,      65535,       65536, 0x7fffffff,
      0x80000000, 0xffffffff, 1ull << 32, 1ull << 48, ~0ull >> 1, ~0ull << 63, ~0ull};
  const uint64_t value = random.Below(3) == 0 ? random.Next() >> random.Below(64)
                                              : kInteresting[random.Below(std::size(kInteresting))];
  return Leb(value, 1 + (random.Below(4) == 0 ? random.Below(11) : 0));
}

Bytes RandomInstruction(Random& random) {
  const OpInfo& info = kOpInfo[random.Below(kNumOps)];
  Bytes out;
  if (info.prefix != 0) out.push_back(info.prefix);
  const Bytes code = info.prefix != 0 ? Leb(info.code) : Bytes{static_cast<uint8_t>(info.code)};
  out.insert(out.end(), code.begin(), code.end());
  const auto small = [&] { return static_cast<uint8_t>(random.Below(4)); };
  switch (info.immediate) {
    case Immediate::kNone:
      break;
    case Immediate::kBlockType:
      out.push_back(random.Below(2) == 0 ? 0x40 : static_cast<uint8_t>(0x7b + random.Below(5)));
      break;
    case Immediate::kLabelTable:
      out.insert(out.end(), {2, small(), small(), small()});
      break;
    case Immediate::kSelectTypes:
      out.insert(out.end(), {1, static_cast<uint8_t>(0x7b + random.Below(5))});
      break;
    case Immediate::kRefType:
      out.push_back(random.Below(2) == 0 ? 0x70 : 0x6f);
      break;
    case Immediate::kCallIndirect:
    case Immediate::kTwoIndices:
      out.insert(out.end(), {small(), small()});
      break;
    case Immediate::kF32:
    case Immediate::kF64:
    case Immediate::kV128: {
      const int size = info.immediate == Immediate::kF32   ? 4
                       : info.immediate == Immediate::kF64 ? 8
                                                           : 16;
      for (int i = 0; i < size; ++i) out.push_back(static_cast<uint8_t>(random.Below(32)));
      break;
    }
    case Immediate::kMemArg:
      out.insert(out.end(), {info.natural_align, small()});
      break;
    case Immediate::kMemArgLane:
      out.insert(out.end(), {info.natural_align, small(), small()});
      break;
    case Immediate::kFence:
      out.push_back(0);
      break;
    case Immediate::kLabel:
    case Immediate::kIndex:
    case Immediate::kI32:
    case Immediate::kI64:
    case Immediate::kLane:
    case Immediate::kMemory:
      out.push_back(small());
      break;
  }
  return out;
}

void Insert(Bytes& bytes, size_t at, const Bytes& what) {
  bytes.insert(bytes.begin() + static_cast<ptrdiff_t>(at), what.begin(), what.end());
}

// Damages bytes from `from` on; blind to what they mean.
void Damage(Bytes& bytes, size_t from, Random& random) {
  if (bytes.size() <= from) {
    bytes.push_back(static_cast<uint8_t>(random.Next()));
    return;
  }
  const size_t at = from + random.Below(bytes.size() - from);
  const size_t length =
      std::min(bytes.size() - at, 1 + random.Below(random.Below(8) == 0 ? 64 : 4));
  const auto begin = bytes.begin() + static_cast<ptrdiff_t>(at);
  switch (random.Below(8)) {
    case 0:
      bytes[at] ^= static_cast<uint8_t>(1u << random.Below(8));
      break;
    case 1:
      bytes[at] = static_cast<uint8_t>(random.Next());
      break;
    case 2:
      bytes[at] = static_cast<uint8_t>(bytes[at] + (random.Below(2) == 0 ? 1 : 0xff));
      break;
    case 3:
      bytes.erase(begin, begin + static_cast<ptrdiff_t>(length));
      break;
    case 4:
      Insert(bytes, from + random.Below(bytes.size() - from),
             Bytes(begin, begin + static_cast<ptrdiff_t>(length)));
      break;
    case 5: {  // a number for a number
      size_t end = at;
      while (end < bytes.size() && (bytes[end] & 0x80) != 0 && end - at < 10) ++end;
      bytes.erase(begin, bytes.begin() + static_cast<ptrdiff_t>(std::min(end + 1, bytes.size())));
      Insert(bytes, at, RandomNumber(random));
      break;
    }
    default:
      Insert(bytes, at, RandomInstruction(random));
      break;
  }
}

// Damages the inside of a section or body, whose length is mended.
void DamagePiece(Bytes& bytes, const Piece& piece, Random& random) {
  Bytes contents(bytes.begin() + static_cast<ptrdiff_t>(piece.begin),
                 bytes.begin() + static_cast<ptrdiff_t>(piece.end));
  Damage(contents, 0, random);
  Replace(bytes, piece, contents);
}

void DamageBody(Bytes& bytes, const std::vector<Piece>& sections, Random& random) {
  for (const Piece& section : sections) {
    if (bytes[section.length_at - 1] != 10) continue;
    const std::vector<Piece> bodies = Bodies(bytes, section);
    if (bodies.empty()) return;
    Bytes code(bytes.begin() + static_cast<ptrdiff_t>(section.begin),
               bytes.begin() + static_cast<ptrdiff_t>(section.end));
    Piece body = bodies[random.Below(bodies.size())];
    body.length_at -= section.begin;
    body.begin -= section.begin;
    body.end -= section.begin;
    DamagePiece(code, body, random);
    Replace(bytes, section, code);
    return;
  }
}

// Puts a section of another module in the place of one, or before one.
void Splice(Bytes& bytes, const std::vector<Piece>& sections, const Bytes& other, Random& random) {
  const std::vector<Piece> others = Sections(other);
  if (others.empty()) return;
  const Piece& from = others[random.Below(others.size())];
  const Bytes what(other.begin() + static_cast<ptrdiff_t>(from.length_at - 1),
                   other.begin() + static_cast<ptrdiff_t>(from.end));
  for (const Piece& section : sections) {
    if (bytes[section.length_at - 1] < what[0] && random.Below(4) != 0) continue;
    const auto at = static_cast<ptrdiff_t>(section.length_at - 1);
    if (bytes[section.length_at - 1] == what[0]) {
      bytes.erase(bytes.begin() + at, bytes.begin() + static_cast<ptrdiff_t>(section.end));
    }
    Insert(bytes, static_cast<size_t>(at), what);
    return;
  }
  Insert(bytes, bytes.size(), what);
}

absl::Status Check(const Bytes& bytes, const Features& features, int threads) {
  const absl::StatusOr<wasm::Module> module = ReadModule(bytes, features);
  if (!module.ok()) return module.status();
  return Validate(*module, features, threads);
}

}  // namespace

Bytes Mutate(const std::vector<Bytes>& corpus, uint64_t seed) {
  Random random(seed);
  Bytes bytes = corpus[random.Below(corpus.size())];
  for (size_t i = 1 + random.Below(3); i > 0; --i) {
    const std::vector<Piece> sections = Sections(bytes);
    const size_t kind = sections.empty() ? 0 : random.Below(16);
    if (kind == 0) {
      Damage(bytes, 0, random);
    } else if (kind <= 4) {
      DamagePiece(bytes, sections[random.Below(sections.size())], random);
    } else if (kind <= 6) {
      Splice(bytes, sections, corpus[random.Below(corpus.size())], random);
    } else {
      DamageBody(bytes, sections, random);
    }
  }
  return bytes;
}

absl::Status CheckVerdicts(const Bytes& bytes, Verdict& out) {
  const absl::Status old_level = Check(bytes, Features::Wasm2(), 1);
  const absl::Status all = Check(bytes, Features(), 1);
  out.accepted_2_0 = old_level.ok();
  out.accepted = all.ok();
  if (old_level.ok() && !all.ok()) {
    return absl::InternalError(
        absl::StrCat("valid as 2.0, invalid with all features: ", all.message()));
  }
  const absl::Status parallel = Check(bytes, Features(), 2);
  if (parallel != all) {
    return absl::InternalError(absl::StrCat("one thread says \"", all.message(), "\", two say \"",
                                            parallel.message(), "\""));
  }
  return absl::OkStatus();
}

std::vector<Bytes> BuiltInModules() {
  std::vector<Bytes> out;
  out.push_back(Module({}));
  // Every section of 2.0.
  out.push_back(Module({
      Section(0, Concat({String("note"), {1, 2, 3}})),
      Section(1, Vector({FunctionType({}, {}), FunctionType({0x7f, 0x7e}, {0x7f}),
                         FunctionType({0x7f}, {0x7f, 0x7f}), FunctionType({0x7b}, {0x7b})})),
      Section(2, Vector({Concat({String("env"), String("f"), {0, 1}}),
                         Concat({String("env"), String("g"), {3, 0x7f, 0}}),
                         Concat({String("env"), String("t"), {1, 0x70, 1, 2, 20}})})),
      Section(3, Vector({{0}, {2}, {3}, {1}})),
      Section(4, Vector({{0x70, 0, 10}, {0x6f, 1, 1, 4}})),
      Section(5, Vector({{1, 1, 3}})),
      Section(6, Vector({{0x7f, 1, 0x41, 5, 0x0b},
                         {0x7e, 0, 0x42, 7, 0x0b},
                         {0x70, 0, 0xd2, 2, 0x0b},
                         {0x7f, 0, 0x23, 0, 0x0b},
                         {0x6f, 1, 0xd0, 0x6f, 0x0b}})),
      Section(7, Vector({Concat({String("run"), {0, 1}}), Concat({String("mem"), {2, 0}}),
                         Concat({String("table"), {1, 1}}), Concat({String("global"), {3, 1}})})),
      Section(8, {1}),
      Section(9, Vector({{0, 0x41, 0, 0x0b, 2, 1, 2},
                         {1, 0, 2, 3, 4},
                         {2, 1, 0x41, 1, 0x0b, 0, 1, 1},
                         {3, 0, 1, 3},
                         {4, 0x41, 0, 0x0b, 1, 0xd2, 1, 0x0b},
                         {5, 0x70, 2, 0xd0, 0x70, 0x0b, 0xd2, 4, 0x0b},
                         {7, 0x6f, 1, 0xd0, 0x6f, 0x0b}})),
      Section(12, {2}),
      Section(10, Vector({
                      // Memory, tables, globals, bulk.
                      Body({{2, 0x7f}, {1, 0x7c}},
                           {0x41, 0,    0x41, 1,    0x36, 2,    4,    0x41, 0,    0x28, 2,    0,
                            0x21, 0,    0x23, 1,    0x24, 1,    0x41, 0,    0x41, 0,    0x41, 8,
                            0xfc, 10,   0,    0,    0x41, 0,    0x41, 0,    0x41, 8,    0xfc, 11,
                            0,    0x41, 0,    0x41, 0,    0x41, 1,    0xfc, 8,    1,    0,    0xfc,
                            9,    1,    0x3f, 0,    0x40, 0,    0x1a, 0x41, 0,    0x41, 0,    0x41,
                            1,    0xfc, 12,   1,    1,    0xfc, 13,   1,    0xd0, 0x70, 0x41, 1,
                            0xfc, 15,   1,    0x1a, 0x41, 0,    0x25, 1,    0xd1, 0x1a, 0x0b}),
                      // Control.
                      Body({}, {0x20, 0,    0x02, 2,    0x20, 0,    0x04, 2,    0x20, 0,    0x0c,
                                0,    0x05, 0x41, 1,    0x0b, 0x0b, 0x1a, 0x03, 2,    0x1a, 0x20,
                                0,    0x20, 0,    0x0d, 0,    0x20, 0,    0x0b, 0x02, 0x40, 0x02,
                                0x40, 0x20, 0,    0x0e, 1,    0,    1,    0x0b, 0x0b, 0x0b}),
                      // Vectors.
                      Body({{1, 0x7b}},
                           {0x20, 0,  0x41, 3,  0xfd, 15, 0xfd, 0x6e, 0x20, 0,    0x20, 0,    0xfd,
                            13,   0,  1,    2,  3,    4,  5,    6,    7,    8,    9,    10,   11,
                            12,   13, 14,   15, 0xfd, 78, 0x22, 1,    0xfd, 21,   3,    0xfd, 0x11,
                            0x41, 0,  0x20, 1,  0xfd, 84, 0,    0,    5,    0xfd, 81,   0x0b}),
                      // Numbers, calls, select.
                      Body({{1, 0x7d}},
                           {0x20, 0,    0x20, 1, 0xa7, 0x6a, 0x20, 1,    0x10, 0,    0x20, 1, 0xa7,
                            0x42, 0,    0x41, 1, 0x11, 1,    0,    0x41, 1,    0x1b, 0x43, 0, 0,
                            0x80, 0x3f, 0xfc, 0, 0x41, 0,    0x1c, 1,    0x7f, 0x0f, 0x0b}),
                  })),
      Section(11, Vector({Concat({{0, 0x41, 0, 0x0b}, String("hello")}),
                          Concat({{1}, String("passive")})})),
      Section(0,
              Concat({String("name"),
                      {0},
                      Sized(String("m")),
                      {1},
                      Sized(Vector({Concat({{0}, String("f")}), Concat({{1}, String("run")})}))})),
  }));
  // What came after 2.0: two memories, one of them shared, one 64-bit; a 64-bit table; tail calls;
  // atomics; relaxed vectors; wide arithmetic; constants with arithmetic.
  out.push_back(Module({
      Section(1, Vector({FunctionType({0x7f}, {0x7f}), FunctionType({0x7e, 0x7e}, {0x7e, 0x7e}),
                         FunctionType({0x7b, 0x7b}, {0x7b})})),
      Section(3, Vector({{0}, {1}, {2}})),
      Section(4, Vector({{0x70, 5, 2, 9}, {0x70, 0, 3}})),
      Section(5, Vector({{3, 1, 4}, {5, 1, 2}})),
      Section(6, Vector({{0x7f, 0, 0x41, 3, 0x41, 4, 0x6c, 0x0b}, {0x7f, 0, 0x23, 0, 0x0b}})),
      Section(7, Vector({Concat({String("a"), {0, 0}})})),
      Section(9, Vector({{0, 0x42, 0, 0x0b, 1, 0}})),
      Section(10, Vector({
                      Body({}, {0x20, 0,    0x41, 1,    0xfe, 0x1e, 2,    0,    0x1a, 0xfe, 3,
                                0,    0x41, 0,    0x41, 1,    0x42, 0,    0xfe, 1,    2,    0,
                                0x1a, 0x20, 0,    0x04, 0x7f, 0x20, 0,    0x12, 0,    0x05, 0x20,
                                0,    0x42, 0,    0x13, 0,    0,    0x0b, 0x0b}),
                      Body({}, {0x20, 0,  0x20, 1, 0x20, 0, 0x42, 8, 0x29, 0x43, 1, 4, 0xfc, 19,
                                0xfc, 21, 0x42, 0, 0x41, 0, 0x41, 4, 0xfc, 10,   1, 0, 0x0b}),
                      Body({}, {0x20, 0, 0x20, 1, 0x20, 0, 0xfd, 0x85, 2, 0x20, 1, 0xfd, 0x80, 2,
                                0x0b}),
                  })),
  }));
  return out;
}

}  // namespace precast::wasm::testing
