# flw, which RV32IM has not: illegal-instruction.
.include "fault.inc"

  start
  here
  .word 0x00012007   # flw f0, 0(sp)
  finish
