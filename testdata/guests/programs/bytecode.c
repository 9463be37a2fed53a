/* An interpreter as those of script languages are: a loop around a switch of dozens of cases, most of which call
 * functions, with much that all cases share. It runs programs that it makes up itself, and prints what they leave. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { STACK = 64, LOCALS = 16, HEAP = 256 };

struct vm {
  uint32_t stack[STACK], locals[LOCALS], heap[HEAP];
  uint32_t calls, faults, hash;
};

static uint32_t seed = 2463534242u;
static uint32_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  return seed ^= seed << 5;
}

#define NOINLINE __attribute__((noinline))
static NOINLINE uint32_t rotate(uint32_t x, uint32_t n) { return x << (n & 31) | x >> (-n & 31); }
static NOINLINE uint32_t divide(struct vm* vm, uint32_t x, uint32_t y) {
  if (y != 0) return x / y;
  ++vm->faults;
  return x;
}
static NOINLINE uint32_t load(struct vm* vm, uint32_t at) { return vm->heap[at % HEAP]; }
static NOINLINE void store(struct vm* vm, uint32_t at, uint32_t x) {
  vm->heap[at % HEAP] = x + vm->calls++;
}
static NOINLINE uint32_t mix(struct vm* vm, uint32_t x) {
  return vm->hash = rotate(vm->hash ^ x, 5) * 0x9e3779b1u;
}
static NOINLINE uint32_t bits(uint32_t x) {
  uint32_t n = 0;
  for (; x != 0; x &= x - 1) ++n;
  return n;
}
static NOINLINE uint32_t power(uint32_t x, uint32_t n) {
  uint32_t r = 1;
  for (n &= 15; n != 0; n >>= 1, x *= x) r *= n & 1 ? x : 1;
  return r;
}

/* Each instruction is an opcode and an operand. The stack is a ring, so that no program overruns it. */
static NOINLINE uint32_t run(struct vm* vm, const uint8_t* code, uint32_t length, uint32_t steps) {
  const uint8_t *pc = code, *end = code + length;
  uint32_t *stack = vm->stack, *locals = vm->locals;
  uint32_t sp = 0, acc = 1, carry = 0, taken = 0;
  while (steps-- != 0) {
    if (pc >= end) pc = code;
    const uint32_t op = pc[0], arg = pc[1];
    uint32_t *top = &stack[sp % STACK], *below = &stack[(sp - 1) % STACK];
    pc += 2;
    switch (op) {
      case 0:
        stack[++sp % STACK] = arg;
        break;
      case 1:
        stack[++sp % STACK] = locals[arg % LOCALS];
        break;
      case 2:
        locals[arg % LOCALS] = *top;
        --sp;
        break;
      case 3:
        *below += *top;
        --sp;
        break;
      case 4:
        *below -= *top;
        --sp;
        break;
      case 5:
        *below *= *top;
        --sp;
        break;
      case 6:
        *below = divide(vm, *below, *top);
        --sp;
        break;
      case 7:
        *below = rotate(*below, *top);
        --sp;
        break;
      case 8:
        *top = load(vm, *top + arg);
        break;
      case 9:
        store(vm, *top, *below);
        sp -= 2;
        break;
      case 10:
        acc = mix(vm, *top + acc);
        break;
      case 11:
        *top = bits(*top);
        break;
      case 12:
        *below = power(*below, *top);
        --sp;
        break;
      case 13:
        if (*top & 1) pc = code + 2 * (arg % (length / 2)), ++taken;
        break;
      case 14:
        if (*top < acc) pc += 2 * (arg & 3), ++taken;
        break;
      case 15:
        carry = *below + *top < *top;
        *below += *top;
        --sp;
        break;
      case 16:
        *top += carry;
        break;
      case 17:
        acc += *top;
        break;
      case 18:
        *top ^= acc;
        break;
      case 19:
        acc = divide(vm, acc, *top | 1) + carry;
        break;
      case 20:
        stack[++sp % STACK] = acc;
        break;
      case 21:
        stack[++sp % STACK] = rotate(acc, arg);
        break;
      case 22:
        locals[arg % LOCALS] = load(vm, acc);
        break;
      case 23:
        store(vm, acc + arg, carry);
        break;
      case 24:
        *top = *top > *below ? bits(*below) : mix(vm, *below);
        break;
      case 25: {
        uint32_t x = *top;
        *top = *below;
        *below = x;
        break;
      }
      case 26:
        --sp;
        break;
      case 27:
        *top = (uint32_t)((int32_t)*top >> (arg & 31));
        break;
      case 28:
        *top = *top << (arg & 31) | carry;
        carry ^= 1;
        break;
      case 29:
        acc = power(acc | 1, arg) + bits(acc);
        break;
      case 30:
        *top = load(vm, load(vm, *top) + acc);
        break;
      case 31:
        store(vm, mix(vm, *top), acc);
        break;
      case 32:
        locals[arg % LOCALS] += divide(vm, *top, arg);
        break;
      case 33:
        *top = rotate(*top, bits(acc)) + mix(vm, carry);
        break;
      case 34:
        acc ^= load(vm, arg) + load(vm, arg + 1);
        break;
      case 35:
        *top = *top == *below;
        break;
      case 36:
        *top = (int32_t)*top < (int32_t)*below ? mix(vm, 1) : divide(vm, acc, arg);
        break;
      case 37:
        carry = bits(carry + *top) & 1;
        break;
      case 38:
        store(vm, sp, power(*top, 3));
        store(vm, sp + 1, acc);
        break;
      case 39:
        acc = rotate(acc, *top) + rotate(*top, acc);
        break;
      case 40:
        locals[(arg + 1) % LOCALS] = mix(vm, locals[arg % LOCALS]);
        break;
      case 41:
        *top = divide(vm, *top, bits(*below));
        break;
      default:
        acc = mix(vm, op << 8 | arg);
        break;
    }
  }
  return acc ^ stack[sp % STACK] ^ carry << 31 ^ taken;
}

int main(void) {
  static struct vm vm;
  static uint8_t code[400];
  for (int program = 0; program < 12; ++program) {
    memset(&vm, 0, sizeof vm);
    const uint32_t length = 40 + 2 * (next() % 180);
    for (uint32_t i = 0; i < length; i += 2) {
      code[i] = (uint8_t)(next() % 44);
      code[i + 1] = (uint8_t)next();
    }
    const uint32_t result = run(&vm, code, length, 2000);
    printf("%2d %08x %08x %u %u\n", program, (unsigned)result, (unsigned)vm.hash,
           (unsigned)vm.calls, (unsigned)vm.faults);
  }
  return 0;
}
