#include "rt.h"
/* integer loop: byte sieve up to LIM repeated, fits L2 */
#define LIM 1000000
static uint8_t comp[LIM + 1];
static NOINLINE uint32_t sieve(void) {
  uint32_t c = 0;
  for (uint32_t i = 0; i <= LIM; i++) comp[i] = 0;
  for (uint32_t i = 2; i <= LIM; i++) {
    if (!comp[i]) { c++; for (uint64_t j = (uint64_t)i * i; j <= LIM; j += i) comp[j] = 1; }
  }
  return c;
}
int main(void) {
  uint64_t s = 0;
  for (int r = 0; r < (int)WORK(400); r++) { comp[r % 7] ^= 1; s = s * 31 + sieve(); }
  out("sieve", s); return 0;
}
