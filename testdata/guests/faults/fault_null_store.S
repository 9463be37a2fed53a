# A store to address 4: memory-fault.
.include "fault.inc"

  start
  li a0, 0
  here
  sw a0, 4(a0)
  finish
