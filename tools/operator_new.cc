// operator new and delete for programs that compile: they make and drop a great many small objects on several
// threads, which took a tenth of their time with the C library's malloc. mimalloc takes it for nearly nothing. Where a
// sanitizer has its own, that is used.
#include "tools/operator_new.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define PRECAST_SANITIZER_HAS_NEW
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PRECAST_SANITIZER_HAS_NEW
#endif

#ifndef PRECAST_SANITIZER_HAS_NEW
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "mimalloc-new-delete.h"
#endif

namespace precast {

void UseHugePages() {
#ifndef PRECAST_SANITIZER_HAS_NEW
  mi_option_set_enabled_default(mi_option_large_os_pages, true);
  // What is there already, nearly all of it untouched: mimalloc takes memory in pieces of 32 MiB, aligned so. It
  // is only advice, and ignored where it does not fit.
  constexpr size_t kSegment = size_t{32} << 20;
  const std::unique_ptr<char> object(new char);
  char* const at = object.get();
  madvise(at - (reinterpret_cast<uintptr_t>(at) & (kSegment - 1)), kSegment, MADV_HUGEPAGE);
#endif
}

}  // namespace precast
