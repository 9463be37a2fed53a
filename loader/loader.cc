#include "loader/loader.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"

// Of the C runtime (libgcc or compiler-rt's libunwind): adds unwind tables that no dynamic linker
// knows of.
extern "C" void __register_frame(const void* begin);
extern "C" void __deregister_frame(const void* begin);

namespace precast::loader {
namespace {

constexpr uint64_t kPageSize = 0x1000;

// Copying fewer bytes of guest memory takes less time than faults in a mapping.
constexpr uint32_t kWorthSharing = 64 << 10;

uint64_t PageUp(uint64_t value) { return (value + kPageSize - 1) & ~(kPageSize - 1); }

absl::Status SystemError(absl::string_view what) {
  return absl::ErrnoToStatus(errno, absl::StrCat("image: ", what));
}

// A descriptor that is closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Opening a FIFO must not wait for a writer.
int OpenFile(const std::string& path) {
  return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

absl::StatusOr<struct stat> StatRegular(int fd) {
  struct stat stat;
  if (fstat(fd, &stat) != 0) return SystemError("fstat");
  if (!S_ISREG(stat.st_mode)) return absl::InvalidArgumentError("image: expected a regular file");
  if (stat.st_size <= 0 || static_cast<uint64_t>(stat.st_size) > format::kMaxImageSize) {
    return absl::InvalidArgumentError(absl::StrCat(
        "image: file size: expected 1..", format::kMaxImageSize, ", actual ", stat.st_size));
  }
  return stat;
}

absl::Status ReadFully(int fd, uint8_t* out, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = pread(fd, out + done, size - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("read");
    if (n == 0) {
      return absl::InvalidArgumentError(absl::StrCat("image: file size: expected ", size,
                                                     ", actual ", done,
                                                     " (it was cut off while being read)"));
    }
    done += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

bool SameFile(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec && a.st_ctim.tv_sec == b.st_ctim.tv_sec &&
         a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

}  // namespace

// One load, in order: Place*, then Finish.
class ImageLoader {
 public:
  explicit ImageLoader(const LoadOptions& options) : options_(options), image_(new LoadedImage) {
    CHECK_EQ(options.callbacks.size(), static_cast<size_t>(abi::kNumCallbacks));
  }

  // Copies the file into private memory.
  absl::Status PlaceCopy(int fd) {
    absl::StatusOr<struct stat> stat = StatRegular(fd);
    if (!stat.ok()) return stat.status();
    if (absl::Status status = Reserve(static_cast<size_t>(stat->st_size)); !status.ok())
      return status;
    return ReadFully(fd, image_->base_, file_size_);
  }

  absl::Status PlaceCopy(absl::Span<const uint8_t> bytes) {
    if (bytes.empty() || bytes.size() > format::kMaxImageSize) {
      return absl::InvalidArgumentError(absl::StrCat(
          "image: file size: expected 1..", format::kMaxImageSize, ", actual ", bytes.size()));
    }
    if (absl::Status status = Reserve(bytes.size()); !status.ok()) return status;
    std::memcpy(image_->base_, bytes.data(), bytes.size());
    return absl::OkStatus();
  }

  // Maps the file.
  absl::Status PlaceShared(int fd) {
    absl::StatusOr<struct stat> stat = StatRegular(fd);
    if (!stat.ok()) return stat.status();
    before_ = *stat;
    image_->fd_ = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (image_->fd_ < 0) return SystemError("dup");
    return Map(static_cast<size_t>(stat->st_size), PROT_READ, MAP_PRIVATE, image_->fd_);
  }

  absl::StatusOr<std::unique_ptr<LoadedImage>> Finish() {
    ImageView& view = image_->view_;
    CheckOptions check = options_.check;
    check.trusted |= options_.trusted && image_->fd_ >= 0;
    const CheckReport report =
        CheckImage(absl::MakeConstSpan(image_->base_, file_size_), check, &view);
    if (!report.ok()) return report.ToStatus();
    if (image_->fd_ >= 0) {
      absl::StatusOr<struct stat> after = StatRegular(image_->fd_);
      if (!after.ok()) return after.status();
      if (!SameFile(before_, *after)) {
        return absl::InvalidArgumentError("image: the file was changed while being read");
      }
    }
    // From here on the image is known to be good; what can still fail is the operating system.
    DropTail();
    if (absl::Status status = MakeWritable(); !status.ok()) return status;
    FillSlots();
    if (absl::Status status = Protect(); !status.ok()) return status;
    if (absl::Status status = ShareGuestData(); !status.ok()) return status;
    Describe();
    RegisterFrames();
    return std::move(image_);
  }

 private:
  absl::Status Map(size_t size, int protection, int flags, int fd) {
    file_size_ = size;
    image_->mapped_size_ = PageUp(size);
    void* base = mmap(nullptr, image_->mapped_size_, protection, flags, fd, 0);
    if (base == MAP_FAILED) {
      image_->mapped_size_ = 0;
      return SystemError("mmap");
    }
    image_->base_ = static_cast<uint8_t*>(base);
    return absl::OkStatus();
  }

  // One request for all pages is cheaper than a fault for each.
  absl::Status Reserve(size_t size) {
    return Map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1);
  }

  // Symbols and debug information are for tools that read the file. Where it is mapped, they take
  // up no memory.
  void DropTail() {
    ImageView& view = image_->view_;
    const uint32_t end = view.segments.back().end;
    const size_t kept = PageUp(end);
    if (image_->fd_ < 0 && kept < image_->mapped_size_) {
      munmap(image_->base_ + kept, image_->mapped_size_ - kept);
      image_->mapped_size_ = kept;
    }
    view.file = view.file.subspan(0, end);
  }

  absl::Status MakeWritable() {
    if (image_->fd_ < 0) return absl::OkStatus();  // It is, all of it.
    if (!HasSlots()) return absl::OkStatus();
    for (const LoadSegment& segment : image_->view_.segments) {
      if (!segment.writable) continue;
      if (mprotect(image_->base_ + segment.begin, PageUp(segment.end) - segment.begin,
                   PROT_READ | PROT_WRITE) != 0) {
        return SystemError("mprotect");
      }
    }
    return absl::OkStatus();
  }

  // Most code of WebAssembly calls the runtime through its context.
  bool HasSlots() const {
    return image_->view_.got_infos.count() != 0 || image_->view_.plt_infos.count() != 0;
  }

  void FillSlots() {
    const ImageView& view = image_->view_;
    image_->callbacks_.assign(options_.callbacks.begin(), options_.callbacks.end());
    const auto store = [this](uint32_t offset, const void* target) {
      std::memcpy(image_->base_ + offset, &target, sizeof(target));
    };
    for (uint32_t slot = 0; slot < view.got_infos.count(); ++slot) {
      const std::optional<format::GotInfo> info = view.GotInfoOf(slot);
      CHECK(info.has_value()) << "checked before";
      store(view.info.got.offset + 8 * slot, image_->callbacks_[info->index]);
    }
    for (uint32_t entry = 0; entry < view.plt_infos.count(); ++entry) {
      store(view.info.got_plt.offset + 8 * entry,
            options_.lazy_plt ? image_->callbacks_[static_cast<size_t>(abi::Callback::kResolvePlt)]
                              : image_->PltTarget(entry));
    }
  }

  absl::Status Protect() {
    const ImageView& view = image_->view_;
    const auto protect = [this](uint64_t begin, uint64_t end, int protection) {
      return begin == end || mprotect(image_->base_ + begin, end - begin, protection) == 0;
    };
    for (const LoadSegment& segment : view.segments) {
      uint64_t begin = segment.begin;
      const uint64_t end = PageUp(segment.end);
      if (segment.writable) {
        // What is sealed is at its start; the rest is writable already.
        if (image_->fd_ >= 0 && !HasSlots()) continue;  // It never was.
        if (view.relro.size != 0 && view.relro.offset == begin &&
            !protect(begin, begin + view.relro.size, PROT_READ)) {
          return SystemError("mprotect");
        }
        continue;
      }
      if (image_->fd_ >= 0 && !segment.executable) continue;  // Mapped so.
      if (!protect(begin, end, segment.executable ? PROT_READ | PROT_EXEC : PROT_READ)) {
        return SystemError("mprotect");
      }
    }
    return absl::OkStatus();
  }

  // Large initial memory of a Wasm image that was copied goes to a file of its own, which nobody
  // can change, so that instances can map it copy-on-write instead of copying it. If the system
  // gives none, they copy.
  absl::Status ShareGuestData() {
    const ImageView& view = image_->view_;
    const format::Range data = view.info.guest_data;
    if (image_->fd_ >= 0 || !view.is_wasm() || data.size < kWorthSharing) return absl::OkStatus();
    const Descriptor file(memfd_create("precast guest data", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    uint8_t* begin = image_->base_ + data.offset;
    for (uint32_t done = 0; done < data.size;) {
      const ssize_t n = write(file.get(), begin + done, data.size - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return absl::OkStatus();
      done += static_cast<uint32_t>(n);
    }
    constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if (fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) return absl::OkStatus();
    const int fd = fcntl(file.get(), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return absl::OkStatus();
    image_->guest_data_fd_ = fd;
    // The copy is not needed any more: the same bytes, from the file.
    if (mmap(begin, data.size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED)
      return SystemError("mmap");
    return absl::OkStatus();
  }

  void Describe() {
    const ImageView& view = image_->view_;
    const format::Range text = view.info.text;
    const format::Range plt = view.info.plt;
    const uint32_t begin = text.size != 0 ? text.offset : plt.offset;
    const uint32_t end = plt.size != 0 ? plt.offset + plt.size : text.offset + text.size;
    image_->text_ = absl::MakeConstSpan(image_->base_ + begin, end - begin);
    for (const format::MetadataCodeRange& range : view.metadata.code_ranges) {
      image_->code_ranges_.push_back({range.begin, range.end});
    }
    const bool own_file = image_->guest_data_fd_ >= 0;
    for (const format::MetadataSegment& segment : view.metadata.segments) {
      const uint32_t offset = view.info.guest_data.offset + segment.data_offset;
      image_->guest_segments_.push_back(
          {.address = segment.address,
           .size = segment.size,
           .data = absl::MakeConstSpan(image_->base_ + offset, segment.data_size),
           .fd = own_file ? image_->guest_data_fd_ : image_->fd_,
           .file_offset = own_file ? segment.data_offset : offset,
           .readable = segment.readable,
           .writable = segment.writable,
           .executable = segment.executable});
    }
  }

  void RegisterFrames() {
    const format::Range eh_frame = image_->view_.info.eh_frame;
    // The terminator alone describes nothing, and the unwinder takes it for a mistake.
    if (!options_.register_frames || eh_frame.size <= 4) return;
    image_->registered_frames_ = image_->base_ + eh_frame.offset;
    __register_frame(image_->registered_frames_);
  }

  const LoadOptions& options_;
  std::unique_ptr<LoadedImage> image_;
  size_t file_size_ = 0;
  struct stat before_ = {};
};

LoadedImage::~LoadedImage() {
  if (registered_frames_ != nullptr) __deregister_frame(registered_frames_);
  if (base_ != nullptr) munmap(base_, mapped_size_);
  if (fd_ >= 0) close(fd_);
  if (guest_data_fd_ >= 0) close(guest_data_fd_);
}

const void* LoadedImage::FindEntry(uint32_t guest_pc) const {
  const std::optional<uint32_t> text_offset = view_.FindEntry(guest_pc);
  return text_offset ? base_ + view_.info.text.offset + *text_offset : nullptr;
}

const void* LoadedImage::EntryOf(uint32_t index) const {
  const std::optional<uint32_t> text_offset = view_.EntryOf(index);
  return text_offset ? base_ + view_.info.text.offset + *text_offset : nullptr;
}

std::optional<SiteInfo> LoadedImage::FindSite(uint64_t native_pc) const {
  const uint64_t text_offset =
      native_pc - reinterpret_cast<uint64_t>(base_ + view_.info.text.offset);
  // The end of the text included: a return address may be there.
  if (text_offset > view_.info.text.size) return std::nullopt;
  std::optional<format::Site> site = view_.FindSite(static_cast<uint32_t>(text_offset));
  if (!site) return std::nullopt;
  static_assert(static_cast<int>(format::SiteKind::kCall) ==
                static_cast<int>(SiteInfo::Kind::kCall));
  static_assert(static_cast<int>(format::StateLocation::Kind::kConstant) ==
                static_cast<int>(StateLocation::Kind::kConstant));
  SiteInfo result{.kind = static_cast<SiteInfo::Kind>(site->kind),
                  .trap_code = site->trap_code,
                  .guest_pc = site->guest_pc,
                  .refund = site->refund,
                  .state = {},
                  .more = {}};
  for (const format::Charge& charge : site->more)
    result.more.push_back({charge.guest_pc, charge.refund});
  result.state.reserve(site->state.size());
  for (const format::StateLocation& location : site->state) {
    result.state.push_back(
        {location.slot, static_cast<StateLocation::Kind>(location.kind), location.value});
  }
  return result;
}

std::optional<uint32_t> LoadedImage::GuestPcOf(uint64_t native_pc) const {
  const uint64_t text_offset =
      native_pc - reinterpret_cast<uint64_t>(base_ + view_.info.text.offset);
  if (text_offset > view_.info.text.size) return std::nullopt;
  return view_.GuestPcOf(static_cast<uint32_t>(text_offset));
}

const void* LoadedImage::PltTarget(uint32_t index) const {
  const std::optional<format::PltInfo> plt = view_.PltInfoOf(index);
  if (!plt) return nullptr;
  switch (plt->kind) {
    case format::PltInfo::Kind::kFunction: {
      const std::optional<ImageView::Function> function = view_.FunctionAt(plt->index);
      return function ? base_ + view_.info.text.offset + function->code_offset : nullptr;
    }
    case format::PltInfo::Kind::kRuntimeCallback:
      return plt->index < callbacks_.size() ? callbacks_[plt->index] : nullptr;
    case format::PltInfo::Kind::kImport:
      break;
  }
  return nullptr;
}

const void* LoadedImage::ResolvePlt(uint32_t index) const {
  const void* target = PltTarget(index);
  if (target == nullptr) return nullptr;
  // Other threads may be jumping through the slot; they see the one address or the other.
  uint8_t* slot = base_ + view_.info.got_plt.offset + size_t{8} * index;
  __atomic_store_n(reinterpret_cast<const void**>(slot), target, __ATOMIC_RELEASE);
  return target;
}

absl::StatusOr<std::unique_ptr<LoadedImage>> LoadDescriptor(int fd, const LoadOptions& options) {
  ImageLoader loader(options);
  const bool share_pages = options.share_pages || options.trusted;
  absl::Status status = share_pages ? loader.PlaceShared(fd) : loader.PlaceCopy(fd);
  if (!status.ok()) return status;
  return loader.Finish();
}

absl::StatusOr<std::unique_ptr<LoadedImage>> LoadFile(const std::string& path,
                                                      const LoadOptions& options) {
  const Descriptor file(OpenFile(path));
  if (file.get() < 0) return SystemError(path);
  return LoadDescriptor(file.get(), options);
}

absl::StatusOr<std::unique_ptr<LoadedImage>> LoadMemory(absl::Span<const uint8_t> bytes,
                                                        const LoadOptions& options) {
  ImageLoader loader(options);
  if (absl::Status status = loader.PlaceCopy(bytes); !status.ok()) return status;
  return loader.Finish();
}

absl::StatusOr<std::vector<uint8_t>> ReadImageFile(const std::string& path) {
  const Descriptor file(OpenFile(path));
  if (file.get() < 0) return SystemError(path);
  absl::StatusOr<struct stat> stat = StatRegular(file.get());
  if (!stat.ok()) return stat.status();
  std::vector<uint8_t> bytes(static_cast<size_t>(stat->st_size));
  if (absl::Status status = ReadFully(file.get(), bytes.data(), bytes.size()); !status.ok())
    return status;
  return bytes;
}

}  // namespace precast::loader
