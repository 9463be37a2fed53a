# A load from address 0: memory-fault.
.include "fault.inc"

  start
  li a0, 0
  here
  lw a1, 0(a0)
  finish
