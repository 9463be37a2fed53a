// Selection of the operations on v128: simd.def, shuffles and constants.
#include "absl/log/log.h"
#include "compiler/x64/selector.h"

namespace precast::x64::selection {

void Selector::SelectSimd(Inst i, const InstData& d) {
  LOG(FATAL) << f_.name() << ": instruction " << i.index << ": no vector operation " << int{d.aux}
             << " yet";
}

}  // namespace precast::x64::selection
