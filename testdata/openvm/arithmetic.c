/* Every arithmetic and hash instruction of the OpenVM extensions against values that Python computed
 * (gen_vectors.py). Ends with 0, or with the number of the check that failed. */
#include "openvm.h"
#include "vectors.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static u8 a[200], b[200], out[200];

#define BIGINT(k)                                      \
  do {                                                 \
    CUSTOM_R(0x0b, 5, k, out, a, b);                   \
    CHECK(10 + k, i, equal(out, row + 64 + 32 * k, 32)); \
  } while (0)

static int equal256(const u8* x, const u8* y) {
  u32 result;
  __asm__ volatile(
      "li %0, 1\n"
      ".insn b 0x0b, 6, %1, %2, 1f\n"
      "li %0, 0\n"
      "1:\n"
      : "=&r"(result)
      : "r"(x), "r"(y)
      : "memory");
  return (int)result;
}

static void bigint(void) {
  for (u32 i = 0; i < COUNT(kBigInt); ++i) {
    const u8* row = kBigInt[i];
    copy(a, row, 32);
    copy(b, row + 32, 32);
    BIGINT(0); BIGINT(1); BIGINT(2); BIGINT(3); BIGINT(4); BIGINT(5);
    BIGINT(6); BIGINT(7); BIGINT(8); BIGINT(9); BIGINT(10);
    CHECK(21, i, equal256(a, b) == equal(a, b, 32));
    CHECK(22, i, equal256(a, row));
    /* In place, at any alignment. */
    copy(out + 1, a, 32);
    copy(out + 35, b, 32);
    CUSTOM_R(0x0b, 5, 0, out + 1, out + 1, out + 35);
    CHECK(23, i, equal(out + 1, row + 64, 32));
  }
}

#define MODULAR_ONE(index, n, k)                                   \
  do {                                                             \
    CUSTOM_R(0x2b, 0, index * 8 + k, out, a, b);                   \
    CHECK(30 + k, index * 100 + i, equal(out, row + 2 * n + n * k, n)); \
  } while (0)

#define IS_EQUAL(index, x, y, result)                                             \
  __asm__ volatile(".insn r 0x2b, 0, %c3, %0, %1, %2"                             \
                   : "=r"(result)                                                 \
                   : "r"(x), "r"(y), "i"(index * 8 + 4)                           \
                   : "memory")

#define SETUP(funct3, funct7, rs2, rd, rs1)                                          \
  __asm__ volatile(".insn r 0x2b, " #funct3 ", %c2, %0, %1, " #rs2                   \
                   :                                                                 \
                   : "r"(rd), "r"(rs1), "i"(funct7)                                  \
                   : "memory")

/* The hint of a square root: 1 and a root of x, or 0 and a root of x times the nonresidue. */
#define SQUARE_ROOT(index, n)                                                           \
  do {                                                                                  \
    static u8 non_residue[48], root[52];                                                \
    __asm__ volatile(".insn r 0x2b, 0, %c0, x0, x0, x0" : : "i"(index * 8 + 6) : "memory"); \
    hint_buffer(non_residue, n / 4);                                                    \
    __asm__ volatile(".insn r 0x2b, 0, %c0, x0, %1, x0" : : "i"(index * 8 + 7), "r"(a) : "memory"); \
    hint_buffer(root, n / 4 + 1);                                                       \
    CHECK(37, index, root[0] <= 1 && root[1] == 0);                                     \
    CUSTOM_R(0x2b, 0, index * 8 + 2, out, root + 4, root + 4);                          \
    copy(b, a, n);                                                                      \
    if (root[0] == 0) CUSTOM_R(0x2b, 0, index * 8 + 2, b, a, non_residue);              \
    CHECK(38, index * 100 + i, equal(out, b, n));                                       \
  } while (0)

#define MODULAR(index, n)                                                  \
  do {                                                                     \
    copy(a, kModulus##index[0], n);                                        \
    SETUP(0, index * 8 + 5, x0, out, a);                                   \
    SETUP(0, index * 8 + 5, x1, out, a);                                   \
    { u32 r; __asm__ volatile(".insn r 0x2b, 0, %c2, %0, %1, x2"           \
        : "=r"(r) : "r"(a), "i"(index * 8 + 5) : "memory"); (void)r; }     \
    for (u32 i = 0; i < COUNT(kMod##index); ++i) {                         \
      const u8* row = kMod##index[i];                                      \
      u32 result;                                                          \
      copy(a, row, n);                                                     \
      copy(b, row + n, n);                                                 \
      MODULAR_ONE(index, n, 0); MODULAR_ONE(index, n, 1);                  \
      MODULAR_ONE(index, n, 2); MODULAR_ONE(index, n, 3);                  \
      IS_EQUAL(index, a, b, result);                                       \
      CHECK(34, index * 100 + i, result == (u32)equal(a, b, n));           \
      IS_EQUAL(index, a, row, result);                                     \
      CHECK(35, index * 100 + i, result == 1);                             \
      SQUARE_ROOT(index, n);                                               \
    }                                                                      \
  } while (0)

#define COMPLEX_ONE(index, n, k)                                            \
  do {                                                                      \
    CUSTOM_R(0x2b, 2, index * 8 + k, out, a, b);                            \
    CHECK(40 + k, index * 100 + i, equal(out, row + 4 * n + 2 * n * k, 2 * n)); \
  } while (0)

#define COMPLEX(index, n)                                       \
  do {                                                          \
    copy(a, kFp2Modulus##index[0], 2 * n);                      \
    SETUP(2, index * 8 + 4, x0, out, a);                        \
    SETUP(2, index * 8 + 4, x1, out, a);                        \
    for (u32 i = 0; i < COUNT(kFp2_##index); ++i) {             \
      const u8* row = kFp2_##index[i];                          \
      copy(a, row, 2 * n);                                      \
      copy(b, row + 2 * n, 2 * n);                              \
      COMPLEX_ONE(index, n, 0); COMPLEX_ONE(index, n, 1);       \
      COMPLEX_ONE(index, n, 2); COMPLEX_ONE(index, n, 3);       \
    }                                                           \
  } while (0)

#define CURVE(index)                                                             \
  do {                                                                           \
    copy(a, kCurveSetup##index[0], 64);                                          \
    SETUP(1, index * 8 + 2, x0, out, a);                                         \
    copy(b, kCurve##index[0], 64);                                               \
    CUSTOM_R(0x2b, 1, index * 8 + 2, out, a, b);                                 \
    for (u32 i = 0; i < COUNT(kCurve##index); ++i) {                             \
      const u8* row = kCurve##index[i];                                          \
      copy(a, row, 64);                                                          \
      copy(b, row + 64, 64);                                                     \
      CUSTOM_R(0x2b, 1, index * 8, out, a, b);                                   \
      CHECK(50, index * 100 + i, equal(out, row + 128, 64));                     \
      __asm__ volatile(".insn r 0x2b, 1, %c2, %0, %1, x0" : : "r"(out), "r"(a), "i"(index * 8 + 1) : "memory"); \
      CHECK(51, index * 100 + i, equal(out, row + 192, 64));                     \
    }                                                                            \
  } while (0)

/* Pads and compresses as FIPS 180-4 says; word_bytes is 4 or 8. */
static void sha2(const u8* message, u32 size, u8* digest, u32 word_bytes, const u8* start) {
  static u8 state[64], block[128];
  const u32 block_bytes = 16 * word_bytes, length_bytes = 2 * word_bytes;
  copy(state, start, 8 * word_bytes);
  u32 done = 0, padded = 0;
  for (;;) {
    u32 n = 0;
    for (; n < block_bytes && done < size; ++n) block[n] = message[done++];
    const int last = n + 1 + length_bytes <= block_bytes + (padded ? 1 : 0) && done == size && n < block_bytes;
    if (n < block_bytes && !padded) {
      block[n++] = 0x80;
      padded = 1;
    }
    for (; n < block_bytes; ++n) block[n] = 0;
    if (last) {
      for (u32 i = 0; i < 4; ++i) block[block_bytes - 1 - i] = (u8)((size * 8) >> (8 * i));
    }
    if (word_bytes == 4) {
      CUSTOM_R(0x0b, 4, 2, state, state, block);
    } else {
      CUSTOM_R(0x0b, 4, 3, state, state, block);
    }
    if (last) break;
  }
  /* Words are little-endian in memory, big-endian in the digest. */
  for (u32 i = 0; i < 8 * word_bytes; ++i) digest[i] = state[i / word_bytes * word_bytes + word_bytes - 1 - i % word_bytes];
}

static const u32 kStart256[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
static const u32 kStart512[16] = {0xf3bcc908, 0x6a09e667, 0x84caa73b, 0xbb67ae85, 0xfe94f82b, 0x3c6ef372,
                                  0x5f1d36f1, 0xa54ff53a, 0xade682d1, 0x510e527f, 0x2b3e6c1f, 0x9b05688c,
                                  0xfb41bd6b, 0x1f83d9ab, 0x137e2179, 0x5be0cd19};

static void keccakf(u8* state) {
  __asm__ volatile(".insn r 0x0b, 4, 0, %0, x0, x0" : : "r"(state) : "memory");
}

static void sha3(const u8* message, u32 size, u8* digest) {
  static u8 state[200], block[136];
  for (u32 i = 0; i < 200; ++i) state[i] = 0;
  while (size >= 136) {
    CUSTOM_R(0x0b, 4, 1, state, message, 136);
    keccakf(state);
    message += 136;
    size -= 136;
  }
  for (u32 i = 0; i < 136; ++i) block[i] = i < size ? message[i] : 0;
  block[size] ^= 0x06;
  block[135] ^= 0x80;
  /* In two parts, and one of nothing. */
  CUSTOM_R(0x0b, 4, 1, state, block, 100);
  CUSTOM_R(0x0b, 4, 1, state + 100, block + 100, 36);
  CUSTOM_R(0x0b, 4, 1, state, block, 0);
  keccakf(state);
  copy(digest, state, 32);
}

static void hashes(void) {
  for (u32 i = 0; i < COUNT(kLengths); ++i) {
    sha2(kMessage[0], kLengths[i], out, 4, (const u8*)kStart256);
    CHECK(60, i, equal(out, kSha256[i], 32));
    sha2(kMessage[0], kLengths[i], out, 8, (const u8*)kStart512);
    CHECK(61, i, equal(out, kSha512[i], 64));
    sha3(kMessage[0], kLengths[i], out);
    CHECK(62, i, equal(out, kSha3[i], 32));
  }
}

void main(void) {
  bigint();
  MODULAR(0, 32);
  MODULAR(1, 32);
  MODULAR(2, 32);
  MODULAR(3, 32);
  MODULAR(4, 48);
  MODULAR(5, 32);
  COMPLEX(0, 32);
  COMPLEX(1, 48);
  CURVE(0);
  CURVE(1);
  CURVE(2);
  hashes();
  reveal(1, 0x600d);
}
