// operator new and delete for programs that compile: they make and drop a great many small objects on several
// threads, which took a tenth of their time with the C library's malloc. mimalloc takes it for nearly nothing. Where a
// sanitizer has its own, that is used.
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
#include "mimalloc-new-delete.h"
#endif
