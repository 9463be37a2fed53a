#include "runtime/huge_pages.h"

#include <sys/mman.h>

namespace precast::runtime {

void AdviseHugePages(uint8_t* begin, uint64_t bytes) {
  if (bytes >= kHugePagesFrom) madvise(begin, bytes, MADV_HUGEPAGE);
}

void AdviseSmallPages(uint8_t* begin, uint64_t bytes) { madvise(begin, bytes, MADV_NOHUGEPAGE); }

}  // namespace precast::runtime
