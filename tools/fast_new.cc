// operator new and delete for programs that compile: they make and drop a great many small objects on
// several threads, which takes a tenth of their time with the C library's malloc.
//
// Each thread keeps free objects of each size class in a list of its own, so that as a rule neither a lock nor
// a search is needed. Objects come from chunks of one size class each, in one reserved range of addresses: that
// is how a pointer tells its class. Memory of small objects stays with the process. What is large, or does not fit
// in the range any more, is left to malloc.
//
// Where a sanitizer has its own, there is nothing here.
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>

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

namespace precast {
namespace {

// Sizes are multiples of 16 up to 512, then four steps for each doubling.
constexpr size_t kLargest = 32 << 10;
constexpr size_t kClasses = 57;
constexpr size_t kChunk = 256 << 10;
constexpr size_t kChunks = 1 << 16;
// A thread that has freed so many bytes of one class hands them over to all.
constexpr size_t kHoard = 1 << 20;

// 0 < size <= kLargest.
size_t ClassOf(size_t size) {
  if (size <= 512) return (size + 15) / 16;
  const size_t last = size - 1;
  const size_t log = static_cast<size_t>(std::bit_width(last));  // at least 10
  return 33 + (log - 10) * 4 + ((last >> (log - 3)) - 4);
}

constexpr size_t SizeOf(size_t cls) {
  if (cls <= 32) return cls * 16;
  const size_t step = cls - 33;
  return (step % 4 + 5) << (step / 4 + 7);
}
static_assert(SizeOf(32) == 512 && SizeOf(33) == 640 && SizeOf(kClasses - 1) == kLargest);

constexpr auto kMostFree = [] {
  std::array<int32_t, kClasses> most{};
  for (size_t cls = 1; cls < kClasses; ++cls)
    most[cls] = static_cast<int32_t>(kHoard / SizeOf(cls));
  return most;
}();

// What free memory holds.
struct Free {
  Free* next;
  Free* next_list;  // of the first of a list in Shared
};

// The rest of a chunk whose thread has ended, in its first bytes.
struct Rest {
  Rest* next;
  char* end;
};
static_assert(sizeof(Free) <= 16 && sizeof(Rest) <= 16);

struct Cache {
  Free* free[kClasses];
  int32_t count[kClasses];  // freed less allocated, since the list was handed over last
  // Of the chunk that is being given out.
  char *fresh[kClasses], *end[kClasses];
};
constinit thread_local Cache cache = {};

class Shared {
 public:
  // Null: the range is used up, or there is none.
  char* NewChunk(size_t cls) {
    std::call_once(reserved_, [this] {
      void* const range = mmap(nullptr, (kChunks + 1) * kChunk, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (range == MAP_FAILED) return;
      const uintptr_t begin = (reinterpret_cast<uintptr_t>(range) + kChunk - 1) / kChunk * kChunk;
      begin_.store(begin, std::memory_order_release);
    });
    const uintptr_t begin = begin_.load(std::memory_order_acquire);
    if (begin == kNowhere || next_.load(std::memory_order_relaxed) >= kChunks) return nullptr;
    const size_t chunk = next_.fetch_add(1, std::memory_order_relaxed);
    if (chunk >= kChunks) return nullptr;
    class_of_[chunk] = static_cast<uint8_t>(cls);
    return reinterpret_cast<char*>(begin + chunk * kChunk);
  }

  bool Contains(void* p) const { return Offset(p) < kChunks * kChunk; }
  size_t ClassOf(void* p) const { return class_of_[Offset(p) / kChunk]; }

  void Give(size_t cls, Free* list) {
    std::lock_guard<std::mutex> lock(mutex_);
    list->next_list = lists_[cls];
    lists_[cls] = list;
  }
  Free* Take(size_t cls) {
    std::lock_guard<std::mutex> lock(mutex_);
    Free* const list = lists_[cls];
    if (list != nullptr) lists_[cls] = list->next_list;
    return list;
  }
  void GiveRest(size_t cls, char* begin, char* end) {
    std::lock_guard<std::mutex> lock(mutex_);
    rests_[cls] = new (begin) Rest{rests_[cls], end};
  }
  Rest* TakeRest(size_t cls) {
    std::lock_guard<std::mutex> lock(mutex_);
    Rest* const rest = rests_[cls];
    if (rest != nullptr) rests_[cls] = rest->next;
    return rest;
  }

 private:
  // No address of a process is less than 2^63 above it.
  static constexpr uintptr_t kNowhere = uintptr_t{1} << 63;

  size_t Offset(void* p) const {
    return reinterpret_cast<uintptr_t>(p) - begin_.load(std::memory_order_relaxed);
  }

  std::once_flag reserved_;
  std::atomic<uintptr_t> begin_{kNowhere};
  std::atomic<size_t> next_{0};
  std::mutex mutex_;
  Free* lists_[kClasses] = {};
  Rest* rests_[kClasses] = {};
  uint8_t class_of_[kChunks] = {};
};
constinit Shared shared;

// What a thread has left when it ends.
struct Leftovers {
  ~Leftovers() {
    for (size_t cls = 1; cls < kClasses; ++cls) {
      if (cache.free[cls] != nullptr) shared.Give(cls, cache.free[cls]);
      cache.free[cls] = nullptr;
      cache.count[cls] = 0;
      if (cache.end[cls] != cache.fresh[cls]) {
        shared.GiveRest(cls, cache.fresh[cls], cache.end[cls]);
      }
      cache.fresh[cls] = cache.end[cls] = nullptr;
    }
  }
};
thread_local Leftovers leftovers;

void* AllocateLarge(size_t size) {
  void* const p = std::malloc(size != 0 ? size : 1);
  if (p == nullptr) {
    std::fputs("out of memory\n", stderr);
    std::abort();
  }
  return p;
}

[[gnu::noinline]] void* AllocateSlowly(size_t cls) {
  const size_t size = SizeOf(cls);
  if (static_cast<size_t>(cache.end[cls] - cache.fresh[cls]) < size) {
    [[maybe_unused]] Leftovers* const at_exit = &leftovers;  // from its first use on
    if (Free* const list = shared.Take(cls)) {
      cache.free[cls] = list->next;
      return list;
    }
    if (Rest* const rest = shared.TakeRest(cls)) {
      cache.end[cls] = rest->end;
      cache.fresh[cls] = reinterpret_cast<char*>(rest);
    } else if (char* const chunk = shared.NewChunk(cls)) {
      cache.fresh[cls] = chunk;
      cache.end[cls] = chunk + kChunk / size * size;
    } else {
      return AllocateLarge(size);
    }
  }
  char* const p = cache.fresh[cls];
  cache.fresh[cls] += size;
  return p;
}

inline void* Allocate(size_t size) {
  if (size > kLargest) return AllocateLarge(size);
  const size_t cls = ClassOf(size != 0 ? size : 1);
  Free* const first = cache.free[cls];
  if (first == nullptr) return AllocateSlowly(cls);
  Free* const next = first->next;
  __builtin_prefetch(next);  // so that its link is there when it is asked for
  cache.free[cls] = next;
  --cache.count[cls];
  return first;
}

inline void Release(void* p, size_t cls) {
  Free* const f = static_cast<Free*>(p);
  f->next = cache.free[cls];
  cache.free[cls] = f;
  if (++cache.count[cls] < kMostFree[cls]) return;
  shared.Give(cls, f);
  cache.free[cls] = nullptr;
  cache.count[cls] = 0;
}

}  // namespace
}  // namespace precast

void* operator new(size_t size) { return precast::Allocate(size); }
void* operator new[](size_t size) { return precast::Allocate(size); }

void operator delete(void* p) noexcept {
  if (precast::shared.Contains(p)) {
    precast::Release(p, precast::shared.ClassOf(p));
  } else {
    std::free(p);
  }
}
void operator delete[](void* p) noexcept { operator delete(p); }

void operator delete(void* p, size_t size) noexcept {
  if (size <= precast::kLargest && precast::shared.Contains(p)) {
    precast::Release(p, precast::ClassOf(size != 0 ? size : 1));
  } else {
    std::free(p);
  }
}
void operator delete[](void* p, size_t size) noexcept { operator delete(p, size); }

#endif  // PRECAST_SANITIZER_HAS_NEW
