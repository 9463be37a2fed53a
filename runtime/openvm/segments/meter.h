// Metered execution: watches the interpreter, counts rows and pages, and cuts the run into segments
// exactly where OpenVM's metered interpreter does.
//
// Source of fact: openvm-org/openvm, crates/vm/src/arch/execution_mode/metered (ctx.rs,
// segment_ctx.rs, memory_ctx.rs) and metered_cost.rs.
#ifndef PRECAST_RUNTIME_OPENVM_SEGMENTS_METER_H_
#define PRECAST_RUNTIME_OPENVM_SEGMENTS_METER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "openvm/extension.h"
#include "openvm/machine.h"
#include "openvm/metering.h"
#include "runtime/openvm/segments/row_counter.h"

namespace precast::runtime {

// A check takes place before an instruction if the number of instructions retired is a multiple of
// check_interval, so none after the last one. There, if a limit is exceeded, a segment ends at the
// check before; if there is none within the segment, it ends here. The next one begins with the
// rows counted since, and all pages touched since the check before.
class Meter final : public precast::openvm::Observer {
 public:
  // `config` has passed Validate() and outlives this, as does `registry`. `first_instruction`:
  // retired already.
  Meter(const precast::openvm::MeteringConfig& config, const precast::openvm::Registry& registry,
        CountedMemory memory, uint64_t first_instruction = 0);

  void OnInstruction(uint32_t pc, uint32_t word, const uint32_t* x) override;
  void OnAccess(precast::openvm::AddressSpace space, uint32_t address, uint32_t size,
                bool write) override;

  // For who counts otherwise than by observing each instruction (native_meter.h). At a multiple of
  // check_interval and with an instruction left to execute: checks, unless that has been done here.
  void BeginInterval() {
    if (until_check_ == 0) Check();
  }
  // What has been counted from there on.
  struct Batch {
    uint64_t instructions = 0;
    absl::Span<const uint64_t> rows;   // by chip
    absl::Span<const uint32_t> pages;  // touched; numbered as PageSet does, each once
  };
  // Whether a limit would be exceeded after these rows and first touches of pages.
  bool WouldExceed(absl::Span<const uint64_t> rows, uint64_t new_pages) const;
  // Pages that have not been touched in the segment.
  uint64_t CountNew(absl::Span<const uint32_t> pages) const;
  // Adds them. More than an interval at once only if no limit is exceeded at its end.
  void Add(const Batch& batch);

  // The guest has ended: the instructions since the last segment become one. Once only. A guest
  // that trapped has no last segment: call nothing.
  void Finish();

  // Segments that have ended.
  const std::vector<precast::openvm::Segment>& segments() const { return segments_; }
  // Instructions counted so far; also before `first_instruction`.
  uint64_t instructions() const { return instructions_ - until_check_; }
  // Of the segment that has not ended. Pages touched since the last check are not in it.
  const std::vector<uint32_t>& heights() const { return heights_; }

  // Everything, for a run that is suspended anywhere and goes on elsewhere with an equal
  // configuration.
  std::string SaveState() const;
  // InvalidArgument for bytes that SaveState did not write under this configuration; then nothing
  // has changed.
  absl::Status RestoreState(absl::Span<const uint8_t> state);

 private:
  void Check();
  // Counts pages that are new in the segment.
  void AddPages();
  void TouchRegisters();
  uint64_t SegmentBegin() const;
  void EndSegment(uint64_t end, const std::vector<uint32_t>& heights);

  const precast::openvm::MeteringConfig& config_;
  const precast::openvm::PageRows page_rows_;
  uint64_t first_instruction_;
  RowCounter rows_;
  uint64_t instructions_;  // at the next check
  uint32_t until_check_;
  std::vector<uint32_t> heights_;
  std::vector<uint32_t> check_heights_;  // at the last check
  uint64_t check_instructions_;
  PageSet in_segment_, since_check_;
  uint32_t new_pages_ = 0;  // in the segment, not counted yet
  std::vector<precast::openvm::Segment> segments_;
};

// Metered-cost mode: one number, the cells of all rows (rows times width), pages not included.
// Suspends the run before the first instruction at which it exceeds the limit.
class CostMeter final : public precast::openvm::Observer {
 public:
  CostMeter(const precast::openvm::MeteringConfig& config,
            const precast::openvm::Registry& registry, CountedMemory memory, uint64_t max_cost);

  bool ShouldSuspend() override { return cost_ > max_cost_; }
  void OnInstruction(uint32_t pc, uint32_t word, const uint32_t* x) override;
  void OnAccess(precast::openvm::AddressSpace, uint32_t, uint32_t, bool) override {}

  // For who counts otherwise: what these rows, by chip, cost; adds that.
  uint64_t CostOf(absl::Span<const uint64_t> rows) const;
  void Add(uint64_t cost) { cost_ += cost; }

  uint64_t max_cost() const { return max_cost_; }
  uint64_t cost() const { return cost_; }
  bool exceeded() const { return cost_ > max_cost_; }

 private:
  const precast::openvm::MeteringConfig& config_;
  RowCounter rows_;
  const uint64_t max_cost_;
  uint64_t cost_ = 0;
};

// Words of instructions in the program: the height of the chip "Program".
void SetProgramHeight(uint64_t instructions, precast::openvm::MeteringConfig& config);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_OPENVM_SEGMENTS_METER_H_
