# A load from the top of the address space, reached by wrap-around: memory-fault.
.include "fault.inc"

  start
  li a0, 0
  here
  lhu a1, -16(a0)
  finish
