# What can be done to a return address: for return_tricks.c. The routines keep the C calling
# convention at their outside and break every habit inside.
  .text

# uint32_t get_pc(void): a call only to learn ra; the call is never returned from.
  .globl get_pc
  .type get_pc, @function
get_pc:
  mv t2, ra
  jal ra, 1f
1:
  la t0, 1b
  sub a0, ra, t0      # 0 if the link is right
  mv ra, t2
  ret
  .size get_pc, . - get_pc

# uint32_t inline_data(uint32_t i): the callee finds data behind its call and returns past it.
  .globl inline_data
  .type inline_data, @function
inline_data:
  addi sp, sp, -16
  sw ra, 12(sp)
  jal ra, pick
  .word 1111, 2222, 3333, 4444
  addi a0, a0, 1
  lw ra, 12(sp)
  addi sp, sp, 16
  ret
pick:
  andi a0, a0, 3
  slli a0, a0, 2
  add a0, a0, ra
  lw a0, 0(a0)
  addi ra, ra, 16
  ret
  .size inline_data, . - inline_data

# uint32_t two_levels(uint32_t x): the inner function drops its own return address and returns to
# its caller's caller.
  .globl two_levels
  .type two_levels, @function
two_levels:
  addi sp, sp, -16
  sw ra, 12(sp)
  jal ra, inner
  li a0, 0            # skipped if x is odd
  lw ra, 12(sp)
  addi sp, sp, 16
  ret
inner:
  andi t0, a0, 1
  beqz t0, 1f
  lw ra, 12(sp)
  addi sp, sp, 16
1:
  addi a0, a0, 1000
  ret
  .size two_levels, . - two_levels

# uint32_t millicode(uint32_t x): t0 as the link register, two levels of it and ra kept.
  .globl millicode
  .type millicode, @function
millicode:
  jal t0, save
  mv s0, a0
  slli s1, a0, 1
  jal t0, twist
  add a0, s0, s1
  j restore
save:
  addi sp, sp, -16
  sw ra, 12(sp)
  sw s0, 8(sp)
  sw s1, 4(sp)
  jr t0
twist:
  mv ra, t0           # t0 is needed for a call of its own
  jal t0, 1f
  xor s1, s1, s0
  jr ra
1:
  addi s0, s0, 5
  jalr x0, 0(t0)
restore:
  lw ra, 12(sp)
  lw s0, 8(sp)
  lw s1, 4(sp)
  addi sp, sp, 16
  ret
  .size millicode, . - millicode

# uint32_t swap_links(uint32_t n): two pieces of code that call each other back and forth through
# jalr ra, 0(ra): each "returns" into the other and leaves its own address behind.
  .globl swap_links
  .type swap_links, @function
swap_links:
  mv t2, ra
  mv t1, a0
  li a0, 1
  jal ra, other
1:
  slli a0, a0, 1
  addi a0, a0, 1
  addi t1, t1, -1
  blez t1, 2f
  jalr ra, 0(ra)
  xori a0, a0, 0x155
  addi t1, t1, -1
  blez t1, 2f
  jalr ra, 0(ra)
  j 1b
2:
  jr t2
other:
  addi a0, a0, 3
  jalr ra, 0(ra)
  addi a0, a0, 11
  jalr ra, 0(ra)
  j other
  .size swap_links, . - swap_links

# uint32_t computed_return(uint32_t n): pushes a list of return addresses and returns down it, so
# that there are returns without calls.
  .globl computed_return
  .type computed_return, @function
computed_return:
  addi sp, sp, -48
  sw ra, 44(sp)
  la t0, r1
  la t1, r2
  mv t2, sp
  li t3, 10
1:
  sw t0, 0(t2)
  addi t2, t2, 4
  mv t4, t0
  mv t0, t1
  mv t1, t4
  addi t3, t3, -1
  bnez t3, 1b
  la t0, r_end
  sw t0, 0(t2)        # sp + 40
  lw ra, 0(sp)
  addi sp, sp, 4
  ret
r1:
  slli a0, a0, 1
  addi a0, a0, 7
  lw ra, 0(sp)
  addi sp, sp, 4
  ret
r2:
  srli t0, a0, 3
  xor a0, a0, t0
  lw ra, 0(sp)
  addi sp, sp, 4
  ret
r_end:
  lw ra, 0(sp)
  addi sp, sp, 4
  ret
  .size computed_return, . - computed_return
