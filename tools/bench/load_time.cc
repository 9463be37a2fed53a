// How long it takes from an image file to the guest's first instruction, and to its end: hello, or
// another program that ends by itself, named on the command line.
//
//   bazel run --config=opt //tools/bench:load_time [-- PROGRAM]
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/driver/driver.h"
#include "loader/loader.h"
#include "runtime/host/linux/linux_host.h"
#include "runtime/instance.h"
#include "runtime/trampolines.h"
#include "tools/commands/io.h"

namespace precast {
namespace {

constexpr int kRuns = 1000;

struct Times {
  std::vector<double> values;  // microseconds

  double At(double quantile) {
    std::sort(values.begin(), values.end());
    return values[static_cast<size_t>(quantile * static_cast<double>(values.size() - 1))];
  }
};

constexpr char kUsage[] =
    "Usage: load_time [PROGRAM]\n"
    "Compiles PROGRAM (default: the hello guest) to an image file, then loads and runs it many "
    "times\n"
    "and prints how long each part takes.";

int Main(int argc, char** argv) {
  std::string program = "testdata/prebuilt/hello.elf";
  if (argc > 1 && argv[1][0] == '-') {
    puts(kUsage);
    return strcmp(argv[1], "--help") == 0 ? 0 : 2;
  }
  if (argc > 1) {
    program = argv[1];
    if (const char* directory = getenv("BUILD_WORKING_DIRECTORY");
        directory != nullptr && chdir(directory) != 0) {
      aotc::PrintError("cannot change to BUILD_WORKING_DIRECTORY");
    }
  }
  absl::StatusOr<std::vector<uint8_t>> file = aotc::ReadFile(program);
  if (!file.ok()) {
    aotc::PrintError(file.status().message());
    return 1;
  }
  absl::StatusOr<driver::CompileResult> compiled = driver::Compile(*file, {});
  if (!compiled.ok()) {
    aotc::PrintError(absl::StrCat(program, ": ", compiled.status().message()));
    return 1;
  }
  std::string directory = "/tmp/precast_load_time_XXXXXX";
  CHECK(mkdtemp(directory.data()) != nullptr);
  const std::string image = directory + "/guest.so";
  CHECK_OK(aotc::WriteFile(image, compiled->image));
  const int null_device = open("/dev/null", O_RDWR | O_CLOEXEC);

  absl::PrintF("%s: image of %s bytes, median of %d runs [10 %% .. 90 %%], microseconds\n", program,
               aotc::Grouped(compiled->image.size()), kRuns);
  for (bool share_pages : {false, true}) {
    for (bool verify_digest : {true, false}) {
      Times load, start, ready, run, all;
      for (int i = 0; i < kRuns; ++i) {
        using Clock = std::chrono::steady_clock;
        auto since = [](Clock::time_point from) {
          return std::chrono::duration<double, std::micro>(Clock::now() - from).count();
        };
        loader::LoadOptions options;
        options.callbacks = runtime::CallbackAddresses();
        options.share_pages = share_pages;
        options.check.verify_digest = verify_digest;
        const Clock::time_point t0 = Clock::now();
        absl::StatusOr<std::unique_ptr<loader::LoadedImage>> loaded =
            loader::LoadFile(image, options);
        CHECK_OK(loaded.status());
        load.values.push_back(since(t0));

        const Clock::time_point t1 = Clock::now();
        runtime::LinuxHostOptions host_options;
        host_options.arguments = {program};
        host_options.stdin_fd = host_options.stdout_fd = host_options.stderr_fd = null_device;
        absl::StatusOr<std::unique_ptr<runtime::LinuxHost>> host =
            runtime::LinuxHost::Create(std::move(host_options));
        CHECK_OK(host.status());
        absl::StatusOr<std::unique_ptr<runtime::Instance>> instance = runtime::Instance::Create(
            std::shared_ptr<const loader::Image>(*std::move(loaded)), *std::move(host), {});
        CHECK_OK(instance.status());
        start.values.push_back(since(t1));

        ready.values.push_back(since(t0));
        const Clock::time_point t2 = Clock::now();
        CHECK((*instance)->Run().reason == runtime::RunResult::Reason::kExited);
        run.values.push_back(since(t2));
        all.values.push_back(since(t0));
      }
      absl::PrintF(" %s, digest %s\n", share_pages ? "pages shared with the file" : "private pages",
                   verify_digest ? "verified" : "not verified");
      auto row = [](const char* name, Times& t) {
        absl::PrintF("  %-28s %8.1f  [%.1f .. %.1f]\n", name, t.At(0.5), t.At(0.1), t.At(0.9));
      };
      row("load the image", load);
      row("make an instance", start);
      row("file to first instruction", ready);
      row("run to the guest's end", run);
      row("file to the guest's end", all);
    }
  }
  close(null_device);
  unlink(image.c_str());
  rmdir(directory.c_str());
  return 0;
}

}  // namespace
}  // namespace precast

int main(int argc, char** argv) { return precast::Main(argc, argv); }
