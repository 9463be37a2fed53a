# A jump to address 0: pc-not-executable, with pc 0.
.include "fault.inc"

  start
  li a0, 0
  here
  jr a0
  finish
