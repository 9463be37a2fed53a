// The second writer: the same object as a file for the GNU assembler and a script for the GNU
// linker. What two independent programs make of them must equal what our own writer wrote, so the
// one proves the other.
//
// The assembly holds the caller's sections and .eh_frame as bytes, with every fixup as an
// expression on the target's label that the linker resolves, and all symbols as labels. The script
// pins every section to the address our own layout gave it. The linker makes the rest itself:
// headers, .gnu.hash, .dynsym, .dynstr, .dynamic, .eh_frame_hdr, the build-id note, .symtab.
//
// What differs: PT_GNU_RELRO, which ld does not make where addresses are pinned; empty sections,
// which it drops; SHF_* beyond those of the segment and sh_entsize, which are not asked for; some
// local symbols it adds (_DYNAMIC and the like); the order of symbols and strings; file offsets.
// compare_images (a test tool beside this) checks everything else.

#ifndef PRECAST_ELFWRITER_ASSEMBLY_H_
#define PRECAST_ELFWRITER_ASSEMBLY_H_

#include <string>

#include "elfwriter/object.h"

namespace precast::elfwriter {

// Files to be given to `as` and `ld`.
struct Assembly {
  std::string source;         // image.s
  std::string linker_script;  // image.ld
  // Options that `ld` needs besides `-T image.ld image.o -o image.so`.
  std::string linker_options;
};

// The object as assembly. Only after Layout().
//
// Symbol names that gas cannot express (control characters, quotes, '@', ".L" prefixes) and
// repeated local names are written in a changed form; all others are kept.
Assembly WriteAssembly(const Object& object);

}  // namespace precast::elfwriter

#endif  // PRECAST_ELFWRITER_ASSEMBLY_H_
