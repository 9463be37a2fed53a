#include "tools/commands/run_metered.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "openvm/config.h"
#include "openvm/metering_json.h"
#include "runtime/openvm/host.h"
#include "runtime/openvm/segments/chain.h"
#include "tools/commands/io.h"

namespace precast::aotc {
namespace {

std::string MeterFile(const std::string& snapshot) { return absl::StrCat(snapshot, ".meter"); }

}  // namespace

void MeteredFlags::AddTo(std::vector<cli::Flag>& flags) {
  flags.push_back(cli::Switch(
      "metered", 0, "OpenVM: count rows per chip and cut the run into segments", &metered));
  flags.push_back(cli::Text("metering", 0, "FILE",
                            "OpenVM: chips and limits, JSON (default: OpenVM's; implies --metered)",
                            &config_file));
  flags.push_back(cli::Switch(
      "segments", 0, "OpenVM: print the segments to stderr (implies --metered)", &segments));
  flags.push_back(cli::Text("segments-dir", 0, "DIR",
                            "OpenVM: write the state at each boundary, for `aotc preflight` and\n"
                            "`aotc segment-verify` (implies --metered)",
                            &directory));
  flags.push_back(cli::Switch("metered-cost", 0,
                              "OpenVM: count cells only, and stop when there are too many", &cost));
  flags.push_back(cli::Number("max-cost", 0, "N", "OpenVM: how many are too many", &max_cost));
}

absl::Status MeteredFlags::Resolve() {
  if (cost && (metered || segments || !directory.empty())) {
    return absl::InvalidArgumentError(
        "--metered-cost counts no segments: expected it without --metered, --segments and "
        "--segments-dir");
  }
  if (!cost && max_cost != UINT64_MAX)
    return absl::InvalidArgumentError("--max-cost: expected with --metered-cost");
  if (!cost) metered |= segments || !config_file.empty() || !directory.empty();
  return absl::OkStatus();
}

absl::StatusOr<precast::openvm::MeteringConfig> MeteringOf(const Session& session,
                                                           const std::string& config_file) {
  absl::StatusOr<precast::openvm::Config> machine =
      precast::openvm::FromText(session.program().machine);
  if (!machine.ok()) return machine.status();
  precast::openvm::MeteringConfig config = precast::openvm::DefaultMetering(*machine);
  if (!config_file.empty()) {
    absl::StatusOr<std::vector<uint8_t>> text = ReadFile(config_file);
    if (!text.ok()) return text.status();
    absl::StatusOr<precast::openvm::MeteringConfig> read = precast::openvm::MeteringFromJson(
        {reinterpret_cast<const char*>(text->data()), text->size()}, config);
    if (!read.ok()) {
      return absl::Status(read.status().code(),
                          absl::StrCat(config_file, ": ", read.status().message()));
    }
    config = *std::move(read);
  }
  uint64_t words = 0;
  for (const runtime::ProgramCodeRange& range : session.program().code_ranges)
    words += (range.end - range.begin) / 4;
  runtime::SetProgramHeight(words, config);
  return config;
}

absl::StatusOr<std::unique_ptr<MeteredRun>> MeteredRun::Begin(const MeteredFlags& flags,
                                                              const Session& session,
                                                              runtime::Instance& instance,
                                                              const std::string& snapshot) {
  if (!flags.directory.empty() && instance.retired() != 0) {
    return absl::InvalidArgumentError(
        "--segments-dir: expected a run from the program's beginning, not from a snapshot");
  }
  // Not at the end of a long run.
  if (!flags.directory.empty()) {
    if (absl::Status s = runtime::PrepareChainDirectory(flags.directory); !s.ok()) return s;
  }
  std::unique_ptr<MeteredRun> run(new MeteredRun(flags, instance));
  absl::StatusOr<precast::openvm::MeteringConfig> config = MeteringOf(session, flags.config_file);
  if (!config.ok()) return config.status();
  run->config_ = *std::move(config);
  const auto& host = static_cast<const runtime::OpenVmHost&>(instance.host());
  const runtime::CountedMemory memory = {instance.memory().base(), host.config().memory_bits};
  const precast::openvm::Registry& registry = precast::openvm::Registry::Global();
  if (flags.cost) {
    run->cost_ = std::make_unique<runtime::CostMeter>(
        run->config_, registry, memory,
        flags.max_cost != UINT64_MAX ? flags.max_cost : run->config_.max_cost);
    if (instance.counts_rows()) {
      run->native_cost_ =
          std::make_unique<runtime::NativeCostMeter>(instance, *run->cost_, run->config_, registry);
    } else {
      instance.interpreter().SetObserver(run->cost_.get());
    }
    return run;
  }
  const std::string state_file = MeterFile(snapshot);
  const bool continued = !snapshot.empty() && access(state_file.c_str(), F_OK) == 0;
  run->meter_ = std::make_unique<runtime::Meter>(run->config_, registry, memory,
                                                 continued ? 0 : instance.retired());
  if (continued) {
    absl::StatusOr<std::vector<uint8_t>> state = ReadFile(state_file);
    if (!state.ok()) return state.status();
    absl::Status restored = run->meter_->RestoreState(*state);
    if (restored.ok() && run->meter_->instructions() != instance.retired()) {
      restored = absl::InvalidArgumentError(absl::StrFormat(
          "expected counts of %d instructions, as many as the snapshot has, actual %d; remove the "
          "file to count from the snapshot on",
          instance.retired(), run->meter_->instructions()));
    }
    if (!restored.ok()) {
      return absl::Status(restored.code(), absl::StrCat(state_file, ": ", restored.message()));
    }
  }
  if (instance.counts_rows()) {
    run->native_meter_ =
        std::make_unique<runtime::NativeMeter>(instance, *run->meter_, run->config_, registry);
  } else {
    instance.interpreter().SetObserver(run->meter_.get());
  }
  return run;
}

runtime::RunResult MeteredRun::Run(int64_t limit) {
  if (native_meter_ != nullptr) return native_meter_->Run(limit);
  if (native_cost_ != nullptr) return native_cost_->Run(limit);
  return instance_.Run(limit);
}

MeteredRun::~MeteredRun() { instance_.interpreter().SetObserver(nullptr); }

void MeteredRun::End(const runtime::RunResult& result) {
  ended_ = result.reason == runtime::RunResult::Reason::kExited;
  if (ended_ && meter_ != nullptr) meter_->Finish();
}

absl::Status MeteredRun::Save(const std::string& snapshot) const {
  if (meter_ == nullptr) return absl::OkStatus();
  return WriteFile(MeterFile(snapshot), meter_->SaveState());
}

absl::Status MeteredRun::WriteSegments(
    const std::function<absl::StatusOr<std::unique_ptr<runtime::Instance>>()>& factory,
    const std::string& program_file) const {
  if (!ended_)
    return absl::FailedPreconditionError("--segments-dir: expected the guest to end, it has not");
  absl::StatusOr<std::unique_ptr<runtime::Instance>> instance = factory();
  if (!instance.ok()) return instance.status();
  const auto& host = static_cast<const runtime::OpenVmHost&>((*instance)->host());
  absl::StatusOr<std::vector<uint8_t>> program = ReadFile(program_file);
  if (!program.ok()) return program.status();
  return runtime::RecordChain(
      **instance, host, meter_->segments(), config_, runtime::Sha256MemoryHash(),
      {reinterpret_cast<const char*>(program->data()), program->size()}, flags_.directory);
}

std::string MeteredRun::Text() const {
  std::string out;
  if (cost_ != nullptr) {
    return absl::StrFormat("  %-14s %s cells%s\n", "cost", Grouped(cost_->cost()),
                           cost_->exceeded() ? ": too many" : "");
  }
  const std::vector<precast::openvm::Segment>& segments = meter_->segments();
  absl::StrAppendFormat(&out, "  %-14s %d%s\n", "segments", segments.size(),
                        ended_ ? "" : " that have ended");
  if (!flags_.segments) return out;
  for (size_t i = 0; i < segments.size(); ++i) {
    const precast::openvm::Segment& s = segments[i];
    uint32_t highest = 0;
    for (uint32_t chip = 0; chip < s.heights.size(); ++chip) {
      if (!config_.chips[chip].constant_height.has_value() && s.heights[chip] > s.heights[highest])
        highest = chip;
    }
    absl::StrAppendFormat(&out, "  segment %6d  from %15s  %13s instructions  most rows %s %s\n", i,
                          Grouped(s.first_instruction), Grouped(s.instructions),
                          Grouped(s.heights[highest]), config_.chips[highest].name);
  }
  return out;
}

nlohmann::ordered_json MeteredRun::Json() const {
  if (cost_ != nullptr) return {{"cost", cost_->cost()}, {"exceeded", cost_->exceeded()}};
  nlohmann::ordered_json segments = nlohmann::ordered_json::array();
  for (const precast::openvm::Segment& s : meter_->segments()) {
    nlohmann::ordered_json heights = nlohmann::ordered_json::object();
    for (size_t chip = 0; chip < s.heights.size(); ++chip)
      heights[config_.chips[chip].name] = s.heights[chip];
    segments.push_back({{"first_instruction", s.first_instruction},
                        {"instructions", s.instructions},
                        {"heights", std::move(heights)}});
  }
  return {{"complete", ended_}, {"segments", std::move(segments)}};
}

}  // namespace precast::aotc
