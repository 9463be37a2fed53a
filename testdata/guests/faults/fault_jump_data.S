# A jump to data that would be fine as code: pc-not-executable.
.include "fault.inc"

  start
  la a0, code
  here
  jr a0
  .data
  .balign 4
code:
  li a0, 98
  li a7, 93
  ecall
  .section .text.start
  finish
