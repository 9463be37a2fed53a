// Machine code whose jumps do not have their final size yet. Code is appended with jumps and
// paddings left out; Finish() finds the shortest form of every jump, puts jumps and paddings in and
// says where every remembered position came to lie.
#ifndef PRECAST_COMPILER_X64_CODE_BUFFER_H_
#define PRECAST_COMPILER_X64_CODE_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compiler/x64/encoder.h"

namespace precast::x64 {

// A place that jumps go to.
struct Label {
  uint32_t index = 0xffffffffu;
};

// A position in the code, valid before and after sizes are known.
struct CodePosition {
  uint32_t raw = 0;     // bytes before it, without jumps and paddings
  uint32_t fixups = 0;  // jumps and paddings before it
  bool operator==(const CodePosition&) const = default;
};

class CodeBuffer {
 public:
  // For every instruction but relative jumps inside the function.
  Encoder& code() { return encoder_; }

  // Room for about that much, so that nothing moves while it is written.
  void Reserve(size_t bytes, size_t labels, size_t jumps) {
    encoder_.Reserve(bytes);
    labels_.reserve(labels);
    fixups_.reserve(jumps);
  }

  Label NewLabel() {
    labels_.push_back({});
    return {static_cast<uint32_t>(labels_.size() - 1)};
  }
  void Bind(Label label) { labels_[label.index] = Here(); }
  void Jump(Label target);
  void Jump(Cond cc, Label target);
  void Call(Label target);
  // Pads with no-ops to a multiple of `alignment`, a power of two of at most 64.
  void Align(uint8_t alignment);
  // Pads before the loop whose head `head` is, to be bound next, to a multiple of 16. A loop that
  // fits into a line of kLine bytes is placed in one: in two, an AMD Zen 5 takes up to a third
  // longer. If a longer one's last jump back, the last one to `head` within kMaxLoop bytes, would
  // end in the first bytes of a line, then to 32 more: with a loop that takes a whole line and a
  // few bytes of the next one, it takes twice as long.
  void AlignLoop(Label head);
  // After Finish(): whether the code must be placed at a multiple of kLine because of that.
  bool needs_line() const { return needs_line_; }
  static constexpr uint32_t kLine = 64;
  static constexpr uint32_t kMaxLoop = 256;

  CodePosition Here() const {
    return {static_cast<uint32_t>(encoder_.size()), static_cast<uint32_t>(fixups_.size())};
  }
  // Whether nothing but padding, which may turn out to be none, lies between `p` and here.
  bool MayBeHere(CodePosition p) const;
  // Position of the last [rip + disp32] or rel32 field of code().
  CodePosition Field() const {
    return {static_cast<uint32_t>(encoder_.rip_field()), static_cast<uint32_t>(fixups_.size())};
  }

  // The final code. Afterwards Offset() works.
  std::vector<uint8_t> Finish();
  uint32_t Offset(CodePosition p) const { return p.raw + size_before_[p.fixups]; }
  uint32_t Offset(Label label) const { return Offset(labels_[label.index]); }

 private:
  struct Fixup {
    enum class Kind : uint8_t { kJump, kJumpIf, kCall, kAlign, kAlignLoop };
    Kind kind;
    Cond cond = Cond::kO;
    uint8_t alignment = 1;
    uint8_t size = 0;  // bytes
    uint32_t raw = 0;
    uint32_t label = 0;
    uint32_t last = 0;  // of kAlignLoop: the fixup that is the last jump back; 0: none

    bool IsPadding() const { return kind == Kind::kAlign || kind == Kind::kAlignLoop; }
  };

  // Computes size_before_ from the sizes of jumps; sizes of paddings follow.
  void Place();
  void FindLoopEnds();
  // Of padding `i`, at offset `at`.
  uint8_t LoopPadding(size_t i, uint32_t at);

  Encoder encoder_;
  std::vector<CodePosition> labels_;
  std::vector<Fixup> fixups_;
  std::vector<uint32_t> size_before_;  // one more than fixups_
  bool has_loops_ = false;
  bool needs_line_ = false;
};

}  // namespace precast::x64

#endif  // PRECAST_COMPILER_X64_CODE_BUFFER_H_
