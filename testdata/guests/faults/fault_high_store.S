# A store near the top of the address space: memory-fault.
.include "fault.inc"

  start
  li a0, 0xfffff7f8
  here
  sb a0, 2047(a0)
  finish
