// How long loading takes, and what of it is spent on what. Not a test.
//   bazel run --config=opt //loader:loader_benchmark
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/log/check.h"
#include "loader/format/sha256.h"
#include "loader/loader.h"
#include "loader/testing/small_image.h"

namespace precast::loader {
namespace {

// The image named by PRECAST_IMAGE, or the small one.
const std::vector<uint8_t>& Image() {
  static const std::vector<uint8_t>* image = [] {
    const char* path = std::getenv("PRECAST_IMAGE");
    if (path == nullptr) return new std::vector<uint8_t>(MakeSmallImage());
    absl::StatusOr<std::vector<uint8_t>> bytes = ReadImageFile(path);
    CHECK_OK(bytes.status());
    return new std::vector<uint8_t>(*std::move(bytes));
  }();
  return *image;
}

const std::string& Path() {
  static const std::string* path = [] {
    const char* directory = std::getenv("TMPDIR");
    auto* result = new std::string(directory != nullptr ? directory : "/tmp");
    *result += "/loader_benchmark.so";
    std::ofstream(*result, std::ios::binary)
        .write(reinterpret_cast<const char*>(Image().data()),
               static_cast<std::streamsize>(Image().size()));
    return result;
  }();
  return *path;
}

LoadOptions Options() {
  static const std::vector<const void*>* callbacks =
      new std::vector<const void*>(abi::kNumCallbacks, nullptr);
  LoadOptions options;
  options.callbacks = *callbacks;
  return options;
}

void LoadAndDrop(benchmark::State& state, const LoadOptions& options) {
  const std::string& path = Path();
  for (auto _ : state) {
    auto image = LoadFile(path, options);
    CHECK_OK(image.status());
  }
  state.counters["file_bytes"] = static_cast<double>(Image().size());
}

void BM_LoadCopied(benchmark::State& state) { LoadAndDrop(state, Options()); }
BENCHMARK(BM_LoadCopied)->Unit(benchmark::kMicrosecond);

void BM_LoadShared(benchmark::State& state) {
  LoadOptions options = Options();
  options.share_pages = true;
  LoadAndDrop(state, options);
}
BENCHMARK(BM_LoadShared)->Unit(benchmark::kMicrosecond);

void BM_LoadSharedWithoutDigest(benchmark::State& state) {
  LoadOptions options = Options();
  options.share_pages = true;
  options.check.verify_digest = false;
  LoadAndDrop(state, options);
}
BENCHMARK(BM_LoadSharedWithoutDigest)->Unit(benchmark::kMicrosecond);

void BM_Check(benchmark::State& state) {
  CheckOptions options;
  options.verify_digest = false;
  for (auto _ : state) CHECK(CheckImage(Image(), options, nullptr).ok());
}
BENCHMARK(BM_Check)->Unit(benchmark::kMicrosecond);

void BM_DeepCheck(benchmark::State& state) {
  CheckOptions options;
  options.verify_digest = false;
  options.deep = true;
  for (auto _ : state) CHECK_OK(CheckImage(Image(), options, nullptr).ToStatus());
}
BENCHMARK(BM_DeepCheck)->Unit(benchmark::kMicrosecond);

void BM_Sha256(benchmark::State& state) {
  const auto implementation = static_cast<format::Sha256::Implementation>(state.range(0));
  const std::vector<uint8_t> bytes(1 << 20, 0x5a);
  for (auto _ : state) {
    format::Sha256 hash(implementation);
    hash.Update(bytes);
    benchmark::DoNotOptimize(hash.Finish());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes.size()));
}
BENCHMARK(BM_Sha256)
    ->Arg(static_cast<int>(format::Sha256::Implementation::kPortable))
    ->Arg(static_cast<int>(format::Sha256::Implementation::kBest));

// Over all code offsets of the image.
void BM_FindSite(benchmark::State& state) {
  auto image = LoadFile(Path(), Options());
  CHECK_OK(image.status());
  const auto begin = reinterpret_cast<uint64_t>((*image)->text().data());
  uint64_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize((*image)->FindSite(begin + at));
    at = (at + 7919) % (*image)->text().size();
  }
}
BENCHMARK(BM_FindSite);

}  // namespace
}  // namespace precast::loader
