# The word 0xffffffff: illegal-instruction.
.include "fault.inc"

  start
  here
  .word 0xffffffff
  finish
