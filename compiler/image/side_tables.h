// What the runtime and unwinders must know of one function besides its code, encoded.
#ifndef PRECAST_COMPILER_IMAGE_SIDE_TABLES_H_
#define PRECAST_COMPILER_IMAGE_SIDE_TABLES_H_

#include <cstdint>
#include <vector>

#include "compiler/codegen/compiled_function.h"
#include "compiler/guest/program.h"
#include "loader/format/ex_info.h"

namespace precast::image {

// Guest pcs are stored in units of 1 << this.
uint32_t PcShift(guest::Kind kind);
// The record that `encoder` makes, which is used for nothing else meanwhile; the CFA program of
// .eh_frame.
std::vector<uint8_t> EncodeExInfo(guest::Kind kind, const codegen::CompiledFunction& f,
                                  format::ExInfoEncoder& encoder);
std::vector<uint8_t> EncodeUnwind(const codegen::CompiledFunction& f);

// Encodes the side tables of a function, which makes them much smaller; they themselves stay as
// they are. Build does it where it was not done before; doing it as soon as a function is compiled,
// on the thread that compiled it, saves memory and time. The guest range must be known.
void EncodeSideTables(guest::Kind kind, codegen::CompiledFunction& function,
                      format::ExInfoEncoder& encoder);
// Throws away what EncodeSideTables encoded.
void DropSideTables(codegen::CompiledFunction& function);

}  // namespace precast::image

#endif  // PRECAST_COMPILER_IMAGE_SIDE_TABLES_H_
