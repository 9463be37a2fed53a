// Directories of segments: written, verified, continued from anywhere; and every fault in them
// found, each as what it is.
#include "runtime/openvm/segments/chain.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/openvm/segments/meter.h"
#include "runtime/openvm/segments/preflight.h"
#include "runtime/openvm/segments/preflight_file.h"
#include "runtime/openvm/segments/testing/guests.h"
#include "runtime/snapshot.h"

namespace precast::runtime {
namespace {

namespace fs = std::filesystem;
using precast::openvm::MeteringConfig;
using precast::openvm::Registry;
using precast::openvm::Segment;
using ::testing::HasSubstr;

const OpenVmHost& HostOf(Instance& instance) {
  return static_cast<const OpenVmHost&>(instance.host());
}

std::vector<Segment> Metered(const ProgramImage& program, const MeteringConfig& config) {
  std::unique_ptr<Instance> instance = StartGuest(program);
  Meter meter(config, Registry::Global(), {instance->memory().base(), kGuestMemoryBits});
  instance->interpreter().SetObserver(&meter);
  EXPECT_EQ(instance->Run().reason, RunResult::Reason::kExited);
  meter.Finish();
  return meter.segments();
}

class ChainTest : public ::testing::Test {
 protected:
  static constexpr uint8_t kExitCode = 3;

  explicit ChainTest(uint32_t stride = 64, uint32_t height_bits = 14)
      : program_(LoopGuest(3000, stride, kExitCode)),
        config_(SmallMetering(height_bits)),
        directory_(
            fs::path(::testing::TempDir()) /
            absl::StrReplaceAll(::testing::UnitTest::GetInstance()->current_test_info()->name(),
                                {{"/", "-"}})) {
    fs::remove_all(directory_);
    segments_ = Metered(program_, config_);
    std::unique_ptr<Instance> instance = StartGuest(program_);
    const absl::Status s = RecordChain(*instance, HostOf(*instance), segments_, config_,
                                       Sha256MemoryHash(), "the file", directory_.string());
    EXPECT_TRUE(s.ok()) << s;
  }
  ~ChainTest() override { fs::remove_all(directory_); }

  std::string PathOf(size_t state) const {
    return absl::StrFormat("%s/state-%06d", directory_.string(), state);
  }
  Manifest ReadManifest() const {
    absl::StatusOr<Chain> chain = Chain::Open(directory_.string());
    EXPECT_TRUE(chain.ok()) << chain.status();
    return chain->manifest();
  }
  static std::string Read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  static void Write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  // Changes a state as somebody would who knows the format: its digest is right again.
  void Forge(size_t index, const std::function<void(BoundaryState&)>& change) {
    std::string bytes = Read(PathOf(index));
    uint64_t header_size = 0;
    absl::StatusOr<BoundaryState> state = DecodeHeader(
        absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
        bytes.size(), header_size);
    ASSERT_TRUE(state.ok()) << state.status();
    change(*state);
    Write(PathOf(index), absl::StrCat(EncodeHeader(*state), bytes.substr(header_size)));
  }
  void ForgeManifest(const std::function<void(Manifest&)>& change) {
    Manifest manifest = ReadManifest();
    change(manifest);
    Write(directory_.string() + "/manifest.json", ManifestToJson(manifest));
  }
  absl::Status Verify(const ProgramImage* program = nullptr) const {
    absl::StatusOr<Chain> chain = Chain::Open(directory_.string());
    if (!chain.ok()) return chain.status();
    return chain->Verify(program);
  }
  void ExpectFault(ChainError error, std::string_view text, const ProgramImage* program = nullptr) {
    const absl::Status s = Verify(program);
    ASSERT_FALSE(s.ok());
    EXPECT_EQ(ChainErrorOf(s), error) << s;
    EXPECT_THAT(std::string(s.message()), HasSubstr(std::string(text)));
  }
  absl::Status Execute(unsigned jobs = 2, const std::string& output = "") const {
    absl::StatusOr<Chain> chain = Chain::Open(directory_.string());
    if (!chain.ok()) return chain.status();
    return Preflight(
        *chain, [&] { return absl::StatusOr<std::unique_ptr<Instance>>(StartGuest(program_)); },
        {.records =
             output.empty() ? PreflightOptions::Records::kNone : PreflightOptions::Records::kWrite,
         .output = output,
         .jobs = jobs});
  }

  const ProgramImage program_;
  const MeteringConfig config_;
  const fs::path directory_;
  std::vector<Segment> segments_;
};

TEST_F(ChainTest, IsGood) {
  ASSERT_GT(segments_.size(), 4u);
  const absl::Status s = Verify(&program_);
  EXPECT_TRUE(s.ok()) << s;
  const absl::Status executed = Execute();
  EXPECT_TRUE(executed.ok()) << executed;
  const Manifest manifest = ReadManifest();
  EXPECT_EQ(manifest.exit_code, kExitCode);
  ASSERT_EQ(manifest.segments.size(), segments_.size());
  for (size_t i = 0; i < segments_.size(); ++i) {
    EXPECT_EQ(manifest.segments[i].metered, segments_[i]);
    if (i > 0) {
      EXPECT_EQ(manifest.segments[i - 1].final_root, manifest.segments[i].initial_root);
      EXPECT_NE(manifest.segments[i].initial_root, manifest.segments[i].final_root);
    }
  }
}

TEST_F(ChainTest, StatesHoldOnlyWhatChanged) {
  absl::StatusOr<Chain> chain = Chain::Open(directory_.string());
  ASSERT_TRUE(chain.ok());
  EXPECT_EQ(chain->states()[0].pages.size(), 1u);  // the code
  for (size_t i = 1; i < chain->states().size(); ++i) {
    EXPECT_GT(chain->states()[i].pages.size(), 0u);
    EXPECT_LE(chain->states()[i].pages.size(), 65u);  // what the loop can reach
  }
}

TEST_F(ChainTest, ContinuesFromAnywhere) {
  std::unique_ptr<Instance> whole = StartGuest(program_);
  const RunResult end = whole->Run();
  absl::StatusOr<Chain> chain = Chain::Open(directory_.string());
  ASSERT_TRUE(chain.ok());
  for (size_t i = 0; i < segments_.size(); ++i) {
    std::unique_ptr<Instance> instance = StartGuest(program_);
    ASSERT_TRUE(chain->Restore(i, *instance).ok());
    // Also in the middle of a segment, by way of an ordinary snapshot.
    ASSERT_EQ(instance->Run(7).reason, RunResult::Reason::kSuspended);
    absl::StatusOr<std::string> snapshot = EncodeSnapshot(*instance);
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    instance = StartGuest(program_);
    ASSERT_TRUE(
        RestoreSnapshot(absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(snapshot->data()),
                                            snapshot->size()),
                        *instance)
            .ok());
    const RunResult result = instance->Run();
    EXPECT_EQ(result.reason, end.reason);
    EXPECT_EQ(result.exit_code, end.exit_code);
    EXPECT_EQ(instance->retired(), whole->retired());
    EXPECT_EQ(HostOf(*instance).public_values(), HostOf(*whole).public_values());
  }
}

// Every interval exceeds the limits by itself, so that pages are counted in the segment after
// theirs, too.
class CrowdedChainTest : public ChainTest {
 protected:
  CrowdedChainTest() : ChainTest(516, 12) {}
};
TEST_F(CrowdedChainTest, IsGood) {
  ASSERT_EQ(segments_[1].instructions, 1000u);
  EXPECT_TRUE(Verify(&program_).ok());
  const absl::Status s = Execute();
  EXPECT_TRUE(s.ok()) << s;
}

TEST_F(ChainTest, RefusesToOverwrite) {
  std::unique_ptr<Instance> instance = StartGuest(program_);
  EXPECT_EQ(RecordChain(*instance, HostOf(*instance), segments_, config_, Sha256MemoryHash(),
                        "the file", directory_.string())
                .code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(PrepareChainDirectory(directory_.string()).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(ChainTest, HasTheProgramAndNothingHalf) {
  EXPECT_EQ(Read(directory_.string() + "/program"), "the file");
  EXPECT_FALSE(fs::exists(directory_ / "manifest.json.part"));
}

TEST_F(ChainTest, WithoutAManifestUntilAllIsThere) {
  fs::remove_all(directory_);
  fs::create_directories(directory_ / "program");  // no file can be written there
  std::unique_ptr<Instance> instance = StartGuest(program_);
  EXPECT_FALSE(RecordChain(*instance, HostOf(*instance), segments_, config_, Sha256MemoryHash(),
                           "the file", directory_.string())
                   .ok());
  EXPECT_FALSE(fs::exists(directory_ / "manifest.json"));
}

TEST_F(ChainTest, SaysBeforeTheRunWhereItCannotWrite) {
  const std::string other = directory_.string() + "-new";
  EXPECT_TRUE(PrepareChainDirectory(other).ok());
  EXPECT_TRUE(fs::is_empty(other));
  fs::remove_all(other);
  EXPECT_FALSE(PrepareChainDirectory("/proc/no/such/place").ok());
  EXPECT_FALSE(PrepareChainDirectory("/proc").ok());
  EXPECT_FALSE(PrepareChainDirectory("/dev/null").ok());
}

TEST_F(ChainTest, MissingState) {
  fs::remove(PathOf(2));
  ExpectFault(ChainError::kUnreadable, "state-000002");
}
TEST_F(ChainTest, MissingManifest) {
  fs::remove(directory_ / "manifest.json");
  ExpectFault(ChainError::kUnreadable, "manifest.json");
}
TEST_F(ChainTest, ManifestOfAnotherFormat) {
  Write(directory_.string() + "/manifest.json", "{\"format\": \"other\"}");
  ExpectFault(ChainError::kMalformed, "format: expected precast-segments, actual other");
}
TEST_F(ChainTest, ChangedManifest) {
  std::string text = Read(directory_.string() + "/manifest.json");
  const size_t at = text.find("\"exit_code\": 3");
  ASSERT_NE(at, std::string::npos);
  text[at + 13] = '0';
  Write(directory_.string() + "/manifest.json", text);
  ExpectFault(ChainError::kDamaged, "manifest.json: digest");
}
TEST_F(ChainTest, EveryByteOfAHeaderMatters) {
  const std::string bytes = Read(PathOf(2));
  uint64_t header_size = 0;
  ASSERT_TRUE(DecodeHeader(
                  absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
                  bytes.size(), header_size)
                  .ok());
  for (size_t at = 0; at < header_size; ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    Write(PathOf(2), changed);
    const absl::Status s = Verify();
    ASSERT_FALSE(s.ok()) << at;
    ASSERT_TRUE(ChainErrorOf(s) == ChainError::kDamaged ||
                ChainErrorOf(s) == ChainError::kMalformed)
        << at << s;
  }
}
TEST_F(ChainTest, ChangedPage) {
  std::string bytes = Read(PathOf(3));
  bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
  Write(PathOf(3), bytes);
  ExpectFault(ChainError::kPageContents, "state-000003, page at 0x");
  EXPECT_EQ(ChainErrorOf(Execute()), ChainError::kPageContents);
}
TEST_F(ChainTest, ShortFile) {
  const std::string bytes = Read(PathOf(3));
  Write(PathOf(3), bytes.substr(0, bytes.size() - 1));
  ExpectFault(ChainError::kDamaged, "size of file");
  Write(PathOf(3), bytes.substr(0, 10));
  ExpectFault(ChainError::kMalformed, "state-000003");
}
TEST_F(ChainTest, StatesInAnotherOrder) {
  const std::string bytes = Read(PathOf(2));
  Write(PathOf(2), Read(PathOf(3)));
  Write(PathOf(3), bytes);
  ExpectFault(ChainError::kOrder, "state-000002: index: expected 2, actual 3");
}
TEST_F(ChainTest, StatesRenumbered) {
  const std::string bytes = Read(PathOf(2));
  Write(PathOf(2), Read(PathOf(3)));
  Write(PathOf(3), bytes);
  Forge(2, [](BoundaryState& state) { state.index = 2; });
  Forge(3, [](BoundaryState& state) { state.index = 3; });
  ExpectFault(ChainError::kOrder, "state-000002: instructions retired");
}
TEST_F(ChainTest, SegmentLeftOut) {
  ForgeManifest([](Manifest& m) { m.segments.erase(m.segments.begin() + 1); });
  ExpectFault(ChainError::kOrder, "segment 1: first instruction");
}
TEST_F(ChainTest, SegmentLengthMoved) {
  ForgeManifest([](Manifest& m) {
    --m.segments[1].metered.instructions;
    --m.segments[2].metered.first_instruction;
    ++m.segments[2].metered.instructions;
  });
  ExpectFault(ChainError::kOrder, "state-000002: instructions retired");
}
TEST_F(ChainTest, LastSegmentLeftOut) {
  ForgeManifest([](Manifest& m) { m.segments.pop_back(); });
  ExpectFault(ChainError::kTermination, "guest: expected ended, actual still running");
}
TEST_F(ChainTest, EndedTooEarly) {
  Forge(2, [](BoundaryState& state) { state.ended = true; });
  ExpectFault(ChainError::kTermination, "guest: expected still running, actual ended");
}
TEST_F(ChainTest, AnotherExitCode) {
  ForgeManifest([](Manifest& m) { m.exit_code = 0; });
  ExpectFault(ChainError::kTermination, "exit code: expected 0, actual 3");
}
TEST_F(ChainTest, RootsOfTheManifest) {
  ForgeManifest([](Manifest& m) { m.segments[2].final_root[7] ^= 1; });
  ExpectFault(ChainError::kMemoryRoot, "segment 2: final root");
  ForgeManifest([](Manifest& m) {
    m.segments[2].final_root[7] ^= 1;
    m.segments[2].initial_root[31] ^= 0x80;
  });
  ExpectFault(ChainError::kMemoryRoot, "segment 2: initial root");
}
TEST_F(ChainTest, RootOfAState) {
  Forge(2, [](BoundaryState& state) { state.root[0] ^= 1; });
  ExpectFault(ChainError::kMemoryRoot, "state-000002: root of its pages");
}
TEST_F(ChainTest, AnotherRegister) {
  Forge(2, [](BoundaryState& state) { state.x[10] ^= 1; });
  ExpectFault(ChainError::kMemoryRoot, "state-000002: root of its pages");
}
TEST_F(ChainTest, AnotherPublicValue) {
  Forge(segments_.size(), [](BoundaryState& state) { state.public_values[4] ^= 1; });
  ExpectFault(ChainError::kMemoryRoot, "root of its pages");
  Forge(segments_.size(), [](BoundaryState& state) { state.public_values[4] ^= 1; });
  ForgeManifest([](Manifest& m) { m.public_values[4] ^= 1; });
  ExpectFault(ChainError::kState, "public values");
}
TEST_F(ChainTest, PageLeftOut) {
  Forge(2, [](BoundaryState& state) { state.pages.erase(state.pages.begin()); });
  ExpectFault(ChainError::kDamaged, "size of file");
}
TEST_F(ChainTest, AnotherPc) {
  Forge(2, [](BoundaryState& state) { state.pc += 4; });
  ExpectFault(ChainError::kState, "state-000002: pc");
}
TEST_F(ChainTest, StateOfAnotherProgram) {
  Forge(2, [](BoundaryState& state) { state.program_commit[0] ^= 1; });
  ExpectFault(ChainError::kProgramCommit, "state-000002: program commit");
}
TEST_F(ChainTest, AnotherCommit) {
  ForgeManifest([](Manifest& m) { m.program_commit[0] ^= 1; });
  ExpectFault(ChainError::kProgramCommit, "program commit");
}
TEST_F(ChainTest, AnotherEntry) {
  ForgeManifest([](Manifest& m) { m.entry_pc += 4; });
  ExpectFault(ChainError::kProgramCommit, "manifest.json: program commit");
}
TEST_F(ChainTest, AnotherProgram) {
  ProgramImage other = program_;
  other.guid[3] ^= 1;
  ExpectFault(ChainError::kProgramCommit, "program GUID", &other);
}
TEST_F(ChainTest, UnknownHash) {
  ForgeManifest([](Manifest& m) { m.hash = "poseidon2-babybear"; });
  ExpectFault(ChainError::kMalformed, "hash \"poseidon2-babybear\": not part of this program");
}

TEST_F(ChainTest, LargerMemory) {
  Forge(2, [](BoundaryState& state) {
    state.memory_bits = 32;
    state.pages.back().number = (1 << 20) - 1;
  });
  ExpectFault(ChainError::kState, "hash and memory bits");
  EXPECT_FALSE(Execute().ok());
}

// What cannot be seen without executing.
TEST_F(ChainTest, HeightsThatAreNotThose) {
  ForgeManifest(
      [](Manifest& m) { ++m.segments[1].metered.heights[*m.metering.FindChip("BaseAlu")]; });
  EXPECT_TRUE(Verify().ok());
  const absl::Status s = Execute();
  EXPECT_EQ(ChainErrorOf(s), ChainError::kExecution) << s;
  EXPECT_THAT(std::string(s.message()), HasSubstr("segment 1: height of BaseAlu"));
}
TEST_F(ChainTest, StreamsThatAreNotThose) {
  // The generator's position is part of the host's state, not of memory.
  Forge(1, [](BoundaryState& state) { state.host_state = "nonsense"; });
  EXPECT_TRUE(Verify().ok());
  EXPECT_EQ(ChainErrorOf(Execute()), ChainError::kState);
}

TEST_F(ChainTest, PreflightFilesAreTheSameWithAnyNumberOfThreads) {
  const std::string one = (directory_ / "one").string(), two = (directory_ / "two").string();
  ASSERT_TRUE(Execute(1, one).ok());
  ASSERT_TRUE(Execute(4, two).ok());
  for (size_t i = 0; i < segments_.size(); ++i)
    EXPECT_EQ(Read(PreflightPath(one, i)), Read(PreflightPath(two, i)));
}

TEST_F(ChainTest, PreflightThatIsDiscarded) {
  absl::StatusOr<Chain> chain = Chain::Open(directory_.string());
  ASSERT_TRUE(chain.ok());
  auto files = [&] {
    return std::distance(fs::directory_iterator(directory_), fs::directory_iterator{});
  };
  const auto before = files();
  size_t done = 0;
  const absl::Status s = Preflight(
      *chain, [&] { return absl::StatusOr<std::unique_ptr<Instance>>(StartGuest(program_)); },
      {.records = PreflightOptions::Records::kDiscard,
       .jobs = 3,
       .progress = [&](size_t now, size_t total) {
         EXPECT_EQ(now, ++done);
         EXPECT_EQ(total, segments_.size());
       }});
  EXPECT_TRUE(s.ok()) << s;
  EXPECT_EQ(done, segments_.size());
  EXPECT_EQ(files(), before);
}

// From one segment for each check to one in all; strides that touch a page every time, or seldom.
class AnyLimits : public ChainTest, public ::testing::WithParamInterface<std::tuple<int, int>> {
 protected:
  AnyLimits() : ChainTest(std::get<0>(GetParam()), std::get<1>(GetParam())) {}
};

TEST_P(AnyLimits, ExecutingGivesTheHeights) {
  EXPECT_TRUE(Execute().ok()) << Execute() << ", " << segments_.size() << " segments";
  // Of every chip, those of memory too.
  for (uint32_t chip : {config_.boundary, config_.merkle, config_.poseidon2}) {
    ForgeManifest([&](Manifest& manifest) { ++manifest.segments.back().metered.heights[chip]; });
    EXPECT_EQ(ChainErrorOf(Execute()), ChainError::kExecution) << chip;
    ForgeManifest([&](Manifest& manifest) { --manifest.segments.back().metered.heights[chip]; });
  }
}

INSTANTIATE_TEST_SUITE_P(All, AnyLimits,
                         ::testing::Combine(::testing::Values(4, 64, 4096),
                                            ::testing::Values(6, 8, 9, 10, 11, 12, 13, 16)));

// Replays the memory log: what was read was written before, and the registers and memory at the end
// are those of the next state.
TEST_F(ChainTest, PreflightLogTellsAStory) {
  const std::string output = (directory_ / "preflight").string();
  ASSERT_TRUE(Execute(2, output).ok());
  absl::StatusOr<Chain> chain = Chain::Open(directory_.string());
  ASSERT_TRUE(chain.ok());
  for (size_t i = 0; i < segments_.size(); ++i) {
    std::unique_ptr<Instance> instance = StartGuest(program_);
    ASSERT_TRUE(chain->Restore(i, *instance).ok());
    std::map<std::pair<int, uint32_t>, std::pair<uint32_t, uint32_t>> cells;  // → value, timestamp
    uint32_t clock = 0;
    std::vector<uint64_t> rows(config_.chips.size());
    absl::StatusOr<PreflightSummary> summary = ReadPreflight(
        PreflightPath(output, i),
        [&](const MemoryEntry& e) {
          EXPECT_EQ(e.timestamp, ++clock);
          auto [it, is_new] = cells.try_emplace({e.space, e.address});
          if (is_new) {
            uint32_t value = 0;
            if (e.space == 1) value = instance->registers()[e.address / 4];
            if (e.space == 2) std::memcpy(&value, instance->memory().base() + e.address, 4);
            it->second = {value, 0};
          }
          EXPECT_EQ(e.previous, it->second.first);
          EXPECT_EQ(e.previous_timestamp, it->second.second);
          if (!e.write) {
            EXPECT_EQ(e.value, e.previous);
          }
          it->second = {e.value, e.timestamp};
        },
        [&](uint32_t chip, const ChipEntry& e) { rows[chip] += e.rows; });
    ASSERT_TRUE(summary.ok()) << summary.status();
    EXPECT_EQ(summary->header.segment, i);
    EXPECT_EQ(summary->header.first_instruction, segments_[i].first_instruction);
    EXPECT_EQ(summary->heights, segments_[i].heights);
    uint64_t executed = 0;
    for (const auto& [pc, times] : summary->frequencies) executed += times;
    EXPECT_EQ(executed, segments_[i].instructions);
    const uint32_t alu = *config_.FindChip("BaseAlu");
    EXPECT_EQ(rows[alu], segments_[i].heights[alu]);
    const BoundaryState& next = chain->states()[i + 1];
    EXPECT_EQ(summary->final_pc, next.pc);
    instance = StartGuest(program_);
    ASSERT_TRUE(chain->Restore(i + 1, *instance).ok());
    for (const auto& [place, value] : cells) {
      if (place.first == 1) {
        EXPECT_EQ(value.first, next.x[place.second / 4]);
      }
      if (place.first == 2) {
        uint32_t actual;
        std::memcpy(&actual, instance->memory().base() + place.second, 4);
        EXPECT_EQ(value.first, actual);
      }
    }
  }
}

TEST_F(ChainTest, PreflightFileDamage) {
  const std::string output = (directory_ / "preflight").string();
  ASSERT_TRUE(Execute(2, output).ok());
  const std::string path = PreflightPath(output, segments_.size() - 1);
  const std::string bytes = Read(path);
  const size_t step = std::max<size_t>(1, bytes.size() / 300);
  for (size_t at = 0; at < bytes.size(); at += step) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    Write(path, changed);
    EXPECT_FALSE(ReadPreflight(path, nullptr, nullptr).ok()) << at;
    Write(path, bytes.substr(0, at));
    EXPECT_FALSE(ReadPreflight(path, nullptr, nullptr).ok()) << at;
  }
  Write(path, bytes + "x");
  EXPECT_FALSE(ReadPreflight(path, nullptr, nullptr).ok());
}

}  // namespace
}  // namespace precast::runtime
