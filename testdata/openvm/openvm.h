/* The custom instructions of the OpenVM machine, for guests in C; and what a guest without a C library needs. */
#ifndef OPENVM_H_
#define OPENVM_H_

typedef unsigned char u8;
typedef unsigned int u32;

#define CUSTOM_R(opcode, funct3, funct7, rd, rs1, rs2)                                   \
  __asm__ volatile(".insn r " #opcode ", " #funct3 ", %c3, %0, %1, %2"                   \
                   :                                                                     \
                   : "r"(rd), "r"(rs1), "r"(rs2), "i"(funct7)                            \
                   : "memory")

#define TERMINATE(code) __asm__ volatile(".insn i 0x0b, 0, x0, x0, %c0" : : "i"(code) : "memory")

static inline void hint_input(void) { __asm__ volatile(".insn i 0x0b, 3, x0, x0, 0" ::: "memory"); }
static inline void hint_store(void* to) {
  __asm__ volatile(".insn i 0x0b, 1, %0, x0, 0" : : "r"(to) : "memory");
}
static inline void hint_buffer(void* to, u32 words) {
  __asm__ volatile(".insn i 0x0b, 1, %0, %1, 1" : : "r"(to), "r"(words) : "memory");
}
static inline void hint_random(u32 words) {
  __asm__ volatile(".insn i 0x0b, 3, %0, x0, 2" : : "r"(words) : "memory");
}
static inline void print(const char* text, u32 size) {
  __asm__ volatile(".insn i 0x0b, 3, %0, %1, 1" : : "r"(text), "r"(size) : "memory");
}
/* Sets public word i. */
static inline void reveal(u32 i, u32 value) {
  __asm__ volatile(".insn i 0x0b, 2, %0, %1, 0" : : "r"(i * 4), "r"(value) : "memory");
}

static inline int equal(const u8* a, const u8* b, u32 size) {
  for (u32 i = 0; i < size; ++i) {
    if (a[i] != b[i]) return 0;
  }
  return 1;
}
static inline void copy(u8* to, const u8* from, u32 size) {
  for (u32 i = 0; i < size; ++i) to[i] = from[i];
}

/* Ends with a code that says which check failed; the first public word says which vector. */
#define CHECK(code, vector, condition) \
  do {                                 \
    if (!(condition)) {                \
      reveal(0, vector);               \
      TERMINATE(code);                 \
    }                                  \
  } while (0)

#endif
