# slli by 32 (reserved in RV32): illegal-instruction.
.include "fault.inc"

  start
  here
  .word 0x02051513   # slli a0, a0, 32
  finish
