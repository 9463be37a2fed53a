// Metered execution by native code that counts: the segments, heights and costs that Meter and
// CostMeter find when they watch the interpreter, many times as fast.
//
// Code that was compiled with driver::CompileOptions::count_rows counts rows in vector registers
// and reports each page that it touches first, with what the page held. So a stretch of many
// intervals is executed at a time, from one check to another, as an attempt. Heights only grow
// within a segment: if no limit is exceeded at its end, none was at the checks between. If one is,
// the guest is put back to where it was, and a shorter stretch is tried; a single interval is
// counted as it is. That needs no guess of what the guest will do, and no exact place to stop but
// the ends of stretches, where the interpreter executes what is left of a block.
// (docs/openvm_segments.md)
#ifndef PRECAST_RUNTIME_OPENVM_SEGMENTS_NATIVE_METER_H_
#define PRECAST_RUNTIME_OPENVM_SEGMENTS_NATIVE_METER_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "openvm/extension.h"
#include "openvm/machine.h"
#include "openvm/metering.h"
#include "runtime/instance.h"
#include "runtime/openvm/host.h"
#include "runtime/openvm/segments/meter.h"
#include "runtime/openvm/segments/row_counter.h"

namespace precast::runtime {

// Part of a run, which can be undone.
class Attempt final : public precast::openvm::Observer {
 public:
  // All outlive this; `instance` is one of an OpenVM guest and counts rows (Instance::counts_rows).
  Attempt(Instance& instance, const precast::openvm::MeteringConfig& config,
          const precast::openvm::Registry& registry);
  ~Attempt() override;

  void Begin();
  // Any number of these. After `calls` custom instructions by the runtime, if not 0, it ends at the
  // next multiple of `unit`.
  RunResult Run(int64_t limit, int64_t unit, uint64_t calls);
  // What was executed stays; or has not been.
  void Commit();
  void RollBack();

  // Since Begin().
  bool keeps() const { return keeps_; }
  uint64_t instructions() const { return instance_.retired() - before_.retired; }
  const std::vector<uint64_t>& rows() const { return rows_; }  // by chip
  std::vector<uint32_t> Pages() const;

 private:
  void OnInstruction(uint32_t pc, uint32_t word, const uint32_t* x) override;
  void OnAccess(precast::openvm::AddressSpace space, uint32_t address, uint32_t size,
                bool write) override;
  void OnNativeCustom(const precast::openvm::Instruction& instruction,
                      const precast::openvm::Operands& operands) override;
  void OnNativeCustomRetired() override;
  void TakeNativeRows();
  [[gnu::noinline]] void Touch(uint32_t page);
  [[gnu::noinline]] void TouchOther(precast::openvm::AddressSpace space, uint32_t address,
                                    uint32_t size);
  void End();
  // Whether nothing has been executed, so that memory holds what the program says.
  bool AtStart() const;
  void RestoreProgram(uint32_t page);
  absl::Span<const abi::TouchedPage> Log() const;

  Instance& instance_;
  OpenVmHost& host_;
  const uint8_t* const marks_;
  RowCounter counter_;
  const PageSet numbers_;                             // for the numbers of pages
  std::array<int32_t, abi::kRowLanes> chip_of_lane_;  // -1: none
  int32_t chip_of_uncounted_;                         // likewise
  Instance::Checkpoint before_ = {};
  bool keeps_ = true;  // what pages held; else it is known from the program
  std::vector<uint64_t> rows_;
  // Of the custom instruction at hand: what it uses, and how many rows.
  absl::Span<const precast::openvm::RowUse> custom_uses_;
  std::vector<uint32_t> custom_rows_;  // there may be more than uses
  std::vector<uint32_t> other_pages_;  // not of memory
};

class NativeMeter {
 public:
  // All outlive this; `meter` has counted what `instance` has executed so far.
  NativeMeter(Instance& instance, Meter& meter, const precast::openvm::MeteringConfig& config,
              const precast::openvm::Registry& registry);

  // As Instance::Run, counted by the meter. Call Meter::Finish yourself.
  RunResult Run(int64_t limit = Instance::kUnlimited);

 private:
  // Intervals of the next stretch, of at most `most`.
  uint64_t ChooseLength(uint64_t most) const;
  // How many more intervals, of `most`, to execute as part of the stretch that has executed so
  // many; 0: it ends.
  uint64_t Extension(uint64_t executed, uint64_t most) const;
  // At most so many that no limit is expected to be exceeded.
  uint64_t MostThatFits(uint64_t most) const;
  // Whether no limit is expected to be exceeded after so many intervals.
  bool Fits(uint64_t length) const;
  // Whether the rows of the attempt, of so many intervals, are about those of the sample: to one of
  // `part`, or to 32 rows in `part` intervals.
  bool IsAsExpected(uint64_t executed, uint64_t part) const;
  // The sample is what the attempt has counted.
  void SetSample(uint64_t new_pages);

  Instance& instance_;
  Meter& meter_;
  const precast::openvm::MeteringConfig& config_;
  Attempt attempt_;
  uint64_t most_custom_calls_;  // of a stretch
  // They have ended one: it is not the number of instructions that matters most.
  bool varies_ = false;
  bool steady_ = false;       // the last stretch was as expected
  bool precise_ = false;      // exactly so
  bool monotonic_ = true;     // the estimate of memory grows with heights
  uint64_t exceeded_at_ = 0;  // instructions after which a limit is exceeded, if later than now
  bool guessed_ = false;      // a shorter stretch, as the sample suggested, was too long as well
  // Rows and new pages of a stretch, and its intervals: what the guest is expected to go on with.
  std::vector<uint64_t> sample_rows_;
  uint64_t sample_pages_ = 0, sample_intervals_ = 0;
};

class NativeCostMeter {
 public:
  NativeCostMeter(Instance& instance, CostMeter& meter,
                  const precast::openvm::MeteringConfig& config,
                  const precast::openvm::Registry& registry);

  RunResult Run(int64_t limit = Instance::kUnlimited);

 private:
  Instance& instance_;
  CostMeter& meter_;
  Attempt attempt_;
};

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_SEGMENTS_NATIVE_METER_H_
