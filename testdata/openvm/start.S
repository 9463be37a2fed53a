/* Start of a guest of the OpenVM machine: it sets its own stack, and ends with terminate. */
  .section .text.start, "ax"
  .globl _start
_start:
  .option push
  .option norelax
  la gp, __global_pointer$
  .option pop
  li sp, 0x200000
  call main
  .insn i 0x0b, 0, x0, x0, 0
