#include "tools/bench/page.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/bench/svg.h"

namespace precast::bench {
namespace {

constexpr char kStyle[] = R"(
:root { color-scheme: light dark; --text: #1b1f24; --back: #ffffff; --grid: #d9dde2; --soft: #5b6572; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e7eb; --back: #15181c; --grid: #343a42; --soft: #9aa4b0; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back);
       max-width: 1100px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2.2em; }
ul { color: var(--soft); padding-left: 1.2em; }
p { white-space: pre-line; max-width: 860px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: 2px 9px; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; }
tr > th:first-child { text-align: left; font-weight: 500; }
thead th { font-weight: 600; }
)";

}  // namespace

std::string MarkdownPage(const std::vector<std::string>& conditions,
                         const std::vector<Section>& sections) {
  std::string text;
  for (const std::string& line : conditions) absl::StrAppend(&text, "* ", line, "\n");
  for (const Section& section : sections) {
    absl::StrAppend(&text, "\n## ", section.title, "\n");
    if (!section.text.empty()) absl::StrAppend(&text, "\n", section.text, "\n");
    if (!section.table.empty()) absl::StrAppend(&text, "\n", section.table.Markdown());
  }
  return text;
}

std::string HtmlPage(const std::string& title, const std::vector<std::string>& conditions,
                     const std::vector<Section>& sections) {
  std::string text = absl::StrCat(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
      Escaped(title), "</title>\n<style>", kStyle, kPlotStyle, "</style>\n</head>\n<body>\n<h1>",
      Escaped(title), "</h1>\n<ul>\n");
  for (const std::string& line : conditions) {
    absl::StrAppend(&text, "<li>", Escaped(line), "</li>\n");
  }
  absl::StrAppend(&text, "</ul>\n");
  for (const Section& section : sections) {
    absl::StrAppend(&text, "<h2>", Escaped(section.title), "</h2>\n");
    if (!section.text.empty()) absl::StrAppend(&text, "<p>", Escaped(section.text), "</p>\n");
    for (const std::string& plot : section.plots) absl::StrAppend(&text, plot);
    if (!section.table.empty()) {
      absl::StrAppend(&text, "<div class=\"wide\">\n", section.table.Html(), "</div>\n");
    }
  }
  return absl::StrCat(text, "</body>\n</html>\n");
}

}  // namespace precast::bench
