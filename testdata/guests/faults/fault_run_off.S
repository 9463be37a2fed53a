# Execution runs past the last instruction of the code into the zeros that fill its last page:
# illegal-instruction at fault_here.
.include "fault.inc"

  start
  li a0, 5
  j last
  .section .text.zzz, "ax"
last:
  addi a0, a0, 1
  here
  .word 0
