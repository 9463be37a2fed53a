#include "rt.h"
/* recursive calls; noinline + volatile-free; base argument opaque */
static NOINLINE uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
/* fib(n) grows 11-fold from n to n + 5 */
static volatile uint32_t arg = TEST_SCALE >= 50 ? 33 : TEST_SCALE > 1 ? 38 : 43;
int main(void) { out("fib", fib(arg)); return 0; }
