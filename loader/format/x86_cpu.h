#ifndef PRECAST_LOADER_FORMAT_X86_CPU_H_
#define PRECAST_LOADER_FORMAT_X86_CPU_H_

// The C library's header for what the processor can do (`x86_cpu_active`, glibc 2.33), for C++ too:
// it says _Bool, which clang does not know in a strict C++.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wreserved-macro-identifier"
#define _Bool bool
#include <sys/platform/x86.h>
#undef _Bool
#pragma clang diagnostic pop
#else
#include <sys/platform/x86.h>
#endif

#endif  // PRECAST_LOADER_FORMAT_X86_CPU_H_
