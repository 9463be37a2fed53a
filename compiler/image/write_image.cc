// See write_image.h.
#include "compiler/image/write_image.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

#include "absl/log/check.h"
#include "compiler/parallel.h"
#include "elfwriter/object.h"
#include "loader/format/aot_file_info.h"
#include "loader/format/content_digest.h"
#include "loader/format/sha256.h"

namespace precast::image {
absl::Status MemorySink::Begin(uint64_t size) {
  bytes_.resize(size);
  return absl::OkStatus();
}

absl::Status MemorySink::Write(uint64_t offset, absl::Span<const uint8_t> bytes) {
  std::copy(bytes.begin(), bytes.end(), bytes_.begin() + static_cast<ptrdiff_t>(offset));
  return absl::OkStatus();
}

namespace {

// Hands pieces to a sink, one at a time, by whichever thread comes when nobody does it. A file can
// be written by one thread only: the others would wait for it; here they go on with the next piece.
class PieceQueue {
 public:
  using Buffer = std::unique_ptr<std::vector<uint8_t>>;

  explicit PieceQueue(ImageSink& sink) : sink_(sink) {}

  // Room for a piece.
  Buffer Take(size_t size) {
    return free_.Take([size] { return std::make_unique<std::vector<uint8_t>>(size); });
  }
  // False after an error.
  bool Add(uint64_t offset, Buffer buffer, size_t size) {
    std::unique_lock<std::mutex> lock(mutex_);
    pieces_.push_back({offset, std::move(buffer), size});
    less_.wait(lock, [this] { return !writing_ || pieces_.size() < kMaxWaiting; });
    if (writing_) return status_.ok();
    writing_ = true;
    while (!pieces_.empty()) {
      Piece piece = std::move(pieces_.back());
      pieces_.pop_back();
      if (status_.ok()) {
        lock.unlock();
        absl::Status status =
            sink_.Write(piece.offset, absl::MakeConstSpan(*piece.buffer).first(piece.size));
        lock.lock();
        status_.Update(std::move(status));
      }
      free_.Return(std::move(piece.buffer));
      less_.notify_one();
    }
    writing_ = false;
    less_.notify_all();
    return status_.ok();
  }
  // When all calls have returned.
  const absl::Status& status() const { return status_; }

 private:
  static constexpr size_t kMaxWaiting = 8;
  struct Piece {
    uint64_t offset;
    Buffer buffer;
    size_t size;
  };

  ImageSink& sink_;
  Pool<std::vector<uint8_t>> free_;
  std::mutex mutex_;
  std::condition_variable less_;
  std::vector<Piece> pieces_;
  bool writing_ = false;
  absl::Status status_;
};

}  // namespace

absl::Status Finish(LaidOutImage& laid_out, int threads, ImageSink& sink) {
  const elfwriter::Object& object = *laid_out.object;
  *laid_out.digest = {};
  const uint64_t size = object.FileSize();
  if (absl::Status status = sink.Begin(size); !status.ok()) return status;
  const elfwriter::PieceWriter writer(object);
  // Two pieces of the digest at a time, which are in the processor's cache from when they are made
  // until they are written.
  constexpr uint64_t kStep = 2 * format::kDigestPiece;
  std::vector<format::Sha256Digest> digests((size + format::kDigestPiece - 1) /
                                            format::kDigestPiece);
  PieceQueue queue(sink);
  std::atomic<bool> failed = false;
  ParallelFor((size + kStep - 1) / kStep, threads, [&](size_t i) {
    if (failed) return;
    const uint64_t begin = i * kStep;
    PieceQueue::Buffer buffer = queue.Take(kStep);
    const absl::Span<uint8_t> bytes = absl::MakeSpan(*buffer).first(std::min(kStep, size - begin));
    writer.Write(begin, bytes);
    const size_t pieces = (bytes.size() + format::kDigestPiece - 1) / format::kDigestPiece;
    format::DigestPieces(bytes,
                         absl::MakeSpan(digests).subspan(begin / format::kDigestPiece, pieces));
    if (!queue.Add(begin, std::move(buffer), bytes.size())) failed = true;
  });
  if (!queue.status().ok()) return queue.status();
  *laid_out.digest = format::ContentDigest(digests);
  return sink.Write(object.FileOffsetOf(laid_out.file_info_section) +
                        offsetof(format::AotFileInfo, content_digest),
                    *laid_out.digest);
}

std::vector<uint8_t> Finish(LaidOutImage& laid_out, int threads) {
  MemorySink memory;
  CHECK_OK(Finish(laid_out, threads, memory));
  return memory.Take();
}

}  // namespace precast::image
