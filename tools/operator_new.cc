// operator new and delete for programs that compile: they make and drop a great many small objects
// on several threads, which took a tenth of their time with the C library's malloc. mimalloc takes
// it for nearly nothing. Where a sanitizer has its own, that is used.
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
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "mimalloc.h"
#endif

#ifndef PRECAST_SANITIZER_HAS_NEW
namespace {

// mimalloc gives out all of a page before it gives out again what was freed, so that what one gets
// is seldom in the processor's cache. What each thread has freed last, of each size, is kept here
// and given out first.
constexpr size_t kStep = 16;
constexpr size_t kLargest = 1024;
constexpr size_t kMost = size_t{64} << 10;  // bytes in objects of one size

// What the first thread asks for first lies here, one object behind the other, and stays here when
// it is freed. A process that runs a small guest needs no more; mimalloc would begin a page for
// each size, and ask the system for 32 MiB before.
constexpr size_t kArena = size_t{128} << 10;
constexpr size_t kLargestInArena = size_t{8} << 10;
alignas(4096) constinit char arena[kArena];
constinit std::atomic<bool> arena_taken = false;

bool InArena(const void* object) {
  return reinterpret_cast<uintptr_t>(object) - reinterpret_cast<uintptr_t>(arena) < kArena;
}

// Before anything else of mimalloc is called: it does not expect several threads to come first.
void StartMimalloc() {
  static const bool started = [] {
    mi_thread_init();
    return true;
  }();
  static_cast<void>(started);
}

inline void FreeObject(void* object) {
  if (!InArena(object)) mi_free(object);
}

struct Free {
  Free* next;
};
struct List {
  Free* first;
  uint32_t count;
};
struct Kept {
  List of[kLargest / kStep + 1];
  bool closed;  // the thread is about to end
  // What is left of the arena, if it is this thread's.
  char* next;
  size_t left;
};
thread_local constinit Kept kept = {};

struct AtEnd {
  ~AtEnd() {
    // With the first thread the process ends, and all memory with it.
    if (gettid() == getpid()) return;
    kept.closed = true;
    for (List& list : kept.of) {
      while (list.first != nullptr) {
        Free* const object = list.first;
        list.first = object->next;
        FreeObject(object);
      }
    }
  }
};

inline size_t ClassOf(size_t size) { return (size + kStep - 1) / kStep; }
// Every object of those sizes has all the room of its class, since another may come to lie there.
inline size_t RoundUp(size_t size) { return size > kLargest ? size : ClassOf(size) * kStep; }

void* NewObject(size_t size) {
  const size_t room = ClassOf(size) * kStep;
  if (room <= kept.left && size != 0 && size <= kLargestInArena) {
    void* const object = kept.next;
    kept.next += room;
    kept.left -= room;
    return object;
  }
  if (!arena_taken.load(std::memory_order_relaxed) &&
      !arena_taken.exchange(true, std::memory_order_relaxed)) {
    kept.next = arena;
    kept.left = kArena;
    return NewObject(size);
  }
  StartMimalloc();
  return mi_new(RoundUp(size));
}

inline void* New(size_t size) {
  if (size > kLargest) return NewObject(size);
  List& list = kept.of[ClassOf(size)];
  if (list.first == nullptr) {
    thread_local AtEnd at_end;
    return NewObject(size);
  }
  Free* const object = list.first;
  list.first = object->next;
  --list.count;
  return object;
}

inline void Delete(void* object, size_t size) {
  if (object == nullptr) return;
  if (size > kLargest || size == 0 || kept.closed) return FreeObject(object);
  List& list = kept.of[ClassOf(size)];
  if (list.count * RoundUp(size) >= kMost) return FreeObject(object);
  list.first = new (object) Free{list.first};
  ++list.count;
}

}  // namespace

void* operator new(size_t size) { return New(size); }
void* operator new[](size_t size) { return New(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  StartMimalloc();
  return mi_new_nothrow(RoundUp(size));
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  StartMimalloc();
  return mi_new_nothrow(RoundUp(size));
}
void* operator new(size_t size, std::align_val_t align) {
  StartMimalloc();
  return mi_new_aligned(size, static_cast<size_t>(align));
}
void* operator new[](size_t size, std::align_val_t align) {
  StartMimalloc();
  return mi_new_aligned(size, static_cast<size_t>(align));
}
void* operator new(size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  StartMimalloc();
  return mi_new_aligned_nothrow(size, static_cast<size_t>(align));
}
void* operator new[](size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  StartMimalloc();
  return mi_new_aligned_nothrow(size, static_cast<size_t>(align));
}

void operator delete(void* object) noexcept { FreeObject(object); }
void operator delete[](void* object) noexcept { FreeObject(object); }
void operator delete(void* object, const std::nothrow_t&) noexcept { FreeObject(object); }
void operator delete[](void* object, const std::nothrow_t&) noexcept { FreeObject(object); }
void operator delete(void* object, size_t size) noexcept { Delete(object, size); }
void operator delete[](void* object, size_t size) noexcept { Delete(object, size); }
void operator delete(void* object, std::align_val_t) noexcept { FreeObject(object); }
void operator delete[](void* object, std::align_val_t) noexcept { FreeObject(object); }
void operator delete(void* object, size_t, std::align_val_t) noexcept { FreeObject(object); }
void operator delete[](void* object, size_t, std::align_val_t) noexcept { FreeObject(object); }
#endif

namespace precast {

void UseHugePages() {
#ifndef PRECAST_SANITIZER_HAS_NEW
  mi_option_set_enabled_default(mi_option_large_os_pages, true);
  // Without this, the first 32 MiB that each further thread takes would be small pages, asked for
  // little by little.
  mi_option_set_default(mi_option_eager_commit_delay, 0);
  // What is there already, nearly all of it untouched: mimalloc takes memory in pieces of 32 MiB,
  // aligned so. It is only advice, and ignored where it does not fit.
  constexpr size_t kSegment = size_t{32} << 20;
  StartMimalloc();
  char* const object = static_cast<char*>(mi_malloc(1));
  madvise(object - (reinterpret_cast<uintptr_t>(object) & (kSegment - 1)), kSegment, MADV_HUGEPAGE);
  mi_free(object);
#endif
}

}  // namespace precast
