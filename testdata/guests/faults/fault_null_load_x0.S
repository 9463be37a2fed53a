# A load whose result is dropped still faults: memory-fault.
.include "fault.inc"

  start
  li a0, 8
  here
  lbu x0, 1(a0)
  finish
