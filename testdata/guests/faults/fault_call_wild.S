# A call of unmapped memory: pc-not-executable, with pc 0x90000000 and ra written.
.include "fault.inc"

  start
  li a0, 0x90000000
  here
  jalr a0
  finish
