// Reads a well-formed 32-bit RISC-V executable for tests. Programs of users are read by the
// compiler's ELF reader, which checks everything; the runtime's tests do without the compiler.
#ifndef PRECAST_RUNTIME_TESTING_ELF_PROGRAM_H_
#define PRECAST_RUNTIME_TESTING_ELF_PROGRAM_H_

#include <string>

#include "runtime/program.h"

namespace precast::runtime {

// CHECK-fails if the file cannot be read.
ProgramImage ReadElfForTest(const std::string& path);

}  // namespace precast::runtime

#endif  // PRECAST_RUNTIME_TESTING_ELF_PROGRAM_H_
