// See array_loop.h.
#include "compiler/wasm/testing/array_loop.h"

#include <cstddef>
#include <iterator>
#include <string_view>
#include <vector>

namespace precast::wasm {

void AppendArrayLoop(RandomCode& code, uint64_t first_local, int64_t memory_bytes,
                     absl::FunctionRef<void()> small_address) {
  const uint64_t rounds = first_local, place = first_local + 1, distance = first_local + 2;
  const auto set_to_address = [&](uint64_t local) {
    if (code.Chance(60)) {
      const int64_t address = static_cast<int64_t>(16 * code.Pick(64));
      code.I32Const(local == distance && code.Chance(20) ? -address : address);
    } else if (code.Chance(50)) {
      code.I32Const(memory_bytes -
                    static_cast<int64_t>((code.Chance(70) ? 16 : 4) * code.Pick(20)));
    } else {
      small_address();
    }
    code.OpWithIndex(0x21, local);
  };
  set_to_address(place);
  set_to_address(distance);
  // Then the arrays are at `place` and `distance`, and the counter is what is added to them.
  const bool indexed = code.Chance(40);
  // The counter goes up or down to a bound; the number of rounds may be known only when the loop
  // begins.
  static constexpr int64_t kSteps[] = {1, 1, 2, 4, 8, 3};
  const int64_t bound = code.Chance(50) ? 0 : static_cast<int64_t>(code.Pick(100));
  int64_t step = kSteps[code.Pick(std::size(kSteps))];
  if (indexed && code.Chance(80)) step = 16;
  if (code.Chance(indexed ? 10 : 60)) step = -step;
  code.I32Const(bound);
  if (code.Chance(50)) {
    code.I32Const(static_cast<int64_t>(1 + code.Pick(8)));
  } else {
    small_address();
    code.I32Const(7);
    code.Byte(0x71);
    code.I32Const(1);
    code.Byte(0x6a);
  }
  code.I32Const(step);
  code.Byte(0x6c);
  code.Byte(0x6b);
  code.OpWithIndex(0x21, rounds);

  struct Element {
    char type;
    uint8_t load, store, size;
    std::string_view binary, unary;
  };
  static constexpr Element kElements[] = {
      {'d', 0x2b, 0x39, 8, "\xa0\xa1\xa2\xa3", "\x99\x9a\x9f"},
      {'f', 0x2a, 0x38, 4, "\x92\x93\x94\x95", "\x8b\x8c\x91"},
      {'l', 0x29, 0x37, 8, "\x7c\x7d\x7e\x83\x84\x85\x86", ""},
      {'i', 0x28, 0x36, 4, "\x6a\x6b\x6c\x71\x72\x73\x74", ""},
  };
  const Element& element = kElements[code.Pick(std::size(kElements))];
  const uint64_t size = element.size;
  const uint64_t elements = code.Chance(70) ? 16 / size : 1 + code.Pick(6);
  // An array is `place`, or `distance` from there, and an offset.
  struct Array {
    bool far;
    uint64_t offset;
  };
  const auto random_array = [&] {
    return Array{code.Chance(50), code.Chance(70) ? 16 * code.Pick(3) : size * code.Pick(6)};
  };
  const auto address = [&](const Array& array) {
    code.OpWithIndex(0x20, indexed && array.far ? distance : place);
    if (!indexed && !array.far) return;
    code.OpWithIndex(0x20, indexed ? rounds : distance);
    code.Byte(0x6a);
  };
  const auto access = [&](uint8_t op, const Array& array, uint64_t lane) {
    code.Byte(op);
    code.Byte(0);
    code.Index(array.offset + lane * size);
  };
  const auto load = [&](const Array& array, uint64_t lane) {
    address(array);
    access(element.load, array, lane);
  };
  enum class Operand : uint8_t { kArray, kLocal, kSame, kOther };
  struct Step {
    uint8_t op;
    bool unary, swap;
    Operand operand;
    Array array;
    uint64_t seed;
  };
  std::vector<Step> steps(code.Pick(4));
  for (Step& step : steps) {
    step.unary = !element.unary.empty() && code.Chance(20);
    const std::string_view ops = step.unary ? element.unary : element.binary;
    step.op = static_cast<uint8_t>(ops[code.Pick(ops.size())]);
    step.swap = code.Chance(30);
    step.operand = static_cast<Operand>(code.Pick(4));
    step.array = random_array();
    step.seed = code.Number();
  }
  const Array from = random_array(), to = random_array();
  const auto value = [&](uint64_t lane) {
    // Operands that come first, then what is loaded, then the others.
    for (size_t k = steps.size(); k-- > 0;) {
      if (steps[k].swap && !steps[k].unary) load(steps[k].array, lane);
    }
    load(from, lane);
    for (const Step& step : steps) {
      if (!step.unary && !step.swap) {
        const int local = code.LocalOf(element.type);
        if (step.operand == Operand::kArray) {
          load(step.array, lane);
        } else if (step.operand == Operand::kLocal && local >= 0) {
          code.OpWithIndex(0x20, code.locals().find(element.type));
        } else {
          code.ConstantOf(element.type, step.seed + (step.operand == Operand::kOther ? lane : 0));
        }
      }
      code.Byte(step.op);
    }
  };
  // Somewhere between the elements, another access.
  const uint64_t stray_at = code.Chance(40) ? code.Pick(elements) : elements;
  const Array stray = random_array();
  code.Byte(0x03);
  code.Byte(0x40);
  for (uint64_t lane = 0; lane < elements; ++lane) {
    address(to);
    value(lane);
    access(element.store, to, lane);
    if (lane != stray_at) continue;
    address(stray);
    if (code.Chance(50)) {
      access(0x2d, stray, code.Pick(elements));  // i32.load8_u
      code.Byte(0x1a);
    } else {
      code.I32Const(99);
      access(0x3a, stray, code.Pick(elements));  // i32.store8
    }
  }
  if (!indexed || code.Chance(10)) {
    code.OpWithIndex(0x20, place);
    code.I32Const(static_cast<int64_t>(code.Chance(80) ? size * elements : 8 * code.Pick(5)));
    code.Byte(0x6a);
    code.OpWithIndex(0x21, place);
  }
  code.OpWithIndex(0x20, rounds);
  code.I32Const(step);
  code.Byte(0x6a);
  code.OpWithIndex(0x22, rounds);
  if (bound != 0 || code.Chance(30)) {
    code.I32Const(bound);
    code.Byte(0x47);  // i32.ne
  }
  code.OpWithIndex(0x0d, 0);
  code.Byte(0x0b);
}

}  // namespace precast::wasm
