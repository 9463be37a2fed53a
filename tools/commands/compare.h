// Compares two instances of one guest, which must be in the same state after the same number of
// instructions, however each of them got there.
#ifndef PRECAST_TOOLS_COMMANDS_COMPARE_H_
#define PRECAST_TOOLS_COMMANDS_COMPARE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/instance.h"

namespace precast::aotc {

// A run's result in words: "exited with code 3", "trapped: memory-fault, address 0x00000000".
std::string Describe(const runtime::RunResult& result);

// What differs between two results, counts, pcs and registers; nothing if all are equal. `a` and
// `b` are what the sides are called in the text.
std::optional<std::string> Difference(const char* a, const runtime::Instance& instance_a,
                                      const runtime::RunResult& result_a, const char* b,
                                      const runtime::Instance& instance_b,
                                      const runtime::RunResult& result_b);

// Compares which pages are mapped and how, and every byte the guest can read.
std::optional<std::string> MemoryDifference(const char* a, runtime::Instance& instance_a,
                                            const char* b, runtime::Instance& instance_b);

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_COMPARE_H_
