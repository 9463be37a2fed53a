/* Start of every C guest: Linux-style entry.
 *
 * At entry sp points at argc; argv pointers, NULL, environment pointers, NULL and the auxiliary
 * vector follow. gp and tp are not set. The loader has zeroed .bss. */
  .section .text.start, "ax"
  .globl _start
  .type _start, @function
_start:
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  la tp, __tls_base
  mv a0, sp
  andi sp, sp, -16
  call guest_start
1:
  j 1b
  .size _start, . - _start

/* picolibc's thread-local data is all zero; this word makes its section take room in the file and,
 * unlike a .tbss, in the address space. */
  .section .tdata, "awT", @progbits
  .word 0
