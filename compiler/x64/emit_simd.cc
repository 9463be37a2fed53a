// The machine code of the operations on v128.
#include "absl/log/log.h"
#include "compiler/x64/emitter.h"

namespace precast::x64::emission {

void Emitter::EmitSimd(uint32_t i, const MInst& m) {
  LOG(FATAL) << "instruction " << i << ": no vector operation " << int{m.aux} << " yet";
}

}  // namespace precast::x64::emission
