/* The ways into and out of generated WebAssembly code, and from instance to instance (x86-64, System V).
 * Contract: runtime/abi/wasm_context.h. Frames are laid out as in runtime/trampolines.S, whose
 * precast_exit_guest leaves from here too: the stack pointer in VmContext::host_rsp is that of
 * `precast_wasm_enter`. All instances of a store share one native stack; whoever passes control from one
 * context to another hands host_rsp on.
 */

/* rbp holds the context's address + BIAS (abi::kContextBias). */
#define BIAS               128

/* Displacements from rbp of what is in VmContext and WasmContext; vm_context.h and trampolines.h pin the offsets. */
#define EXIT_REASON        (132 - BIAS)
#define FUEL               (136 - BIAS)
#define MEMORY_BASE        (144 - BIAS)
#define HOST_RSP           (160 - BIAS)
#define STOP_RIP           (176 - BIAS)
#define INSTANCE_KEY       (192 - BIAS)
#define NATIVE_STACK_LIMIT (224 - BIAS)
#define SIGNATURES         (368 - BIAS)
#define ARGS               (1040 - BIAS)

/* In FunctionRecord, and in what its `signature` points to. */
#define RECORD_KEY       0
#define RECORD_CODE      8
#define RECORD_FAR_CODE  16
#define RECORD_CONTEXT   24
#define RECORD_SIGNATURE 40
#define ARGS_PARAMS      0
#define ARGS_RESULTS     4

#define RETURNED        0
#define STACK_EXHAUSTED 4
#define HOST_EXIT       5
#define TYPE_MISMATCH   7

/* As in runtime/trampolines.S. */
#define HOST_FRAME 64
.macro cfa_through_native_stack disp
  .cfi_escape 0x0f, 0x05, 0x77, \disp, 0x06, 0x23, HOST_FRAME
.endm

/* PassedArea (trampolines.h) at `area`. */
.macro load_vectors area
  movups  80(\area), %xmm0
  movups  96(\area), %xmm1
  movups 112(\area), %xmm2
  movups 128(\area), %xmm3
  movups 144(\area), %xmm4
  movups 160(\area), %xmm5
  movups 176(\area), %xmm6
  movups 192(\area), %xmm7
.endm

.macro store_vectors area
  movups %xmm0,  80(\area)
  movups %xmm1,  96(\area)
  movups %xmm2, 112(\area)
  movups %xmm3, 128(\area)
  movups %xmm4, 144(\area)
  movups %xmm5, 160(\area)
  movups %xmm6, 176(\area)
  movups %xmm7, 192(\area)
.endm

/* All but [0], which is rdi in parameters and rax in results. */
.macro load_integers area
  movq  8(\area), %rsi
  movq 16(\area), %rdx
  movq 24(\area), %rcx
  movq 32(\area), %r8
  movq 40(\area), %r9
  movq 48(\area), %r14
  movq 56(\area), %r15
  movq 64(\area), %r13
.endm

.macro store_integers area
  movq %rsi,  8(\area)
  movq %rdx, 16(\area)
  movq %rcx, 24(\area)
  movq %r8,  32(\area)
  movq %r9,  40(\area)
  movq %r14, 48(\area)
  movq %r15, 56(\area)
  movq %r13, 64(\area)
.endm

  .text

/* VmContext* precast_wasm_enter(WasmContext* context (rdi), const void* code (rsi), PassedArea* area (rdx),
 *                               uint64_t stack_top (rcx), VmContext* exit (r8))
 * First words of the native stack: host stack pointer (for unwinding), area. */
  .globl precast_wasm_enter
  .type precast_wasm_enter, @function
  .p2align 4
precast_wasm_enter:
  .cfi_startproc
  .cfi_signal_frame
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbp, 0
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx, 0
  pushq %r12
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r12, 0
  pushq %r13
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r13, 0
  pushq %r14
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r14, 0
  pushq %r15
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r15, 0
  subq  $8, %rsp
  .cfi_adjust_cfa_offset 8
  leaq  BIAS(%rdi), %rbp
  movq  %rsi, %rax
  movq  %rdx, %r11
  movq  %rsp, HOST_RSP(%rbp)
  movq  %rsp, HOST_RSP+BIAS(%r8)
  movq  %rsp, -16(%rcx)
  movq  %r11, -8(%rcx)
  leaq  -16(%rcx), %rsp
  .cfi_remember_state
  cfa_through_native_stack 0
  movq  MEMORY_BASE(%rbp), %rbx
  movq  FUEL(%rbp), %r10
  load_vectors %r11
  movq  (%r11), %rdi
  load_integers %r11
  callq *%rax
  movq  8(%rsp), %r11
  movq  %rax, (%r11)
  store_integers %r11
  store_vectors %r11
  movq  %r10, FUEL(%rbp)
  movq  $0, STOP_RIP(%rbp)
  movl  $RETURNED, EXIT_REASON(%rbp)
  movq  (%rsp), %rsp
  .cfi_restore_state
  leaq  -BIAS(%rbp), %rax
  addq  $8, %rsp
  .cfi_adjust_cfa_offset -8
  popq  %r15
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r15
  popq  %r14
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r14
  popq  %r13
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r13
  popq  %r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r12
  popq  %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbx
  popq  %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbp
  retq
  .cfi_endproc
  .size precast_wasm_enter, . - precast_wasm_enter

/* Native code of another instance (or of the same): record in rax. Free registers: rax, r11, r12, xmm8-15.
 * A tail call that comes here takes up stack: the caller's context must be restored after it. */
  .globl precast_wasm_far_native
  .type precast_wasm_far_native, @function
  .p2align 4
precast_wasm_far_native:
  .cfi_startproc
  /* Functions without a frame check no limit, and this is a frame that they may go round through. */
  cmpq  NATIVE_STACK_LIMIT(%rbp), %rsp
  jb    .Lexhausted
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  pushq %rax
  .cfi_adjust_cfa_offset 8
  subq  $8, %rsp
  .cfi_adjust_cfa_offset 8
  movq  RECORD_CONTEXT(%rax), %r11
  addq  $BIAS, %r11
  movq  RECORD_SIGNATURE(%rax), %r12
  movl  ARGS_PARAMS(%r12), %r12d
  testl %r12d, %r12d
  jz    2f
  shlq  $4, %r12
1:
  movups ARGS-16(%rbp,%r12), %xmm8
  movups %xmm8, ARGS-16(%r11,%r12)
  subq  $16, %r12
  jnz   1b
2:
  movq  HOST_RSP(%rbp), %r12
  movq  %r12, HOST_RSP(%r11)
  movq  %r11, %rbp
  movq  MEMORY_BASE(%rbp), %rbx
  callq *RECORD_CODE(%rax)
  /* Results: all but rdi, r11, r12. The host stack pointer in the caller's context may be a stale one, of an
   * entry that has ended since. */
  movq  16(%rsp), %r11
  movq  HOST_RSP(%rbp), %r12
  movq  %r12, HOST_RSP(%r11)
  movq  8(%rsp), %r12
  movq  RECORD_SIGNATURE(%r12), %r12
  movl  ARGS_RESULTS(%r12), %r12d
  testl %r12d, %r12d
  jz    4f
  shlq  $4, %r12
3:
  movups ARGS-16(%rbp,%r12), %xmm8
  movups %xmm8, ARGS-16(%r11,%r12)
  subq  $16, %r12
  jnz   3b
4:
  movq  %r11, %rbp
  movq  MEMORY_BASE(%rbp), %rbx
  addq  $24, %rsp
  .cfi_adjust_cfa_offset -24
  retq
  .cfi_endproc
.Lexhausted:
  .cfi_startproc
  movq  %r10, FUEL(%rbp)
  movq  (%rsp), %r11
  movq  %r11, STOP_RIP(%rbp)
  movl  $STACK_EXHAUSTED, EXIT_REASON(%rbp)
  jmp   precast_exit_guest
  .cfi_endproc
  .size precast_wasm_far_native, . - precast_wasm_far_native

/* A function of the host, or an interpreted one: record in rax. Runs C++ on the host's stack, below the frame of
 * precast_wasm_enter; rbx and r12, which C++ keeps, remember both stacks. */
  .globl precast_wasm_far_host
  .type precast_wasm_far_host, @function
  .p2align 4
precast_wasm_far_host:
  .cfi_startproc
  .cfi_signal_frame
  subq  $216, %rsp
  .cfi_adjust_cfa_offset 216
  movq  %rdi, (%rsp)
  store_integers %rsp
  store_vectors %rsp
  movq  %r10, FUEL(%rbp)
  movq  %rsp, %rbx
  .cfi_def_cfa_register %rbx
  movq  HOST_RSP(%rbp), %r12
  movq  %r12, %rsp
  leaq  -BIAS(%rbp), %rdi
  movq  %rax, %rsi
  movq  %rbx, %rdx
  callq PrecastWasmHostCall@PLT
  /* The host may have run guest code meanwhile. */
  movq  %r12, HOST_RSP(%rbp)
  testb %al, %al
  jz    .Lhost_exit
  movq  %rbx, %rsp
  .cfi_def_cfa_register %rsp
  movq  FUEL(%rbp), %r10
  movq  MEMORY_BASE(%rbp), %rbx
  movq  (%rsp), %rax
  load_integers %rsp
  load_vectors %rsp
  addq  $216, %rsp
  .cfi_adjust_cfa_offset -216
  retq
  .cfi_endproc
.Lhost_exit:
  .cfi_startproc
  movl  $HOST_EXIT, EXIT_REASON(%rbp)
  jmp   precast_exit_guest
  .cfi_endproc
  .size precast_wasm_far_host, . - precast_wasm_far_host

/* A helper: record in rax. Parameters and results are integers, at most five of them. */
  .globl precast_wasm_far_helper
  .type precast_wasm_far_helper, @function
  .p2align 4
precast_wasm_far_helper:
  .cfi_startproc
  .cfi_signal_frame
  subq  $40, %rsp
  .cfi_adjust_cfa_offset 40
  movq  %rdi, (%rsp)
  movq  %rsi, 8(%rsp)
  movq  %rdx, 16(%rsp)
  movq  %rcx, 24(%rsp)
  movq  %r8, 32(%rsp)
  movq  %r10, FUEL(%rbp)
  movq  %rsp, %r12
  .cfi_def_cfa_register %r12
  movq  HOST_RSP(%rbp), %rsp
  leaq  -BIAS(%rbp), %rdi
  movq  %rax, %rsi
  movq  %r12, %rdx
  callq PrecastWasmHelper@PLT
  testb %al, %al
  jz    .Lhost_exit
  movq  %r12, %rsp
  .cfi_def_cfa_register %rsp
  movq  FUEL(%rbp), %r10
  movq  (%rsp), %rax
  addq  $40, %rsp
  .cfi_adjust_cfa_offset -40
  retq
  .cfi_endproc
  .size precast_wasm_far_helper, . - precast_wasm_far_helper

/* call_indirect of a function of another instance or of another type, or that nobody has called before: record in
 * rax, type index in r12. */
  .globl precast_wasm_indirect_slow
  .type precast_wasm_indirect_slow, @function
  .p2align 4
precast_wasm_indirect_slow:
  .cfi_startproc
  movq  SIGNATURES(%rbp), %r11
  movq  (%r11,%r12,8), %r11
  cmpq  %r11, RECORD_SIGNATURE(%rax)
  jne   1f
  jmpq  *RECORD_FAR_CODE(%rax)
1:
  cmpq  $0, RECORD_SIGNATURE(%rax)
  je    .Lmake
  movq  %r10, FUEL(%rbp)
  movq  (%rsp), %r11
  movq  %r11, STOP_RIP(%rbp)
  movl  $TYPE_MISMATCH, EXIT_REASON(%rbp)
  jmp   precast_exit_guest
  .cfi_endproc
  /* Nobody has called the function before: its record is filled, and the comparison made again. */
.Lmake:
  .cfi_startproc
  .cfi_signal_frame
  subq  $216, %rsp
  .cfi_adjust_cfa_offset 216
  movq  %rdi, (%rsp)
  store_integers %rsp
  store_vectors %rsp
  movq  %rax, 72(%rsp)
  movq  %r12, 208(%rsp)
  movq  %r10, FUEL(%rbp)
  movq  %rsp, %r12
  .cfi_def_cfa_register %r12
  movq  HOST_RSP(%rbp), %rsp
  leaq  -BIAS(%rbp), %rdi
  movq  %rax, %rsi
  callq PrecastWasmMake@PLT
  testb %al, %al
  jz    .Lhost_exit
  movq  %r12, %rsp
  .cfi_def_cfa_register %rsp
  movq  FUEL(%rbp), %r10
  movq  208(%rsp), %r12
  movq  72(%rsp), %rax
  movq  (%rsp), %rdi
  load_integers %rsp
  load_vectors %rsp
  addq  $216, %rsp
  .cfi_adjust_cfa_offset -216
  movq  INSTANCE_KEY(%rbp), %r11
  addq  %r12, %r11
  cmpq  %r11, RECORD_KEY(%rax)
  jne   precast_wasm_indirect_slow
  jmpq  *RECORD_CODE(%rax)
  .cfi_endproc
  .size precast_wasm_indirect_slow, . - precast_wasm_indirect_slow

  .section .note.GNU-stack, "", @progbits
