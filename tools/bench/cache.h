// What was built for measuring: programs, guests, what peers compiled of them. Kept in a folder
// between calls of the tool, by a digest of everything that it is made of; a scratch folder goes
// away at the end.
#ifndef PRECAST_TOOLS_BENCH_CACHE_H_
#define PRECAST_TOOLS_BENCH_CACHE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/bench/engine.h"

namespace precast::bench {

struct Artifact {
  std::string file;
  double seconds = 0;       // processor time that making it took, then
  uint64_t peak_bytes = 0;  // of the hungriest step
};

class Cache {
 public:
  // The folder is created if it is not there; what was not used for 30 days goes.
  static absl::StatusOr<std::unique_ptr<Cache>> Open(const std::string& folder);
  // XDG_CACHE_HOME, or ~/.cache, or the temporary folder; in it precast/bench.
  static std::string DefaultFolder();
  ~Cache();
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // Runs `steps` with {out} and {dir} added to `placeholders`. If `keep`, and the same steps with
  // the same placeholders were run before on `inputs` of the same contents and with the same
  // `version`, gives what came out then. Otherwise what is returned lives until this object ends.
  // Error: a step fails; the message is its last lines.
  absl::StatusOr<Artifact> Make(const std::vector<Argv>& steps, const Placeholders& placeholders,
                                const std::vector<std::string>& inputs, const std::string& version,
                                bool keep);

  // A path for a new file in the scratch folder.
  std::string ScratchFile(const std::string& suffix);

 private:
  Cache(std::string folder, std::string scratch)
      : folder_(std::move(folder)), scratch_(std::move(scratch)) {}

  void RemoveOld() const;

  std::string folder_, scratch_;
  int next_ = 0;
};

}  // namespace precast::bench

#endif  // PRECAST_TOOLS_BENCH_CACHE_H_
