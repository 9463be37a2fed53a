/* A guest that says its moduli itself, in the section `.openvm`, not in order and with another first index. */
#include "openvm.h"

__attribute__((section(".openvm"), used)) static const u8 kSecond[] = {1, 1, 1, 0, 0, 0, 97};
__attribute__((section(".openvm"), used)) static const u8 kFirst[] = {1, 0, 2, 0, 0, 0, 0xf1, 0xff};

static u8 a[32] = {96}, b[32] = {5}, out[32];

void main(void) {
  CUSTOM_R(0x2b, 0, 8, out, a, b); /* modulo 97 */
  CHECK(1, 0, out[0] == 4);
  CUSTOM_R(0x2b, 0, 2, out, a, b); /* modulo 65521 */
  CHECK(2, 0, out[0] == 0xe0 && out[1] == 1);
}
