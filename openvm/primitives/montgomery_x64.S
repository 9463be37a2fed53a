/* Montgomery multiplication for 4 and 6 limbs with two carry chains at once (BMI2 MULX, ADX ADCX/ADOX): about
 * twice as fast as what compilers make of 128-bit arithmetic. Contract: montgomery.h.
 *
 *   void precast_montgomery_mul<n>(uint64_t* out, const uint64_t* a, const uint64_t* b, const uint64_t* m);
 *
 * m[0..n-1] is the modulus, m[n] = -m^-1 mod 2^64. Row by row (CIOS): t := (t + a[i]*b + k*m) / 2^64, with k
 * chosen so that the division is exact. t has n + 1 words and one bit on the way; the registers that
 * hold it move on by one with each row instead of the words.
 */

  .text

/* rdi = out, rsi = a, rbp = b, rcx = m; rax, rbx, rdx scratch. */
.macro enter_mul
  .cfi_startproc
  pushq %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx, 0
  pushq %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbp, 0
  pushq %r12
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r12, 0
  pushq %r13
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r13, 0
  movq  %rdx, %rbp
.endm

.macro leave_mul
  popq  %r13
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r13
  popq  %r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r12
  popq  %rbp
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbp
  popq  %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbx
  ret
  .cfi_endproc
.endm

/* low += rdx * word, into two words, one chain each. */
.macro mul_add word:req, low:req, high:req
  mulxq \word, %rax, %rbx
  adcxq %rax, %\low
  adoxq %rbx, %\high
.endm

/* Both chains end: CF into \top, OF and what comes of that into \over. */
.macro end_chains top:req, over:req
  movl  $0, %eax
  adcxq %rax, %\top
  adoxq %rax, %\over
  adcxq %rax, %\over
.endm

.macro row4 i:req, t0:req, t1:req, t2:req, t3:req, t4:req, t5:req
  movq  8*\i(%rsi), %rdx
  xorq  %\t5, %\t5
  mul_add 0(%rbp), \t0, \t1
  mul_add 8(%rbp), \t1, \t2
  mul_add 16(%rbp), \t2, \t3
  mul_add 24(%rbp), \t3, \t4
  end_chains \t4, \t5
  movq  %\t0, %rdx
  imulq 32(%rcx), %rdx
  xorl  %eax, %eax
  mul_add 0(%rcx), \t0, \t1
  mul_add 8(%rcx), \t1, \t2
  mul_add 16(%rcx), \t2, \t3
  mul_add 24(%rcx), \t3, \t4
  end_chains \t4, \t5
.endm

.macro row6 i:req, t0:req, t1:req, t2:req, t3:req, t4:req, t5:req, t6:req, t7:req
  movq  8*\i(%rsi), %rdx
  xorq  %\t7, %\t7
  mul_add 0(%rbp), \t0, \t1
  mul_add 8(%rbp), \t1, \t2
  mul_add 16(%rbp), \t2, \t3
  mul_add 24(%rbp), \t3, \t4
  mul_add 32(%rbp), \t4, \t5
  mul_add 40(%rbp), \t5, \t6
  end_chains \t6, \t7
  movq  %\t0, %rdx
  imulq 48(%rcx), %rdx
  xorl  %eax, %eax
  mul_add 0(%rcx), \t0, \t1
  mul_add 8(%rcx), \t1, \t2
  mul_add 16(%rcx), \t2, \t3
  mul_add 24(%rcx), \t3, \t4
  mul_add 32(%rcx), \t4, \t5
  mul_add 40(%rcx), \t5, \t6
  end_chains \t6, \t7
.endm

  .globl precast_montgomery_mul4
  .hidden precast_montgomery_mul4
  .type precast_montgomery_mul4, @function
  .p2align 5
precast_montgomery_mul4:
  enter_mul
  xorl  %r8d, %r8d
  xorl  %r9d, %r9d
  xorl  %r10d, %r10d
  xorl  %r11d, %r11d
  xorl  %r12d, %r12d
  row4  0, r8, r9, r10, r11, r12, r13
  row4  1, r9, r10, r11, r12, r13, r8
  row4  2, r10, r11, r12, r13, r8, r9
  row4  3, r11, r12, r13, r8, r9, r10
  /* t = r12 r13 r8 r9, then the bit in r10; less than 2m: subtract m once, unless that borrows. */
  movq  %r12, %rax
  movq  %r13, %rbx
  movq  %r8, %rdx
  movq  %r9, %rsi
  subq  0(%rcx), %rax
  sbbq  8(%rcx), %rbx
  sbbq  16(%rcx), %rdx
  sbbq  24(%rcx), %rsi
  sbbq  $0, %r10
  cmovcq %r12, %rax
  cmovcq %r13, %rbx
  cmovcq %r8, %rdx
  cmovcq %r9, %rsi
  movq  %rax, 0(%rdi)
  movq  %rbx, 8(%rdi)
  movq  %rdx, 16(%rdi)
  movq  %rsi, 24(%rdi)
  leave_mul
  .size precast_montgomery_mul4, . - precast_montgomery_mul4

  .globl precast_montgomery_mul6
  .hidden precast_montgomery_mul6
  .type precast_montgomery_mul6, @function
  .p2align 5
precast_montgomery_mul6:
  enter_mul
  pushq %r14
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r14, 0
  pushq %r15
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %r15, 0
  xorl  %r8d, %r8d
  xorl  %r9d, %r9d
  xorl  %r10d, %r10d
  xorl  %r11d, %r11d
  xorl  %r12d, %r12d
  xorl  %r13d, %r13d
  xorl  %r14d, %r14d
  row6  0, r8, r9, r10, r11, r12, r13, r14, r15
  row6  1, r9, r10, r11, r12, r13, r14, r15, r8
  row6  2, r10, r11, r12, r13, r14, r15, r8, r9
  row6  3, r11, r12, r13, r14, r15, r8, r9, r10
  row6  4, r12, r13, r14, r15, r8, r9, r10, r11
  row6  5, r13, r14, r15, r8, r9, r10, r11, r12
  /* t = r14 r15 r8 r9 r10 r11, then the bit in r12; r13 is zero and free. */
  movq  %r14, %rax
  movq  %r15, %rbx
  movq  %r8, %rdx
  movq  %r9, %rsi
  movq  %r10, %rbp
  movq  %r11, %r13
  subq  0(%rcx), %rax
  sbbq  8(%rcx), %rbx
  sbbq  16(%rcx), %rdx
  sbbq  24(%rcx), %rsi
  sbbq  32(%rcx), %rbp
  sbbq  40(%rcx), %r13
  sbbq  $0, %r12
  cmovcq %r14, %rax
  cmovcq %r15, %rbx
  cmovcq %r8, %rdx
  cmovcq %r9, %rsi
  cmovcq %r10, %rbp
  cmovcq %r11, %r13
  movq  %rax, 0(%rdi)
  movq  %rbx, 8(%rdi)
  movq  %rdx, 16(%rdi)
  movq  %rsi, 24(%rdi)
  movq  %rbp, 32(%rdi)
  movq  %r13, 40(%rdi)
  popq  %r15
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r15
  popq  %r14
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r14
  leave_mul
  .size precast_montgomery_mul6, . - precast_montgomery_mul6

  .section .note.GNU-stack, "", @progbits
