# jal by 6 bytes: misaligned-pc, ra not written.
.include "fault.inc"

  start
  here
  .word 0x006000ef   # jal ra, .+6
  nop
  finish
