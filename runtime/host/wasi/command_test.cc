// Commands that a C compiler made for wasm32-wasi (testdata/wasm/wasi) run with a store and WASI,
// interpreted and native, and print and return what they did under Node.
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/host/wasi/wasi.h"
#include "runtime/wasm/store.h"
#include "runtime/wasm/testing/make_module.h"

namespace precast::runtime::wasi {
namespace {

namespace fs = std::filesystem;
using wasm::testing::Engine;

std::string Read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class CommandTest : public ::testing::TestWithParam<Engine> {};
INSTANTIATE_TEST_SUITE_P(Engines, CommandTest,
                         ::testing::Values(Engine::kInterpreter, Engine::kNative0, Engine::kNative1,
                                           Engine::kNative2),
                         [](const auto& info) { return wasm::testing::EngineName(info.param); });

TEST_P(CommandTest, Files) {
  std::string pattern = ::testing::TempDir() + "command_XXXXXX";
  const fs::path scratch = mkdtemp(pattern.data());
  fs::create_directory(scratch / "work");
  std::ofstream(scratch / "in") << "first\nsecond";
  const int in = open((scratch / "in").c_str(), O_RDONLY | O_CLOEXEC);
  const int out = open((scratch / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  ASSERT_GE(in, 0);
  ASSERT_GE(out, 0);

  WasiOptions options;
  options.arguments = {"files", "one", "two words"};
  options.environment = {"HOME=/home"};
  options.directories = {{(scratch / "work").string(), "/work", false}};
  options.standard[0] = in;
  options.standard[1] = out;
  auto wasi = Wasi::Create(options);
  ASSERT_TRUE(wasi.ok()) << wasi.status();

  const std::string bytes = Read("testdata/wasm/wasi/files.wasm");
  ASSERT_FALSE(bytes.empty());
  wasm::Store store;
  wasm::Linker linker(store);
  (*wasi)->AddTo(store, linker);
  const auto instance = linker.Instantiate(
      wasm::testing::MakeModule(std::vector<uint8_t>(bytes.begin(), bytes.end()), GetParam()));
  ASSERT_TRUE(instance.ok()) << instance.status();
  const wasm::CallResult result = (*instance)->FindFunction("_start")->Call({});
  EXPECT_EQ(result.kind, wasm::CallResult::Kind::kExited) << result.failure;
  EXPECT_EQ(result.exit_code, 42u);
  close(in);
  close(out);
  EXPECT_EQ(Read(scratch / "out"), Read("testdata/wasm/wasi/files.expected"));
  EXPECT_EQ(fs::file_size(scratch / "work/linked"), 100000u);
  fs::remove_all(scratch);
}

}  // namespace
}  // namespace precast::runtime::wasi
