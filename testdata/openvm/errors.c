/* Fails in the way that its input, one word, asks for. Every failure is one of the machine's own errors; where it
 * does not come about, the exit code is 99. */
#include "openvm.h"

static u8 buffer[256] __attribute__((aligned(16)));
static const u8 kModulus[32] = {97};

void main(void) {
  u32 which[2];
  hint_input();
  hint_buffer(which, 2); /* size and word */
  volatile u32* at = (volatile u32*)buffer;
  switch (which[1]) {
    case 0: /* misaligned load */
      __asm__ volatile("lw zero, 2(%0)" : : "r"(buffer));
      break;
    case 1: /* misaligned store of a half */
      __asm__ volatile("sh zero, 1(%0)" : : "r"(buffer) : "memory");
      break;
    case 2: /* first address behind the memory */
      (void)*(volatile u32*)0x20000000;
      break;
    case 3:
      *(volatile u8*)0xffffffff = 1;
      break;
    case 4: /* more hints than there are */
      hint_store(buffer);
      break;
    case 5:
      hint_buffer(buffer, 0);
      break;
    case 6:
      hint_buffer(buffer, 1024);
      break;
    case 7:
      reveal(16, 1);
      break;
    case 8: /* misaligned public word */
      __asm__ volatile(".insn i 0x0b, 2, x0, x0, 2");
      break;
    case 9:
      hint_input();
      break;
    case 10: /* xorin of a length that is no multiple of 4 */
      CUSTOM_R(0x0b, 4, 1, buffer, buffer + 128, 6);
      break;
    case 11:
      CUSTOM_R(0x0b, 4, 1, buffer, buffer + 128, 140);
      break;
    case 12: /* state that ends behind the memory */
      __asm__ volatile(".insn r 0x0b, 4, 0, %0, x0, x0" : : "r"(0x1fffff80));
      break;
    case 13: /* a modulus that the machine does not have */
      CUSTOM_R(0x2b, 0, 15 * 8, buffer, buffer, buffer);
      break;
    case 14: /* division by 0 */
      CUSTOM_R(0x2b, 0, 3, buffer, buffer, buffer + 32);
      break;
    case 15: /* setup with another modulus */
      __asm__ volatile(".insn r 0x2b, 0, 5, %0, %1, x0" : : "r"(buffer), "r"(kModulus) : "memory");
      break;
    case 16: /* the same point twice */
      CUSTOM_R(0x2b, 1, 0, buffer, buffer + 64, buffer + 64);
      break;
    case 17: /* no custom instruction */
      __asm__ volatile(".insn r 0x0b, 7, 0, x0, x0, x0");
      break;
    case 18: /* no instruction there */
      ((void (*)(void))0x400000)();
      break;
    case 19:
      __asm__ volatile("ecall");
      break;
    case 20:
      __asm__ volatile("ebreak");
      break;
    case 21:
      TERMINATE(7);
      break;
    case 22: /* for ever */
      for (;;) at[0] = at[0] + 1;
    case 23: /* a pairing of nothing */
      CUSTOM_R(0x2b, 3, 0, 0, buffer, buffer);
      break;
    case 24: /* nothing deferred */
      __asm__ volatile(".insn i 0x2b, 7, %0, %0, 0" : : "r"(buffer) : "memory");
      break;
    case 25: /* goes to an address that is no multiple of 4 */
      ((void (*)(void))0x10002)();
      break;
  }
  TERMINATE(99);
}
