# lr.w, which RV32IM has not: illegal-instruction.
.include "fault.inc"

  start
  here
  .word 0x1001252f   # lr.w a0, (sp)
  finish
