#include "runtime/openvm/segments/preflight.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "openvm/extension.h"
#include "runtime/openvm/segments/preflight_file.h"
#include "runtime/openvm/segments/row_counter.h"

namespace precast::runtime {
namespace {

using precast::openvm::AddressSpace;
using precast::openvm::Registry;

// Which registers an instruction reads and writes, as OpenVM's adapters do: an instruction that
// does nothing but set x0 touches none.
struct RegisterUse {
  bool rd_read = false, rs1 = false, rs2 = false, rd_write = false;
};

RegisterUse UseOf(uint32_t word, const Registry& registry) {
  using precast::openvm::Effect;
  using precast::openvm::Form;
  if (const Registry::Entry* entry = registry.Find(word)) {
    const precast::openvm::Opcode& op = *entry->opcode;
    if (op.effect == Effect::kEnd) return {};
    return {.rd_read = op.form != Form::kB && op.effect != Effect::kRegister,
            .rs1 = true,
            .rs2 = op.form != Form::kI,
            .rd_write = op.effect == Effect::kRegister && (word >> 7 & 31) != 0};
  }
  const bool rd = (word >> 7 & 31) != 0;
  switch (word & 0x7f) {
    case 0x37:  // lui
    case 0x17:  // auipc
    case 0x6f:  // jal
      return {.rd_write = rd};
    case 0x67:  // jalr
    case 0x03:  // loads
      return {.rs1 = true, .rd_write = rd};
    case 0x63:  // branches
    case 0x23:  // stores
      return {.rs1 = true, .rs2 = true};
    case 0x13:
      return {.rs1 = rd, .rd_write = rd};
    case 0x33:
      return {.rs1 = rd, .rs2 = rd, .rd_write = rd};
    default:
      return {};
  }
}

// A number for each word of an address space, 0 at first.
class WordTable {
 public:
  uint32_t& At(uint32_t address) {
    const uint32_t page = address / kPageSize;
    if (page >= pages_.size()) pages_.resize(page + 1);
    std::unique_ptr<Page>& numbers = pages_[page];
    if (numbers == nullptr) numbers = std::make_unique<Page>();
    return (*numbers)[address % kPageSize / 4];
  }
  std::map<uint32_t, uint32_t> NonZero() const {
    std::map<uint32_t, uint32_t> result;
    for (uint32_t page = 0; page < pages_.size(); ++page) {
      if (pages_[page] == nullptr) continue;
      for (uint32_t i = 0; i < pages_[page]->size(); ++i) {
        if ((*pages_[page])[i] != 0) result[page * kPageSize + i * 4] = (*pages_[page])[i];
      }
    }
    return result;
  }

 private:
  using Page = std::array<uint32_t, kPageSize / 4>;

  std::vector<std::unique_ptr<Page>> pages_;
};

class Recorder final : public precast::openvm::Observer {
 public:
  // `writer` null: only counts rows and pages.
  Recorder(const precast::openvm::MeteringConfig& config, Instance& instance,
           const OpenVmHost& host, PreflightWriter* writer)
      : config_(config),
        host_(host),
        registry_(Registry::Global()),
        writer_(writer),
        memory_(instance.memory().base()),
        rows_(config, registry_, {memory_, host.config().memory_bits}),
        touched_(host.config().memory_bits),
        heights_(config.chips.size()),
        records_(config.chips.size()),
        dirty_(uint32_t{1} << (host.config().memory_bits - 12)) {
    touched_.Insert(touched_.PageOf(AddressSpace::kRegisters, 0));
  }

  // Counts pages that the segment before touched as if this one had, too.
  void Inherit(const PageSet& pages) {
    for (uint32_t page : pages.pages()) touched_.Insert(page);
  }

  void OnInstruction(uint32_t pc, uint32_t word, const uint32_t* x) override {
    if (writer_ == nullptr) {
      rows_.Count(word, x, [&](uint32_t chip, uint32_t rows) { heights_[chip] += rows; });
      return;
    }
    EndInstruction(x);
    ++frequencies_.At(pc);
    KnownUse& known = known_[(word * 0x9E3779B1u) >> (32 - kKnownBits)];
    if (known.word != word) known = {word, UseOf(word, registry_)};  // no instruction is 0
    const RegisterUse use = known.use;
    const uint32_t rd = word >> 7 & 31, rs1 = word >> 15 & 31, rs2 = word >> 20 & 31;
    const uint32_t begin = clock_;
    rows_.Count(word, x, [&](uint32_t chip, uint32_t rows) {
      heights_[chip] += rows;
      records_[chip].push_back({.pc = pc,
                                .word = word,
                                .timestamp = begin,
                                .rd = x[rd],
                                .rs1 = x[rs1],
                                .rs2 = x[rs2],
                                .rows = rows});
      if (records_[chip].size() >= kBuffered) FlushChip(chip);
    });
    if (use.rd_read) Register(rd, x[rd]);
    if (use.rs1) Register(rs1, x[rs1]);
    if (use.rs2) Register(rs2, x[rs2]);
    written_register_ = use.rd_write ? rd : 0;
    written_before_ = x[rd];
  }

  void OnAccess(AddressSpace space, uint32_t address, uint32_t size, bool write) override {
    const uint32_t last_page = touched_.PageOf(space, address + (size - 1));
    for (uint32_t page = touched_.PageOf(space, address); page <= last_page; ++page)
      touched_.Insert(page);
    const uint64_t end = uint64_t{address} + size;
    if (space == AddressSpace::kMemory && write) {
      for (uint64_t page = address / kPageSize; page * kPageSize < end; ++page) dirty_[page] = true;
    }
    if (writer_ == nullptr || space == AddressSpace::kDeferral) return;  // values nobody here has
    for (uint64_t block = address & ~uint32_t{3}; block < end; block += 4) {
      const auto at = static_cast<uint32_t>(block);
      Log(space, at, write, ValueAt(space, at));
    }
  }

  // After the last instruction, with the registers it left.
  absl::Status Finish(const uint32_t* x, uint32_t final_pc) {
    const precast::openvm::PageRows rows = RowsOfPage(config_);
    const auto pages = static_cast<uint32_t>(touched_.pages().size());
    heights_[config_.boundary] += pages * rows.boundary;
    heights_[config_.merkle] += pages * rows.merkle;
    heights_[config_.poseidon2] += pages * rows.poseidon2;
    for (size_t i = 0; i < heights_.size(); ++i)
      heights_[i] = config_.chips[i].constant_height.value_or(heights_[i]);
    if (writer_ == nullptr) return absl::OkStatus();
    EndInstruction(x);
    writer_->Memory(log_);
    for (uint32_t chip = 0; chip < records_.size(); ++chip) FlushChip(chip);
    return writer_->Finish(frequencies_.NonZero(), heights_, final_pc);
  }

  const std::vector<uint32_t>& heights() const { return heights_; }
  const PageSet& touched() const { return touched_; }
  // Pages of kPageSize that have been written to.
  const std::vector<bool>& dirty() const { return dirty_; }

 private:
  static constexpr size_t kBuffered = 1 << 12;  // entries: what fits the second-level cache
  static constexpr int kKnownBits = 10;
  struct KnownUse {
    uint32_t word = 0;
    RegisterUse use;
  };

  void EndInstruction(const uint32_t* x) {
    for (size_t i = instruction_begin_; i < log_.size(); ++i) {
      if (log_[i].write)
        log_[i].value = ValueAt(static_cast<AddressSpace>(log_[i].space), log_[i].address);
    }
    if (written_register_ != 0) {
      const uint32_t rd = std::exchange(written_register_, 0);
      Log(AddressSpace::kRegisters, 4 * rd, true, written_before_);
      log_.back().value = x[rd];
    }
    if (log_.size() >= kBuffered) {
      writer_->Memory(log_);
      log_.clear();
    }
    instruction_begin_ = log_.size();
  }
  void Register(uint32_t number, uint32_t value) {
    Log(AddressSpace::kRegisters, 4 * number, false, value);
  }
  void Log(AddressSpace space, uint32_t address, bool write, uint32_t value) {
    uint32_t& last = last_[static_cast<uint8_t>(space) % last_.size()].At(address);
    log_.push_back({.timestamp = clock_,
                    .previous_timestamp = last,
                    .address = address,
                    .space = static_cast<uint8_t>(space),
                    .write = write,
                    .previous = value,
                    .value = value});
    last = clock_++;
  }
  void FlushChip(uint32_t chip) {
    writer_->Chip(chip, records_[chip]);
    records_[chip].clear();
  }
  // Four bytes, of those that are inside the address space.
  uint32_t ValueAt(AddressSpace space, uint32_t address) const {
    uint32_t value = 0;
    if (space == AddressSpace::kMemory) {
      std::memcpy(&value, memory_ + address, sizeof(value));
    } else if (space == AddressSpace::kPublicValues) {
      const absl::Span<const uint8_t> values = host_.public_values();
      for (uint32_t i = 0; i < 4 && uint64_t{address} + i < values.size(); ++i)
        value |= uint32_t{values[address + i]} << (8 * i);
    }
    return value;
  }

  const precast::openvm::MeteringConfig& config_;
  const OpenVmHost& host_;
  const Registry& registry_;
  PreflightWriter* const writer_;
  uint8_t* const memory_;
  RowCounter rows_;
  PageSet touched_;
  std::vector<uint32_t> heights_;
  std::vector<std::vector<ChipEntry>> records_;  // by chip, not written yet
  std::vector<MemoryEntry> log_;                 // not written yet
  size_t instruction_begin_ = 0;                 // of the current one, in log_
  uint32_t written_register_ = 0, written_before_ = 0;
  uint32_t clock_ = 1;
  std::array<WordTable, 8> last_;  // by address space: timestamps
  WordTable frequencies_;          // by pc
  std::array<KnownUse, 1 << kKnownBits> known_ = {};
  std::vector<bool> dirty_;
};

absl::Status Differs(size_t segment, std::string_view what, std::string_view expected,
                     std::string_view actual) {
  return ChainFault(
      ChainError::kExecution,
      absl::StrFormat("segment %d: %s: expected %s, actual %s", segment, what, expected, actual));
}

// An instance at the beginning of a segment, and its host.
struct Start {
  std::unique_ptr<Instance> instance;
  const OpenVmHost* host = nullptr;
};

absl::StatusOr<Start> StartAt(const Chain& chain, size_t index, const InstanceFactory& factory) {
  absl::StatusOr<std::unique_ptr<Instance>> made = factory();
  if (!made.ok()) return made.status();
  if ((*made)->host().name() != "openvm")
    return absl::InvalidArgumentError("not a program for the OpenVM machine");
  if (absl::Status s = chain.Restore(index, **made); !s.ok()) return s;
  const auto* host = static_cast<const OpenVmHost*>(&std::as_const(**made).host());
  return Start{*std::move(made), host};
}

RunResult Watch(const ChainSegment& segment, Instance& instance, Recorder& recorder) {
  instance.interpreter().SetObserver(&recorder);
  const RunResult result = instance.Run(static_cast<int64_t>(segment.metered.instructions));
  instance.interpreter().SetObserver(nullptr);
  return result;
}

// Whether the segments up to `end` were each over a limit at the first check after its beginning.
// Such a segment ends there, and what it touched counts in the next one as well. One that ends at
// the check before the one that found out leaves nothing, and neither does any after it: from then
// on there is always a check before (Meter::Check).
bool LeavesPages(const Manifest& manifest, size_t end) {
  for (size_t i = 0; i < end; ++i) {
    const precast::openvm::Segment& segment = manifest.segments[i].metered;
    if (segment.instructions != manifest.metering.check_interval ||
        precast::openvm::ExceededLimit(manifest.metering, segment.heights) ==
            precast::openvm::Limit::kNone)
      return false;
  }
  return end != 0;
}

absl::Status InheritPages(const Chain& chain, size_t index, const InstanceFactory& factory,
                          Recorder& recorder) {
  const Manifest& manifest = chain.manifest();
  if (!LeavesPages(manifest, index)) return absl::OkStatus();
  absl::StatusOr<Start> start = StartAt(chain, index - 1, factory);
  if (!start.ok()) return start.status();
  Recorder pages(manifest.metering, *start->instance, *start->host, nullptr);
  Watch(manifest.segments[index - 1], *start->instance, pages);
  recorder.Inherit(pages.touched());
  return absl::OkStatus();
}

absl::Status PreflightOne(const Chain& chain, size_t index, const InstanceFactory& factory,
                          const PreflightOptions& options) {
  absl::StatusOr<Start> start = StartAt(chain, index, factory);
  if (!start.ok()) return start.status();
  Instance& instance = *start->instance;
  const OpenVmHost& host = *start->host;
  const Manifest& manifest = chain.manifest();
  const ChainSegment& segment = manifest.segments[index];

  PreflightHeader header;
  header.segment = static_cast<uint32_t>(index);
  header.program_commit = manifest.program_commit;
  header.first_instruction = segment.metered.first_instruction;
  header.instructions = segment.metered.instructions;
  header.initial_pc = segment.initial_pc;
  for (const precast::openvm::Chip& chip : manifest.metering.chips)
    header.chips.push_back(chip.name);
  std::unique_ptr<PreflightWriter> writer;
  if (options.records == PreflightOptions::Records::kDiscard) {
    writer = PreflightWriter::Discarding(header);
  } else if (options.records == PreflightOptions::Records::kWrite) {
    absl::StatusOr<std::unique_ptr<PreflightWriter>> created =
        PreflightWriter::Create(PreflightPath(options.output, index), header);
    if (!created.ok()) return created.status();
    writer = *std::move(created);
  }
  Recorder recorder(manifest.metering, instance, host, writer.get());
  if (absl::Status s = InheritPages(chain, index, factory, recorder); !s.ok()) return s;
  const RunResult result = Watch(segment, instance, recorder);
  if (absl::Status s = recorder.Finish(instance.registers(), instance.pc()); !s.ok()) return s;

  const bool last = index + 1 == manifest.segments.size();
  const auto expected = last ? RunResult::Reason::kExited : RunResult::Reason::kSuspended;
  const uint64_t end = segment.metered.first_instruction + segment.metered.instructions;
  if (result.reason != expected || instance.retired() != end) {
    return Differs(
        index, "end",
        absl::StrFormat("%s after %d instructions", last ? "the guest's end" : "a boundary", end),
        absl::StrFormat("%s after %d",
                        result.reason == RunResult::Reason::kTrapped  ? TrapName(result.trap)
                        : result.reason == RunResult::Reason::kExited ? "the guest's end"
                                                                      : "a boundary",
                        instance.retired()));
  }
  if (last && result.exit_code != manifest.exit_code)
    return Differs(index, "exit code", absl::StrCat(manifest.exit_code),
                   absl::StrCat(result.exit_code));
  if (instance.pc() != segment.final_pc)
    return Differs(index, "final pc", absl::StrCat(segment.final_pc), absl::StrCat(instance.pc()));
  for (uint32_t chip = 0; chip < manifest.metering.chips.size(); ++chip) {
    const uint32_t stated = segment.metered.heights[chip], actual = recorder.heights()[chip];
    if (actual == stated) continue;
    return Differs(index, absl::StrCat("height of ", manifest.metering.chips[chip].name),
                   absl::StrCat(stated), absl::StrCat(actual));
  }

  std::unique_ptr<MemoryTree> tree = chain.TreeAt(index);
  if (tree == nullptr)
    return ChainFault(ChainError::kMalformed, absl::StrCat("segment ", index, ": no such hash"));
  BoundaryState state;
  state.memory_bits = manifest.memory_bits;
  std::copy(instance.registers(), instance.registers() + 32, state.x);
  state.x[0] = 0;
  state.public_values.assign(host.public_values().begin(), host.public_values().end());
  for (uint32_t page = 0; page < recorder.dirty().size(); ++page) {
    if (!recorder.dirty()[page]) continue;
    state.pages.push_back(
        {page, tree->hash().Leaf(absl::MakeConstSpan(
                   instance.memory().base() + uint64_t{page} * kPageSize, kPageSize))});
  }
  if (absl::Status s = SetLeaves(state, *tree); !s.ok()) return s;
  if (const MemoryDigest root = tree->Root(); root != segment.final_root)
    return Differs(index, "final root", HexOf(segment.final_root), HexOf(root));
  return absl::OkStatus();
}

}  // namespace

std::string PreflightPath(const std::string& directory, size_t segment) {
  return absl::StrFormat("%s/segment-%06d.preflight", directory, segment);
}

absl::Status Preflight(const Chain& chain, const InstanceFactory& factory,
                       const PreflightOptions& options) {
  if (options.records == PreflightOptions::Records::kWrite &&
      mkdir(options.output.c_str(), 0777) != 0 && errno != EEXIST)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make directory ", options.output));
  std::vector<size_t> segments = options.segments;
  if (segments.empty()) {
    for (size_t i = 0; i < chain.manifest().segments.size(); ++i) segments.push_back(i);
  }
  for (size_t segment : segments) {
    if (segment >= chain.manifest().segments.size()) {
      return absl::InvalidArgumentError(absl::StrFormat("segment %d: expected 0 to %d", segment,
                                                        chain.manifest().segments.size() - 1));
    }
  }
  std::vector<absl::Status> results(segments.size());
  std::atomic<size_t> next = 0;
  absl::Mutex mutex;
  size_t done = 0;  // guarded by mutex
  auto work = [&] {
    for (size_t i = next++; i < segments.size(); i = next++) {
      results[i] = PreflightOne(chain, segments[i], factory, options);
      absl::MutexLock lock(&mutex);
      ++done;
      if (options.progress) options.progress(done, segments.size());
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min<size_t>(options.jobs, segments.size()); ++i)
    threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  for (absl::Status& status : results) {
    if (!status.ok()) return std::move(status);
  }
  return absl::OkStatus();
}

}  // namespace precast::runtime
