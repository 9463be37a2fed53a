# The word 0: illegal-instruction.
.include "fault.inc"

  start
  here
  .word 0
  finish
