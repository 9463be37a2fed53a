// A guest ready to run, whatever it came as: a PROGRAM is compiled in memory
// and loaded from there, an IMAGE is loaded from its file. Instances of RISC-V
// programs are made here, those of WebAssembly modules by who links them
// (run_wasm.h).
#ifndef PRECAST_TOOLS_COMMANDS_SESSION_H_
#define PRECAST_TOOLS_COMMANDS_SESSION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "compiler/driver/driver.h"
#include "compiler/guest/program.h"
#include "compiler/riscv/decoder.h"
#include "loader/format/guid.h"
#include "loader/loader.h"
#include "openvm/config.h"
#include "runtime/host/linux/linux_host.h"
#include "runtime/instance.h"
#include "runtime/openvm/host.h"
#include "runtime/program.h"

namespace precast::aotc {

// What the runtime needs of a program that was read from its own file; keeps
// the memory alive.
runtime::ProgramImage ToProgramImage(guest::Program program);

// `--import NAME=FILE`: what the names that a WebAssembly module imports from
// NAME are in.
struct ImportFlag {
  std::string name;
  std::string file;  // a module or an image of one
};

struct SessionOptions {
  bool interpret = false;  // make no native code, use none
  int opt_level = 1;       // for programs
  bool metered = true,
       canonical_nans = false;  // for programs; see driver::CompileOptions
  uint64_t cpu_features = 0;    // likewise
  bool count_rows = false;      // of OpenVM guests; likewise
  int threads = 0;              // for the compiler; 0: one per processor
  bool check = false;           // driver::CompileOptions::check
  bool lazy_plt = false;
  bool trusted = false;      // loader::LoadOptions::trusted; for images
  bool share_pages = false;  // loader::LoadOptions::share_pages; for images
  // RISC-V programs, as driver::CompileOptions has them. An image keeps what it was compiled for.
  driver::CompileOptions::Abi abi = driver::CompileOptions::Abi::kAuto;
  std::optional<openvm::Config> openvm_config;
  bool fast_helpers = false;  // see driver::CompileOptions
  // What an image must have been compiled from.
  std::optional<format::Guid> program_guid;
};

// A guest function, for reports.
struct GuestFunction {
  uint32_t begin, end;
  std::string name;
};

class Session {
 public:
  // Reads the file at `path`; takes an ELF64 x86-64 file as an image, anything
  // else as a program.
  static absl::StatusOr<Session> Open(const std::string& path, const SessionOptions& options);
  // A program that is in memory already.
  static absl::StatusOr<Session> OpenProgram(absl::Span<const uint8_t> file,
                                             const SessionOptions& options);

  bool is_wasm() const { return is_wasm_; }

  bool is_openvm() const { return !program_.machine.empty(); }

  // RISC-V only: a fresh instance. Several may exist at once, but their `host`
  // options should then not share descriptors. An OpenVM guest gets a host of
  // its kind, without inputs, whose output is that of `host`.
  absl::StatusOr<std::unique_ptr<runtime::Instance>> Start(
      runtime::LinuxHostOptions host, runtime::InstanceOptions options = {}) const;
  // OpenVM only. `host.config` is taken from the program.
  absl::StatusOr<std::unique_ptr<runtime::Instance>> StartOpenVm(
      runtime::OpenVmHostOptions host, runtime::InstanceOptions options = {}) const;
  // What custom instruction words mean in the program.
  riscv::Dialect dialect() const {
    return is_openvm() ? riscv::Dialect::kOpenVm : riscv::Dialect::kBase;
  }

  bool is_image() const { return is_image_; }
  // RISC-V only.
  const runtime::ProgramImage& program() const { return program_; }
  // Wasm only, and if there is no image: the module, which is valid.
  const std::vector<uint8_t>& module_bytes() const { return module_bytes_; }
  const format::Guid& guid() const { return guid_; }
  // Null if everything is interpreted.
  const std::shared_ptr<loader::LoadedImage>& image() const { return image_; }
  // Whether what runs counts instructions or fuel.
  // Whether native code counts rows.
  bool CountsRows() const { return image_ != nullptr && !interpret_ && image_->counts_rows(); }
  bool IsMetered() const { return image_ == nullptr || interpret_ || image_->metered(); }
  double compile_seconds() const { return compile_seconds_; }
  double load_seconds() const { return load_seconds_; }

  // "main+0x1c", or nothing if no function is known there.
  std::string Describe(uint32_t pc) const;
  // The instruction word at a pc, from the program as it was loaded.
  std::optional<uint32_t> WordAt(uint32_t pc) const;

 private:
  Session() = default;

  absl::Status CompileAndLoad(absl::Span<const uint8_t> file, const SessionOptions& options,
                              bool openvm);
  absl::Status LoadImage(const std::string& path, absl::Span<const uint8_t> bytes,
                         const SessionOptions& options);
  void ReadFunctions(const loader::ImageView& view);

  bool is_image_ = false;
  bool is_wasm_ = false;
  bool interpret_ = false;
  runtime::ProgramImage program_;
  std::vector<uint8_t> module_bytes_;
  format::Guid guid_{};
  std::shared_ptr<loader::LoadedImage> image_;
  std::vector<GuestFunction> functions_;  // by ascending begin
  double compile_seconds_ = 0;
  double load_seconds_ = 0;
};

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_SESSION_H_
