// Runs independent pieces of work on several threads, and keeps what they need for it.
#ifndef PRECAST_COMPILER_PARALLEL_H_
#define PRECAST_COMPILER_PARALLEL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace precast {

// Calls work(i) for every i in [0, count), on `threads` threads (0 = one per processor), in
// ascending order of starting. Returns when all are done. Results belong in a slot per i, so that
// they do not depend on scheduling.
template <typename Work>
void ParallelFor(size_t count, int threads, const Work& work) {
  if (threads == 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const size_t workers = std::min<size_t>(static_cast<size_t>(threads), count);
  std::atomic<size_t> next{0};
  auto run = [&] {
    for (size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) work(i);
  };
  std::vector<std::thread> pool;
  for (size_t t = 1; t < workers; ++t) pool.emplace_back(run);
  run();
  for (std::thread& thread : pool) thread.join();
}

// Objects of which a thread needs one at a time, to be used for one piece of work after another.
template <typename T>
class Pool {
 public:
  // One that no thread uses, or what `make` makes: a std::unique_ptr.
  template <typename Make>
  std::unique_ptr<T> Take(const Make& make) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!free_.empty()) {
        std::unique_ptr<T> object = std::move(free_.back());
        free_.pop_back();
        return object;
      }
    }
    return make();
  }
  void Return(std::unique_ptr<T> object) {
    std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(object));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> free_;
};

}  // namespace precast

#endif  // PRECAST_COMPILER_PARALLEL_H_
