/* Work of any length, for runs that are cut into many segments: the first input's first word says how many rounds. Each
 * sorts, hashes, sieves and multiplies over a few hundred pages, about 10 million instructions. Reveals a checksum. */
#include "openvm.h"

#define WORDS 20000
static u32 data[WORDS];
static u8 sieve[400000];
static u32 hash_state[8], block[16];

static u32 random_state = 1;
static u32 next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

static void sort(u32 from, u32 to) { /* [from, to), Hoare's way */
  while (to - from > 1) {
    const u32 pivot = data[from + (to - from - 1) / 2];
    u32 i = from - 1, j = to;
    for (;;) {
      do ++i;
      while (data[i] < pivot);
      do --j;
      while (data[j] > pivot);
      if (i >= j) break;
      const u32 t = data[i];
      data[i] = data[j];
      data[j] = t;
    }
    sort(from, j + 1);
    from = j + 1;
  }
}

static u32 primes(void) {
  u32 count = 0;
  for (u32 i = 0; i < sizeof(sieve); ++i) sieve[i] = 1;
  for (u32 i = 2; i < sizeof(sieve); ++i) {
    if (!sieve[i]) continue;
    ++count;
    for (u32 j = 2 * i; j < sizeof(sieve); j += i) sieve[j] = 0;
  }
  return count;
}

void main(void) {
  u32 size, rounds;
  hint_input();
  hint_store(&size);
  hint_store(&rounds);
  for (u32 i = 0; i < 8; ++i) hash_state[i] = i;
  unsigned long long sum = 0;
  for (u32 round = 0; round < rounds; ++round) {
    for (u32 i = 0; i < WORDS; ++i) data[i] = next_random();
    sort(0, WORDS);
    for (u32 i = 0; i < WORDS; ++i) sum = sum * 6364136223846793005ull + data[i];
    for (u32 i = 0; i + 16 <= WORDS; i += 16) {
      for (u32 k = 0; k < 16; ++k) block[k] = data[i + k];
      CUSTOM_R(0x0b, 4, 2, hash_state, hash_state, block); /* sha256_update */
    }
    sum += primes() + hash_state[round % 8];
  }
  reveal(0, (u32)sum);
  reveal(1, (u32)(sum >> 32));
  reveal(2, hash_state[0]);
}
