// Hand-written native code (native_snippets.S), as a compiler would make it from small guest
// programs.
#ifndef PRECAST_RUNTIME_TESTING_NATIVE_SNIPPETS_H_
#define PRECAST_RUNTIME_TESTING_NATIVE_SNIPPETS_H_

extern "C" {
// Text of the pretended image.
extern const unsigned char snippets_begin[], snippets_end[];
// Entries and, after each, its sites.
extern const unsigned char snippet_block[], snippet_block_suspend[];
extern const unsigned char snippet_fault[], snippet_fault_suspend[], snippet_fault_memory[];
extern const unsigned char snippet_ud2[], snippet_ud2_trap[];
extern const unsigned char snippet_recursion[], snippet_recursion_stack[],
    snippet_recursion_suspend1[], snippet_recursion_suspend2[];
extern const unsigned char snippet_host_call[], snippet_host_call_suspend[];
extern const unsigned char snippet_miss[];
extern const unsigned char snippet_stuck[];
extern const unsigned char snippet_plt[], snippet_plt_target[];
extern const unsigned char snippet_registers[];
extern const unsigned char snippet_wild[], snippet_wild_memory[];
}

#endif  // PRECAST_RUNTIME_TESTING_NATIVE_SNIPPETS_H_
