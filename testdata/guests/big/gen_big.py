#!/usr/bin/env python3
"""Writes big100k.c: a program of at least 100,000 instructions for measuring compile time.

    gen_big.py FUNCTIONS > big100k.c

Functions of varied shapes (straight lines, loops, nested conditions, switches, 64-bit arithmetic,
arrays, calls, calls through tables), drawn with a generator of our own, so that the text is the same
everywhere. Calls go only to functions of a lower level and never from inside a loop, so that the
program ends soon; it prints one checksum.
"""

import sys


class Rng:
    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & ((1 << 64) - 1)
        return (self.state >> 33) % n

    def pick(self, items):
        return items[self.below(len(items))]


RNG = Rng(20)
OPS = ["+", "-", "^", "|", "&", "*"]
LEVELS = 5


def constant():
    kind = RNG.below(4)
    if kind == 0:
        return str(RNG.below(16))
    if kind == 1:
        return str(RNG.below(2048))
    return f"{RNG.below(1 << 31):#x}u"


def value(names):
    return RNG.pick(names) if RNG.below(4) else constant()


def expression(names, depth):
    if depth == 0:
        return value(names)
    kind = RNG.below(12)
    a = expression(names, depth - 1)
    b = expression(names, depth - 1)
    if kind < 7:
        return f"({a} {RNG.pick(OPS)} {b})"
    if kind == 7:
        return f"({a} {RNG.pick(['<<', '>>'])} {1 + RNG.below(31)})"
    if kind == 8:
        return f"(uint32_t)((int32_t){value(names)} >> {RNG.below(32)})"
    if kind == 9:
        return f"({a} < {b} ? {value(names)} : {value(names)})"
    if kind == 10:
        return f"({a} {RNG.pick(['/', '%'])} (({b}) | 1))"
    return f"(uint32_t)(((uint64_t){value(names)} * {value(names)}) >> {1 + RNG.below(31)})"


class Function:
    def __init__(self, index, level):
        self.name = f"f{index}"
        self.level = level
        self.args = 1 + RNG.below(4)

    def header(self):
        args = ", ".join(f"uint32_t a{i}" for i in range(self.args))
        return f"NOINLINE uint32_t {self.name}({args})"

    def call(self, names):
        return f"{self.name}({', '.join(value(names) for _ in range(self.args))})"


def body(f, lower):
    names = [f"a{i}" for i in range(f.args)]
    lines = []
    calls = 2 if lower else 0
    indent = 1

    def out(text):
        lines.append("  " * indent + text)

    def assign():
        target = RNG.pick(names)
        out(f"{target} {RNG.pick(['=', '+=', '^='])} {expression(names, 1 + RNG.below(3))};")

    for i in range(2 + RNG.below(3)):
        out(f"uint32_t v{i} = {expression(names, 2)};")
        names.append(f"v{i}")
    for _ in range(4 + RNG.below(5)):
        kind = RNG.below(11)
        if kind <= 1:
            assign()
        elif kind == 2:
            out(f"if ({expression(names, 1)} {RNG.pick(['<', '==', '>', '!='])} {value(names)}) {{")
            indent += 1
            assign()
            if RNG.below(2):
                out(f"if ((int32_t){value(names)} < {RNG.below(100)}) return {expression(names, 1)};")
            assign()
            indent -= 1
            out("} else {")
            indent += 1
            assign()
            indent -= 1
            out("}")
        elif kind == 3:
            out(f"for (uint32_t i = 0; i < {2 + RNG.below(6)}; i++) {{")
            names.append("i")
            indent += 1
            # `i` is read only.
            inner = [n for n in names if n != "i"]
            out(f"{RNG.pick(inner)} += {expression(names, 2)};")
            out(f"if ({value(inner)} & {1 << RNG.below(8)}) {RNG.pick(inner)} ^= {expression(names, 1)};")
            indent -= 1
            names.remove("i")
            out("}")
        elif kind == 4:
            out(f"switch ({RNG.pick(names)} & {RNG.pick([7, 15])}) {{")
            indent += 1
            for k in range(5 + RNG.below(6)):
                out(f"case {k}: {RNG.pick(names)} {RNG.pick(['+=', '^=', '='])} "
                    f"{expression(names, 1)}; {'break;' if RNG.below(4) else '/* falls through */'}")
            out(f"default: {RNG.pick(names)} += {constant()};")
            indent -= 1
            out("}")
        elif kind == 5:
            out(f"memory[({RNG.pick(names)} >> {RNG.below(20)}) & 1023] += {expression(names, 1)};")
            out(f"{RNG.pick(names)} ^= memory[{RNG.pick(names)} & 1023];")
        elif kind == 6:
            out(f"bytes[{RNG.pick(names)} & 4095] = (uint8_t){RNG.pick(names)};")
            out(f"{RNG.pick(names)} += (uint32_t)(int8_t)bytes[{RNG.pick(names)} & 4095] + "
                f"halves[{RNG.pick(names)} & 511];")
        elif kind == 7:
            out(f"wide = wide * {3 + 2 * RNG.below(1000)}u + ((uint64_t){RNG.pick(names)} << "
                f"{RNG.below(32)}) + {RNG.pick(names)};")
            out(f"{RNG.pick(names)} ^= (uint32_t)(wide >> {RNG.below(33)});")
        elif kind == 8:
            if "p->x" not in names:
                out(f"struct item *p = &items[{RNG.pick(names)} & 63];")
                names += ["p->x", "p->y"]
            out(f"p->z = (int16_t){value(names)};")
            out(f"p->x += (uint32_t)p->z + {value(names)};")
        elif calls:
            calls -= 1
            if RNG.below(4) == 0:
                out(f"{RNG.pick(names)} += tables[{RNG.below(16)}][{RNG.pick(names)} & 7]"
                    f"({value(names)});")
            else:
                out(f"{RNG.pick(names)} ^= {RNG.pick(lower).call(names)};")
        else:
            assign()
    out(f"return {expression(names, 2)};")
    return lines


def main():
    count = int(sys.argv[1])
    functions = [Function(i, min(i * LEVELS // count, LEVELS - 1)) for i in range(count)]
    leaves = [f for f in functions if f.level == 0 and f.args == 1]
    print("""/* Generated by gen_big.py: see there. */
#include "rt.h"
#undef NOINLINE
#define NOINLINE __attribute__((noinline, noclone))
struct item {
  uint32_t x, y;
  int16_t z;
};
static uint32_t memory[1024];
static uint8_t bytes[4096];
static uint16_t halves[512];
static uint64_t wide = 88172645463325252u;
static struct item items[64];
typedef uint32_t (*leaf)(uint32_t);
static const leaf tables[16][8];""")
    for f in functions:
        print(f"static {f.header()};")
    print("static const leaf tables[16][8] = {")
    for _ in range(16):
        print("  {" + ", ".join(RNG.pick(leaves).name for _ in range(8)) + "},")
    print("};")
    for f in functions:
        lower = [g for g in functions if g.level < f.level]
        print(f"\nstatic {f.header()} {{")
        print("\n".join(body(f, lower)))
        print("}")
    print("\nint main(void) {\n  uint32_t s = 1;")
    print("  for (uint32_t i = 0; i < 512; i++) halves[i] = (uint16_t)rnd();")
    print("  for (uint32_t i = 0; i < 1024; i++) memory[i] = rnd();")
    for f in functions:
        args = ", ".join(RNG.pick(["s", "s >> 7", constant()]) for _ in range(f.args))
        print(f"  s = s * 31 + {f.name}({args});")
    print("""  uint64_t sum = wide + s;
  for (uint32_t i = 0; i < 1024; i++) sum = sum * 31 + memory[i];
  for (uint32_t i = 0; i < 64; i++) sum = sum * 31 + items[i].x + items[i].y;
  out("big100k", sum);
  return 0;
}""")


if __name__ == "__main__":
    main()
