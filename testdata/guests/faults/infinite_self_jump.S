# Never ends: a jump to itself, the shortest block there is.
.include "fault.inc"

  start
1:
  j 1b
  .size _start, . - _start
