#include "compiler/opt/pipeline.h"

namespace precast::opt {

void Optimize(ir::Function&, const PipelineOptions&) {}

}  // namespace precast::opt
