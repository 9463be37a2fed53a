// Which rows native code counts by itself: those of RV32IM instructions and of custom instructions
// whose rows are constant. All others are counted where the instruction is executed, by the
// runtime.
#ifndef PRECAST_OPENVM_COUNTED_ROWS_H_
#define PRECAST_OPENVM_COUNTED_ROWS_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "openvm/extension.h"
#include "runtime/abi/meter_area.h"

namespace precast::openvm {

// The chip of each lane; those of one register first (abi::kRowLanes). Empty: not used. Chips that
// are often used by the same block are in the same register. An image is right only for this very
// list: the options in its identity name it. Changes to it change abi::kRowLanesVersion.
inline constexpr std::array<std::string_view, abi::kRowLanes> kCountedChips = {
    "LoadStore",
    "BranchEqual",
    "BranchLessThan",
    "JalLui",  //
    "Shift",
    "LessThan",
    "Auipc",
    "Jalr",  //
    "LoadSignExtend",
    "Multiplication",
    "MulH",
    "DivRem",  //
    "Phantom",
    "Shift256",
    "BranchLessThan256",
    "BaseAlu256",  //
    "LessThan256",
    "Multiplication256",
    "BranchEqual256",
    "",
};
// The chip of each instruction that native code has executed and counted in no lane. Each has one
// row.
inline constexpr std::string_view kUncountedChip = "BaseAlu";

static_assert(kCountedChips[abi::kLeftLane] == "Jalr");

using CountedRows = std::array<uint32_t, abi::kRowLanes>;

// Adds the row of an RV32IM instruction, but of kUncountedChip.
void AddBaseRows(uint32_t word, CountedRows& rows);
// Whether a custom instruction has one row, of one of these chips; then it is added.
bool AddCustomRows(const Opcode& opcode, CountedRows& rows);

}  // namespace precast::openvm

#endif  // PRECAST_OPENVM_COUNTED_ROWS_H_
