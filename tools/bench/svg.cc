#include "tools/bench/svg.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/bench/table.h"

namespace precast::bench {
namespace {

constexpr int kColours = 12;
constexpr double kWidth = 860, kNames = 190, kRow = 22, kTop = 34, kRight = 90;
constexpr double kCharacter = 7.2;  // of 13 px text, about

bool Drawable(std::optional<double> v) { return v && std::isfinite(*v) && *v > 0; }

std::string Open(const std::string& title, double height) {
  return absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 %.0f %.0f\" "
      "role=\"img\" aria-label=\"%s\">\n<text class=\"title\" x=\"0\" y=\"16\">%s</text>\n",
      kWidth, height, Escaped(title), Escaped(title));
}

std::string Text(double x, double y, std::string_view anchor, std::string_view text) {
  return absl::StrFormat("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
                         Escaped(text));
}

std::string Line(double x, double top, double bottom, std::string_view style) {
  return absl::StrFormat("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                         style, x, top, x, bottom);
}

// 1, 2, 5, 10, 20, 50, …: those from `low` to `high`.
std::vector<double> Ticks(double low, double high) {
  std::vector<double> ticks;
  for (int power = -6; power <= 9; ++power) {
    for (const double step : {1.0, 2.0, 5.0}) {
      const double tick = step * std::pow(10.0, power);
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push_back(tick);
    }
  }
  return ticks;
}

}  // namespace

const char kPlotStyle[] = R"(
.plot { width: 100%; max-width: 860px; height: auto; display: block; margin: 1.2em 0; }
.plot text { font: 13px system-ui, sans-serif; fill: var(--text); }
.plot .title { font-weight: 600; font-size: 15px; }
.plot .grid { stroke: var(--grid); stroke-width: 1; }
.plot .mark { stroke: var(--text); stroke-width: 1; stroke-dasharray: 4 3; }
.c0 { fill: #4269d0; } .c1 { fill: #e0812c; } .c2 { fill: #3ca951; } .c3 { fill: #d8433b; }
.c4 { fill: #9568d8; } .c5 { fill: #9c6b4e; } .c6 { fill: #e377c2; } .c7 { fill: #808080; }
.c8 { fill: #a5a520; } .c9 { fill: #17a5b5; } .c10 { fill: #6f8fd8; } .c11 { fill: #c05a8a; }
)";

std::string BarPlot(const std::string& title, const std::vector<Bar>& bars,
                    std::optional<double> mark) {
  double most = Drawable(mark) ? *mark : 0;
  size_t rows = 0;
  for (const Bar& bar : bars) {
    if (!Drawable(bar.value)) continue;
    most = std::max(most, bar.value);
    ++rows;
  }
  if (rows == 0) return "";
  const double height = kTop + kRow * static_cast<double>(rows) + 8;
  const double scale = (kWidth - kNames - kRight) / most;
  std::string svg = Open(title, height);
  double y = kTop;
  for (const Bar& bar : bars) {
    if (!Drawable(bar.value)) continue;
    const double length = bar.value * scale;
    absl::StrAppend(&svg, Text(kNames - 8, y + 13, "end", bar.name));
    absl::StrAppendFormat(
        &svg,
        "<rect class=\"c%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\">"
        "<title>%s: %s</title></rect>\n",
        bar.colour % kColours, kNames, y + 1, length, kRow - 6, Escaped(bar.name),
        Escaped(bar.text));
    absl::StrAppend(&svg, Text(kNames + length + 6, y + 13, "start", bar.text));
    y += kRow;
  }
  if (Drawable(mark)) absl::StrAppend(&svg, Line(kNames + *mark * scale, kTop - 6, y, "mark"));
  return absl::StrCat(svg, "</svg>\n");
}

std::string DotPlot(const std::string& title, const std::vector<std::string>& rows,
                    const std::vector<Series>& series) {
  double low = 1, high = 1;
  bool any = false;
  for (const Series& s : series) {
    for (const std::optional<double>& v : s.values) {
      if (!Drawable(v)) continue;
      low = std::min(low, *v);
      high = std::max(high, *v);
      any = true;
    }
  }
  if (!any) return "";
  low *= 0.9;
  high *= 1.1;

  // The legend flows below the title.
  std::string legend;
  double x = 0, y = kTop + 4;
  for (size_t i = 0; i < series.size(); ++i) {
    const double width = 22 + kCharacter * static_cast<double>(Width(series[i].name));
    if (x > 0 && x + width > kWidth) {
      x = 0;
      y += 18;
    }
    absl::StrAppendFormat(&legend, "<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>\n",
                          static_cast<int>(i) % kColours, x + 6, y - 4);
    absl::StrAppend(&legend, Text(x + 15, y, "start", series[i].name));
    x += width + 8;
  }
  const double top = y + 16;
  const double bottom = top + kRow * static_cast<double>(rows.size());
  auto at = [&](double value) {
    return kNames + (kWidth - kNames - 20) * std::log(value / low) / std::log(high / low);
  };
  std::string svg = absl::StrCat(Open(title, bottom + 24), legend);
  for (const double tick : Ticks(low, high)) {
    absl::StrAppend(&svg, Line(at(tick), top, bottom, tick == 1 ? "mark" : "grid"),
                    Text(at(tick), bottom + 16, "middle", absl::StrFormat("%g", tick)));
  }
  for (size_t row = 0; row < rows.size(); ++row) {
    const double middle = top + kRow * (static_cast<double>(row) + 0.5);
    absl::StrAppend(&svg, Text(kNames - 8, middle + 4, "end", rows[row]));
    for (size_t i = 0; i < series.size(); ++i) {
      if (row >= series[i].values.size() || !Drawable(series[i].values[row])) continue;
      const double value = *series[i].values[row];
      absl::StrAppendFormat(&svg,
                            "<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\">"
                            "<title>%s, %s: %.2f</title></circle>\n",
                            static_cast<int>(i) % kColours, at(value), middle, Escaped(rows[row]),
                            Escaped(series[i].name), value);
    }
  }
  return absl::StrCat(svg, "</svg>\n");
}

}  // namespace precast::bench
