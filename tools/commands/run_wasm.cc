#include "tools/commands/run_wasm.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "loader/format/guid.h"
#include "loader/format/metadata.h"
#include "nlohmann/json.hpp"
#include "runtime/wasm/store.h"
#include "tools/cli/suggest.h"
#include "tools/commands/commands.h"
#include "tools/commands/io.h"
#include "tools/commands/wasm_values.h"

namespace precast::aotc {
namespace {

using Clock = std::chrono::steady_clock;
using runtime::wasm::CallResult;
using runtime::wasm::ExternKind;
using runtime::wasm::Func;
using runtime::wasm::Instance;
using runtime::wasm::Linker;
using runtime::wasm::Module;
using runtime::wasm::Store;
using runtime::wasm::StoreOptions;
using runtime::wasm::Value;

constexpr std::string_view kWasiModule = "wasi_snapshot_preview1";

absl::StatusOr<std::shared_ptr<const Module>> ModuleOf(const Session& session) {
  if (session.image() != nullptr) return Module::FromImage(session.image());
  return Module::FromValidatedBytes(session.module_bytes());
}

// The functions a module exports, as a list for messages.
std::string ExportedFunctions(const Module& module) {
  std::string text;
  for (const Module::ExportType& e : module.exports()) {
    if (e.type.kind == ExternKind::kFunction)
      absl::StrAppend(&text, "\n  ", e.name, " ", TypeText(e.type.function));
  }
  return text;
}

class Run {
 public:
  Run(const Session& session, const WasmRunOptions& options)
      : session_(session), options_(options) {}

  int Execute() {
    if (absl::Status s = Prepare(); !s.ok()) return CannotStart(s);
    const Clock::time_point start = Clock::now();
    int exit_code = kExitOk;
    absl::StatusOr<Instance*> instance =
        linker_->Instantiate(module_, {.interpret = options_.session.interpret});
    if (instance.ok()) {
      instance_ = *instance;
      exit_code = CallAll();
    } else {
      exit_code = NotInstantiated(instance.status());
    }
    seconds_ = std::chrono::duration<double>(Clock::now() - start).count();
    PrintStats(exit_code);
    return exit_code;
  }

 private:
  static constexpr int kExitOk = 0;

  static int CannotStart(const absl::Status& status) {
    PrintError(status.message());
    return kExitCannotStart;
  }

  // -- before anything of the guest runs

  absl::Status Prepare() {
    absl::StatusOr<std::shared_ptr<const Module>> module = ModuleOf(session_);
    if (!module.ok()) return module.status();
    module_ = *std::move(module);
    if (absl::Status s = ChooseFunction(); !s.ok()) return s;
    if (absl::Status s = CheckOptions(); !s.ok()) return s;

    StoreOptions store_options;
    store_options.native_stack_size = options_.native_stack;
    store_options.huge_pages = options_.huge_pages;
    if (options_.fuel) {
      store_options.fuel =
          static_cast<int64_t>(std::min<uint64_t>(*options_.fuel, StoreOptions::kUnlimitedFuel));
    }
    store_options.canonical_nans = options_.session.canonical_nans || HasCanonicalNans();
    fuel_ = store_options.fuel;

    if (absl::Status s = CreateWasi(); !s.ok()) return s;
    store_ = std::make_unique<Store>(store_options);
    linker_ = std::make_unique<Linker>(*store_);
    wasi_->AddTo(*store_, *linker_);
    if (absl::Status s = AddImports(); !s.ok()) return s;
    return CheckImports(*module_, options_.file);
  }

  absl::Status CreateWasi() {
    absl::StatusOr<std::unique_ptr<runtime::wasi::Wasi>> wasi =
        runtime::wasi::Wasi::Create(options_.wasi);
    if (!wasi.ok()) return wasi.status();
    wasi_ = *std::move(wasi);
    return absl::OkStatus();
  }

  // Which export is called, and with what.
  absl::Status ChooseFunction() {
    const std::string name = options_.invoke.value_or("_start");
    std::vector<std::string> names;
    for (const Module::ExportType& e : module_->exports()) {
      if (e.type.kind != ExternKind::kFunction) continue;
      if (e.name == name) return ParseArguments(e.type.function);
      names.emplace_back(e.name);
    }
    if (options_.invoke) {
      const std::optional<std::string> closest = cli::Closest(name, names);
      return absl::NotFoundError(
          absl::StrCat(options_.file, " exports no function \"", name, "\"",
                       closest ? absl::StrCat("; did you mean \"", *closest, "\"?") : "",
                       names.empty() ? "; it exports no functions at all"
                                     : absl::StrCat("; it exports:", ExportedFunctions(*module_))));
    }
    if (names.empty()) {
      return absl::NotFoundError(
          absl::StrCat(options_.file, " is no WASI command and exports no functions to call"));
    }
    return absl::NotFoundError(
        absl::StrCat(options_.file,
                     " is no WASI command: it exports no function _start. Call one of its "
                     "functions with --invoke NAME ARGS, of:",
                     ExportedFunctions(*module_)));
  }

  absl::Status ParseArguments(const runtime::wasm::FuncType& type) {
    function_ = options_.invoke.value_or("_start");
    if (!options_.invoke) {
      if (type.params.empty() && type.results.empty()) return absl::OkStatus();
      return absl::InvalidArgumentError(absl::StrCat(
          "_start of a WASI command has type () -> (); this one has ", TypeText(type)));
    }
    // The first argument is the program's name.
    const size_t count = options_.wasi.arguments.size() - 1;
    if (count != type.params.size()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s has type %s: expected %d arguments, found %d", function_,
                          TypeText(type), type.params.size(), count));
    }
    for (size_t i = 0; i < count; ++i) {
      absl::StatusOr<Value> value = ParseValue(type.params[i], options_.wasi.arguments[i + 1]);
      if (!value.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("argument ", i + 1, " of ", function_, ": ", value.status().message()));
      }
      arguments_.push_back(*value);
    }
    return absl::OkStatus();
  }

  bool IsMetered() const {
    return session_.image() == nullptr || options_.session.interpret || session_.image()->metered();
  }

  bool HasCanonicalNans() const {
    return session_.image() != nullptr && session_.image()->canonical_nans();
  }

  // What an image was compiled without cannot be had from it.
  absl::Status CheckOptions() const {
    if (options_.session.canonical_nans && session_.is_image() && !options_.session.interpret &&
        !HasCanonicalNans()) {
      return absl::InvalidArgumentError(
          absl::StrCat(options_.file,
                       " was compiled without --canonical-nans; compile it again with "
                       "it, or interpret it with --interpret"));
    }
    if (!options_.fuel || IsMetered()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(options_.file,
                     " was compiled with --no-meter, so --fuel would not stop it; compile it again "
                     "without, or interpret it with --interpret"));
  }

  // What --import names: each is instantiated, and its exports are there for those behind it and
  // for the module.
  absl::Status AddImports() {
    std::set<std::string_view> given;
    for (const ImportFlag& import : options_.imports) {
      SessionOptions session_options = options_.session;
      session_options.program_guid.reset();
      absl::StatusOr<Session> session = Session::Open(import.file, session_options);
      if (!session.ok()) return session.status();
      if (!session->is_wasm()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "--import: ", import.file, " is not a WebAssembly module or an image of one"));
      }
      if (absl::Status s = CheckGuid(import, *session); !s.ok()) return s;
      absl::StatusOr<std::shared_ptr<const Module>> module = ModuleOf(*session);
      if (!module.ok()) return module.status();
      if (absl::Status s = CheckImports(**module, import.file); !s.ok()) return s;
      absl::StatusOr<Instance*> instance =
          linker_->Instantiate(*module, {.interpret = options_.session.interpret});
      if (!instance.ok()) {
        return absl::Status(instance.status().code(),
                            absl::StrCat(import.file, ": ", instance.status().message()));
      }
      linker_->DefineInstance(import.name, *instance);
      given.insert(import.name);
    }
    for (const format::ImportedImage& image : ImportedImages()) {
      if (given.contains(image.name)) continue;
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s was compiled against \"%s\" (program %s): give it with --import %s=FILE",
          options_.file, image.name, format::GuidToString(image.guid), image.name));
    }
    return absl::OkStatus();
  }

  absl::Span<const format::ImportedImage> ImportedImages() const {
    if (session_.image() == nullptr) return {};
    return session_.image()->view().images;
  }

  // That the module is linked with what it was compiled against, where that was recorded.
  absl::Status CheckGuid(const ImportFlag& import, const Session& session) const {
    for (const format::ImportedImage& image : ImportedImages()) {
      if (image.name != import.name || image.guid == session.guid()) continue;
      return absl::FailedPreconditionError(
          absl::StrFormat("%s is not the \"%s\" that %s was compiled against: expected program %s, "
                          "actual %s",
                          import.file, import.name, options_.file, format::GuidToString(image.guid),
                          format::GuidToString(session.guid())));
    }
    return absl::OkStatus();
  }

  // Says all that is missing, where linking would name the first.
  absl::Status CheckImports(const Module& module, const std::string& file) const {
    std::string missing;
    std::set<std::string_view> from;
    for (const Module::ImportType& i : module.imports()) {
      if (linker_->Find(i.module, i.name)) continue;
      absl::StrAppend(&missing, "\n  ", i.module, ".", i.name, ": ", TypeText(i.type));
      from.insert(i.module);
    }
    if (missing.empty()) return absl::OkStatus();
    from.erase(kWasiModule);
    return absl::NotFoundError(absl::StrCat(
        file, " imports what nothing provides (aotc provides ", kWasiModule, "):", missing,
        from.empty() ? ""
                     : absl::StrCat("\nGive the modules that do with --import ",
                                    absl::StrJoin(from, "=FILE --import "), "=FILE")));
  }

  // -- the run

  int NotInstantiated(const absl::Status& status) {
    PrintError(absl::StrCat(options_.file, ": ", status.message()));
    return status.code() == absl::StatusCode::kFailedPrecondition ? kExitTrapped : kExitCannotStart;
  }

  int CallAll() {
    // A library of WASI ("reactor") prepares itself in a function of this name.
    if (options_.invoke && function_ != "_initialize") {
      Func* initialize = instance_->FindFunction("_initialize");
      if (initialize != nullptr && initialize->type() == runtime::wasm::FuncType()) {
        const CallResult result = initialize->Call({});
        if (!result.ok()) return Report(result);
      }
    }
    result_ = instance_->FindFunction(function_)->Call(arguments_);
    if (!result_.ok()) return Report(result_);
    for (const Value& value : result_.values) absl::PrintF("%s\n", ValueText(value));
    return kExitOk;
  }

  int Report(const CallResult& result) {
    result_ = result;
    std::string place;
    if (!result.function.empty()) absl::StrAppend(&place, " in ", result.function);
    if (result.offset != 0) absl::StrAppendFormat(&place, " at offset 0x%x", result.offset);
    switch (result.kind) {
      case CallResult::Kind::kReturned:
        break;
      case CallResult::Kind::kTrapped:
        if (result.trap == abi::TrapCode::kOutOfFuel) {
          PrintError(absl::StrFormat("all fuel consumed%s; %s of %s used", place,
                                     Grouped(FuelUsed()), Grouped(static_cast<uint64_t>(fuel_))));
          return kExitSuspended;
        }
        PrintError(absl::StrCat("trap: ", runtime::wasm::TrapText(result.trap), place));
        return kExitTrapped;
      case CallResult::Kind::kExited:
        return static_cast<int>(result.exit_code & 0xFF);
      case CallResult::Kind::kFailed:
        PrintError(absl::StrCat("failed: ", result.failure.message()));
        return kExitBroken;
    }
    return kExitOk;
  }

  // -- afterwards

  uint64_t FuelUsed() const { return static_cast<uint64_t>(fuel_ - store_->fuel()); }

  const char* ResultName() const {
    if (instance_ == nullptr) return "not instantiated";
    switch (result_.kind) {
      case CallResult::Kind::kReturned:
        return "returned";
      case CallResult::Kind::kTrapped:
        return result_.trap == abi::TrapCode::kOutOfFuel ? "out of fuel" : "trapped";
      case CallResult::Kind::kExited:
        return "exited";
      case CallResult::Kind::kFailed:
        return "failed";
    }
    return "";
  }

  void PrintStats(int exit_code) const {
    if (!options_.stats && !options_.json && options_.stats_file.empty()) return;
    const std::string text = options_.json ? StatsJson(exit_code) : StatsText();
    if (options_.stats_file.empty()) {
      absl::FPrintF(stderr, "%s", text);
    } else if (absl::Status s = WriteFileOrStdout(options_.stats_file, text); !s.ok()) {
      PrintError(s.message());
    }
  }

  std::string StatsJson(int exit_code) const {
    nlohmann::ordered_json root = {{"result", ResultName()}, {"exit_code", exit_code}};
    if (instance_ != nullptr && result_.ok() && options_.invoke) {
      root["results"] = nlohmann::ordered_json::array();
      for (const Value& value : result_.values) {
        root["results"].push_back({{"type", TypeName(value.type)}, {"value", ValueText(value)}});
      }
    }
    if (result_.kind == CallResult::Kind::kTrapped) {
      root["trap"] = runtime::wasm::TrapText(result_.trap);
      root["function"] = result_.function;
      root["offset"] = result_.offset;
    }
    if (IsMetered()) root["fuel"] = FuelUsed();
    root["native"] = session_.image() != nullptr && !options_.session.interpret;
    root["compile_milliseconds"] = session_.compile_seconds() * 1e3;
    root["load_milliseconds"] = session_.load_seconds() * 1e3;
    root["run_milliseconds"] = seconds_ * 1e3;
    return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }

  std::string StatsText() const {
    std::string out;
    const auto row = [&](std::string_view name, std::string_view value) {
      absl::StrAppendFormat(&out, "  %-14s %s\n", name, value);
    };
    const uint64_t fuel = IsMetered() ? FuelUsed() : 0;
    row("fuel", IsMetered() ? absl::StrCat(Grouped(fuel), " instructions")
                            : std::string("not counted (compiled with --no-meter)"));
    row("code",
        session_.image() == nullptr || options_.session.interpret ? "interpreted" : "native");
    row("time",
        absl::StrFormat("%.3f ms running, %.3f ms compiling, %.3f ms loading", seconds_ * 1e3,
                        session_.compile_seconds() * 1e3, session_.load_seconds() * 1e3));
    if (fuel != 0 && seconds_ > 0) {
      row("speed", absl::StrFormat("%.1f million instructions per second",
                                   static_cast<double>(fuel) / seconds_ / 1e6));
    }
    return out;
  }

  const Session& session_;
  const WasmRunOptions& options_;
  std::shared_ptr<const Module> module_;
  std::string function_;
  std::vector<Value> arguments_;
  int64_t fuel_ = 0;                           // at the beginning
  std::unique_ptr<runtime::wasi::Wasi> wasi_;  // outlives the store
  std::unique_ptr<Store> store_;
  std::unique_ptr<Linker> linker_;
  Instance* instance_ = nullptr;
  CallResult result_;
  double seconds_ = 0;
};

}  // namespace

int RunWasm(const Session& session, const WasmRunOptions& options) {
  // The process ends after this, and the system takes memory and mappings back faster than we
  // could. Marked as used, so that whoever looks for leaks finds it.
  [[gnu::used]] static Run* kept;
  kept = new Run(session, options);
  return kept->Execute();
}

}  // namespace precast::aotc
