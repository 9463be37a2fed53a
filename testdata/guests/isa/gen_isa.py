#!/usr/bin/env python3
"""Writes one self-checking assembly program per RV32IM instruction.

    gen_isa.py OUTDIR

Every expected value is computed here in Python from the wording of the RISC-V unprivileged
specification (chapters RV32I and M), never by running an instruction, so a machine that gets an
instruction wrong cannot agree with itself. A program prints "ok NAME COUNT" and exits with 0, or
"FAIL NAME test=N got=X want=Y" and exits with 1.

All 31 registers take part as operands: a check keeps nothing in registers between tests. Constants
are built with lui and addi (what `li` expands to), comparisons are one `beq`.
"""

import os
import sys

MASK = 0xFFFFFFFF


def s32(x):
    x &= MASK
    return x - (1 << 32) if x & 0x80000000 else x


def sext(x, bits):
    x &= (1 << bits) - 1
    return x - (1 << bits) if x >> (bits - 1) else x


def div(a, b):
    a, b = s32(a), s32(b)
    if b == 0:
        return -1
    q = abs(a) // abs(b)
    return -q if (a < 0) != (b < 0) else q  # INT_MIN / -1 gives 2^31, which wraps to INT_MIN


def rem(a, b):
    a, b = s32(a), s32(b)
    if b == 0:
        return a
    r = abs(a) % abs(b)
    return -r if a < 0 else r


R_TYPE = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "sll": lambda a, b: a << (b & 31),
    "slt": lambda a, b: int(s32(a) < s32(b)),
    "sltu": lambda a, b: int(a < b),
    "xor": lambda a, b: a ^ b,
    "srl": lambda a, b: a >> (b & 31),
    "sra": lambda a, b: s32(a) >> (b & 31),
    "or": lambda a, b: a | b,
    "and": lambda a, b: a & b,
    "mul": lambda a, b: a * b,
    "mulh": lambda a, b: (s32(a) * s32(b)) >> 32,
    "mulhsu": lambda a, b: (s32(a) * b) >> 32,
    "mulhu": lambda a, b: (a * b) >> 32,
    "div": div,
    "divu": lambda a, b: a // b if b else MASK,
    "rem": rem,
    "remu": lambda a, b: a % b if b else a,
}
I_TYPE = {  # the immediate arrives sign-extended
    "addi": lambda a, i: a + i,
    "slti": lambda a, i: int(s32(a) < i),
    "sltiu": lambda a, i: int(a < (i & MASK)),
    "xori": lambda a, i: a ^ (i & MASK),
    "ori": lambda a, i: a | (i & MASK),
    "andi": lambda a, i: a & (i & MASK),
}
SHIFT = {
    "slli": lambda a, s: a << s,
    "srli": lambda a, s: a >> s,
    "srai": lambda a, s: s32(a) >> s,
}
BRANCH = {
    "beq": lambda a, b: a == b,
    "bne": lambda a, b: a != b,
    "blt": lambda a, b: s32(a) < s32(b),
    "bge": lambda a, b: s32(a) >= s32(b),
    "bltu": lambda a, b: a < b,
    "bgeu": lambda a, b: a >= b,
}
LOAD = {"lb": (1, True), "lh": (2, True), "lw": (4, False), "lbu": (1, False), "lhu": (2, False)}
STORE = {"sb": 1, "sh": 2, "sw": 4}

EDGES = [0, 1, 2, 3, 31, 32, 33, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x55555555,
         0xAAAAAAAA, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFF8000, 0xFFFFFFE0,
         0xFFFFFFFE, 0xFFFFFFFF]
SHORT = [0, 1, 2, 31, 32, 0x12345678, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF]
IMMS = [0, 1, -1, 2, -2, 31, 32, 255, -256, 0x555, -0x556, 2046, 2047, -2047, -2048]
SHAMTS = [0, 1, 2, 7, 8, 15, 16, 23, 24, 30, 31]


class Lcg:
    """Own generator: the sequence must not depend on the Python version."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & ((1 << 64) - 1)
        return self.state >> 32

    def below(self, n):
        return self.next() % n

    def value(self):
        kind = self.below(4)
        if kind == 0:
            return self.next()
        if kind == 1:
            return EDGES[self.below(len(EDGES))]
        if kind == 2:
            return (1 << self.below(32)) & MASK
        return ((1 << self.below(32)) - 1 + (self.below(3) << 31)) & MASK


class Program:
    def __init__(self, name):
        self.name = name
        self.rng = Lcg(sum(ord(c) << (8 * (i % 4)) for i, c in enumerate(name)) + 7)
        self.lines = []
        self.data = []
        self.count = 0
        self.label = 0

    def emit(self, text):
        self.lines.append("  " + text)

    def mark(self, label):
        self.lines.append(label + ":")

    def new_label(self):
        self.label += 1
        return f".Lt{self.label}"

    def li(self, reg, value):
        """lui and addi, so that nothing depends on how an assembler expands `li`."""
        value &= MASK
        low = sext(value, 12)
        high = ((value - low) >> 12) & 0xFFFFF
        if high:
            self.emit(f"lui x{reg}, {high:#x}")
            if low:
                self.emit(f"addi x{reg}, x{reg}, {low}")
        else:
            self.emit(f"addi x{reg}, x0, {low}")

    def la(self, reg, symbol):
        self.emit(f"lui x{reg}, %hi({symbol})")
        self.emit(f"addi x{reg}, x{reg}, %lo({symbol})")

    def other(self, *taken):
        """A register that is none of `taken` and not x0."""
        while True:
            r = 1 + self.rng.below(31)
            if r not in taken:
                return r

    def compare(self, got, want_reg):
        """Both values are in registers: go on if they are equal, else report."""
        self.count += 1
        good = self.new_label()
        self.emit(f"beq x{got}, x{want_reg}, {good}")
        # a1 = got, a2 = want, a0 = test number; the moves mind overlaps.
        if got != 12:
            self.emit(f"addi x12, x{want_reg}, 0")
            self.emit(f"addi x11, x{got}, 0")
        else:
            self.emit(f"addi x10, x{want_reg}, 0")
            self.emit("addi x11, x12, 0")
            self.emit("addi x12, x10, 0")
        self.li(10, self.count)
        self.emit("j fail")
        self.mark(good)

    def check(self, got, want, keep=()):
        """Compares register `got` with the constant `want`; registers in `keep` stay as they are."""
        t = self.other(got, *keep)
        self.li(t, want)
        self.compare(got, t)

    def check_false(self):
        """Code that must not be reached."""
        self.count += 1
        self.li(10, self.count)
        self.emit("addi x11, x0, 0")
        self.emit("addi x12, x0, 1")
        self.emit("j fail")

    def text(self, far=""):
        ok = f"ok {self.name} {self.count}\\n"
        name = f"FAIL {self.name} test="
        return "\n".join([
            f"# Generated by gen_isa.py: tests of `{self.name}`.",
            "  .option norelax",
            '  .section .text.start, "ax"',
            "  .globl _start",
            "  .type _start, @function",
            "_start:",
            *self.lines,
            "  j pass",
            "  .size _start, . - _start",
            f"""
  .globl pass
  .type pass, @function
pass:
  lui a1, %hi(ok_text)
  addi a1, a1, %lo(ok_text)
  addi a0, x0, 1
  addi a2, x0, {len(ok) - 1}
  addi a7, x0, 64
  ecall
  addi a0, x0, 0
  addi a7, x0, 93
  ecall
  .size pass, . - pass

  .globl fail
  .type fail, @function
fail:  # a0 = test number, a1 = got, a2 = want
  addi s0, a0, 0
  addi s1, a1, 0
  addi s2, a2, 0
  lui a1, %hi(fail_text)
  addi a1, a1, %lo(fail_text)
  addi a0, s0, 0
  addi a2, a1, {len(name)}
  jal ra, hex
  addi a0, s1, 0
  addi a2, a1, {len(name) + 13}
  jal ra, hex
  addi a0, s2, 0
  addi a2, a1, {len(name) + 27}
  jal ra, hex
  addi a0, x0, 1
  addi a2, x0, {len(name) + 36}
  addi a7, x0, 64
  ecall
  addi a0, x0, 1
  addi a7, x0, 93
  ecall
  .size fail, . - fail

  .type hex, @function
hex:  # a0 as 8 hex digits at a2
  addi t0, x0, 8
1:
  srli t1, a0, 28
  addi t1, t1, 48
  addi t2, x0, 58
  blt t1, t2, 2f
  addi t1, t1, 39
2:
  sb t1, 0(a2)
  addi a2, a2, 1
  slli a0, a0, 4
  addi t0, t0, -1
  bne t0, x0, 1b
  jalr x0, 0(ra)
  .size hex, . - hex
{far}
  .data
fail_text:
  .ascii "{name}00000000 got=00000000 want=00000000\\n"
ok_text:
  .ascii "{ok}"
  .balign 16""",
            *self.data, ""])


def r_type(name, f):
    p = Program(name)
    rng = p.rng

    def one(rd, rs1, rs2, a, b):
        if rs1 == 0:
            a = 0
        if rs2 == 0:
            b = 0
        if rs1 == rs2:
            b = a
        if rs1:
            p.li(rs1, a)
        if rs2 and rs2 != rs1:
            p.li(rs2, b)
        p.emit(f"{name} x{rd}, x{rs1}, x{rs2}")
        p.check(rd, f(a, b) & MASK if rd else 0, keep=(rs1, rs2))
        return a, b

    short = EDGES if f in (R_TYPE["sll"], R_TYPE["srl"], R_TYPE["sra"]) else SHORT
    for a in SHORT:
        for b in short:
            one(12, 10, 11, a, b)
    for r in range(1, 32):  # every register in every place
        x, y = p.other(r), p.other(r)
        one(r, x, p.other(r, x), rng.value(), rng.value())
        a, _ = one(y, r, p.other(r, y), rng.value(), rng.value())
        p.check(r, a)  # the source is still what it was
        _, b = one(y, p.other(r, y), r, rng.value(), rng.value())
        p.check(r, b)
    for a in SHORT:
        for b in (1, 31, 0x80000000, MASK):
            one(10, 10, 11, a, b)  # destination is a source
            one(11, 10, 11, a, b)
        one(10, 10, 10, a, a)
        one(12, 10, 10, a, a)
        one(12, 0, 11, 0, a)  # x0 as a source
        one(12, 10, 0, a, 0)
        one(10, 10, 0, a, 0)
        one(0, 10, 11, a, 3)  # x0 as the destination
    one(12, 0, 0, 0, 0)
    for _ in range(60):
        one(rng.below(32), rng.below(32), rng.below(32), rng.value(), rng.value())
    return p


def i_type(name, f, imms):
    p = Program(name)
    rng = p.rng

    def one(rd, rs1, a, imm):
        if rs1 == 0:
            a = 0
        else:
            p.li(rs1, a)
        p.emit(f"{name} x{rd}, x{rs1}, {imm}")
        p.check(rd, f(a, imm) & MASK if rd else 0, keep=(rs1,))
        return a

    for a in EDGES:
        for imm in imms:
            one(12, 10, a, imm)
    for r in range(1, 32):
        one(r, p.other(r), rng.value(), imms[rng.below(len(imms))])
        a = one(p.other(r), r, rng.value(), imms[rng.below(len(imms))])
        p.check(r, a)
    for a in SHORT:
        for imm in imms[:4] + imms[-2:]:
            one(10, 10, a, imm)
            one(0, 10, a, imm)
    for imm in imms:
        one(12, 0, 0, imm)
        one(0, 0, 0, imm)
    return p


def lui():
    p = Program("lui")
    for r in range(1, 32):
        for imm in (0, 1, 0x7FFFF, 0x80000, 0xFFFFF, p.rng.next() >> 12):
            # The expected values are data here: building them would take lui.
            p.data.append(f"  .word {imm << 12:#x}")
    p.data.insert(0, "table:")
    n = 0
    p.rng = Lcg(1)
    words = [int(x.split()[1], 16) for x in p.data[1:]]
    for r in range(1, 32):
        for _ in range(6):
            t = p.other(r)
            p.emit(f"lui x{t}, %hi(table + {4 * n})")
            p.emit(f"lw x{t}, %lo(table + {4 * n})(x{t})")
            p.emit(f"lui x{r}, {words[n] >> 12:#x}")
            p.compare(r, t)
            n += 1
    p.emit("lui x0, 0xfffff")
    p.check(0, 0)
    return p


def auipc():
    p = Program("auipc")
    p.data.append("table:")
    n = 0
    for r in range(1, 32):
        for imm in (0, 1, 2, 0x7FFFF, 0x80000, 0xFFFFF, p.rng.next() >> 12):
            t = p.other(r)
            here = p.new_label()
            p.data.append(f"  .word {here}")  # the address, from the linker
            p.emit(f"lui x{t}, %hi(table + {4 * n})")
            p.emit(f"lw x{t}, %lo(table + {4 * n})(x{t})")
            p.mark(here)
            p.emit(f"auipc x{r}, {imm:#x}")
            u = p.other(r, t)
            p.li(u, imm << 12)
            p.emit(f"add x{t}, x{t}, x{u}")
            p.compare(r, t)
            n += 1
    p.emit("auipc x0, 0xfffff")
    p.check(0, 0)
    return p


def branch(name, f):
    p = Program(name)
    rng = p.rng

    def one(rs1, rs2, a, b, backward):
        if rs1 == 0:
            a = 0
        if rs2 == 0:
            b = 0
        if rs1 == rs2:
            b = a
        if rs1:
            p.li(rs1, a)
        if rs2 and rs2 != rs1:
            p.li(rs2, b)
        taken, after = p.new_label(), p.new_label()
        t = p.other(rs1, rs2)
        if backward:
            start = p.new_label()
            p.emit(f"jal x0, {start}")
            p.mark(taken)
            p.emit(f"addi x{t}, x0, 1")
            p.emit(f"jal x0, {after}")
            p.mark(start)
            p.emit(f"{name} x{rs1}, x{rs2}, {taken}")
            p.emit(f"addi x{t}, x0, 0")
        else:
            p.emit(f"{name} x{rs1}, x{rs2}, {taken}")
            p.emit(f"addi x{t}, x0, 0")
            p.emit(f"jal x0, {after}")
            p.mark(taken)
            p.emit(f"addi x{t}, x0, 1")
        p.mark(after)
        p.check(t, int(f(a, b)))

    for i, a in enumerate(SHORT):
        for j, b in enumerate(SHORT):
            one(10, 11, a, b, (i + j) % 2)
    for r in range(1, 32):
        one(r, p.other(r), rng.value(), rng.value(), 0)
        one(p.other(r), r, rng.value(), rng.value(), 1)
        v = rng.value()
        one(r, p.other(r), v, v, r % 2)
        one(r, r, v, v, 0)  # the same register twice
    for v in SHORT:
        one(0, 11, 0, v, 0)
        one(10, 0, v, 0, 1)
        one(10, 11, v, v, 1)
    one(0, 0, 0, 0, 0)
    one(0, 0, 0, 0, 1)

    # Fall-through and taken target the same: a branch to the next instruction, both outcomes.
    for a, b in ((1, 2), (2, 1), (5, 5)):
        p.li(10, a)
        p.li(11, b)
        nxt = p.new_label()
        p.emit(f"{name} x10, x11, {nxt}")
        p.mark(nxt)
        p.check(10, a)
    # Reach: +4092 and -4096 bytes, each exactly.
    a, b = next((a, b) for a in (1, 2) for b in (1, 2) if f(a, b))
    p.li(10, a)
    p.li(11, b)
    p.li(12, 0)
    forward, forward_from = p.new_label(), p.new_label()
    backward, backward_from = p.new_label(), p.new_label()
    done = p.new_label()
    p.mark(forward_from)
    p.emit(f"{name} x10, x11, {forward}")
    p.check_false()
    p.emit(f".skip 4092 - (. - {forward_from})")
    p.mark(forward)
    p.emit("addi x12, x12, 1")
    p.emit(f"jal x0, {backward_from}")
    p.mark(backward)
    p.emit("addi x12, x12, 2")
    p.emit(f"jal x0, {done}")
    p.emit(f".skip 4096 - (. - {backward})")
    p.mark(backward_from)
    p.emit(f"{name} x10, x11, {backward}")
    p.check_false()
    p.mark(done)
    p.check(12, 3)
    return p


def jal():
    p = Program("jal")
    p.data.append("table:")
    n = 0

    def link_check(reg, label):
        nonlocal n
        t = p.other(reg)
        p.data.append(f"  .word {label}")
        p.emit(f"lui x{t}, %hi(table + {4 * n})")
        p.emit(f"lw x{t}, %lo(table + {4 * n})(x{t})")
        p.compare(reg, t)
        n += 1

    for r in range(1, 32):
        target, ret = p.new_label(), p.new_label()
        p.emit(f"jal x{r}, {target}")
        p.mark(ret)
        p.check_false()
        p.mark(target)
        link_check(r, ret)
        # backwards
        target, ret, start = p.new_label(), p.new_label(), p.new_label()
        p.emit(f"jal x0, {start}")
        p.mark(target)
        p.emit(f"jal x0, {start}.done")
        p.mark(start)
        p.emit(f"jal x{r}, {target}")
        p.mark(ret)
        p.check_false()
        p.mark(f"{start}.done")
        link_check(r, ret)
    # To the next instruction: the link and the target are the same address.
    nxt = p.new_label()
    p.emit(f"jal x5, {nxt}")
    p.mark(nxt)
    link_check(5, nxt)
    # x0 as the link register stays 0.
    nxt = p.new_label()
    p.emit(f"jal x0, {nxt}")
    p.check_false()
    p.mark(nxt)
    p.check(0, 0)
    # The far ends: +1048572 and -1048576 bytes, in a second text section (JAL_FAR, isa_jal.ld).
    p.emit("la x10, far_from_here")
    p.emit("addi x12, x0, 0")
    p.emit("jalr x0, 0(x10)")
    p.mark("far_done")
    p.check(12, 3)
    return p


# near_from is the first word of the program's lowest page, far_text starts 1 MiB above it.
JAL_FAR = """
  .section .text.near, "ax"
near_target:              # reached by jal with offset -1048576
  addi x12, x12, 2
  jal x0, near_from
near_from:                # at near_target + 8
  jal x1, far_target      # offset +1048572
  .globl far_from_here
far_from_here:
  lui x10, %hi(far_from)
  addi x10, x10, %lo(far_from)
  jalr x0, 0(x10)

  .section .text.far, "ax"
far_from:                 # at near_target + 1048576
  jal x5, near_target
far_target:               # at near_from + 1048572
  addi x12, x12, 1
  lui x10, %hi(far_done)
  addi x10, x10, %lo(far_done)
  jalr x0, 0(x10)
"""


def jalr():
    p = Program("jalr")

    def one(rd, rs1, imm, odd):
        target, ret = p.new_label(), p.new_label()
        t = p.other(rd, rs1)
        p.la(rs1, target)
        p.li(t, odd - imm)  # bit 0 of the sum is cleared, so `odd` may be 0 or 1
        p.emit(f"add x{rs1}, x{rs1}, x{t}")
        p.emit(f"jalr x{rd}, {imm}(x{rs1})")
        p.mark(ret)
        p.check_false()
        p.emit("addi x0, x0, 0")
        p.mark(target)
        if rd:
            p.la(t, ret)
            p.compare(rd, t)
        else:
            p.check(0, 0)

    for r in range(1, 32):
        one(r, p.other(r), 0, 0)
        one(p.other(r), r, 4, 0)
        one(r, r, 0, 0)  # the target is read before the link is written
        one(r, r, -4, 1)
        one(0, r, 0, 0)
    for imm in (0, 1, 2, 3, 4, -1, -2, -3, -4, 2044, 2047, -2045, -2048):
        for odd in (0, 1):
            one(1, 10, imm, odd)
            one(0, 11, imm, odd)
            one(5, 5, imm, odd)
    # The sum wraps around: rs1 near the top of the address space is covered by a big negative rs1
    # only where low memory is mapped, which no test may assume; negative immediates are above.
    return p


PATTERN = [0x00, 0x01, 0x7F, 0x80, 0xFF, 0xFE, 0x81, 0x7E, 0x55, 0xAA, 0x12, 0x34, 0xDE, 0xAD, 0xBE,
           0xEF, 0x80, 0x00, 0x00, 0x80, 0x7F, 0xFF, 0xFF, 0x7F]


def load(name, size, signed):
    p = Program(name)
    rng = p.rng
    pattern = PATTERN + [rng.below(256) for _ in range(4096 + 64 - len(PATTERN))]
    p.data.append("pattern:")
    for i in range(0, len(pattern), 16):
        p.data.append("  .byte " + ", ".join(f"{b:#04x}" for b in pattern[i:i + 16]))

    def value(at):
        v = int.from_bytes(bytes(pattern[at:at + size]), "little")
        return (sext(v, 8 * size) if signed else v) & MASK

    def one(rd, rs1, at, imm):
        p.la(rs1, f"pattern + {at - imm}")
        p.emit(f"{name} x{rd}, {imm}(x{rs1})")
        p.check(rd, value(at) if rd else 0, keep=(rs1,))

    for at in range(0, 64, size):
        one(12, 10, at, 0)
    for r in range(1, 32):
        at = size * rng.below(512)
        one(r, p.other(r), at, 0)
        one(p.other(r), r, at, size)
        one(r, r, at, -size)
    for imm in (0, 4, -4, 8, 2044, -2048, 2047, -2047, 1, -1, 3, -3):
        for at in (2048, 2052, 2056 + size, 4096):
            one(11, 10, at, imm)  # the sum is aligned, the base need not be
    for at in (0, 4, 16, 20):
        one(0, 10, at, 0)  # a load to x0 is done and its value dropped
        one(0, 10, at, 4)
    for _ in range(64):
        at = size * rng.below(4096 // size)
        one(1 + rng.below(31), 1 + rng.below(31), at, rng.below(4096) - 2048)
    return p


def store(name, size):
    p = Program(name)
    rng = p.rng
    p.data += ["cell:", "  .skip 4224"]

    def one(rs1, rs2, v, at, imm):
        """Fills 12 bytes around cell+at with a pattern, stores, reads the three words back."""
        word = at & ~3
        fill = rng.next()
        for off in (-4, 0, 4):
            p.la(10, f"cell + {word + off}")
            p.li(11, fill)
            p.emit("sw x11, 0(x10)" if name != "sw" else "sb x11, 0(x10)")
            if name == "sw":  # fill by bytes, so that sw does not prepare its own test
                for k in range(1, 4):
                    p.emit("srli x11, x11, 8")
                    p.emit(f"sb x11, {k}(x10)")
        if rs2 and rs2 != rs1:
            p.li(rs2, v)
        p.la(rs1, f"cell + {at - imm}")
        if rs2 == 0:
            v = 0
        p.emit(f"{name} x{rs2}, {imm}(x{rs1})")
        if rs1 == rs2:  # the stored value is the address itself: compare with the linker's
            p.la(11, f"cell + {at}")
            p.emit(f"{'lbu' if size == 1 else 'lhu' if size == 2 else 'lw'} x12, 0(x11)")
            p.la(13, f"cell + {at - imm}")
            if size < 4:
                p.emit(f"slli x13, x13, {32 - 8 * size}")
                p.emit(f"srli x13, x13, {32 - 8 * size}")
            p.compare(12, 13)
            return
        buf = bytearray(fill.to_bytes(4, "little") * 3)
        o = 4 + at - word
        buf[o:o + size] = (v & MASK).to_bytes(4, "little")[:size]
        for i, off in enumerate((-4, 0, 4)):
            p.la(10, f"cell + {word + off}")
            p.emit("lw x12, 0(x10)")
            p.check(12, int.from_bytes(buf[4 * i:4 * i + 4], "little"))

    for v in SHORT + [0x80, 0x8000, 0xABCDEF12]:
        for k in range(0, 4, size):
            one(10, 11, v, 64 + k, 0)
    for r in range(1, 32):
        one(r, p.other(r), rng.next(), 64 + size * rng.below(900), 0)
        one(p.other(r), r, rng.next(), 64 + size * rng.below(900), 4)
        one(r, r, 0, 64 + size * rng.below(900), 0)
        one(r, r, 0, 64 + size * rng.below(900), -8)
    for imm in (0, 4, -4, 2047, -2048, 1, -1, 2044, -2047):
        one(10, 11, rng.next(), 2048, imm)
        one(12, 0, 0, 2056, imm)
    return p


def fence():
    p = Program("fence")
    p.li(10, 0x1234)
    for pred in ("i", "o", "r", "w", "rw", "iorw"):
        for succ in ("i", "o", "r", "w", "rw", "iorw"):
            p.emit(f"fence {pred}, {succ}")
            p.check(10, 0x1234, keep=(10,))
    # fence.tso, pause, and encodings whose reserved fields (fm, rs1, rd) must be ignored.
    for word in (0x8330000F, 0x0100000F, 0x0FF0000F, 0x0000000F, 0x0FF5850F):
        p.emit(f".word {word:#x}")
        p.check(10, 0x1234, keep=(10,))
    return p


def fence_i():
    p = Program("fence.i")
    p.li(10, 0x4321)
    p.emit(".word 0x0000100f")
    p.check(10, 0x4321, keep=(10,))
    p.emit(".word 0x0000100f")
    p.check(10, 0x4321)
    return p


def ecall():
    """write returns its count in a0; every other register is what it was."""
    p = Program("ecall")
    for length in (0, 1, 7):
        values = [0] + [p.rng.next() for _ in range(31)]
        for r in range(1, 32):
            if r not in (10, 11, 12, 17):
                p.li(r, values[r])
        p.li(10, 1)
        p.la(11, "message")
        p.li(12, length)
        p.li(17, 64)
        p.emit("ecall")
        p.emit(f"addi x10, x10, {-length}")
        good = p.new_label()
        p.count += 1
        p.emit(f"beq x10, x0, {good}")
        p.li(10, p.count)
        p.emit("j fail")
        p.mark(good)
        for r in range(1, 32):
            if r in (10, 11, 12, 17):
                continue
            p.li(10, values[r])
            p.count += 1
            good = p.new_label()
            p.emit(f"beq x{r}, x10, {good}")
            p.emit("addi x12, x10, 0")
            p.emit(f"addi x11, x{r}, 0")
            p.li(10, p.count)
            p.emit("j fail")
            p.mark(good)
        p.check(12, length, keep=(11, 17))
        p.check(17, 64, keep=(11,))
        p.la(10, "message")
        p.compare(11, 10)
    p.data += ["message:", '  .ascii "message\\n"']
    # The three writes above put "m" and "message" on the output; end that line.
    p.la(11, "message + 7")
    p.li(10, 1)
    p.li(12, 1)
    p.li(17, 64)
    p.emit("ecall")
    p.check(10, 1)
    return p


def ebreak():
    p = Program("ebreak")
    p.la(11, "message")
    p.li(10, 1)
    p.li(12, 14)
    p.li(17, 64)
    p.emit("ecall")
    p.emit(".globl ebreak_here")
    p.mark("ebreak_here")
    p.emit("ebreak")
    p.check_false()
    p.data += ["message:", '  .ascii "before ebreak\\n"']
    return p


def main():
    out = sys.argv[1]
    programs = [(r_type(n, f), "") for n, f in R_TYPE.items()]
    programs += [(i_type(n, f, IMMS), "") for n, f in I_TYPE.items()]
    programs += [(i_type(n, f, SHAMTS), "") for n, f in SHIFT.items()]
    programs += [(branch(n, f), "") for n, f in BRANCH.items()]
    programs += [(load(n, *a), "") for n, a in LOAD.items()]
    programs += [(store(n, s), "") for n, s in STORE.items()]
    programs += [(lui(), ""), (auipc(), ""), (jal(), JAL_FAR), (jalr(), ""), (fence(), ""),
                 (fence_i(), ""), (ecall(), ""), (ebreak(), "")]
    for p, far in programs:
        with open(os.path.join(out, "isa_" + p.name.replace(".", "_") + ".S"), "w") as f:
            f.write(p.text(far))


if __name__ == "__main__":
    main()
