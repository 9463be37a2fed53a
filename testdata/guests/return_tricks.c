/* Return-address tricks: calls used to read pc, data behind a call, returns past a level, an
 * alternate link register, returns without calls. */
#include <stdint.h>
#include <stdio.h>

uint32_t get_pc(void);
uint32_t inline_data(uint32_t i);
uint32_t two_levels(uint32_t x);
uint32_t millicode(uint32_t x);
uint32_t swap_links(uint32_t n);
uint32_t computed_return(uint32_t n);

int main(void) {
  printf("get_pc %lu\n", (unsigned long)get_pc());
  for (uint32_t i = 0; i < 4; i++) printf("inline_data %lu\n", (unsigned long)inline_data(i));
  for (uint32_t i = 0; i < 4; i++) printf("two_levels %lu\n", (unsigned long)two_levels(i));
  for (uint32_t i = 0; i < 4; i++) printf("millicode %lu\n", (unsigned long)millicode(i * 99));
  for (uint32_t i = 1; i < 9; i++) printf("swap_links %lu\n", (unsigned long)swap_links(i));
  for (uint32_t i = 0; i < 4; i++) printf("computed_return %lu\n", (unsigned long)computed_return(i));
  return 0;
}
