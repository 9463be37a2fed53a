# Stack switching: for coroutines.c.
  .text

# void co_switch(void **save_sp, void *to_sp): keeps the callee-saved registers on the stack that is
# left and takes them from the stack that is entered. Its return is never to where it was called.
  .globl co_switch
  .type co_switch, @function
co_switch:
  addi sp, sp, -64
  sw ra, 0(sp)
  sw s0, 4(sp)
  sw s1, 8(sp)
  sw s2, 12(sp)
  sw s3, 16(sp)
  sw s4, 20(sp)
  sw s5, 24(sp)
  sw s6, 28(sp)
  sw s7, 32(sp)
  sw s8, 36(sp)
  sw s9, 40(sp)
  sw s10, 44(sp)
  sw s11, 48(sp)
  sw sp, 0(a0)
  mv sp, a1
  lw ra, 0(sp)
  lw s0, 4(sp)
  lw s1, 8(sp)
  lw s2, 12(sp)
  lw s3, 16(sp)
  lw s4, 20(sp)
  lw s5, 24(sp)
  lw s6, 28(sp)
  lw s7, 32(sp)
  lw s8, 36(sp)
  lw s9, 40(sp)
  lw s10, 44(sp)
  lw s11, 48(sp)
  addi sp, sp, 64
  ret
  .size co_switch, . - co_switch

# The first thing a new coroutine runs: s0 = its argument, s1 = its function.
  .globl co_start
  .type co_start, @function
co_start:
  mv a0, s0
  jalr s1
  call co_finished
  ebreak
  .size co_start, . - co_start
