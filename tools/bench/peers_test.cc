#include "tools/bench/peers.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace precast::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Peers, ALineIsAnEngine) {
  const absl::StatusOr<std::vector<Peer>> peers = ParsePeers(
      "# name | guest | compile | run\n"
      "\n"
      "  wamr | wasm | wamrc --x=\"a b\" -o {out} {guest} | iwasm {out} | wamrc -v\r\n"
      "rv | riscv | - | rvlinux {guest}\n"
      "two | native | a {guest} {dir}/x && b -o {out} {dir}/x | {out}\n");
  ASSERT_TRUE(peers.ok()) << peers.status();
  ASSERT_EQ(peers->size(), 3u);
  const Peer& wamr = (*peers)[0];
  EXPECT_EQ(wamr.engine.name, "wamr");
  EXPECT_EQ(wamr.engine.kind, GuestKind::kWasm);
  ASSERT_EQ(wamr.engine.compile.size(), 1u);
  EXPECT_THAT(wamr.engine.compile[0], ElementsAre("wamrc", "--x=a b", "-o", "{out}", "{guest}"));
  EXPECT_THAT(wamr.engine.run, ElementsAre("iwasm", "{out}"));
  EXPECT_THAT(wamr.programs, ElementsAre("iwasm", "wamrc"));
  EXPECT_THAT(wamr.version_command, ElementsAre("wamrc", "-v"));
  EXPECT_TRUE(wamr.engine.cached);

  const Peer& rv = (*peers)[1];
  EXPECT_TRUE(rv.engine.compile.empty());
  EXPECT_FALSE(rv.engine.cached);
  EXPECT_THAT(rv.version_command, ElementsAre("rvlinux", "--version"));

  const Peer& two = (*peers)[2];
  EXPECT_EQ(two.engine.kind, GuestKind::kNative);
  ASSERT_EQ(two.engine.compile.size(), 2u);
  EXPECT_THAT(two.engine.compile[1], ElementsAre("b", "-o", "{out}", "{dir}/x"));
  EXPECT_THAT(two.programs, ElementsAre("a", "b"));
}

TEST(Peers, FaultsNameLineAndField) {
  const struct {
    std::string_view text, message;
  } cases[] = {
      {"a | wasm | -",
       "line 1: expected 4 or 5 fields (name | guest | compile | run | version), found 3"},
      {"\na b | wasm | - | x {guest}", "line 2: name:"},
      {"-a | wasm | - | x {guest}", "name:"},
      {"a | arm | - | x {guest}", "guest: expected riscv, wasm or native, found \"arm\""},
      {"a | wasm | - | x", "run: expected {guest}"},
      {"a | wasm | - | ", "run: expected a command"},
      {"a | wasm | c {guest} | x {guest}", "compile: expected {guest} and {out}"},
      {"a | wasm | c {guest} {out} | x {guest}", "run: expected {out}"},
      {"a | wasm | c {guest} && | x {guest}", "compile: expected a command"},
      {"a | wasm | - | x {file}", "found {file}"},
      {"a | wasm | - | x {gue", "found {gue"},
      {"a | wasm | - | x \"{guest}", "quote"},
      {"a | wasm | - | x {guest} {dir}", "{dir}"},
      {"a | wasm | - | x {guest}\na | wasm | - | x {guest}",
       "line 2: name: there is a \"a\" already"},
  };
  for (const auto& c : cases) {
    const absl::StatusOr<std::vector<Peer>> peers = ParsePeers(c.text);
    ASSERT_FALSE(peers.ok()) << c.text;
    EXPECT_THAT(std::string(peers.status().message()), HasSubstr(std::string(c.message)));
  }
}

TEST(Engine, PlaceholdersAndLists) {
  Placeholders p;
  p.words = {{"guest", "/g"}, {"out", "/o"}};
  p.lists = {{"defines", {"-DA", "-DB=1"}}};
  EXPECT_THAT(Expand({"cc", "{defines}", "-o{out}", "{guest}", "{other}"}, p),
              ElementsAre("cc", "-DA", "-DB=1", "-o/o", "/g", "{other}"));
}

TEST(Engine, Selection) {
  EXPECT_TRUE(IsSelected("", "x"));
  EXPECT_TRUE(IsSelected("a,rv-*", "rv-O1"));
  EXPECT_FALSE(IsSelected("a,rv-*", "wasm-O1"));
  EXPECT_FALSE(IsSelected("rv-*,-*-nometer", "rv-O1-nometer"));
  EXPECT_TRUE(IsSelected("-qemu", "rv-O1"));
  EXPECT_FALSE(IsSelected("-qemu", "qemu"));
}

}  // namespace
}  // namespace precast::bench
