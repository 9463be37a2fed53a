/* Native code as a compiler would make it; what each stands for is in instance_test.cc beside its guest
 * program. Displacements from the context register: x[1] -124, pc 0, native_stack_limit 96. */

.macro begin name
  .globl \name
  .type \name, @function
  .p2align 4
\name:
  .cfi_startproc
.endm

.macro end name
  .cfi_endproc
  .size \name, . - \name
.endm

.macro site name
  .globl \name
\name:
.endm

  .text
  .globl snippets_begin
  .p2align 4
snippets_begin:

begin snippet_block
  subq  $2, %r10
  js    1f
  addl  $2, %edi
  movl  $0x10008, %eax
  retq
1:
site snippet_block_suspend
  ud2
end snippet_block

begin snippet_fault
  subq  $4, %r10
  js    1f
  addl  $5, %edi
  leal  1(%rdi), %eax
  pushq %rax
  .cfi_adjust_cfa_offset 8
site snippet_fault_memory
  movl  -4(%rbx,%rdx), %esi
  popq  %rax
  .cfi_adjust_cfa_offset -8
  movl  %eax, -56(%rbp)
  movl  $77, -52(%rbp)
  movl  $0x10010, %eax
  retq
1:
site snippet_fault_suspend
  ud2
end snippet_fault

begin snippet_ud2
site snippet_ud2_trap
  ud2
end snippet_ud2

begin snippet_recursion
  cmpq  96(%rbp), %rsp
  jb    3f
  subq  $1, %r10
  js    1f
  testl %edi, %edi
  jz    4f
  subq  $3, %r10
  js    2f
  decl  %edi
  incl  %esi
  movl  $0x10010, -124(%rbp)
  callq snippet_recursion
  retq
4:
  movl  $0x10010, %eax
  retq
1:
site snippet_recursion_suspend1
  ud2
2:
site snippet_recursion_suspend2
  ud2
3:
site snippet_recursion_stack
  ud2
end snippet_recursion

begin snippet_host_call
  subq  $2, %r10
  js    1f
  incl  %edi
  subq  $24, %rsp
  .cfi_adjust_cfa_offset 24
  movl  $0x10004, 0(%rbp)
  callq *precast_host_call@GOTPCREL(%rip)
  addq  $24, %rsp
  .cfi_adjust_cfa_offset -24
  retq
1:
site snippet_host_call_suspend
  ud2
end snippet_host_call

begin snippet_miss
  subq  $1, %r10
  movl  $0x10010, %eax
  jmpq  *precast_dispatch_miss@GOTPCREL(%rip)
end snippet_miss

begin snippet_stuck
  movl  $0x10000, %eax
  retq
end snippet_stuck

begin snippet_plt
  subq  $1, %r10
  movl  $0x10004, %eax
  subq  $8, %rsp
  .cfi_adjust_cfa_offset 8
  callq 1f
  addq  $8, %rsp
  .cfi_adjust_cfa_offset -8
  retq
1:
  movl  $3, %r11d
  jmpq  *precast_resolve_plt@GOTPCREL(%rip)
end snippet_plt

/* Returns eax as it came, and shows every passed register unchanged but sp, which it changes. */
begin snippet_plt_target
  addl  $16, %r14d
  retq
end snippet_plt_target

begin snippet_registers
  subq  $1, %r10
  addl  $1, %r14d
  addl  $2, %edi
  addl  $3, %esi
  addl  $4, %edx
  addl  $5, %ecx
  addl  $6, %r8d
  addl  $7, %r9d
  addl  $8, %r15d
  addl  $9, %r13d
  movl  $0x10004, %eax
  retq
end snippet_registers

begin snippet_wild
  subq  $1, %r10
  xorl  %eax, %eax
site snippet_wild_memory
  movl  (%rax), %eax
  retq
end snippet_wild

  .globl snippets_end
snippets_end:

  .section .note.GNU-stack, "", @progbits
