# ld, which RV32 has not: illegal-instruction.
.include "fault.inc"

  start
  here
  .word 0x00013503   # ld a0, 0(sp)
  finish
