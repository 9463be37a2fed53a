// The modes of the IR operation mark_page (InstData::aux).
#ifndef PRECAST_COMPILER_IR_MARK_MODE_H_
#define PRECAST_COMPILER_IR_MARK_MODE_H_

#include <cstdint>

#include "compiler/ir/ir.h"

namespace precast::ir {

inline constexpr uint8_t kMarkAlways = 0;
// On the way into a loop whose head asks for fuel first and then touches the page: if there is
// none, the page has not been touched (runtime/abi/ahead_marks.h).
inline constexpr uint8_t kMarkAhead = 1;
// It is marked: for whoever places marks, and nobody else.
inline constexpr uint8_t kMarkKnown = 2;
// It is touched here, by the end of an access that may lie on two pages (join_bytes.h,
// join_stores.h): for whoever places marks, and nobody else.
inline constexpr uint8_t kMarkTouched = 3;
// kMarkUp + n, kMarkDown + n: the address is up to 2^n bytes above, or below, one whose page has
// been marked.
inline constexpr uint8_t kMarkUp = 16;
inline constexpr uint8_t kMarkDown = 32;

inline bool IsTouch(const InstData& inst) {
  return inst.op == Opcode::kMarkPage && inst.aux == kMarkTouched;
}

}  // namespace precast::ir

#endif  // PRECAST_COMPILER_IR_MARK_MODE_H_
