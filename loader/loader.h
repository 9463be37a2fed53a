// Opens an image: reads it, checks everything, maps it, fills its GOT, binds its PLT, makes its
// code known to unwinders. Nothing of it is executable before every check has passed, and a hostile
// file gets a status.
//
// How the bytes get into memory: file offset equals address in an image, so the whole file is put
// at once where it will stay, checked there, and only then given its protections. Two ways:
//
// * By default the file is copied into private memory. Nobody can change the bytes after they were
//   checked, and cutting the file off while it is in use does nothing.
// * With `share_pages` the file is mapped, so that all processes share its pages, guest memory can
//   be mapped copy-on-write from it, and profilers see the file. What was checked is what is
//   mapped, but like with every shared library, whoever writes into the file afterwards writes into
//   the program. For files that are replaced by renaming and never changed in place.
#ifndef PRECAST_LOADER_LOADER_H_
#define PRECAST_LOADER_LOADER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "loader/check_report.h"
#include "loader/image.h"
#include "loader/image_check.h"

namespace precast::loader {

struct LoadOptions {
  CheckOptions check;
  // Addresses for GOT and PLT slots, indexed by abi::Callback; all of them.
  absl::Span<const void* const> callbacks;
  // Leave PLT slots at the resolve callback until they are used first (LoadedImage::ResolvePlt).
  bool lazy_plt = false;
  // Hand .eh_frame to the unwinder of the C runtime (__register_frame), so that backtraces cross
  // guest code.
  bool register_frames = true;
  bool share_pages = false;
  // Maps the file (as share_pages does) and checks only what takes the same time for every image
  // (CheckOptions::trusted): the first instruction of a large image runs as soon as that of a small
  // one. For files in a place where nobody but the compiler writes. Of LoadMemory it makes no
  // difference.
  bool trusted = false;
};

class LoadedImage final : public Image {
 public:
  ~LoadedImage() override;
  LoadedImage(const LoadedImage&) = delete;
  LoadedImage& operator=(const LoadedImage&) = delete;

  absl::Span<const uint8_t> text() const override { return text_; }
  const void* FindEntry(uint32_t guest_pc) const override;
  const void* EntryOf(uint32_t index) const override;
  // Allocates only the result's vector. Not for signal handlers.
  std::optional<SiteInfo> FindSite(uint64_t native_pc) const override;
  std::optional<uint32_t> GuestPcOf(uint64_t native_pc) const override;
  uint32_t entry_pc() const override { return view_.metadata.entry_pc; }
  std::string_view machine() const override { return view_.metadata.machine; }
  absl::Span<const std::string> extensions() const override { return view_.metadata.extensions; }
  uint32_t initial_brk() const override { return view_.metadata.initial_brk; }
  uint32_t phdr_address() const override { return view_.metadata.phdr_address; }
  uint32_t phdr_count() const override { return view_.metadata.phdr_count; }
  absl::Span<const GuestSegment> segments() const override { return guest_segments_; }
  absl::Span<const CodeRange> code_ranges() const override { return code_ranges_; }
  absl::Span<const uint8_t> program_guid() const override { return view_.info.program_guid; }

  format::GuestKind guest_kind() const override {
    return static_cast<format::GuestKind>(view_.info.guest_kind);
  }
  bool metered() const override { return HasFlag(format::ImageFlag::kMetered); }
  bool counts_rows() const override { return HasFlag(format::ImageFlag::kCountsRows); }
  bool canonical_nans() const override { return HasFlag(format::ImageFlag::kCanonicalNans); }
  bool guest_memory_initialized() const override {
    return HasFlag(format::ImageFlag::kMemoryInitialized);
  }
  absl::Span<const uint8_t> guest_module() const override {
    return view_.At(view_.info.guest_module);
  }

  format::DeclaredFunctions declared_functions() const override { return view_.declared; }
  format::ElementFunctions element_functions() const override { return view_.elements; }

  // Binds PLT entry `index` and returns its target; null if there is no such entry. What the
  // resolve callback calls. Any thread may, at any time.
  const void* ResolvePlt(uint32_t index) const;

  // The checked tables. Its `file` spans only what is mapped: from the ELF header to the end of the
  // last segment.
  const ImageView& view() const { return view_; }

 private:
  friend class ImageLoader;
  LoadedImage() = default;

  bool HasFlag(format::ImageFlag flag) const { return format::HasFlag(view_.info.flags, flag); }
  const void* PltTarget(uint32_t index) const;

  ImageView view_;
  uint8_t* base_ = nullptr;
  size_t mapped_size_ = 0;  // bytes from base_, whole pages
  int fd_ = -1;             // owned; only with share_pages
  int guest_data_fd_ = -1;  // owned; see ImageLoader::ShareGuestData
  const void* registered_frames_ = nullptr;
  absl::Span<const uint8_t> text_;
  std::vector<const void*> callbacks_;
  std::vector<GuestSegment> guest_segments_;
  std::vector<CodeRange> code_ranges_;
};

// Errors: what CheckReport::ToStatus says, or what the operating system says about the file.
// `options.callbacks` of the wrong length is a bug of the caller.
absl::StatusOr<std::unique_ptr<LoadedImage>> LoadFile(const std::string& path,
                                                      const LoadOptions& options);
// Does not take the descriptor over.
absl::StatusOr<std::unique_ptr<LoadedImage>> LoadDescriptor(int fd, const LoadOptions& options);
// `bytes` may go away afterwards; share_pages is ignored.
absl::StatusOr<std::unique_ptr<LoadedImage>> LoadMemory(absl::Span<const uint8_t> bytes,
                                                        const LoadOptions& options);

// The whole file, to be checked with CheckImage. An error if it is no regular file or cannot be
// read.
absl::StatusOr<std::vector<uint8_t>> ReadImageFile(const std::string& path);

}  // namespace precast::loader

#endif  // PRECAST_LOADER_LOADER_H_
