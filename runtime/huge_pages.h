// Huge pages for large guest memories.
//
// A guest that works on several megabytes at random misses the processor's translations of 4 KiB
// pages at nearly every access; with pages of 2 MiB it does not. But a guest that touches a few
// bytes of such a page has all of it cleared, and occupies it. So only memory of some size is
// advised, and whoever keeps many guests that sleep can do without (`huge_pages` among the options
// of instances and stores).
#ifndef PRECAST_RUNTIME_HUGE_PAGES_H_
#define PRECAST_RUNTIME_HUGE_PAGES_H_

#include <cstdint>

namespace precast::runtime {

// Smaller memory is not advised: what is within its first and last huge page would be most of it.
inline constexpr uint64_t kHugePagesFrom = uint64_t{4} << 20;

// Tells the kernel to back [begin, begin + bytes), whole pages of private memory, by huge pages
// where it can (Linux: madvise(MADV_HUGEPAGE), which counts if
// /sys/kernel/mm/transparent_hugepage/enabled is `madvise` or `always`). Does nothing below
// kHugePagesFrom. It is only advice: there are no errors.
void AdviseHugePages(uint8_t* begin, uint64_t bytes);
// Takes it back.
void AdviseSmallPages(uint8_t* begin, uint64_t bytes);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_HUGE_PAGES_H_
