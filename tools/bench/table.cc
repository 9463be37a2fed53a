#include "tools/bench/table.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "tools/commands/io.h"

namespace precast::bench {
namespace {

constexpr std::string_view kNone = "–";

// A bar inside a cell of Markdown would end it.
std::string Cell(std::string_view text) { return absl::StrReplaceAll(text, {{"|", "\\|"}}); }

}  // namespace

void Table::Add(std::vector<std::string> row) {
  CHECK_LE(row.size(), header_.size());
  row.resize(header_.size());
  rows_.push_back(std::move(row));
}

std::string Table::Markdown() const {
  std::vector<size_t> widths;
  for (const std::string& name : header_) widths.push_back(std::max<size_t>(3, Width(Cell(name))));
  for (const std::vector<std::string>& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(Cell(row[i])));
  }
  std::string text;
  auto add = [&](const std::vector<std::string>& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string cell = Cell(row[i]);
      const std::string space(widths[i] - Width(cell), ' ');
      absl::StrAppend(&text, "| ", i == 0 ? cell : space, i == 0 ? space : cell, " ");
    }
    absl::StrAppend(&text, "|\n");
  };
  add(header_);
  for (size_t i = 0; i < header_.size(); ++i) {
    const std::string dashes(widths[i] + 1, '-');
    absl::StrAppend(&text, i == 0 ? "|-" : "|", dashes, i == 0 ? "" : ":");
  }
  absl::StrAppend(&text, "|\n");
  for (const std::vector<std::string>& row : rows_) add(row);
  return text;
}

std::string Table::Html() const {
  std::string text = "<table>\n<thead><tr>";
  for (const std::string& name : header_) absl::StrAppend(&text, "<th>", Escaped(name), "</th>");
  absl::StrAppend(&text, "</tr></thead>\n<tbody>\n");
  for (const std::vector<std::string>& row : rows_) {
    absl::StrAppend(&text, "<tr>");
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppend(&text, i == 0 ? "<th>" : "<td>", Escaped(row[i]), i == 0 ? "</th>" : "</td>");
    }
    absl::StrAppend(&text, "</tr>\n");
  }
  return absl::StrCat(text, "</tbody>\n</table>\n");
}

std::string Number(std::optional<double> value, int digits) {
  if (!value || !std::isfinite(*value)) return std::string(kNone);
  return absl::StrFormat("%.*f", digits, *value);
}

std::string Whole(std::optional<double> value) {
  if (!value || !(*value >= 0) || *value > 9e18) return std::string(kNone);
  return aotc::Grouped(static_cast<uint64_t>(std::llround(*value)));
}

std::string Time(std::optional<double> seconds) {
  if (!seconds || !std::isfinite(*seconds)) return std::string(kNone);
  const double s = std::fabs(*seconds);
  if (s >= 1) return absl::StrFormat("%.2f s", *seconds);
  if (s >= 1e-3)
    return absl::StrFormat("%.*f ms", s >= 0.1 ? 0 : s >= 0.01 ? 1 : 2, *seconds * 1e3);
  return absl::StrFormat("%.1f µs", *seconds * 1e6);
}

std::string Percent(std::optional<double> part) {
  if (!part || !std::isfinite(*part)) return std::string(kNone);
  return absl::StrFormat("%.1f %%", *part * 100);
}

size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string Escaped(std::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

}  // namespace precast::bench
