/* The ways into and out of generated code (x86-64, System V). Contract: runtime/abi/vm_context.h.
 *
 * Guest code runs on a native stack of its own. `precast_enter` leaves the host's stack pointer in
 * VmContext::host_rsp, and again in the first word of the native stack, where its unwind rule finds it: a
 * debugger or _Unwind_Backtrace walks from guest frames through that word to the caller of `precast_enter`.
 * Both frames that change stacks are marked as signal frames, because debuggers otherwise take a stack
 * pointer that moves the wrong way for a sign of damage.
 *
 * No dynamic relocations: the C++ functions are reached through the PLT or, when linked statically,
 * directly.
 */

/* rbp holds the context's address + BIAS (abi::kContextBias). */
#define BIAS             128

/* Displacements from rbp of what is in VmContext; vm_context.h pins the offsets. */
#define X(i)             (4 * (i) - BIAS)
#define PC               (128 - BIAS)
#define EXIT_REASON      (132 - BIAS)
#define FUEL             (136 - BIAS)
#define MEMORY_BASE      (144 - BIAS)
#define NATIVE_STACK_TOP (152 - BIAS)
#define HOST_RSP         (160 - BIAS)
#define STOP_RIP         (176 - BIAS)

/* Displacements from the memory's base: runtime/abi/meter_area.h; trampolines.cc pins them. */
#define PAGE_MARKS       (-(65536 + 0x800000))
#define METER_LOG        (PAGE_MARKS - 4096)
#define METER_PAGES      (METER_LOG + 8)
#define METER_PAGE       (METER_LOG + 12)
#define METER_CONTENTS   (METER_LOG + 16)
#define FILE_PAGE        (METER_LOG + 24)
#define FILE_PAGES       (METER_LOG + 28)
/* runtime/abi/ahead_marks.h */
#define AHEAD_FUEL       (METER_LOG + 64)
#define AHEAD_LOG        (METER_LOG + 72)
#define AHEAD_CONTENTS   (METER_LOG + 80)

#define RETURNED        0
#define DISPATCH_MISS   1
#define HOST_EXIT       5

/* Bytes from the stack pointer that `precast_enter` saves to its CFA: padding, 6 registers, return address. */
#define HOST_FRAME 64

  .text

/* Guest registers that travel in machine registers: sp a0-a5 s0 s1 in r14 rdi rsi rdx rcx r8 r9 r15 r13. */
.macro load_passed
  movl  X(2)(%rbp), %r14d
  movl  X(10)(%rbp), %edi
  movl  X(11)(%rbp), %esi
  movl  X(12)(%rbp), %edx
  movl  X(13)(%rbp), %ecx
  movl  X(14)(%rbp), %r8d
  movl  X(15)(%rbp), %r9d
  movl  X(8)(%rbp), %r15d
  movl  X(9)(%rbp), %r13d
.endm

.macro store_passed
  movl  %r14d, X(2)(%rbp)
  movl  %edi, X(10)(%rbp)
  movl  %esi, X(11)(%rbp)
  movl  %edx, X(12)(%rbp)
  movl  %ecx, X(13)(%rbp)
  movl  %r8d, X(14)(%rbp)
  movl  %r9d, X(15)(%rbp)
  movl  %r15d, X(8)(%rbp)
  movl  %r13d, X(9)(%rbp)
.endm

/* CFA of a guest frame's callee as far as unwinding `precast_enter` goes: the host stack pointer is at
 * offset `disp` from rsp. DW_CFA_def_cfa_expression, 5 bytes: DW_OP_breg7 (rsp) disp; DW_OP_deref;
 * DW_OP_plus_uconst HOST_FRAME. */
.macro cfa_through_native_stack disp
  .cfi_escape 0x0f, 0x05, 0x77, \disp, 0x06, 0x23, HOST_FRAME
.endm

/* void precast_enter(VmContext* context (rdi), const void* native_entry (rsi)) */
  .globl precast_enter
  .type precast_enter, @function
  .p2align 4
precast_enter:
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
  movq  %rsp, HOST_RSP(%rbp)
  movq  NATIVE_STACK_TOP(%rbp), %r11
  movq  %rsp, -16(%r11)
  leaq  -16(%r11), %rsp
  .cfi_remember_state
  cfa_through_native_stack 0
  movq  MEMORY_BASE(%rbp), %rbx
  movq  FUEL(%rbp), %r10
  load_passed
  callq *%rax
  /* The guest returned with no native frame left: eax is the guest pc to continue at. */
  store_passed
  movl  %eax, PC(%rbp)
  movq  %r10, FUEL(%rbp)
  movq  $0, STOP_RIP(%rbp)
  movl  $RETURNED, EXIT_REASON(%rbp)
  movq  (%rsp), %rsp
  .cfi_restore_state
.Lleave:
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
  .size precast_enter, . - precast_enter

/* The registers that rows are counted in. Generated code that does not count does not mind. */
.macro save_rows at
  movups %xmm10, 0(\at)
  movups %xmm11, 16(\at)
  movups %xmm12, 32(\at)
  movups %xmm13, 48(\at)
  movups %xmm14, 64(\at)
.endm

.macro load_rows at
  movups 0(\at), %xmm10
  movups 16(\at), %xmm11
  movups 32(\at), %xmm12
  movups 48(\at), %xmm13
  movups 64(\at), %xmm14
.endm

/* void precast_enter_counting(VmContext* context (rdi), const void* native_entry (rsi), uint32_t* rows (rdx)) */
  .globl precast_enter_counting
  .type precast_enter_counting, @function
  .p2align 4
precast_enter_counting:
  .cfi_startproc
  pushq %rdx
  .cfi_adjust_cfa_offset 8
  pxor  %xmm10, %xmm10
  pxor  %xmm11, %xmm11
  pxor  %xmm12, %xmm12
  pxor  %xmm13, %xmm13
  pxor  %xmm14, %xmm14
  callq precast_enter
  popq  %rdx
  .cfi_adjust_cfa_offset -8
  save_rows %rdx
  retq
  .cfi_endproc
  .size precast_enter_counting, . - precast_enter_counting

/* Called by code that counts rows, with MeterArea::page set. Keeps all registers but the flags, xmm0 and xmm1. */
  .globl precast_mark_page
  .type precast_mark_page, @function
  .p2align 4
precast_mark_page:
  .cfi_startproc
  pushq %rax
  .cfi_adjust_cfa_offset 8
  movl  METER_PAGE(%rbx), %eax
  btrl  $31, %eax
  jnc   .Lmark
  /* Ahead of the instructions that touch it: where the first such entry begins. */
  cmpq  %r10, AHEAD_FUEL(%rbx)
  je    .Lmark
  movq  %r10, AHEAD_FUEL(%rbx)
  pushq %rcx
  .cfi_adjust_cfa_offset 8
  movq  METER_LOG(%rbx), %rcx
  movq  %rcx, AHEAD_LOG(%rbx)
  movq  METER_CONTENTS(%rbx), %rcx
  movq  %rcx, AHEAD_CONTENTS(%rbx)
  popq  %rcx
  .cfi_adjust_cfa_offset -8
.Lmark:
  cmpl  METER_PAGES(%rbx), %eax
  jae   .Lnot_a_page
  movb  $1, PAGE_MARKS(%rbx,%rax)
  pushq %rdi
  .cfi_adjust_cfa_offset 8
  movq  METER_LOG(%rbx), %rdi
  testq %rdi, %rdi
  jz    .Lnot_logged
  pushq %rcx
  .cfi_adjust_cfa_offset 8
  pushq %rsi
  .cfi_adjust_cfa_offset 8
  movq  %rax, (%rdi) /* page; not kept */
  addq  $8, METER_LOG(%rbx)
  cmpq  $0, METER_CONTENTS(%rbx)
  je    .Llogged
  movq  %rax, %rsi
  shlq  $9, %rsi
  addq  %rbx, %rsi
  subl  FILE_PAGE(%rbx), %eax
  cmpl  FILE_PAGES(%rbx), %eax
  jb    .Lof_file
  orb   $0, (%rsi)
.Lof_file:
  xorl  %ecx, %ecx
  pxor  %xmm1, %xmm1
.Lzeros:
  movdqa (%rsi,%rcx), %xmm0
  por   16(%rsi,%rcx), %xmm0
  por   32(%rsi,%rcx), %xmm0
  por   48(%rsi,%rcx), %xmm0
  pcmpeqb %xmm1, %xmm0
  pmovmskb %xmm0, %eax
  cmpl  $0xFFFF, %eax
  jne   .Lkeep
  addl  $64, %ecx
  cmpl  $512, %ecx
  jb    .Lzeros
  jmp   .Llogged
.Lkeep:
  movl  $1, 4(%rdi)
  movq  METER_CONTENTS(%rbx), %rdi
  movl  $64, %ecx
  rep movsq
  movq  %rdi, METER_CONTENTS(%rbx)
.Llogged:
  popq  %rsi
  .cfi_adjust_cfa_offset -8
  popq  %rcx
  .cfi_adjust_cfa_offset -8
.Lnot_logged:
  popq  %rdi
  .cfi_adjust_cfa_offset -8
.Lnot_a_page:
  popq  %rax
  .cfi_adjust_cfa_offset -8
  retq
  .cfi_endproc
  .size precast_mark_page, . - precast_mark_page

/* void precast_mark_page_at(uint8_t* memory_base (rdi)) */
  .globl precast_mark_page_at
  .type precast_mark_page_at, @function
  .p2align 4
precast_mark_page_at:
  .cfi_startproc
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_offset %rbx, -16
  movq  %rdi, %rbx
  callq precast_mark_page
  popq  %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbx
  retq
  .cfi_endproc
  .size precast_mark_page_at, . - precast_mark_page_at

/* Leaves guest code; the context holds everything. Abandons all frames of the native stack. What it
 * returns to is `precast_enter` or `precast_wasm_enter`, whose callers get the context in rax. */
  .globl precast_exit_guest
  .type precast_exit_guest, @function
  .p2align 4
precast_exit_guest:
  .cfi_startproc
  .cfi_def_cfa %rsp, HOST_FRAME
  .cfi_offset %rbp, -16
  .cfi_offset %rbx, -24
  .cfi_offset %r12, -32
  .cfi_offset %r13, -40
  .cfi_offset %r14, -48
  .cfi_offset %r15, -56
  movq  HOST_RSP(%rbp), %rsp
  leaq  -BIAS(%rbp), %rax
  jmp   .Lleave
  .cfi_endproc
  .size precast_exit_guest, . - precast_exit_guest

/* Jumped to: guest registers as at a boundary, target pc in eax. */
  .globl precast_dispatch_miss
  .type precast_dispatch_miss, @function
  .p2align 4
precast_dispatch_miss:
  .cfi_startproc
  store_passed
  movl  %eax, PC(%rbp)
  movq  %r10, FUEL(%rbp)
  movq  $0, STOP_RIP(%rbp)
  movl  $DISPATCH_MISS, EXIT_REASON(%rbp)
  jmp   precast_exit_guest
  .cfi_endproc
  .size precast_dispatch_miss, . - precast_dispatch_miss

/* Called as a guest function, VmContext::pc = pc of the ecall. The host call runs on the host's stack,
 * below the frame of `precast_enter`; rbx, which C++ keeps, remembers the native stack. */
  .globl precast_host_call
  .type precast_host_call, @function
  .p2align 4
precast_host_call:
  .cfi_startproc
  .cfi_signal_frame
  store_passed
  movq  %r10, FUEL(%rbp)
  movq  $0, STOP_RIP(%rbp)
  movq  %rsp, %rbx
  .cfi_def_cfa_register %rbx
  movq  HOST_RSP(%rbp), %rsp
  leaq  -BIAS(%rbp), %rdi
  callq PrecastHostCall@PLT
  testb %al, %al
  jz    .Lhost_exit
  movq  %rbx, %rsp
  .cfi_remember_state
  .cfi_def_cfa_register %rsp
  movq  MEMORY_BASE(%rbp), %rbx
  movq  FUEL(%rbp), %r10
  movl  PC(%rbp), %eax
  load_passed
  retq
  .cfi_restore_state
.Lhost_exit:
  movl  $HOST_EXIT, EXIT_REASON(%rbp)
  jmp   precast_exit_guest
  .cfi_endproc
  .size precast_host_call, . - precast_host_call

/* Called with a custom instruction's pc and the values of rd, rs1 and rs2 in r14d, edi, esi and edx; returns
 * two numbers in eax and r14d. Runs C++ on the host's stack; rbp and rbx are kept, as C++ keeps them, and so are fuel
 * and the row registers. */
  .globl precast_custom
  .type precast_custom, @function
  .p2align 4
precast_custom:
  .cfi_startproc
  .cfi_signal_frame
  movl  %edx, %r8d
  movl  %esi, %ecx
  movl  %edi, %edx
  movl  %r14d, %esi
  leaq  -BIAS(%rbp), %rdi
  movq  %rsp, %r12
  .cfi_def_cfa_register %r12
  movq  HOST_RSP(%rbp), %rsp
  subq  $80, %rsp
  save_rows %rsp
  movq  %r10, FUEL(%rbp) /* which may be lowered: Instance::LimitCustomCalls */
  callq PrecastCustom@PLT
  movq  FUEL(%rbp), %r10
  load_rows %rsp
  movq  %r12, %rsp
  .cfi_def_cfa_register %rsp
  movq  %rax, %r14
  shrq  $32, %r14
  movl  %eax, %eax
  retq
  .cfi_endproc
  .size precast_custom, . - precast_custom

/* Jumped to by an unbound PLT entry: its index in r11d, guest registers as at a boundary, which it keeps
 * (r11 and r12 apart, and the flags). Saves them all in the frame, not in the context, whose x[] it must
 * not change. Runs C++ on the host's stack. */
  .globl precast_resolve_plt
  .type precast_resolve_plt, @function
  .p2align 4
precast_resolve_plt:
  .cfi_startproc
  .cfi_signal_frame
  pushq %rax
  .cfi_adjust_cfa_offset 8
  pushq %rcx
  .cfi_adjust_cfa_offset 8
  pushq %rdx
  .cfi_adjust_cfa_offset 8
  pushq %rsi
  .cfi_adjust_cfa_offset 8
  pushq %rdi
  .cfi_adjust_cfa_offset 8
  pushq %r8
  .cfi_adjust_cfa_offset 8
  pushq %r9
  .cfi_adjust_cfa_offset 8
  pushq %r10
  .cfi_adjust_cfa_offset 8
  movq  %rsp, %r12
  .cfi_def_cfa_register %r12
  movq  HOST_RSP(%rbp), %rsp
  subq  $80, %rsp
  save_rows %rsp
  leaq  -BIAS(%rbp), %rdi
  movl  %r11d, %esi
  callq PrecastResolvePlt@PLT
  load_rows %rsp
  movq  %r12, %rsp
  .cfi_def_cfa_register %rsp
  movq  %rax, %r11
  popq  %r10
  .cfi_adjust_cfa_offset -8
  popq  %r9
  .cfi_adjust_cfa_offset -8
  popq  %r8
  .cfi_adjust_cfa_offset -8
  popq  %rdi
  .cfi_adjust_cfa_offset -8
  popq  %rsi
  .cfi_adjust_cfa_offset -8
  popq  %rdx
  .cfi_adjust_cfa_offset -8
  popq  %rcx
  .cfi_adjust_cfa_offset -8
  popq  %rax
  .cfi_adjust_cfa_offset -8
  jmpq  *%r11
  .cfi_endproc
  .size precast_resolve_plt, . - precast_resolve_plt

  .section .note.GNU-stack, "", @progbits
