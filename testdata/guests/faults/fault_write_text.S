# A store to its own code: memory-fault.
.include "fault.inc"

  start
  la a0, _start
  here
  sw a0, 0(a0)
  finish
