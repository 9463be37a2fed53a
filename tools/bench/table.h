// Tables of text: in Markdown, aligned, so that they read well on a terminal and can be pasted into
// a page; and the same in HTML.
#ifndef PRECAST_TOOLS_BENCH_TABLE_H_
#define PRECAST_TOOLS_BENCH_TABLE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace precast::bench {

class Table {
 public:
  // The first column holds names and is aligned to the left, all others hold numbers.
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}

  // Missing cells at the end are empty. More cells than the header has are a bug of the caller.
  void Add(std::vector<std::string> row);
  bool empty() const { return rows_.empty(); }

  std::string Markdown() const;
  std::string Html() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// A number with that many digits after the point, "–" for none.
std::string Number(std::optional<double> value, int digits = 2);
// 1,234 for a whole number of bytes or instructions.
std::string Whole(std::optional<double> value);
// Seconds as "1.23 s", "45.6 ms" or "78.9 µs".
std::string Time(std::optional<double> seconds);
// 0.034 as "3.4 %".
std::string Percent(std::optional<double> part);

// Characters as they are seen: code points of UTF-8.
size_t Width(std::string_view text);
// With &, <, > and quotes replaced, for text and attributes of HTML and SVG.
std::string Escaped(std::string_view text);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_TABLE_H_
