#include "tools/bench/svg.h"

#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t Count(std::string_view text, std::string_view what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(Svg, BarsAreInProportionToTheirValues) {
  const std::string svg = BarPlot("t", {{"a", 2, "2.00"}, {"b", 1, "1.00", 3}}, std::nullopt);
  EXPECT_THAT(svg, HasSubstr("width=\"580.0\""));
  EXPECT_THAT(svg, HasSubstr("width=\"290.0\""));
  EXPECT_THAT(svg, HasSubstr("class=\"c3\""));
  EXPECT_THAT(svg, HasSubstr("<title>a: 2.00</title>"));
  EXPECT_THAT(svg, Not(HasSubstr("class=\"mark\"")));
}

TEST(Svg, AMarkIsALine) {
  EXPECT_EQ(Count(BarPlot("t", {{"a", 2, "2"}}, 1.0), "class=\"mark\""), 1u);
}

TEST(Svg, NothingToDrawIsNothing) {
  EXPECT_EQ(BarPlot("t", {}, 1.0), "");
  EXPECT_EQ(BarPlot("t", {{"a", 0, "0"}, {"b", NAN, ""}}, std::nullopt), "");
  EXPECT_EQ(DotPlot("t", {"r"}, {{"s", {std::nullopt}}}), "");
}

TEST(Svg, DotsOfMissingValuesAreLeftOut) {
  const std::string svg =
      DotPlot("t", {"p", "q"}, {{"one", {1.0, std::nullopt}}, {"two", {4.0, 0.5}}});
  EXPECT_EQ(Count(svg, "<title>"), 3u);
  EXPECT_EQ(Count(svg, "<circle"), 3u + 2u);  // and the legend
  EXPECT_THAT(svg, HasSubstr("<title>q, two: 0.50</title>"));
  EXPECT_EQ(Count(svg, "class=\"mark\""), 1u);
}

TEST(Svg, NamesAreEscapedAndNumbersFinite) {
  const std::string svg =
      BarPlot("<&>", {{"\"a\"", 1, "<1>"}}, std::nullopt) + DotPlot("'", {"<r>"}, {{"&s", {1.0}}});
  for (const char* wrong : {"<&>", "<1>", "<r>", "&s,", "nan", "inf"}) {
    EXPECT_THAT(svg, Not(HasSubstr(wrong))) << wrong;
  }
  EXPECT_EQ(Count(svg, "<svg"), Count(svg, "</svg>"));
}

}  // namespace
}  // namespace precast::bench
