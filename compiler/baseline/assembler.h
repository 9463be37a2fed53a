// Machine code in its final place from the start: jumps forward take 32 bits and are filled in when
// their label is bound, jumps back have the shortest form. So code needs no second pass, and an
// offset in it never changes. (x64::CodeBuffer finds the shortest form of every jump, at the price
// of that pass.)
#ifndef PRECAST_COMPILER_BASELINE_ASSEMBLER_H_
#define PRECAST_COMPILER_BASELINE_ASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/log/check.h"
#include "compiler/x64/encoder.h"
#include "compiler/x64/registers.h"

namespace precast::baseline {

class Assembler {
 public:
  using Label = uint32_t;

  x64::Encoder& code() { return e_; }
  uint32_t Here() const { return static_cast<uint32_t>(e_.size()); }
  // Begins a new function in the same room.
  void Clear() {
    e_.Clear();
    labels_.clear();
  }

  Label NewLabel() {
    labels_.push_back({kNone, kNone});
    return static_cast<Label>(labels_.size() - 1);
  }
  // At most once.
  void Bind(Label label) {
    LabelInfo& info = labels_[label];
    info.position = Here();
    for (uint32_t field = info.last_field; field != kNone;) {
      const uint32_t before = e_.Read32(field);
      e_.Patch32(field, info.position - (field + 4));
      field = before;
    }
  }
  uint32_t Position(Label label) const {
    DCHECK_NE(labels_[label].position, kNone);
    return labels_[label].position;
  }

  void Jump(Label target) {
    const uint32_t position = labels_[target].position;
    if (position == kNone) {
      e_.JmpRel32();
      return Link(target);
    }
    const uint32_t distance = position - (Here() + 2);
    if (static_cast<int32_t>(distance) >= -128) return e_.JmpRel8(static_cast<uint8_t>(distance));
    e_.JmpRel32();
    e_.Patch32(e_.rip_field(), position - Here());
  }
  void Jump(x64::Cond cc, Label target) {
    const uint32_t position = labels_[target].position;
    if (position == kNone) {
      e_.JccRel32(cc);
      return Link(target);
    }
    const uint32_t distance = position - (Here() + 2);
    if (static_cast<int32_t>(distance) >= -128) {
      return e_.JccRel8(cc, static_cast<uint8_t>(distance));
    }
    e_.JccRel32(cc);
    e_.Patch32(e_.rip_field(), position - Here());
  }

  // A jump over fewer than 128 bytes, which ends at Land of what it returns.
  uint32_t Skip() {
    e_.JmpRel8(0);
    return Here() - 1;
  }
  uint32_t Skip(x64::Cond cc) {
    e_.JccRel8(cc, 0);
    return Here() - 1;
  }
  void Land(uint32_t skip) {
    const uint32_t distance = Here() - (skip + 1);
    DCHECK_LT(distance, 128u);
    e_.Patch8(skip, static_cast<uint8_t>(distance));
  }

 private:
  static constexpr uint32_t kNone = 0xffffffffu;

  // The fields of jumps to an unbound label are a list: each holds the position of the one before.
  struct LabelInfo {
    uint32_t position;
    uint32_t last_field;
  };

  void Link(Label target) {
    const uint32_t field = static_cast<uint32_t>(e_.rip_field());
    e_.Patch32(field, labels_[target].last_field);
    labels_[target].last_field = field;
  }

  x64::Encoder e_;
  std::vector<LabelInfo> labels_;
};

}  // namespace precast::baseline

#endif  // PRECAST_COMPILER_BASELINE_ASSEMBLER_H_
