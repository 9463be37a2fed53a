#include "tools/bench/table.h"

#include <cmath>
#include <optional>

#include "gtest/gtest.h"

namespace precast::bench {
namespace {

TEST(Table, MarkdownIsAlignedNamesLeftNumbersRight) {
  Table table({"program", "a"});
  table.Add({"fib", "1.25"});
  table.Add({"µ", "–"});
  EXPECT_EQ(table.Markdown(),
            "| program |    a |\n"
            "|---------|-----:|\n"
            "| fib     | 1.25 |\n"
            "| µ       |    – |\n");
}

TEST(Table, ShortRowsAreFilledAndBarsDoNotEndCells) {
  Table table({"a|b", "c"});
  table.Add({"x"});
  EXPECT_EQ(table.Markdown(),
            "| a\\|b |   c |\n"
            "|------|----:|\n"
            "| x    |     |\n");
}

TEST(Table, HtmlIsEscaped) {
  Table table({"<a>"});
  table.Add({"\"&'"});
  EXPECT_EQ(table.Html(),
            "<table>\n<thead><tr><th>&lt;a&gt;</th></tr></thead>\n<tbody>\n"
            "<tr><th>&quot;&amp;&#39;</th></tr>\n</tbody>\n</table>\n");
}

TEST(Table, Numbers) {
  EXPECT_EQ(Number(1.005, 1), "1.0");
  EXPECT_EQ(Number(std::nullopt), "–");
  EXPECT_EQ(Number(NAN), "–");
  EXPECT_EQ(Whole(1234567), "1,234,567");
  EXPECT_EQ(Whole(-1), "–");
  EXPECT_EQ(Time(2.5), "2.50 s");
  EXPECT_EQ(Time(0.25), "250 ms");
  EXPECT_EQ(Time(0.0123), "12.3 ms");
  EXPECT_EQ(Time(0.00123), "1.23 ms");
  EXPECT_EQ(Time(0.000001), "1.0 µs");
  EXPECT_EQ(Time(std::nullopt), "–");
  EXPECT_EQ(Percent(0.034), "3.4 %");
}

}  // namespace
}  // namespace precast::bench
