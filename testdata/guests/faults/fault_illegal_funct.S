# An unused funct7 of the OP opcode: illegal-instruction.
.include "fault.inc"

  start
  here
  .word 0x10b50533
  finish
