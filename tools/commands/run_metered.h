// Metered execution for `aotc run`: flags, what is counted beside the run, and the directory of
// segments.
#ifndef PRECAST_TOOLS_COMMANDS_RUN_METERED_H_
#define PRECAST_TOOLS_COMMANDS_RUN_METERED_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "openvm/metering.h"
#include "runtime/instance.h"
#include "runtime/openvm/segments/meter.h"
#include "runtime/openvm/segments/native_meter.h"
#include "tools/cli/command.h"
#include "tools/commands/session.h"

namespace precast::aotc {

struct MeteredFlags {
  bool metered = false, segments = false, cost = false;
  std::string config_file, directory;
  uint64_t max_cost = UINT64_MAX;  // as the configuration says

  void AddTo(std::vector<cli::Flag>& flags);
  bool wanted() const { return metered || cost; }
  // InvalidArgument for flags that do not fit together. Sets `metered` where others imply it.
  absl::Status Resolve();
};

// Counts while an instance runs.
class MeteredRun {
 public:
  // `flags.wanted()`, and the instance is one of an OpenVM guest, interpreted or counting rows.
  // Watches it until this dies. An instance
  // that was restored from the file `snapshot` (empty: it was not) goes on with the counts that
  // Save put beside it, or if there are none is counted from there on.
  static absl::StatusOr<std::unique_ptr<MeteredRun>> Begin(const MeteredFlags& flags,
                                                           const Session& session,
                                                           runtime::Instance& instance,
                                                           const std::string& snapshot);
  ~MeteredRun();

  // Runs the instance.
  runtime::RunResult Run(int64_t limit);
  // After the run.
  void End(const runtime::RunResult& result);
  // The counts of a run that is suspended, beside its snapshot: "SNAPSHOT.meter".
  absl::Status Save(const std::string& snapshot) const;

  // After End, if --segments-dir is given: executes the segments again in what `factory` makes and
  // writes them, with a copy of the program's file. FailedPrecondition if the guest has not ended.
  absl::Status WriteSegments(
      const std::function<absl::StatusOr<std::unique_ptr<runtime::Instance>>()>& factory,
      const std::string& program_file) const;

  // For --segments and --stats.
  std::string Text() const;
  nlohmann::ordered_json Json() const;

 private:
  MeteredRun(const MeteredFlags& flags, runtime::Instance& instance)
      : flags_(flags), instance_(instance) {}

  const MeteredFlags flags_;
  runtime::Instance& instance_;
  precast::openvm::MeteringConfig config_;
  std::unique_ptr<runtime::Meter> meter_;
  std::unique_ptr<runtime::CostMeter> cost_;
  // Native, or null.
  std::unique_ptr<runtime::NativeMeter> native_meter_;
  std::unique_ptr<runtime::NativeCostMeter> native_cost_;
  bool ended_ = false;
};

// The metering configuration of a program: the machine's defaults, changed by `config_file` if it
// is not empty.
absl::StatusOr<precast::openvm::MeteringConfig> MeteringOf(const Session& session,
                                                           const std::string& config_file);

}  // namespace precast::aotc

#endif  // PRECAST_TOOLS_COMMANDS_RUN_METERED_H_
