# ebreak: breakpoint.
.include "fault.inc"

  start
  here
  ebreak
  finish
