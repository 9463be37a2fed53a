# Jumps that no compiler would write: for tailcalls.c. Every routine follows the C calling
# convention at its outside.
  .text

# uint32_t by_table(uint32_t i, uint32_t x): jr through a table of code addresses.
  .globl by_table
  .type by_table, @function
by_table:
  andi t0, a0, 3
  slli t0, t0, 2
  la t1, addresses
  add t1, t1, t0
  lw t1, 0(t1)
  jr t1
case0:
  addi a0, a1, 100
  ret
case1:
  slli a0, a1, 1
  ret
case2:
  xori a0, a1, 0x55
  ret
case3:
  neg a0, a1
  ret
  .size by_table, . - by_table

# The same with differences from a label, 32 and 16 bits wide, as position-independent code has it.
  .globl by_offset32
  .type by_offset32, @function
by_offset32:
  andi t0, a0, 3
  slli t0, t0, 2
  la t1, offsets32
  add t0, t0, t1
  lw t0, 0(t0)
  add t0, t0, t1
  jr t0
o0:
  addi a0, a1, 7
  ret
o1:
  slli a0, a1, 3
  ret
o2:
  not a0, a1
  ret
o3:
  srli a0, a1, 1
  ret
  .size by_offset32, . - by_offset32

  .globl by_offset16
  .type by_offset16, @function
by_offset16:
  andi t0, a0, 3
  slli t0, t0, 1
  la t1, offsets16
  add t0, t0, t1
  lhu t0, 0(t0)
  la t1, h0
  add t0, t0, t1
  jr t0
h0:
  addi a0, a1, 9
  ret
h1:
  slli a0, a1, 5
  ret
h2:
  ori a0, a1, 1
  ret
h3:
  srai a0, a1, 3
  ret
  .size by_offset16, . - by_offset16

# uint32_t into_code(uint32_t n): jumps n instructions before the end of a run of increments. These
# targets are computed: their addresses are nowhere in the file.
  .globl into_code
  .type into_code, @function
into_code:
  andi t0, a0, 15
  la t1, run_end
  slli t0, t0, 2
  sub t1, t1, t0
  li a0, 0
  jr t1
  .rept 16
  addi a0, a0, 3
  .endr
run_end:
  ret
  .size into_code, . - into_code

# uint32_t ping(uint32_t n, uint32_t acc): tail calls between two functions, n deep, no stack.
  .globl ping
  .type ping, @function
ping:
  beqz a0, 1f
  addi a0, a0, -1
  slli t0, a1, 1
  srli a1, a1, 31
  or a1, a1, t0
  tail pong
1:
  mv a0, a1
  ret
  .size ping, . - ping
  .type pong, @function
pong:
  xori a1, a1, 0x2a
  la t0, ping
  jr t0
  .size pong, . - pong

# uint32_t threaded(const uint32_t *program, uint32_t x): direct-threaded code, whose program is a
# list of code addresses in data; s0 is its pc, each routine ends in a jump to the next.
  .globl threaded
  .type threaded, @function
threaded:
  addi sp, sp, -16
  sw s0, 8(sp)
  mv s0, a0
  mv a0, a1
  lw t0, 0(s0)
  addi s0, s0, 4
  jr t0
  .globl word_double
word_double:
  slli a0, a0, 1
  lw t0, 0(s0)
  addi s0, s0, 4
  jr t0
  .globl word_literal
word_literal:
  lw t1, 0(s0)
  add a0, a0, t1
  lw t0, 4(s0)
  addi s0, s0, 8
  jr t0
  .globl word_branch
word_branch:               # to operand unless a0 is above 100000
  lw t1, 0(s0)
  addi s0, s0, 4
  li t2, 100000
  bgtu a0, t2, 1f
  mv s0, t1
1:
  lw t0, 0(s0)
  addi s0, s0, 4
  jr t0
  .globl word_end
word_end:
  lw s0, 8(sp)
  addi sp, sp, 16
  ret
  .size threaded, . - threaded

  .section .rodata
  .balign 4
addresses:
  .word case0, case1, case2, case3
offsets32:
  .word o0 - offsets32, o1 - offsets32, o2 - offsets32, o3 - offsets32
offsets16:
  .half h0 - h0, h1 - h0, h2 - h0, h3 - h0
