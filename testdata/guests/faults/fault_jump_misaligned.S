# A jump to an address that is 2 modulo 4 (bit 0 would be cleared, bit 1 is not): misaligned-pc.
.include "fault.inc"

  start
  la a0, _start
  here
  jalr ra, 2(a0)
  finish
