// Runs independent pieces of work on several threads, and keeps what they need for it.
#ifndef PRECAST_COMPILER_PARALLEL_H_
#define PRECAST_COMPILER_PARALLEL_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace precast {

// Threads that stay from one ParallelFor to the next: while it exists, those of the thread that
// made it run on them. They are started when they are first needed.
class Workers {
 public:
  Workers() : outer_(std::exchange(Current(), this)) {}
  ~Workers() {
    Current() = outer_;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stop_ = true;
    }
    start_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Of the calling thread; null if there are none, or if they are at work.
  static Workers* Idle() {
    Workers* const workers = Current();
    return workers != nullptr && workers->job_ == nullptr ? workers : nullptr;
  }

  // Calls job() on this thread and at most on `others` more. Returns when all calls have.
  void Run(size_t others, const std::function<void()>& job) {
    while (threads_.size() < others) threads_.emplace_back([this] { Work(); });
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = &job;
      wanted_ = others;
    }
    start_.notify_all();
    job();
    std::unique_lock<std::mutex> lock(mutex_);
    wanted_ = 0;  // whoever has not begun yet need not
    done_.wait(lock, [this] { return running_ == 0; });
    job_ = nullptr;
  }

 private:
  static Workers*& Current() {
    static thread_local Workers* current = nullptr;
    return current;
  }

  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      start_.wait(lock, [this] { return stop_ || wanted_ != 0; });
      if (stop_) return;
      --wanted_;
      ++running_;
      const std::function<void()>& job = *job_;
      lock.unlock();
      job();
      lock.lock();
      if (--running_ == 0) done_.notify_one();
    }
  }

  Workers* const outer_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  const std::function<void()>* job_ = nullptr;  // written by the thread that made this
  size_t wanted_ = 0, running_ = 0;
  bool stop_ = false;
};

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
  if (workers <= 1) return run();
  if (Workers* const idle = Workers::Idle()) return idle->Run(workers - 1, run);
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
