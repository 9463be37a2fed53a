#include "runtime/openvm/segments/chain.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace precast::runtime {
namespace {

absl::Span<const uint8_t> BytesOf(std::string_view text) {
  return absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

std::string ManifestPath(const std::string& directory) {
  return absl::StrCat(directory, "/manifest.json");
}
std::string PartialManifestPath(const std::string& directory) {
  return absl::StrCat(ManifestPath(directory), ".part");
}
std::string StateName(size_t index) { return absl::StrFormat("state-%06d", index); }

std::string GuidText(const ProgramImage& program) {
  return absl::BytesToHexString(
      std::string_view(reinterpret_cast<const char*>(program.guid.data()), program.guid.size()));
}

absl::Status WriteNewFile(const std::string& path, absl::Span<const std::string_view> parts) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
  absl::Cleanup close_fd = [fd] { close(fd); };
  for (std::string_view part : parts) {
    while (!part.empty()) {
      const ssize_t put = write(fd, part.data(), part.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
      part.remove_prefix(static_cast<size_t>(put));
    }
  }
  return absl::OkStatus();
}

// An open regular file.
class InputFile {
 public:
  static absl::StatusOr<InputFile> Open(const std::string& path) {
    InputFile file;
    file.fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (file.fd_ < 0 || fstat(file.fd_, &info) != 0 || !S_ISREG(info.st_mode)) {
      return ChainFault(
          ChainError::kUnreadable,
          absl::StrCat(path, ": ", file.fd_ < 0 ? std::strerror(errno) : "not a regular file"));
    }
    file.path_ = path;
    file.size_ = static_cast<uint64_t>(info.st_size);
    return file;
  }
  ~InputFile() {
    if (fd_ >= 0) close(fd_);
  }
  InputFile(InputFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), size_(other.size_) {}
  InputFile& operator=(InputFile&&) = delete;

  uint64_t size() const { return size_; }
  absl::Status Read(uint64_t offset, absl::Span<uint8_t> out) const {
    while (!out.empty()) {
      const ssize_t got = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        return ChainFault(ChainError::kUnreadable,
                          absl::StrCat(path_, ": ", got < 0 ? std::strerror(errno) : "too short"));
      }
      offset += static_cast<uint64_t>(got);
      out.remove_prefix(static_cast<size_t>(got));
    }
    return absl::OkStatus();
  }

 private:
  InputFile() = default;
  int fd_ = -1;
  std::string path_;
  uint64_t size_ = 0;
};

bool IsZero(const uint8_t* page) {
  static const uint8_t kZeros[kPageSize] = {};
  return std::memcmp(page, kZeros, kPageSize) == 0;
}

// Finds the pages of guest memory that have changed.
class MemoryTracker {
 public:
  MemoryTracker(Instance& instance, uint32_t memory_bits)
      : base_(instance.memory().base()), pages_(uint32_t{1} << (memory_bits - 12)) {
    pagemap_ = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  }
  ~MemoryTracker() {
    if (pagemap_ >= 0) close(pagemap_);
  }
  MemoryTracker(const MemoryTracker&) = delete;
  MemoryTracker& operator=(const MemoryTracker&) = delete;

  // Ascending. The first call gives all pages of the program that are not zero.
  std::vector<uint32_t> Changed(const ProgramImage& program) {
    std::vector<uint32_t> changed;
    auto look = [&](uint32_t page) {
      const uint8_t* now = base_ + uint64_t{page} * kPageSize;
      auto it = before_.find(page);
      if (it == before_.end()) {
        if (IsZero(now)) return;
        it = before_.emplace(page, std::vector<uint8_t>(now, now + kPageSize)).first;
      } else {
        if (std::memcmp(now, it->second.data(), kPageSize) == 0) return;
        std::memcpy(it->second.data(), now, kPageSize);
      }
      changed.push_back(page);
    };
    if (first_) {
      for (const ProgramSegment& segment : program.segments) {
        for (uint64_t at = 0; at < segment.size; at += kPageSize)
          look(static_cast<uint32_t>((segment.address + at) / kPageSize));
      }
      first_ = false;
      return changed;
    }
    constexpr uint32_t kBatch = 1 << 13;
    std::vector<uint64_t> entries(kBatch);
    for (uint32_t begin = 0; begin < pages_; begin += kBatch) {
      const uint32_t count = std::min(kBatch, pages_ - begin);
      const uint64_t where = reinterpret_cast<uint64_t>(base_) / kPageSize + begin;
      const auto size = static_cast<ssize_t>(count * sizeof(uint64_t));
      const bool known = pagemap_ >= 0 && pread(pagemap_, entries.data(), static_cast<size_t>(size),
                                                static_cast<off_t>(where * 8)) == size;
      for (uint32_t i = 0; i < count; ++i) {
        constexpr uint64_t kPresentOrSwapped = uint64_t{3} << 62;
        // Memory that nobody has touched since the program was mapped holds what it held.
        if (known && (entries[i] & kPresentOrSwapped) == 0) continue;
        look(begin + i);
      }
    }
    return changed;
  }

 private:
  const uint8_t* const base_;
  const uint32_t pages_;
  int pagemap_ = -1;
  bool first_ = true;
  std::map<uint32_t, std::vector<uint8_t>> before_;
};

absl::StatusOr<BoundaryState> StateOf(Instance& instance, const OpenVmHost& host) {
  absl::StatusOr<std::string> host_state = instance.host().SaveState();
  if (!host_state.ok()) return host_state.status();
  BoundaryState state;
  state.memory_bits = host.config().memory_bits;
  state.retired = instance.retired();
  state.ended = instance.exited();
  state.pc = instance.pc();
  std::copy(instance.registers(), instance.registers() + 32, state.x);
  state.x[0] = 0;
  state.host_name = instance.host().name();
  state.host_state = *std::move(host_state);
  state.public_values.assign(host.public_values().begin(), host.public_values().end());
  return state;
}

absl::Span<const uint8_t> PageAt(Instance& instance, uint32_t page) {
  return absl::MakeConstSpan(instance.memory().base() + uint64_t{page} * kPageSize, kPageSize);
}

}  // namespace

absl::Status PrepareChainDirectory(const std::string& directory) {
  if (mkdir(directory.c_str(), 0777) != 0 && errno != EEXIST)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make directory ", directory));
  struct stat info;
  if (stat(ManifestPath(directory).c_str(), &info) == 0) {
    return absl::AlreadyExistsError(
        absl::StrCat(directory, " holds the segments of a run: remove it, or name another"));
  }
  const std::string partial = PartialManifestPath(directory);
  if (absl::Status s = WriteNewFile(partial, {}); !s.ok()) return s;
  unlink(partial.c_str());
  return absl::OkStatus();
}

absl::Status RecordChain(Instance& instance, const OpenVmHost& host,
                         absl::Span<const precast::openvm::Segment> segments,
                         const precast::openvm::MeteringConfig& metering, const MemoryHash& hash,
                         std::string_view program_file, const std::string& directory) {
  if (absl::Status s = PrepareChainDirectory(directory); !s.ok()) return s;
  if (absl::Status s = WriteNewFile(absl::StrCat(directory, "/program"), {program_file}); !s.ok())
    return s;
  Manifest manifest;
  manifest.program_guid = GuidText(instance.program());
  manifest.machine = precast::openvm::ToText(host.config());
  manifest.entry_pc = instance.program().entry_pc;
  manifest.hash = hash.name();
  manifest.memory_bits = host.config().memory_bits;
  manifest.metering = metering;

  MemoryTree tree(hash, manifest.memory_bits);
  MemoryTracker tracker(instance, manifest.memory_bits);
  MemoryDigest root_before = {};
  uint32_t pc_before = 0;
  for (size_t i = 0; i <= segments.size(); ++i) {
    uint32_t exit_code = 0;
    if (i > 0) {
      const RunResult result = instance.Run(static_cast<int64_t>(segments[i - 1].instructions));
      const bool last = i == segments.size();
      const auto expected = last ? RunResult::Reason::kExited : RunResult::Reason::kSuspended;
      const uint64_t retired = segments[i - 1].first_instruction + segments[i - 1].instructions;
      if (result.reason == RunResult::Reason::kFailed) return result.failure;
      if (result.reason != expected || instance.retired() != retired) {
        return absl::InternalError(
            absl::StrFormat("segment %d: expected it to %s after %d instructions, it stopped for "
                            "reason %d after %d",
                            i - 1, last ? "end the guest" : "end", retired,
                            static_cast<int>(result.reason), instance.retired()));
      }
      exit_code = result.exit_code;
    }
    absl::StatusOr<BoundaryState> state = StateOf(instance, host);
    if (!state.ok()) return state.status();
    state->index = static_cast<uint32_t>(i);
    state->hash = hash.name();
    state->exit_code = exit_code;
    for (uint32_t page : tracker.Changed(instance.program()))
      state->pages.push_back({page, hash.Leaf(PageAt(instance, page))});
    if (absl::Status s = SetLeaves(*state, tree); !s.ok()) return s;
    state->root = tree.Root();
    if (i == 0) {
      manifest.program_commit =
          ProgramCommit(manifest.program_guid, manifest.machine, manifest.entry_pc, state->root);
    } else {
      manifest.segments.push_back({.metered = segments[i - 1],
                                   .initial_root = root_before,
                                   .final_root = state->root,
                                   .initial_pc = pc_before,
                                   .final_pc = state->pc});
    }
    root_before = state->root;
    pc_before = state->pc;
    state->program_commit = manifest.program_commit;
    std::string contents;
    contents.reserve(state->pages.size() * kPageSize);
    for (const BoundaryState::Page& page : state->pages) {
      const absl::Span<const uint8_t> bytes = PageAt(instance, page.number);
      contents.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    const std::string header = EncodeHeader(*state);
    if (absl::Status s =
            WriteNewFile(absl::StrCat(directory, "/", StateName(i)), {header, contents});
        !s.ok())
      return s;
    manifest.exit_code = exit_code;
    manifest.public_values = state->public_values;
  }
  const std::string partial = PartialManifestPath(directory);
  if (absl::Status s = WriteNewFile(partial, {ManifestToJson(manifest)}); !s.ok()) return s;
  if (std::rename(partial.c_str(), ManifestPath(directory).c_str()) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot rename ", partial));
  return absl::OkStatus();
}

absl::StatusOr<Chain> Chain::Open(const std::string& directory) {
  Chain chain;
  chain.directory_ = directory;
  absl::StatusOr<InputFile> file = InputFile::Open(ManifestPath(directory));
  if (!file.ok()) return file.status();
  constexpr uint64_t kMostManifest = uint64_t{1} << 31;
  if (file->size() > kMostManifest)
    return ChainFault(ChainError::kMalformed, "manifest.json: larger than 2 GiB");
  std::vector<uint8_t> text(file->size());
  if (absl::Status s = file->Read(0, absl::MakeSpan(text)); !s.ok()) return s;
  absl::StatusOr<Manifest> manifest =
      ManifestFromJson(std::string_view(reinterpret_cast<const char*>(text.data()), text.size()));
  if (!manifest.ok()) return manifest.status();
  chain.manifest_ = *std::move(manifest);
  for (size_t i = 0; i <= chain.manifest_.segments.size(); ++i) {
    absl::StatusOr<InputFile> state_file =
        InputFile::Open(absl::StrCat(directory, "/", StateName(i)));
    if (!state_file.ok()) return state_file.status();
    // The header says how long it is; then what it is.
    std::vector<uint8_t> bytes(std::min<uint64_t>(state_file->size(), 24));
    if (absl::Status s = state_file->Read(0, absl::MakeSpan(bytes)); !s.ok()) return s;
    uint64_t header_size = 0;
    for (size_t byte = 16; byte < bytes.size(); ++byte)
      header_size |= uint64_t{bytes[byte]} << (8 * (byte - 16));
    bytes.resize(std::clamp<uint64_t>(header_size, bytes.size(), state_file->size()));
    if (absl::Status s = state_file->Read(0, absl::MakeSpan(bytes)); !s.ok()) return s;
    absl::StatusOr<BoundaryState> state = DecodeHeader(bytes, state_file->size(), header_size);
    if (!state.ok()) {
      return ChainFault(ChainErrorOf(state.status()).value_or(ChainError::kMalformed),
                        absl::StrCat(StateName(i), ": ", state.status().message()));
    }
    chain.states_.push_back(*std::move(state));
    chain.contents_.push_back(header_size);
  }
  return chain;
}

absl::Status Chain::CheckContents(size_t index) const {
  if (states_[index].pages.empty()) return absl::OkStatus();
  absl::StatusOr<InputFile> file = InputFile::Open(absl::StrCat(directory_, "/", StateName(index)));
  if (!file.ok()) return file.status();
  const MemoryHash* hash = FindMemoryHash(manifest_.hash);
  std::vector<uint8_t> page(kPageSize);
  for (size_t i = 0; i < states_[index].pages.size(); ++i) {
    if (absl::Status s =
            file->Read(contents_[index] + uint64_t{i} * kPageSize, absl::MakeSpan(page));
        !s.ok())
      return s;
    const BoundaryState::Page& expected = states_[index].pages[i];
    if (const MemoryDigest actual = hash->Leaf(page); actual != expected.digest) {
      return ChainFault(ChainError::kPageContents,
                        absl::StrFormat("%s, page at 0x%x: expected digest %s, actual %s",
                                        StateName(index), uint64_t{expected.number} * kPageSize,
                                        HexOf(expected.digest), HexOf(actual)));
    }
  }
  return absl::OkStatus();
}

absl::Status Chain::Verify(const ProgramImage* program) const {
  const MemoryHash* hash = FindMemoryHash(manifest_.hash);
  if (hash == nullptr) {
    return ChainFault(ChainError::kMalformed,
                      absl::StrFormat("hash \"%s\": not part of this program", manifest_.hash));
  }
  auto differ = [](ChainError error, std::string_view where, std::string_view what,
                   const auto& expected, const auto& actual) {
    return ChainFault(
        error, absl::StrCat(where, ": ", what, ": expected ", expected, ", actual ", actual));
  };
  if (program != nullptr && GuidText(*program) != manifest_.program_guid) {
    return differ(ChainError::kProgramCommit, "manifest.json", "program GUID", GuidText(*program),
                  manifest_.program_guid);
  }
  if (program != nullptr && !program->machine.empty() && program->machine != manifest_.machine)
    return differ(ChainError::kProgramCommit, "manifest.json", "machine", program->machine,
                  manifest_.machine);
  MemoryTree tree(*hash, manifest_.memory_bits);
  uint64_t retired = 0;
  for (size_t i = 0; i < states_.size(); ++i) {
    const BoundaryState& state = states_[i];
    const std::string name = StateName(i);
    const ChainSegment* before = i > 0 ? &manifest_.segments[i - 1] : nullptr;
    const ChainSegment* after = i < manifest_.segments.size() ? &manifest_.segments[i] : nullptr;
    if (state.program_commit != manifest_.program_commit) {
      return differ(ChainError::kProgramCommit, name, "program commit",
                    HexOf(manifest_.program_commit), HexOf(state.program_commit));
    }
    if (state.hash != manifest_.hash || state.memory_bits != manifest_.memory_bits) {
      return ChainFault(
          ChainError::kState,
          absl::StrCat(name, ": hash and memory bits: expected those of the manifest"));
    }
    if (state.index != i) return differ(ChainError::kOrder, name, "index", i, state.index);
    if (after != nullptr && after->metered.first_instruction != retired) {
      return differ(ChainError::kOrder, absl::StrCat("segment ", i), "first instruction", retired,
                    after->metered.first_instruction);
    }
    if (state.retired != retired)
      return differ(ChainError::kOrder, name, "instructions retired", retired, state.retired);
    if (after != nullptr) {
      if (after->metered.instructions == 0) {
        return differ(ChainError::kOrder, absl::StrCat("segment ", i), "instructions", "at least 1",
                      "0");
      }
      retired += after->metered.instructions;
    }

    if (absl::Status s = SetLeaves(state, tree); !s.ok()) return s;
    const MemoryDigest root = tree.Root();
    if (root != state.root)
      return differ(ChainError::kMemoryRoot, name, "root of its pages", HexOf(root),
                    HexOf(state.root));
    if (before != nullptr && before->final_root != root) {
      return differ(ChainError::kMemoryRoot, absl::StrCat("segment ", i - 1), "final root",
                    HexOf(root), HexOf(before->final_root));
    }
    if (after != nullptr && after->initial_root != root) {
      return differ(ChainError::kMemoryRoot, absl::StrCat("segment ", i), "initial root",
                    HexOf(root), HexOf(after->initial_root));
    }
    if (i == 0) {
      const MemoryDigest commit =
          ProgramCommit(manifest_.program_guid, manifest_.machine, manifest_.entry_pc, root);
      if (commit != manifest_.program_commit) {
        return differ(ChainError::kProgramCommit, "manifest.json", "program commit", HexOf(commit),
                      HexOf(manifest_.program_commit));
      }
      if (state.pc != manifest_.entry_pc)
        return differ(ChainError::kState, name, "pc", manifest_.entry_pc, state.pc);
    }
    if (before != nullptr && before->final_pc != state.pc)
      return differ(ChainError::kState, name, "pc", before->final_pc, state.pc);
    if (after != nullptr && after->initial_pc != state.pc)
      return differ(ChainError::kState, name, "pc", after->initial_pc, state.pc);
    if (absl::Status s = CheckContents(i); !s.ok()) return s;

    const bool last = after == nullptr;
    if (state.ended != last) {
      return differ(ChainError::kTermination, name, "guest", last ? "ended" : "still running",
                    state.ended ? "ended" : "still running");
    }
    if (last && state.exit_code != manifest_.exit_code)
      return differ(ChainError::kTermination, name, "exit code", manifest_.exit_code,
                    state.exit_code);
    if (last && state.public_values != manifest_.public_values) {
      return differ(ChainError::kState, name, "public values",
                    absl::BytesToHexString(manifest_.public_values),
                    absl::BytesToHexString(state.public_values));
    }
  }
  return absl::OkStatus();
}

std::unique_ptr<MemoryTree> Chain::TreeAt(size_t index) const {
  const MemoryHash* hash = FindMemoryHash(manifest_.hash);
  if (hash == nullptr) return nullptr;
  auto tree = std::make_unique<MemoryTree>(*hash, manifest_.memory_bits);
  for (size_t i = 0; i <= index; ++i) {
    // Verify reports what does not fit.
    if (!SetLeaves(states_[i], *tree).ok()) return nullptr;
  }
  return tree;
}

absl::Status Chain::Restore(size_t index, Instance& instance) const {
  if (index >= states_.size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("segment %d: expected 0 to %d", index, states_.size() - 1));
  }
  const BoundaryState& state = states_[index];
  if (GuidText(instance.program()) != manifest_.program_guid) {
    return ChainFault(ChainError::kProgramCommit,
                      absl::StrFormat("program GUID: expected %s, actual %s",
                                      manifest_.program_guid, GuidText(instance.program())));
  }
  if (instance.host().name() != state.host_name) {
    return ChainFault(ChainError::kState,
                      absl::StrFormat("host ABI: expected %s, actual %s", instance.host().name(),
                                      absl::CEscape(state.host_name)));
  }
  const MemoryHash* hash = FindMemoryHash(manifest_.hash);
  if (hash == nullptr) {
    return ChainFault(ChainError::kMalformed,
                      absl::StrFormat("hash \"%s\": not part of this program", manifest_.hash));
  }
  // Where the newest contents of each page are: state, and place there. Those of state 0 are mapped
  // already.
  std::map<uint32_t, std::pair<size_t, size_t>> newest;
  for (size_t i = 1; i <= index; ++i) {
    for (size_t j = 0; j < states_[i].pages.size(); ++j)
      newest[states_[i].pages[j].number] = {i, j};
  }
  std::map<size_t, InputFile> files;
  std::vector<uint8_t> page(kPageSize);
  for (const auto& [number, where] : newest) {
    auto it = files.find(where.first);
    if (it == files.end()) {
      absl::StatusOr<InputFile> file =
          InputFile::Open(absl::StrCat(directory_, "/", StateName(where.first)));
      if (!file.ok()) return file.status();
      // A run of many segments has more states than a process may have files open.
      constexpr size_t kMostOpen = 64;
      if (files.size() >= kMostOpen) files.clear();
      it = files.emplace(where.first, *std::move(file)).first;
    }
    if (absl::Status s = it->second.Read(
            contents_[where.first] + uint64_t{where.second} * kPageSize, absl::MakeSpan(page));
        !s.ok())
      return s;
    if (hash->Leaf(page) != states_[where.first].pages[where.second].digest) {
      return ChainFault(ChainError::kPageContents,
                        absl::StrFormat("%s, page at 0x%x", StateName(where.first),
                                        uint64_t{number} * kPageSize));
    }
    if (absl::Status s = instance.memory().Initialize(number * kPageSize, page); !s.ok()) return s;
  }
  if (absl::Status s = instance.host().RestoreState(BytesOf(state.host_state)); !s.ok()) {
    return ChainFault(ChainError::kState, absl::StrCat(StateName(index), ": ", s.message()));
  }
  std::copy(std::begin(state.x), std::end(state.x), instance.context().x);
  instance.context().pc = state.pc;
  instance.set_retired(state.retired);
  return absl::OkStatus();
}

}  // namespace precast::runtime
