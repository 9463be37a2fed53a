// Runs independent pieces of work on several threads.
#ifndef PRECAST_COMPILER_PARALLEL_H_
#define PRECAST_COMPILER_PARALLEL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
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

}  // namespace precast

#endif  // PRECAST_COMPILER_PARALLEL_H_
