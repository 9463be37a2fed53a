#include "runtime/openvm/host.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "runtime/byte_stream.h"

namespace precast::runtime {

using precast::openvm::Extension;
using precast::openvm::Instruction;
using precast::openvm::Machine;
using precast::openvm::Operands;
using precast::openvm::Registry;

namespace {

// Always enabled: a guest could not end without it.
constexpr std::string_view kSystemExtension = "rv32io";

}  // namespace

OpenVmHost::OpenVmHost(OpenVmHostOptions options)
    : options_(std::move(options)), random_(RandomFromSeed(options_.seed)) {
  state_.inputs = options_.inputs;
  state_.public_values.resize(options_.config.public_values);
  state_.deferrals = options_.deferrals;
  state_.random = [this](absl::Span<uint8_t> out) { FillRandom(random_, out); };
  state_.print = [this](std::string_view text) { Print(text); };
}

absl::Status OpenVmHost::CheckExtensions(absl::Span<const std::string> ids) {
  std::vector<std::string> missing;
  for (const std::string& id : ids) {
    bool found = false;
    for (const Extension* extension : Registry::Global().extensions()) {
      found |= precast::openvm::ExtensionId(*extension) == id;
    }
    if (!found) missing.push_back(id);
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("the image needs extensions that are not part of this program: ",
                   absl::StrJoin(missing, ", ")));
}

absl::StatusOr<std::unique_ptr<OpenVmHost>> OpenVmHost::Create(OpenVmHostOptions options) {
  std::unique_ptr<OpenVmHost> host(new OpenVmHost(std::move(options)));
  const precast::openvm::Config& config = host->options_.config;
  for (const std::string& name : config.extensions) {
    if (Registry::Global().FindExtension(name) == nullptr) {
      return absl::NotFoundError(absl::StrFormat(
          "extension \"%s\": the guest needs it, and it is not part of this program", name));
    }
  }
  for (const Extension* extension : Registry::Global().extensions()) {
    Configured& configured = host->extensions_[extension];
    configured.enabled = config.extensions.empty() || extension->name() == kSystemExtension ||
                         std::find(config.extensions.begin(), config.extensions.end(),
                                   extension->name()) != config.extensions.end();
    if (!configured.enabled) continue;
    absl::StatusOr<std::unique_ptr<precast::openvm::ExtensionState>> state =
        extension->Configure(config);
    if (!state.ok()) {
      return absl::Status(state.status().code(), absl::StrCat("extension ", extension->name(), ": ",
                                                              state.status().message()));
    }
    configured.state = *std::move(state);
  }
  const Registry& registry = Registry::Global();
  for (size_t i = 0; i < registry.num_entries(); ++i) {
    host->by_entry_.push_back(&host->extensions_[registry.entry(i).extension]);
  }
  return host;
}

absl::Status OpenVmHost::SetUp(const ProgramImage& program, GuestMemory& memory,
                               abi::VmContext& context) {
  const uint64_t size = uint64_t{1} << options_.config.memory_bits;
  uint64_t at = 0;  // everything below is readable and writable
  auto map_up_to = [&](uint64_t end) {
    if (at >= end) return absl::OkStatus();
    return memory.Map(static_cast<uint32_t>(at), end - at, kPageRead | kPageWrite);
  };
  for (const ProgramSegment& segment : program.segments) {
    const uint64_t end = segment.address + segment.size;
    if (end > size) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "segment at 0x%x, %d bytes: expected to end within the memory of 2^%d bytes",
          segment.address, segment.size, options_.config.memory_bits));
    }
    if (absl::Status s = map_up_to(segment.address); !s.ok()) return s;
    if (absl::Status s = memory.Protect(segment.address, segment.size, kPageRead | kPageWrite);
        !s.ok())
      return s;
    at = end;
  }
  if (absl::Status s = map_up_to(size); !s.ok()) return s;
  std::fill(std::begin(context.x), std::end(context.x), 0);
  return absl::OkStatus();
}

HostCallResult OpenVmHost::HandleCall(abi::VmContext&, GuestMemory&) {
  return HostCallResult::Exit(kUnimplementedExitCode);
}

const Registry::Entry* OpenVmHost::Find(uint32_t word) const {
  return Registry::Global().Find(word);
}

CustomResult OpenVmHost::Execute(const Registry::Entry& entry, const Instruction& instruction,
                                 const Operands& operands, GuestMemory& memory,
                                 precast::openvm::Observer* observer) {
  CustomResult result;
  const Configured& configured = *by_entry_[entry.index];
  if (!configured.enabled) {
    result.trap = abi::TrapCode::kDisabledOperation;
    return result;
  }
  Machine machine(memory.base(), uint64_t{1} << options_.config.memory_bits, state_, observer);
  if (!entry.opcode->execute(configured.state.get(), instruction, operands, machine)) {
    result.trap = machine.trap;
    result.trap_address = machine.trap_address;
    return result;
  }
  switch (entry.opcode->effect) {
    case precast::openvm::Effect::kMemory:
      break;
    case precast::openvm::Effect::kRegister:
      result.value = machine.result;
      break;
    case precast::openvm::Effect::kBranch:
      result.value = machine.taken ? 1 : 0;
      break;
    case precast::openvm::Effect::kEnd:
      result.value = machine.exit_code;
      break;
  }
  return result;
}

void OpenVmHost::Print(std::string_view text) {
  if (before_.has_value()) {
    before_->printed.append(text);
    return;
  }
  while (!text.empty()) {
    const ssize_t written = write(options_.stdout_fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // a guest cannot do anything about it
    text.remove_prefix(static_cast<size_t>(written));
  }
}

void OpenVmHost::Attempt() {
  before_ = {state_.next_input, state_.hint_position, state_.public_values, random_, ""};
  state_.keep_hint = true;
}

void OpenVmHost::Commit() {
  const std::string printed = std::move(before_->printed);
  before_.reset();
  state_.keep_hint = false;
  state_.kept_hint.reset();
  if (!printed.empty()) Print(printed);
}

void OpenVmHost::RollBack() {
  if (state_.kept_hint.has_value()) state_.hint = *std::move(state_.kept_hint);
  state_.keep_hint = false;
  state_.kept_hint.reset();
  state_.next_input = before_->next_input;
  state_.hint_position = before_->hint_position;
  state_.public_values = std::move(before_->public_values);
  random_ = before_->random;
  before_.reset();
}

// State: string configuration; u64 position of the generator, u64 its seed; u32 number of inputs
// left, each a string; string of what is left of the hint stream; string of the public values.
absl::StatusOr<std::string> OpenVmHost::SaveState() {
  auto text = [](absl::Span<const uint8_t> bytes) {
    return std::string(bytes.begin(), bytes.end());
  };
  ByteWriter out;
  out.String(precast::openvm::ToText(options_.config));
  out.Number(options_.seed);
  out.Number(random_.position());
  out.Number(static_cast<uint32_t>(state_.inputs.size() - state_.next_input));
  for (size_t i = state_.next_input; i < state_.inputs.size(); ++i)
    out.String(text(state_.inputs[i]));
  out.String(text(absl::MakeConstSpan(state_.hint).subspan(state_.hint_position)));
  out.String(text(state_.public_values));
  return out.Take();
}

absl::Status OpenVmHost::RestoreState(absl::Span<const uint8_t> state) {
  ByteReader in(state);
  const std::string config = in.String();
  if (config != precast::openvm::ToText(options_.config)) {
    return absl::InvalidArgumentError(absl::StrFormat("OpenVM configuration: expected\n%sfound\n%s",
                                                      precast::openvm::ToText(options_.config),
                                                      config));
  }
  auto bytes = [&] {
    const std::string text = in.String();
    return std::vector<uint8_t>(text.begin(), text.end());
  };
  const auto seed = in.Number<uint64_t>();
  const auto position = in.Number<uint64_t>();
  const auto inputs_left = in.Number<uint32_t>();
  std::vector<std::vector<uint8_t>> inputs;
  for (uint32_t i = 0; i < inputs_left && in.ok(); ++i) inputs.push_back(bytes());
  std::vector<uint8_t> hint = bytes();
  std::vector<uint8_t> public_values = bytes();
  if (!in.ok() || !in.AtEnd() || public_values.size() != options_.config.public_values) {
    return absl::InvalidArgumentError(
        absl::StrFormat("OpenVM host state, offset %d: malformed", in.offset()));
  }
  state_.inputs = std::move(inputs);
  state_.next_input = 0;
  state_.SetHint(std::move(hint));
  state_.public_values = std::move(public_values);
  options_.seed = seed;
  random_ = RandomFromSeed(seed);
  random_.set_position(position);
  return absl::OkStatus();
}

}  // namespace precast::runtime
