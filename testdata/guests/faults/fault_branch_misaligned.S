# A taken branch of 6 bytes, after the same branch not taken, which is harmless: misaligned-pc.
.include "fault.inc"

  start
  li a0, 1
  .word 0x00050363   # beq a0, x0, .+6: not taken
  here
  .word 0x00051363   # bne a0, x0, .+6: taken
  nop
  finish
