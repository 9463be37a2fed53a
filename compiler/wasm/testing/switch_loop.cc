// See switch_loop.h.
#include "compiler/wasm/testing/switch_loop.h"

namespace precast::wasm {
namespace {

class SwitchLoop {
 public:
  SwitchLoop(RandomCode& code, uint64_t first_local, const SwitchLoopParts& parts)
      : code_(code),
        parts_(parts),
        rounds_(first_local),
        selector_(first_local + 1),
        cases_(2 + code.Pick(4)) {}

  void Append() {
    code_.I32Const(static_cast<int64_t>(1 + code_.Pick(8)));
    code_.OpWithIndex(kLocalSet, rounds_);
    if (code_.Chance(50)) {
      SetTo(Case());
    } else {
      SetToAny();
    }
    Begin(kBlock);  // what leaves the loop leads to its end
    Begin(kLoop);
    for (uint64_t k = 0; k < cases_; ++k) Begin(kBlock);
    Switch();
    for (uint64_t k = 0; k < cases_; ++k) {
      End();
      if (parts_.statements()) Jump(/*loop=*/cases_ - 1 - k);
    }
    End();
    End();
  }

 private:
  static constexpr uint8_t kBlock = 0x02, kLoop = 0x03, kIf = 0x04, kElse = 0x05, kEnd = 0x0b,
                           kBr = 0x0c, kBrIf = 0x0d, kBrTable = 0x0e, kLocalGet = 0x20,
                           kLocalSet = 0x21, kLocalTee = 0x22, kI32Eqz = 0x45, kI32Sub = 0x6b,
                           kI32And = 0x71, kNoType = 0x40;

  void Begin(uint8_t op) {
    code_.Byte(op);
    code_.Byte(kNoType);
    parts_.open();
  }
  void End() {
    parts_.close();
    code_.Byte(kEnd);
  }

  // Now and then one that only the default is for.
  int64_t Case() { return code_.Chance(10) ? -1 : static_cast<int64_t>(code_.Pick(cases_ + 1)); }
  void SetTo(int64_t to) {
    code_.I32Const(to);
    code_.OpWithIndex(kLocalSet, selector_);
  }
  void SetToAny() {
    parts_.condition();
    code_.I32Const(7);
    code_.Byte(kI32And);
    code_.OpWithIndex(kLocalSet, selector_);
  }

  void Switch() {
    if (code_.Chance(10)) parts_.statements();
    code_.OpWithIndex(kLocalGet, selector_);
    code_.OpWithIndex(kBrTable, cases_);
    // In order, but that some may be where others are, or behind the loop.
    for (uint64_t k = 0; k < cases_; ++k) code_.Index(code_.Chance(90) ? k : code_.Pick(cases_));
    code_.Index(code_.Chance(70) ? code_.Pick(cases_) : cases_ + 1);
  }

  // On to some case, or to the next one. `loop`: the number of the loop's label.
  void Jump(uint64_t loop) {
    if (code_.Chance(20)) return;
    code_.OpWithIndex(kLocalGet, rounds_);
    code_.I32Const(1);
    code_.Byte(kI32Sub);
    code_.OpWithIndex(kLocalTee, rounds_);
    code_.Byte(kI32Eqz);
    code_.OpWithIndex(kBrIf, loop + 1);
    switch (code_.Pick(5)) {
      case 0:
        SetToAny();
        break;
      case 1:  // one of two, each by a jump
        parts_.condition();
        Begin(kIf);
        SetTo(Case());
        code_.OpWithIndex(kBr, loop + 1);
        End();
        SetTo(Case());
        break;
      case 2:  // one of two, by the same jump
        parts_.condition();
        Begin(kIf);
        SetTo(Case());
        code_.Byte(kElse);
        SetTo(Case());
        End();
        break;
      default:
        SetTo(Case());
        break;
    }
    code_.OpWithIndex(kBr, loop);
  }

  RandomCode& code_;
  const SwitchLoopParts& parts_;
  const uint64_t rounds_, selector_, cases_;
};

}  // namespace

void AppendSwitchLoop(RandomCode& code, uint64_t first_local, const SwitchLoopParts& parts) {
  SwitchLoop(code, first_local, parts).Append();
}

}  // namespace precast::wasm
