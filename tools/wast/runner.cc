// See runner.h.
#include "tools/wast/runner.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/abi/vm_context.h"

namespace precast::wast {
namespace {

using runtime::wasm::Caller;
using runtime::wasm::CallResult;
using runtime::wasm::Extern;
using runtime::wasm::ExternKind;
using runtime::wasm::Func;
using runtime::wasm::GlobalType;
using runtime::wasm::HostResult;
using runtime::wasm::Instance;
using runtime::wasm::Linker;
using runtime::wasm::Memory;
using runtime::wasm::MemoryType;
using runtime::wasm::Module;
using runtime::wasm::Store;
using runtime::wasm::Table;
using runtime::wasm::TableType;
using runtime::wasm::ValType;
using runtime::wasm::Value;

std::string_view TrapText(abi::TrapCode code) {
  switch (code) {
#define PRECAST_TRAP(Name, text) \
  case abi::TrapCode::k##Name:   \
    return text;
#include "runtime/abi/traps.def"
#undef PRECAST_TRAP
  }
  return "?";
}

std::string Describe(const CallResult& result) {
  switch (result.kind) {
    case CallResult::Kind::kReturned:
      return absl::StrCat("returned (",
                          absl::StrJoin(result.values, ", ",
                                        [](std::string* out, const Value& v) {
                                          absl::StrAppend(out, ToString(v));
                                        }),
                          ")");
    case CallResult::Kind::kTrapped:
      return absl::StrCat("trapped: ", TrapText(result.trap), " in ", result.function,
                          " at offset 0x", absl::Hex(result.offset));
    case CallResult::Kind::kExited:
      return absl::StrCat("exited with ", result.exit_code);
    case CallResult::Kind::kFailed:
      return absl::StrCat("failed: ", result.failure.ToString());
  }
  return "";
}

// The expected text is the beginning of the trap's, or the other way round (scripts differ in how
// much they say).
bool IsTrap(const CallResult& result, std::string_view text) {
  if (result.kind != CallResult::Kind::kTrapped) return false;
  const std::string_view actual = TrapText(result.trap);
  return absl::StartsWith(text, actual) || absl::StartsWith(actual, text);
}

class Runner {
 public:
  Runner(const Script& script, const Engine& engine)
      : script_(script), engine_(engine), store_(Options(engine)), linker_(store_) {
    report_.script = script.name;
  }

  Report Run() {
    if (absl::Status s = DefineSpectest(); !s.ok()) {
      report_.error = s.ToString();
      return std::move(report_);
    }
    for (const Command& c : script_.commands) Execute(c);
    return std::move(report_);
  }

 private:
  static runtime::wasm::StoreOptions Options(const Engine& engine) {
    runtime::wasm::StoreOptions options;
    options.canonical_nans = engine.options().canonical_nans;
    return options;
  }

  // The module that scripts import from (specification, interpreter/README, "spectest").
  absl::Status DefineSpectest() {
    const auto print = [&](std::string_view name, std::vector<ValType> params) {
      linker_.Define("spectest", name,
                     store_.NewFunction({std::move(params), {}},
                                        [](Caller&, absl::Span<const Value>, absl::Span<Value>) {
                                          return HostResult::Return();
                                        }));
    };
    print("print", {});
    print("print_i32", {ValType::kI32});
    print("print_i64", {ValType::kI64});
    print("print_f32", {ValType::kF32});
    print("print_f64", {ValType::kF64});
    print("print_i32_f32", {ValType::kI32, ValType::kF32});
    print("print_f64_f64", {ValType::kF64, ValType::kF64});
    const auto global = [&](std::string_view name, Value value) {
      linker_.Define("spectest", name,
                     Extern{.kind = ExternKind::kGlobal,
                            .global = store_.NewGlobal({value.type, false}, value)});
    };
    global("global_i32", Value::I32(666));
    global("global_i64", Value::I64(666));
    global("global_f32", Value::F32(666.6f));
    global("global_f64", Value::F64(666.6));
    for (const bool is_64 : {false, true}) {
      absl::StatusOr<Table*> table =
          store_.NewTable({.element = ValType::kFuncRef, .limits = {10, 20}, .is_64 = is_64});
      if (!table.ok()) return table.status();
      linker_.Define("spectest", is_64 ? "table64" : "table",
                     Extern{.kind = ExternKind::kTable, .table = *table});
    }
    for (const bool shared : {false, true}) {
      absl::StatusOr<std::shared_ptr<Memory>> memory =
          Memory::Create({.limits = {1, 2}, .is_64 = false, .shared = shared});
      if (!memory.ok()) return memory.status();
      linker_.Define("spectest", shared ? "shared_memory" : "memory",
                     Extern{.kind = ExternKind::kMemory, .memory = *memory});
    }
    return absl::OkStatus();
  }

  void Fail(const Command& c, std::string_view why) {
    report_.failures.push_back(absl::StrCat("line ", c.line, ": ", why));
  }
  void Assert(const Command& c, bool holds, std::string_view why) {
    ++(holds ? report_.passed : report_.failed);
    if (!holds) Fail(c, why);
  }
  void Skip(const std::string& reason) {
    ++report_.skipped;
    ++report_.skips[reason];
  }

  absl::StatusOr<Instance*> Instantiate(const Command& c) {
    absl::StatusOr<std::shared_ptr<const Module>> module = engine_.Load(c.module);
    if (!module.ok()) return module.status();
    return linker_.Instantiate(*std::move(module), {.interpret = engine_.options().interpret});
  }

  Instance* Find(const std::string& name) {
    if (name.empty()) return latest_;
    const auto it = named_.find(name);
    return it == named_.end() ? nullptr : it->second;
  }

  // Nothing if the module or export is not there (then the reason is in `why`).
  std::optional<CallResult> Perform(const Action& action, std::string& why) {
    Instance* instance = Find(action.module);
    if (instance == nullptr) {
      why = "there is no instance (its module failed)";
      return std::nullopt;
    }
    const std::optional<Extern> found = instance->FindExport(action.field);
    if (action.kind == Action::Kind::kGet) {
      if (!found || found->global == nullptr) {
        why = absl::StrCat("no exported global \"", action.field, "\"");
        return std::nullopt;
      }
      CallResult result;
      result.values = {found->global->Get()};
      return result;
    }
    if (!found || found->function == nullptr) {
      why = absl::StrCat("no exported function \"", action.field, "\"");
      return std::nullopt;
    }
    const std::vector<ValType>& params = found->function->type().params;
    bool fits = params.size() == action.arguments.size();
    for (size_t k = 0; fits && k < params.size(); ++k) {
      fits = params[k] == action.arguments[k].type;
    }
    if (!fits) {
      why = absl::StrCat("\"", action.field, "\" takes other arguments");
      return std::nullopt;
    }
    return found->function->Call(action.arguments);
  }

  static bool Matches(const CallResult& result, const std::vector<Pattern>& expected) {
    if (!result.ok() || result.values.size() != expected.size()) return false;
    for (size_t k = 0; k < expected.size(); ++k) {
      if (!wast::Matches(result.values[k], expected[k])) return false;
    }
    return true;
  }

  void AssertReturn(const Command& c) {
    std::string why;
    const std::optional<CallResult> result = Perform(c.action, why);
    if (!result) return Assert(c, false, why);
    bool holds = false;
    for (const std::vector<Pattern>& expected : c.expected) holds |= Matches(*result, expected);
    if (holds) return Assert(c, true, "");
    const auto list = [](std::string* out, const std::vector<Pattern>& patterns) {
      absl::StrAppend(
          out, "(",
          absl::StrJoin(patterns, ", ",
                        [](std::string* o, const Pattern& p) { absl::StrAppend(o, ToString(p)); }),
          ")");
    };
    Assert(c, false,
           absl::StrCat(c.action.field, " ", Describe(*result), ", expected ",
                        absl::StrJoin(c.expected, " or ", list)));
  }

  void AssertTrap(const Command& c) {
    std::string why;
    const std::optional<CallResult> result = Perform(c.action, why);
    if (!result) return Assert(c, false, why);
    Assert(c, IsTrap(*result, c.text),
           absl::StrCat(c.action.field, " ", Describe(*result), ", expected trap: ", c.text));
  }

  void AssertRejected(const Command& c) {
    if (c.is_text) return Skip("syntax of the text format, which is a library's");
    // Proposals that were written against 1.0 still say so.
    if (c.text == "multiple tables") return Skip("forbids several tables, which 2.0 allows");
    Assert(c, !engine_.Validate(c.module).ok(), absl::StrCat("accepted, expected: ", c.text));
  }

  void AssertNotInstantiated(const Command& c, absl::StatusCode code) {
    const absl::StatusOr<Instance*> instance = Instantiate(c);
    if (instance.ok()) return Assert(c, false, absl::StrCat("instantiated, expected: ", c.text));
    Assert(
        c,
        instance.status().code() == code && absl::StrContains(instance.status().message(), c.text),
        absl::StrCat("expected: ", c.text, "; got: ", instance.status().ToString()));
  }

  void InstantiateNamed(const Command& c) {
    if (c.definition) {
      if (absl::Status s = engine_.Validate(c.module); !s.ok()) Fail(c, s.ToString());
      return;
    }
    absl::StatusOr<Instance*> instance = Instantiate(c);
    latest_ = instance.ok() ? *instance : nullptr;
    if (!c.name.empty()) named_[c.name] = latest_;
    if (!instance.ok()) Fail(c, absl::StrCat("module: ", instance.status().ToString()));
  }

  void Execute(const Command& c) {
    switch (c.kind) {
      case Command::Kind::kModule:
        return InstantiateNamed(c);
      case Command::Kind::kRegister:
        if (Instance* instance = Find(c.name); instance != nullptr) {
          linker_.DefineInstance(c.text, instance);
        }
        return;
      case Command::Kind::kAction: {
        std::string why;
        const std::optional<CallResult> result = Perform(c.action, why);
        if (!result) return Fail(c, why);
        if (!result->ok()) Fail(c, absl::StrCat(c.action.field, " ", Describe(*result)));
        return;
      }
      case Command::Kind::kAssertReturn:
        return AssertReturn(c);
      case Command::Kind::kAssertTrap:
      case Command::Kind::kAssertExhaustion:
        return AssertTrap(c);
      case Command::Kind::kAssertMalformed:
      case Command::Kind::kAssertInvalid:
        return AssertRejected(c);
      case Command::Kind::kAssertUnlinkable:
        return AssertNotInstantiated(c, absl::StatusCode::kInvalidArgument);
      case Command::Kind::kAssertUninstantiable:
        return AssertNotInstantiated(c, absl::StatusCode::kFailedPrecondition);
      case Command::Kind::kUnknown:
        return Skip(absl::StrCat("no command \"", c.text, "\""));
    }
  }

  const Script& script_;
  const Engine& engine_;
  Store store_;
  Linker linker_;
  Instance* latest_ = nullptr;
  absl::flat_hash_map<std::string, Instance*> named_;
  Report report_;
};

}  // namespace

Report RunScript(const Script& script, const Engine& engine) {
  return Runner(script, engine).Run();
}

}  // namespace precast::wast
