/* Touches memory in every way a loop can: with steps of all sizes up and down, through pointers that do not change, on the
   stack and at fixed places, and numbers byte by byte, for metered runs that count pages of 512 bytes. */
#include "openvm.h"

static u32 words[4096];
static u8 bytes[6000];
static volatile u32 single, far_away[2000];

struct triple {
  u32 a, b, c;
};
static struct triple triples[700];

#define NOINLINE __attribute__((noinline))

static NOINLINE u32 up(const u32* from, u32 count) {
  u32 sum = 0;
  for (u32 i = 0; i < count; ++i) sum = sum * 3 + from[i];
  return sum;
}

static NOINLINE void down(u32* to, u32 count) {
  u32* end = to + count;
  while (end != to) {
    --end;
    *end = *end * 5 + (u32)(end - to);
  }
}

static NOINLINE u32 by_bytes(u8* to, u32 count, u32 seed) {
  u32 sum = 0;
  for (u32 i = 0; i < count; ++i) {
    to[i] = (u8)(seed += i);
    sum += to[count - 1 - i];
  }
  return sum;
}

static NOINLINE void structs(struct triple* t, u32 count, volatile u32* flag) {
  for (u32 i = 0; i < count; ++i) {
    t[i].a += i;
    t[i].c = t[i].a ^ *flag;
  }
}

/* Two pointers in opposite directions, and one that sometimes moves. */
static NOINLINE u32 meet(u32* low, u32* high, u32* third) {
  u32 moved = 0;
  while (low < high) {
    const u32 a = *low, b = *high;
    if (a > b) {
      *low = b;
      *high = a;
      *third++ = a;
      ++moved;
    }
    ++low;
    --high;
  }
  return moved;
}

static NOINLINE u32 stride(const u32* from, u32 count, u32 step) {
  u32 sum = 0;
  for (u32 i = 0; i < count; ++i, from += step) sum ^= *from + i;
  return sum;
}

static NOINLINE u32 rows(u32* matrix, u32 n) {
  u32 sum = 0;
  for (u32 column = 0; column < n; ++column) {
    for (u32 row = 0; row < n; ++row) sum += matrix[row * n + column];
    matrix[column * n] = sum;
  }
  return sum;
}

static NOINLINE u32 deep(u32 depth, u32* sum) {
  volatile u32 local[24];
  local[depth % 24] = depth;
  *sum += local[depth % 24];
  return depth == 0 ? 1 : deep(depth - 1, sum) + local[depth % 24] % 3;
}

/* May lie anywhere, on two pages too: a byte at a time. */
struct __attribute__((packed)) anywhere {
  u32 word;
  unsigned short half;
};

static NOINLINE u32 unaligned(u8* at, u32 count, u32 step) {
  u32 sum = 0;
  for (u32 i = 0; i < count; ++i, at += step) {
    struct anywhere* const here = (struct anywhere*)at;
    sum = sum * 5 + here->word;
    if ((sum >> 7 & 3) == 0) here->half = (unsigned short)sum;
    if ((sum >> 9 & 7) == 0) here[1].word = sum;
  }
  return sum + ((u32)at[-4] << 24 | (u32)at[-3] << 16 | (u32)at[-2] << 8 | at[-1]);
}

void main(void) {
  u32 sum = 0;
  for (u32 round = 0; round < 3; ++round) {
    for (u32 i = 0; i < 4096; i += 7) words[i] = i * 2654435761u + round;
    single = round;
    sum += up(words, 4096);
    down(words + round * 100, 1000);
    sum += by_bytes(bytes + round, 5000, sum);
    structs(triples, 700, &single);
    sum += meet(words, words + 4000, words + 10);
    for (u32 step = 1; step < 140; step += 1 + step / 3)
      sum += stride(words + round, 4000 / step, step);
    sum += rows(words, 48);
    for (u32 i = 0; i < 50; ++i) far_away[i * 37 % 2000] += sum;
    u32 total = 0;
    sum += deep(60, &total) + total;
    for (u32 step = 1; step < 600; step += 1 + step / 2)
      sum += unaligned(bytes + 500 + round, 5000 / step, step);
  }
  reveal(0, sum);
}
