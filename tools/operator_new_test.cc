// What operator new gives is nobody else's, is aligned, and has the room asked for: for every size,
// whoever frees it and when, since what a thread frees is kept back by size and given out again.
#include "tools/operator_new.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "gtest/gtest.h"

namespace precast {
namespace {

// An object whose every byte says whose it is.
class Object {
 public:
  Object(size_t size, uint8_t mark)
      : size_(size), mark_(mark), bytes_(static_cast<uint8_t*>(::operator new(size))) {
    std::memset(bytes_, mark, size);
  }
  Object(Object&& other) noexcept
      : size_(other.size_), mark_(other.mark_), bytes_(std::exchange(other.bytes_, nullptr)) {}
  Object& operator=(Object&& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(mark_, other.mark_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Object() {
    if (bytes_ != nullptr) ::operator delete(bytes_, size_);
  }

  bool Intact() const {
    for (size_t i = 0; i < size_; ++i) {
      if (bytes_[i] != mark_) return false;
    }
    return true;
  }
  // For any object that has room there.
  bool Aligned() const {
    const size_t align = size_ < alignof(std::max_align_t) ? size_t{8} : alignof(std::max_align_t);
    return reinterpret_cast<uintptr_t>(bytes_) % align == 0;
  }

 private:
  size_t size_;
  uint8_t mark_;
  uint8_t* bytes_;
};

// Makes and drops objects in random order; `objects` are what is left. All must be intact all the
// time.
void Churn(uint32_t seed, std::vector<Object>& objects) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    if (objects.size() < 500 || absl::Bernoulli(random, 0.5)) {
      objects.emplace_back(absl::Uniform<size_t>(random, 0, 1100), static_cast<uint8_t>(random()));
      ASSERT_TRUE(objects.back().Aligned());
    } else {
      std::swap(objects[absl::Uniform<size_t>(random, 0, objects.size())], objects.back());
      ASSERT_TRUE(objects.back().Intact());
      objects.pop_back();
    }
  }
  for (const Object& object : objects) ASSERT_TRUE(object.Intact());
}

TEST(OperatorNewTest, ObjectsDoNotOverlap) {
  std::vector<Object> objects;
  Churn(1, objects);
}

TEST(OperatorNewTest, EverySizeIsGivenOutAgain) {
  for (size_t size = 0; size <= 1100; ++size) {
    std::vector<Object> objects;
    for (int i = 0; i < 3; ++i) objects.emplace_back(size, static_cast<uint8_t>(i));
    objects.erase(objects.begin() + 1);
    // The largest that may lie where one of `size` bytes has been.
    objects.emplace_back((size + 15) / 16 * 16, 3);
    for (const Object& object : objects) ASSERT_TRUE(object.Intact()) << size;
  }
}

TEST(OperatorNewTest, WhatAThreadMadeOthersFree) {
  constexpr int kThreads = 4;
  std::vector<Object> objects[kThreads];
  for (int round = 0; round < 5; ++round) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      // In each round another thread has what the one before it left, and goes on with it.
      threads.emplace_back(Churn, round * kThreads + i, std::ref(objects[(i + round) % kThreads]));
    }
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(OperatorNewTest, AThreadThatOnlyFrees) {
  std::vector<Object> objects;
  for (int i = 0; i < 10'000; ++i) objects.emplace_back(i % 200, static_cast<uint8_t>(i));
  std::thread([gone = std::move(objects)]() mutable { gone.clear(); }).join();
}

// Destroyed when its thread ends, before or after what the thread keeps is given back.
thread_local std::unique_ptr<Object> at_the_end;

TEST(OperatorNewTest, WhatIsFreedWhileAThreadEnds) {
  for (int i = 0; i < 100; ++i) {
    std::thread([i] {
      if (i % 2 == 0) at_the_end = std::make_unique<Object>(i, 1);
      Object first(40, 2);
      if (i % 2 == 1) at_the_end = std::make_unique<Object>(i, 1);
    }).join();
  }
}

TEST(OperatorNewTest, AlignedAsAsked) {
  for (size_t align = 16; align <= 4096; align *= 2) {
    void* const object = ::operator new (100, std::align_val_t{align});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(object) % align, 0u);
    ::operator delete (object, 100, std::align_val_t{align});
  }
}

#if !defined(__SANITIZE_ADDRESS__)  // whose operator new ends the process
TEST(OperatorNewTest, MoreThanThereIsNotThrown) {
  for (size_t less = 0; less < 64; ++less) {
    const size_t size = std::numeric_limits<size_t>::max() - less;
    EXPECT_EQ(::operator new(size, std::nothrow), nullptr) << size;
  }
}
#endif

TEST(OperatorNewTest, HugePagesMoveNothing) {
  std::vector<Object> objects;
  Churn(2, objects);
  UseHugePages();
  for (const Object& object : objects) ASSERT_TRUE(object.Intact());
  Churn(3, objects);
}

}  // namespace
}  // namespace precast
