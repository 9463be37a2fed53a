// A report: sections of text, tables and plots, as Markdown for terminals and as one HTML file
// without scripts.
#ifndef PRECAST_TOOLS_BENCH_PAGE_H_
#define PRECAST_TOOLS_BENCH_PAGE_H_

#include <string>
#include <vector>

#include "tools/bench/table.h"

namespace precast::bench {

struct Section {
  std::string title;
  std::string text;  // what the numbers are; plain text
  Table table{std::vector<std::string>{}};
  std::vector<std::string> plots{};  // SVG, for HTML only
};

// `conditions`: machine, versions, flags; one line each.
std::string MarkdownPage(const std::vector<std::string>& conditions,
                         const std::vector<Section>& sections);
std::string HtmlPage(const std::string& title, const std::vector<std::string>& conditions,
                     const std::vector<Section>& sections);

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_PAGE_H_
