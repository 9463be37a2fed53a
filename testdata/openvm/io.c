/* Inputs, hints, public values and printing. Reads two inputs, prints the first, and reveals the sum of all
 * bytes of both and of 64 random ones. */
#include "openvm.h"

static u8 buffer[4096];

static u32 read_input(u32* sum) {
  u32 size;
  hint_input();
  hint_store(&size);
  u32 words = (size + 3) / 4;
  /* In pieces, the last one word by word. */
  u8* to = buffer;
  for (; words > 4; words -= 4, to += 16) hint_buffer(to, 4);
  for (; words != 0; --words, to += 4) hint_store(to);
  for (u32 i = 0; i < size; ++i) *sum += buffer[i];
  return size;
}

void main(void) {
  u32 sum = 0;
  const u32 size = read_input(&sum);
  print((const char*)buffer, size);
  print("\n", 1);
  read_input(&sum);
  reveal(0, sum);
  hint_random(16);
  hint_buffer(buffer + 1, 16);
  sum = 0;
  for (u32 i = 1; i <= 64; ++i) sum = sum * 31 + buffer[i];
  reveal(15, sum);
}
