# Never ends and never calls: what an instruction limit is for.
.include "fault.inc"

  start
  li a0, 0
1:
  addi a0, a0, 1
  j 1b
  .size _start, . - _start
