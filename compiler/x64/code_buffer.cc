// See code_buffer.h. Sizes start short and only grow, so the search ends.
#include "compiler/x64/code_buffer.h"

#include <cstring>
#include <utility>

#include "absl/log/check.h"

namespace precast::x64 {
namespace {

constexpr uint8_t kShort = 2;  // EB rel8, 7x rel8
constexpr uint8_t kNear = 5;   // E9 rel32, E8 rel32

}  // namespace

void CodeBuffer::Jump(Label target) {
  fixups_.push_back({.kind = Fixup::Kind::kJump,
                     .size = kShort,
                     .raw = static_cast<uint32_t>(encoder_.size()),
                     .label = target.index});
}

void CodeBuffer::Jump(Cond cc, Label target) {
  fixups_.push_back({.kind = Fixup::Kind::kJumpIf,
                     .cond = cc,
                     .size = kShort,
                     .raw = static_cast<uint32_t>(encoder_.size()),
                     .label = target.index});
}

void CodeBuffer::Call(Label target) {
  fixups_.push_back({.kind = Fixup::Kind::kCall,
                     .size = kNear,
                     .raw = static_cast<uint32_t>(encoder_.size()),
                     .label = target.index});
}

void CodeBuffer::Align(uint8_t alignment) {
  fixups_.push_back({.kind = Fixup::Kind::kAlign,
                     .alignment = alignment,
                     .raw = static_cast<uint32_t>(encoder_.size())});
}

void CodeBuffer::AlignLoop(Label head) {
  has_loops_ = true;
  fixups_.push_back({.kind = Fixup::Kind::kAlignLoop,
                     .alignment = 16,
                     .raw = static_cast<uint32_t>(encoder_.size()),
                     .label = head.index});
}

void CodeBuffer::FindLoopEnds() {
  if (!has_loops_) return;
  std::vector<uint32_t> padding(labels_.size(), 0);  // by head: one more than the fixup before it
  for (uint32_t i = 0; i < fixups_.size(); ++i) {
    const Fixup& f = fixups_[i];
    if (f.kind == Fixup::Kind::kAlignLoop) {
      padding[f.label] = i + 1;
    } else if (f.kind != Fixup::Kind::kAlign && padding[f.label] != 0) {
      Fixup& loop = fixups_[padding[f.label] - 1];
      if (f.raw - loop.raw < kMaxLoop) loop.last = i;
    }
  }
}

uint8_t CodeBuffer::LoopPadding(size_t i, uint32_t at) {
  const Fixup& f = fixups_[i];
  const uint32_t least = (0u - at) & (f.alignment - 1u);
  uint32_t length = 0;
  if (f.last != 0) {
    length = fixups_[f.last].raw - f.raw;
    for (size_t k = i + 1; k <= f.last; ++k) length += fixups_[k].size;
  }
  if (length <= f.alignment || length > kMaxLoop) return static_cast<uint8_t>(least);
  needs_line_ = true;
  const uint32_t begin = (at + least) % kLine;
  if (length <= kLine) {
    return static_cast<uint8_t>(begin + length > kLine ? least + kLine - begin : least);
  }
  const uint32_t in_last = (begin + length - 1) % kLine + 1;
  return static_cast<uint8_t>(in_last < 16 ? least + 32 : least);
}

bool CodeBuffer::MayBeHere(CodePosition p) const {
  if (p.raw != encoder_.size()) return false;
  for (size_t i = p.fixups; i < fixups_.size(); ++i) {
    if (!fixups_[i].IsPadding()) return false;
  }
  return true;
}

void CodeBuffer::Place() {
  size_before_.resize(fixups_.size() + 1);
  uint32_t total = 0;
  for (size_t i = 0; i < fixups_.size(); ++i) {
    Fixup& f = fixups_[i];
    size_before_[i] = total;
    if (f.kind == Fixup::Kind::kAlign) {
      f.size = static_cast<uint8_t>((0u - (f.raw + total)) & (f.alignment - 1u));
    } else if (f.kind == Fixup::Kind::kAlignLoop) {
      f.size = LoopPadding(i, f.raw + total);
    }
    total += f.size;
  }
  size_before_[fixups_.size()] = total;
}

std::vector<uint8_t> CodeBuffer::Finish() {
  FindLoopEnds();
  bool changed = true;
  while (changed) {
    changed = false;
    Place();
    for (size_t i = 0; i < fixups_.size(); ++i) {
      Fixup& f = fixups_[i];
      if (f.IsPadding() || f.size != kShort) continue;
      const int64_t from = int64_t{f.raw} + size_before_[i] + kShort;
      const int64_t distance = int64_t{Offset(labels_[f.label])} - from;
      if (distance < -128 || distance > 127) {
        f.size = f.kind == Fixup::Kind::kJump ? kNear : kNear + 1;
        changed = true;
      }
    }
  }
  const uint32_t raw_size = static_cast<uint32_t>(encoder_.size());
  std::vector<uint8_t> out(raw_size + size_before_.back());
  Encoder padding;
  uint32_t raw = 0;
  uint8_t* at = out.data();
  auto copy_to = [&](uint32_t end) {
    if (end != raw) std::memcpy(at, encoder_.data() + raw, end - raw);
    at += end - raw;
    raw = end;
  };
  auto rel32 = [&](uint32_t v) {
    for (int k = 0; k < 4; ++k) *at++ = static_cast<uint8_t>(v >> (8 * k));
  };
  for (size_t i = 0; i < fixups_.size(); ++i) {
    const Fixup& f = fixups_[i];
    copy_to(f.raw);
    if (f.IsPadding()) {
      const size_t before = padding.size();
      padding.Nop(f.size);
      std::memcpy(at, padding.data() + before, f.size);
      at += f.size;
      continue;
    }
    const uint32_t distance = Offset(labels_[f.label]) - (f.raw + size_before_[i] + f.size);
    if (f.size == kShort) {
      *at++ = f.kind == Fixup::Kind::kJump ? 0xeb : 0x70 | static_cast<uint8_t>(f.cond);
      *at++ = static_cast<uint8_t>(distance);
    } else if (f.size == kNear) {
      *at++ = f.kind == Fixup::Kind::kCall ? 0xe8 : 0xe9;
      rel32(distance);
    } else {
      *at++ = 0x0f;
      *at++ = 0x80 | static_cast<uint8_t>(f.cond);
      rel32(distance);
    }
  }
  copy_to(raw_size);
  CHECK_EQ(at - out.data(), static_cast<ptrdiff_t>(out.size()));
  return out;
}

}  // namespace precast::x64
