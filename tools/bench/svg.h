// Plots as SVG, drawn without a script, readable in light and dark surroundings (colours come from
// the page's style sheet, see kPlotStyle) and by screen readers (every mark has a title).
#ifndef PRECAST_TOOLS_BENCH_SVG_H_
#define PRECAST_TOOLS_BENCH_SVG_H_

#include <optional>
#include <string>
#include <vector>

namespace precast::bench {

// Style sheet that the plots need, once in each page.
extern const char kPlotStyle[];

struct Bar {
  std::string name;
  double value;      // bars of values that are not positive or not finite are left out
  std::string text;  // what is written at its end
  int colour = 0;    // index into the palette
};

// Horizontal bars from 0, with a line at `mark` if there is one. Empty if there is nothing to draw.
std::string BarPlot(const std::string& title, const std::vector<Bar>& bars,
                    std::optional<double> mark);

struct Series {
  std::string name;
  std::vector<std::optional<double>> values;  // one for each row
};

// A row for each name, a dot for each series, on a logarithmic axis with a line at 1; with a
// legend. For ratios.
std::string DotPlot(const std::string& title, const std::vector<std::string>& rows,
                    const std::vector<Series>& series);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_SVG_H_
