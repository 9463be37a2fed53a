// Sorting of many short ranges that are nearly sorted already: std::stable_sort allocates a buffer
// for each.
#ifndef PRECAST_COMPILER_STABLE_SORT_H_
#define PRECAST_COMPILER_STABLE_SORT_H_

#include <algorithm>
#include <utility>

namespace precast {

// As std::stable_sort. Takes no more than linear time where few elements are out of order.
template <typename Iterator, typename Less>
void StableSort(Iterator begin, Iterator end, Less less) {
  constexpr auto kShort = 24;
  Iterator at = std::is_sorted_until(begin, end, less);
  if (at == end) return;
  if (end - begin > kShort) return std::stable_sort(begin, end, less);
  for (; at != end; ++at) {
    auto moved = std::move(*at);
    Iterator to = at;
    for (; to != begin && less(moved, *(to - 1)); --to) *to = std::move(*(to - 1));
    *to = std::move(moved);
  }
}

}  // namespace precast

#endif  // PRECAST_COMPILER_STABLE_SORT_H_
