#include "tools/bench/first_instruction.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "loader/format/metadata.h"
#include "loader/loader.h"
#include "runtime/host/linux/linux_host.h"
#include "runtime/host/wasi/wasi.h"
#include "runtime/instance.h"
#include "runtime/trampolines.h"
#include "runtime/wasm/store.h"
#include "tools/bench/stats.h"

namespace precast::bench {
namespace {

using Clock = std::chrono::steady_clock;

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

absl::StatusOr<std::unique_ptr<runtime::Instance>> StartRiscv(
    std::shared_ptr<const loader::Image> image, int null_device) {
  runtime::LinuxHostOptions options;
  options.arguments = {"bench"};
  options.stdin_fd = options.stdout_fd = options.stderr_fd = null_device;
  absl::StatusOr<std::unique_ptr<runtime::LinuxHost>> host =
      runtime::LinuxHost::Create(std::move(options));
  if (!host.ok()) return host.status();
  return runtime::Instance::Create(std::move(image), *std::move(host), {});
}

// Keeps what an instance needs.
struct WasmInstance {
  std::unique_ptr<runtime::wasi::Wasi> wasi;
  std::unique_ptr<runtime::wasm::Store> store;
  std::unique_ptr<runtime::wasm::Linker> linker;
};

absl::Status StartWasm(const std::shared_ptr<loader::LoadedImage>& image, int null_device,
                       WasmInstance& result) {
  absl::StatusOr<std::shared_ptr<const runtime::wasm::Module>> module =
      runtime::wasm::Module::FromImage(image);
  if (!module.ok()) return module.status();
  runtime::wasi::WasiOptions options;
  options.arguments = {"bench"};
  for (int& descriptor : options.standard) descriptor = null_device;
  absl::StatusOr<std::unique_ptr<runtime::wasi::Wasi>> wasi = runtime::wasi::Wasi::Create(options);
  if (!wasi.ok()) return wasi.status();
  result.wasi = *std::move(wasi);
  result.store = std::make_unique<runtime::wasm::Store>();
  result.linker = std::make_unique<runtime::wasm::Linker>(*result.store);
  result.wasi->AddTo(*result.store, *result.linker);
  return result.linker->Instantiate(*std::move(module)).status();
}

}  // namespace

absl::StatusOr<LoadTimes> MeasureLoad(const std::string& image, const LoadWay& way, int runs) {
  const int null_device = open("/dev/null", O_RDWR | O_CLOEXEC);
  const absl::Cleanup close_it = [&] { close(null_device); };
  loader::LoadOptions options;
  options.callbacks = runtime::CallbackAddresses();
  options.share_pages = way.share_pages;
  options.check.verify_digest = way.verify_digest;
  options.trusted = way.trusted;
  std::vector<double> load, ready;
  LoadTimes times;
  for (int i = 0; i < runs; ++i) {
    const Clock::time_point start = Clock::now();
    absl::StatusOr<std::unique_ptr<loader::LoadedImage>> loaded = loader::LoadFile(image, options);
    if (!loaded.ok()) return loaded.status();
    load.push_back(Since(start));
    std::shared_ptr<loader::LoadedImage> shared = *std::move(loaded);
    absl::Status status;
    if (shared->guest_kind() == format::GuestKind::kWasm) {
      WasmInstance instance;
      status = StartWasm(shared, null_device, instance);
      if (status.ok()) ready.push_back(Since(start));
    } else {
      const absl::StatusOr<std::unique_ptr<runtime::Instance>> instance =
          StartRiscv(shared, null_device);
      status = instance.status();
      if (status.ok()) ready.push_back(Since(start));
    }
    if (!status.ok()) times.note = std::string(status.message());
  }
  times.load = Median(load).value_or(0);
  times.ready = Median(ready).value_or(times.load);
  return times;
}

}  // namespace precast::bench
