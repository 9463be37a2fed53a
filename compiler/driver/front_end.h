// What the driver needs of a guest's front half: the program, and its functions as IR, one at a
// time. One class for each kind of guest implements it; after it everything is the same for all.
#ifndef PRECAST_COMPILER_DRIVER_FRONT_END_H_
#define PRECAST_COMPILER_DRIVER_FRONT_END_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "compiler/codegen/compiled_function.h"
#include "compiler/codegen/target.h"
#include "compiler/driver/driver.h"
#include "compiler/guest/program.h"
#include "compiler/image/image_builder.h"
#include "compiler/ir/ir.h"

namespace precast::driver {

class FrontEnd {
 public:
  virtual ~FrontEnd() = default;

  // The program, which has been read and found to be valid. Its GUID is left to the driver.
  virtual guest::Program& program() = 0;

  // Finds what is to be compiled, as far as the options are possible for this kind of guest. Once,
  // before what follows. May call `meanwhile`, once, on another thread, when there is too little
  // work of its own.
  virtual absl::Status Analyze(const std::function<void()>& meanwhile) = 0;

  // Functions, in the order their code gets in the image. Lifting is deterministic and thread-safe.
  // ResourceExhausted if the function's SSA form would be out of all proportion.
  virtual size_t num_functions() const = 0;
  virtual absl::StatusOr<ir::Function> Lift(size_t i) const = 0;
  // Number of the function that a direct call of `callee` calls; nullopt if it may not be put in
  // there.
  virtual std::optional<size_t> Inlinable(ir::FuncRef /*callee*/) const { return std::nullopt; }
  // Guest instructions in function i, not counting those that can never be executed, if that is
  // known.
  virtual size_t CountInstructions(size_t i) const = 0;
  // Fills in what the back end does not know: name and guest range.
  virtual void Describe(size_t i, codegen::CompiledFunction& function) const = 0;

  // Whether function i is better off without IR at every level.
  virtual bool SuitsBaseline(size_t /*i*/) const { return false; }

  // Machine code of function i without IR, for -O0 and what SuitsBaseline; nullopt if this kind of
  // guest or this function goes through the IR at every level. Deterministic and thread-safe. May
  // set `instructions` to what CountInstructions would find. The function is described, and its
  // side tables are encoded.
  virtual std::optional<codegen::CompiledFunction> CompileBaseline(
      size_t /*i*/, const codegen::CompileOptions& /*options*/,
      std::optional<size_t>& /*instructions*/) const {
    return std::nullopt;
  }

  // opt::PipelineOptions::fold_addresses.
  virtual bool CanFoldAddresses() const { return false; }
  virtual image::DispatchRange dispatch() const { return {}; }
  // format::CpuFeature bits that code may use.
  virtual uint64_t cpu_features() const { return 0; }
};

// Read the file, which must outlive the result, as does `options`. The second also validates.
absl::StatusOr<std::unique_ptr<FrontEnd>> OpenRiscV(absl::Span<const uint8_t> file,
                                                    const CompileOptions& options);
absl::StatusOr<std::unique_ptr<FrontEnd>> OpenWasm(absl::Span<const uint8_t> file,
                                                   const CompileOptions& options);

}  // namespace precast::driver

#endif  // PRECAST_COMPILER_DRIVER_FRONT_END_H_
