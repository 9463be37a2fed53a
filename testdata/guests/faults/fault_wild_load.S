# A load from unmapped memory in the middle of the address space: memory-fault.
.include "fault.inc"

  start
  li a0, 0xc1234567
  here
  lb a1, -1(a0)
  finish
