#include "tools/commands/session.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "compiler/driver/driver.h"
#include "runtime/trampolines.h"
#include "tools/commands/image_view.h"
#include "tools/commands/io.h"

namespace precast::aotc {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

absl::Status In(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

driver::CompileOptions ProgramOptions(const SessionOptions& options) {
  driver::CompileOptions result;
  result.abi = options.abi;
  result.openvm_config = options.openvm_config;
  result.fast_helpers = options.fast_helpers;
  return result;
}

absl::Status CheckGuid(const format::Guid& actual, const SessionOptions& options) {
  if (!options.program_guid || *options.program_guid == actual) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("program GUID: expected ",
                                                    format::GuidToString(*options.program_guid),
                                                    ", actual ", format::GuidToString(actual)));
}

// The loader reads images itself, and of large ones not everything.
bool IsImageFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  struct stat info;
  uint8_t header[64];
  const bool is_file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  const ssize_t n = is_file ? pread(fd, header, sizeof header, 0) : 0;
  close(fd);
  return n > 0 && LooksLikeImage(absl::MakeConstSpan(header, static_cast<size_t>(n)));
}

}  // namespace

runtime::ProgramImage ToProgramImage(guest::Program program) {
  auto owner = std::make_shared<const guest::Program>(std::move(program));
  runtime::ProgramImage image;
  for (const guest::Segment& s : owner->segments) {
    runtime::ProgramSegment segment;
    segment.address = s.address;
    segment.size = s.size;
    segment.data = s.data;
    segment.readable = s.readable;
    segment.writable = s.writable;
    segment.executable = s.executable;
    image.segments.push_back(segment);
  }
  for (const guest::CodeRange& range : owner->code) {
    image.code_ranges.push_back({.begin = range.begin, .end = range.end});
  }
  image.entry_pc = owner->entry;
  image.initial_brk = owner->initial_brk;
  image.phdr_address = owner->phdr_address;
  image.phdr_count = owner->phdr_count;
  image.guid = owner->guid;
  if (owner->openvm) image.machine = openvm::ToText(owner->openvm_config);
  image.extensions = owner->openvm_extensions;
  image.owner = std::move(owner);
  return image;
}

absl::StatusOr<Session> Session::Open(const std::string& path, const SessionOptions& options) {
  if (!IsImageFile(path)) {
    absl::StatusOr<std::vector<uint8_t>> file = ReadFile(path);
    if (!file.ok()) return file.status();
    absl::StatusOr<Session> session = OpenProgram(*file, options);
    if (!session.ok()) return In(path, session.status());
    return session;
  }
  Session session;
  session.is_image_ = true;
  session.interpret_ = options.interpret;
  if (absl::Status s = session.LoadImage(path, {}, options); !s.ok()) return In(path, s);
  return session;
}

absl::StatusOr<Session> Session::OpenProgram(absl::Span<const uint8_t> file,
                                             const SessionOptions& options) {
  Session session;
  session.interpret_ = options.interpret;
  session.is_wasm_ = LooksLikeWasm(file);
  if (session.is_wasm_ && !options.interpret) {
    session.guid_ = format::GuidOf(file);
    if (absl::Status s = CheckGuid(session.guid_, options); !s.ok()) return s;
    if (absl::Status s = session.CompileAndLoad(file, options, /*openvm=*/false); !s.ok()) return s;
    return session;
  }
  absl::StatusOr<guest::Program> program = driver::ReadProgram(file, ProgramOptions(options));
  if (!program.ok()) return program.status();
  session.guid_ = program->guid;
  if (absl::Status s = CheckGuid(session.guid_, options); !s.ok()) return s;
  if (session.is_wasm_) {
    session.module_bytes_.assign(file.begin(), file.end());
    return session;
  }
  for (const guest::Symbol& symbol : program->symbols) {
    if (!symbol.is_function || symbol.name.empty()) continue;
    const uint64_t end = uint64_t{symbol.address} + symbol.size;
    session.functions_.push_back(
        {symbol.address, static_cast<uint32_t>(std::min<uint64_t>(end, UINT32_MAX)), symbol.name});
  }
  if (options.interpret) {
    session.program_ = ToProgramImage(*std::move(program));
    return session;
  }
  if (absl::Status s = session.CompileAndLoad(file, options, program->openvm); !s.ok()) return s;
  return session;
}

absl::Status Session::CompileAndLoad(absl::Span<const uint8_t> file, const SessionOptions& options,
                                     bool openvm) {
  driver::CompileOptions compile;
  compile.opt_level = options.opt_level;
  compile.threads = options.threads;
  compile.check = options.check;
  compile.metered = options.metered;
  compile.cpu_features = options.cpu_features;
  compile.canonical_nans = options.canonical_nans;
  compile.abi = options.abi;
  compile.openvm_config = options.openvm_config;
  compile.fast_helpers = options.fast_helpers;
  compile.count_rows = options.count_rows && openvm;
  const Clock::time_point start = Clock::now();
  absl::StatusOr<driver::CompileResult> result = driver::Compile(file, compile);
  if (!result.ok()) return result.status();
  compile_seconds_ = SecondsSince(start);
  return LoadImage("", result->image, options);
}

absl::Status Session::LoadImage(const std::string& path, absl::Span<const uint8_t> bytes,
                                const SessionOptions& options) {
  loader::LoadOptions load;
  load.check.program_guid = options.program_guid;
  load.callbacks = runtime::CallbackAddresses();
  load.lazy_plt = options.lazy_plt;
  load.share_pages = options.share_pages;
  load.trusted = options.trusted;
  const Clock::time_point start = Clock::now();
  absl::StatusOr<std::unique_ptr<loader::LoadedImage>> image =
      path.empty() ? loader::LoadMemory(bytes, load) : loader::LoadFile(path, load);
  if (!image.ok()) return image.status();
  load_seconds_ = SecondsSince(start);
  image_ = *std::move(image);
  is_wasm_ = image_->guest_kind() == format::GuestKind::kWasm;
  guid_ = image_->view().info.program_guid;
  if (is_wasm_) return absl::OkStatus();
  program_ = runtime::ProgramOf(image_);
  if (functions_.empty()) ReadFunctions(image_->view());
  return absl::OkStatus();
}

void Session::ReadFunctions(const loader::ImageView& view) {
  for (uint32_t i = 0; i < view.exports.count(); ++i) {
    const std::optional<format::Export> entry = view.exports.Get(i);
    if (!entry || entry->kind != format::ExportKind::kFunction) continue;
    const std::optional<std::string_view> name = view.exports.NameOf(*entry);
    const std::optional<format::FunctionInfo> info = view.FunctionInfoOf(entry->index);
    if (!name || !info) continue;
    functions_.push_back({info->guest_begin, info->guest_end, std::string(*name)});
  }
  std::sort(functions_.begin(), functions_.end(),
            [](const GuestFunction& a, const GuestFunction& b) {
              return a.begin != b.begin ? a.begin < b.begin : a.name < b.name;
            });
  // The copy of a function in which interrupted runs go on, "f.resumed", is the same guest code as
  // f.
  functions_.erase(std::unique(functions_.begin(), functions_.end(),
                               [](const GuestFunction& a, const GuestFunction& b) {
                                 return a.begin == b.begin && a.end == b.end;
                               }),
                   functions_.end());
}

absl::StatusOr<std::unique_ptr<runtime::Instance>> Session::Start(
    runtime::LinuxHostOptions host, runtime::InstanceOptions options) const {
  if (is_openvm()) {
    runtime::OpenVmHostOptions openvm;
    openvm.stdout_fd = host.stdout_fd;
    return StartOpenVm(std::move(openvm), std::move(options));
  }
  absl::StatusOr<std::unique_ptr<runtime::LinuxHost>> created =
      runtime::LinuxHost::Create(std::move(host));
  if (!created.ok()) return created.status();
  options.interpret_only |= interpret_;
  if (image_ != nullptr) {
    options.resolve_plt = [image = image_](uint32_t index) { return image->ResolvePlt(index); };
  }
  return runtime::Instance::Create(program_, image_, *std::move(created), std::move(options));
}

absl::StatusOr<std::unique_ptr<runtime::Instance>> Session::StartOpenVm(
    runtime::OpenVmHostOptions host, runtime::InstanceOptions options) const {
  absl::StatusOr<openvm::Config> config = openvm::FromText(program_.machine);
  if (!config.ok()) return config.status();
  if (absl::Status s = runtime::OpenVmHost::CheckExtensions(program_.extensions); !s.ok()) return s;
  host.config = *std::move(config);
  absl::StatusOr<std::unique_ptr<runtime::OpenVmHost>> created =
      runtime::OpenVmHost::Create(std::move(host));
  if (!created.ok()) return created.status();
  options.interpret_only |= interpret_;
  if (image_ != nullptr) {
    options.resolve_plt = [image = image_](uint32_t index) { return image->ResolvePlt(index); };
  }
  return runtime::Instance::Create(program_, image_, *std::move(created), std::move(options));
}

std::string Session::Describe(uint32_t pc) const {
  auto it = std::upper_bound(functions_.begin(), functions_.end(), pc,
                             [](uint32_t a, const GuestFunction& f) { return a < f.begin; });
  // The innermost of nested ones: the last that begins at or before the pc and
  // reaches it. Symbols without a size reach to the next one.
  for (int tries = 0; it != functions_.begin() && tries < 16; ++tries) {
    --it;
    if (pc >= it->end && it->end != it->begin) continue;
    return pc == it->begin ? it->name : absl::StrFormat("%s+0x%x", it->name, pc - it->begin);
  }
  return "";
}

std::optional<uint32_t> Session::WordAt(uint32_t pc) const {
  for (const runtime::ProgramSegment& s : program_.segments) {
    if (pc < s.address || uint64_t{pc} - s.address + 4 > s.data.size()) continue;
    uint32_t word;
    std::memcpy(&word, s.data.data() + (pc - s.address), sizeof(word));
    return word;
  }
  return std::nullopt;
}

}  // namespace precast::aotc
