// The initial contents of a module's memory 0, computed when compiling, so that an instance can map
// them copy-on-write instead of copying its data segments.
#ifndef PRECAST_COMPILER_DRIVER_WASM_MEMORY_H_
#define PRECAST_COMPILER_DRIVER_WASM_MEMORY_H_

#include <optional>
#include <vector>

#include "compiler/guest/program.h"
#include "compiler/wasm/module.h"

namespace precast::driver {

// Memory 0 as the active data segments of a valid module leave it: runs of whole pages, ascending;
// what is between them is zero. Nothing if it cannot be known, or is not worth it:
// * memory 0 is imported, or there is none;
// * a segment's offset is not a constant, or its bytes are not inside the memory's initial size
//   (then instantiation traps) and the first 4 GiB;
// * an active element segment changes an imported table: if a later one traps, other modules may
//   already call the functions of this one, and must find its memory zero;
// * the segments lie so far apart that the pages would make the image many times the size of the
//   module.
std::optional<std::vector<guest::Segment>> InitialMemory(const wasm::Module& module);

}  // namespace precast::driver

#endif  // PRECAST_COMPILER_DRIVER_WASM_MEMORY_H_
