// The heap of fast_new.cc, which this program is linked with: memory is one's own, whichever thread frees it.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace precast {
namespace {

struct Object {
  unsigned char* at;
  size_t size;
};

Object Make(size_t size) {
  unsigned char* const at = static_cast<unsigned char*>(::operator new(size));
  std::memset(at, static_cast<int>(size & 0xff), size);
  return {at, size};
}

bool IsWhole(const Object& o) {
  for (size_t k = 0; k < o.size; ++k) {
    if (o.at[k] != static_cast<unsigned char>(o.size & 0xff)) return false;
  }
  return true;
}

TEST(FastNew, EverySizeIsAligned) {
  std::vector<Object> objects;
  for (size_t size = 0; size <= 40'000; size += size < 1100 ? 1 : 37) objects.push_back(Make(size));
  for (const Object& o : objects) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(o.at) % 16, 0u) << o.size;
    EXPECT_TRUE(IsWhole(o)) << o.size;
    // As well with as without the size.
    o.size % 2 == 0 ? ::operator delete(o.at, o.size) : ::operator delete(o.at);
  }
}

TEST(FastNew, ThreadsFreeWhatOthersMade) {
  std::mutex mutex;
  std::vector<Object> passed_on;
  const auto work = [&](uint32_t seed) {
    std::minstd_rand random(seed);
    std::vector<Object> own;
    for (int step = 0; step < 100'000; ++step) {
      if (own.size() < 200 || (own.size() < 2000 && random() % 2 == 0)) {
        own.push_back(Make(random() % (random() % 32 == 0 ? 50'000 : 700)));
        continue;
      }
      std::swap(own[random() % own.size()], own.back());
      Object o = own.back();
      own.pop_back();
      if (random() % 4 == 0) {
        std::lock_guard<std::mutex> lock(mutex);
        passed_on.push_back(o);
        std::swap(passed_on[random() % passed_on.size()], passed_on.back());
        if (passed_on.size() < 100) continue;
        o = passed_on.back();
        passed_on.pop_back();
      }
      ASSERT_TRUE(IsWhole(o));
      ::operator delete(o.at, o.size);
    }
    for (const Object& o : own) {
      ASSERT_TRUE(IsWhole(o));
      ::operator delete(o.at);
    }
  };
  for (uint32_t round = 0; round < 3; ++round) {
    std::vector<std::thread> threads;
    for (uint32_t t = 0; t < 4; ++t) threads.emplace_back(work, 10 * round + t + 1);
    for (std::thread& thread : threads) thread.join();
  }
  for (const Object& o : passed_on) {
    EXPECT_TRUE(IsWhole(o));
    ::operator delete(o.at, o.size);
  }
}

}  // namespace
}  // namespace precast
