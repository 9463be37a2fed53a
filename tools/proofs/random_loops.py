#!/usr/bin/env python3
"""Random RISC-V loops, which the programs of //tools:difftest seldom have: pointers that advance by strides, values
handed from round to round, rare calls, memory that faults. What -O2 does to whole loops (unrolling, rounds that are
repeated, rounds without page marks) must not show: the same end, registers, counts and, of OpenVM guests, segments as
interpreted, also where a run is stopped after any number of instructions and goes on from there.

  tools/proofs/random_loops.py [--openvm] [--count=N] [--seed=S]

Environment: AOTC, the aotc to run (default: the one `bazel build --config=opt //tools:aotc` made here).
Needs gcc-riscv64-unknown-elf. Exit status: 0 if there is no difference, 1 if there is one (the guest is kept, and its
name printed), 2 for wrong usage.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
AOTC = os.path.abspath(os.environ.get("AOTC", ROOT / "bazel-bin/tools/aotc"))
GCC = "riscv64-unknown-elf-gcc"
REGISTERS = [f"a{k}" for k in range(8)] + [f"s{k}" for k in range(12)] + [f"t{k}" for k in range(7)]
BUFFER = 600_000  # bytes


class Program:
    """Assembly of one guest: some loops, one after another, perhaps several times."""

    def __init__(self, seed, openvm):
        self.random = random.Random(seed)
        self.openvm = openvm
        self.labels = 0
        self.lines = [".text", ".globl _start", "_start:", " la sp, stack"]
        for register in REGISTERS:
            self.add(f"li {register}, {self.random.getrandbits(32) - 2**31}")
        outer = self.random.random() < 0.5
        if outer:
            self.add(f"li tp, {self.random.randint(2, 12)}")
            self.lines.append("again:")
        for number in range(self.random.randint(1, 4)):
            self.loop(number)
        if outer:
            self.lines += [" addi tp, tp, -1", " beqz tp, finish", " j again", "finish:"]
        if self.random.random() < 0.3:
            self.lines += [" li a0, 0x7ff00000", " lw a1, 0(a0)"]  # faults
        self.lines += [" .insn i 0x0b, 0, x0, x0, 0"] if openvm else [
            " andi a0, a0, 63", " li a7, 93", " ecall"]  # 122 is a stopped guest's
        self.lines += ["callee:", " addi sp, sp, -64", " sw ra, 60(sp)", " sw a0, 20(sp)", " lw ra, 60(sp)",
                       " addi sp, sp, 64", " ret", ".bss", ".p2align 12", f"buffer: .zero {BUFFER}", ".zero 8192",
                       "stack: .zero 4096"]

    def text(self):
        return "\n".join(self.lines) + "\n"

    def add(self, instruction):
        self.lines.append(" " + instruction)

    def chance(self, probability):
        return self.random.random() < probability

    def loop(self, number):
        choice = self.random.choice
        registers = self.random.sample(REGISTERS, len(REGISTERS))
        pointers = registers[: self.random.randint(1, 3)]
        counter, limit, index = registers[3:6]
        pool = registers[6 : 6 + self.random.randint(4, 18)]
        carried = pool[: self.random.randint(2, len(pool) - 1)]
        strides = [choice([0, 1, 2, 4, 4, 4, 8, 12, 64, -4, -8, 1024, 4096, -4096]) for _ in pointers]
        rounds = choice([1, 2, 3, 4, 5, 7, 17, 100, 500, 1000, 3000])
        for stride in strides:
            rounds = min(rounds, 200_000 // max(1, abs(stride)))
        for pointer, stride in zip(pointers, strides):
            words = stride % 4 == 0
            start = (300_000 if stride < 0 else 4096) + (4 * self.random.randint(0, 1500) if words
                                                         else self.random.randint(0, 4000))
            self.add(f"la {pointer}, buffer + {start}")
        by_pointer = strides[0] > 0 and self.chance(0.4)
        step = choice([1, 1, 2, 3])
        if by_pointer:
            self.add(f"li {limit}, {strides[0] * rounds}")
            self.add(f"add {limit}, {limit}, {pointers[0]}")
        else:
            self.add(f"li {counter}, 0")
            self.add(f"li {limit}, {rounds * step}")

        self.lines.append(f"loop{number}:")
        stores = self.chance(0.6)
        for _ in range(self.random.randint(1, 24)):
            self.body(list(zip(pointers, strides)), pool, index, stores)
        if self.chance(0.4):
            for target, source in zip(carried, carried[1:]):
                self.add(f"mv {target}, {source}")
        if self.chance(0.3):
            self.add(f"andi {index}, {choice(pool)}, {choice([1, 7, 63])}")
            self.add(f"{choice(['bnez', 'beqz'])} {index}, skip{number}")
            self.add("call callee" if self.chance(0.4) else f"xor {choice(pool)}, {choice(pool)}, {choice(pool)}")
            self.lines.append(f"skip{number}:")
        for pointer, stride in zip(pointers, strides):
            if abs(stride) > 2047:
                self.add(f"li ra, {stride}")
                self.add(f"add {pointer}, {pointer}, ra")
            elif stride != 0:
                self.add(f"addi {pointer}, {pointer}, {stride}")
        if by_pointer:
            self.add(f"{choice(['bne', 'bltu'])} {pointers[0]}, {limit}, loop{number}")
        else:
            self.add(f"addi {counter}, {counter}, {step}")
            self.add(f"{choice(['bne', 'blt', 'bltu'])} {counter}, {limit}, loop{number}")

    def body(self, places, pool, index, stores):
        choice = self.random.choice
        pointer, stride = choice(places)
        words = stride % 4 == 0
        offset = 4 * self.random.randint(-16, 16) if words else self.random.randint(-16, 16)
        kind = self.random.random()
        if kind < 0.2:
            self.add(f"{'lw' if words else 'lbu'} {choice(pool)}, {offset}({pointer})")
        elif kind < 0.35 and stores:
            self.add(f"{'sw' if words else 'sb'} {choice(pool)}, {offset}({pointer})")
        elif kind < 0.42 and stores:
            self.add(f"sw {choice(pool)}, {4 * self.random.randint(0, 15)}(sp)")
        elif kind < 0.46:
            self.add(f"lw {choice(pool)}, {4 * self.random.randint(0, 15)}(sp)")
        elif kind < 0.5:
            self.add(f"andi {index}, {choice(pool)}, 0x7fc")
            self.add(f"slli {index}, {index}, {self.random.randint(0, 6)}")
            self.add(f"la {pool[0]}, buffer")
            self.add(f"add {index}, {index}, {pool[0]}")
            self.add(f"lw {choice(pool)}, 0({index})")
        elif kind < 0.75:
            operation = choice(["add", "sub", "xor", "or", "and", "sll", "srl", "sra", "slt", "sltu", "mul", "mulhu"])
            self.add(f"{operation} {choice(pool)}, {choice(pool)}, {choice(pool)}")
        elif kind < 0.9:
            self.add(f"{choice(['slli', 'srli', 'srai'])} {choice(pool)}, {choice(pool)}, {self.random.randint(0, 31)}")
        elif kind < 0.95:
            self.add(f"addi {choice(pool)}, {choice(pool)}, {self.random.randint(-2048, 2047)}")
        else:
            self.short_branch(pool)

    def short_branch(self, pool):
        """Over one instruction or two: the larger of two numbers, or something else that depends on which that is."""
        choice = self.random.choice
        a, b, c = (choice(pool) for _ in range(3))
        self.labels += 1
        self.add(f"{choice(['blt', 'bge', 'bltu', 'bgeu', 'beq', 'bne'])} {a}, {choice([b, b, b, 'zero'])}, over{self.labels}")
        self.add(choice([f"mv {a}, {b}", f"mv {b}, {a}", f"add {c}, {c}, {a}", f"addi {c}, {c}, 1", f"li {c}, 7"]))
        if self.chance(0.2):
            self.add(f"xor {choice(pool)}, {choice(pool)}, {choice(pool)}")
        self.lines.append(f"over{self.labels}:")


def execute(*command, cwd=None):
    return subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, timeout=600, check=False)


def observed(process):
    """How a run ended, without names of functions, of which an image has fewer than the program."""
    errors = re.sub(r" \([_A-Za-z][^)]*\)", "", process.stderr.decode())
    return process.returncode, process.stdout, errors


class Proof:
    def __init__(self, directory, openvm):
        # Under the same name, which the guest finds on its stack.
        self.places = [directory / "interpreted", directory / "native"]
        for place in self.places:
            place.mkdir()
        self.guest, self.image = (place / "guest" for place in self.places)
        self.snapshots = [place / "state" for place in self.places]
        self.limits = directory / "metering.json"
        self.openvm = openvm
        self.labels = 0
        self.source = directory / "guest.s"

    def compile(self, seed):
        self.source.write_text(Program(seed, self.openvm).text())
        built = execute(GCC, "-march=rv32im", "-mabi=ilp32", "-nostdlib", "-static",
                        "-Wl,-Ttext=0x10000,--no-relax,-z,max-page-size=4096", "-o", self.guest, self.source)
        if built.returncode != 0:
            sys.exit(f"seed {seed}: {GCC}: {built.stderr.decode()}")
        flags = ["--abi=openvm", "--metered"] if self.openvm else []
        if self.openvm:
            metering = json.loads(execute(AOTC, "metering", self.guest, "--abi=openvm").stdout)
            metering["max_height_bits"] = random.Random(seed).choice([10, 12, 14, 22])
            self.limits.write_text(json.dumps(metering))
        compiled = execute(AOTC, "compile", "-q", "-O2", "--check", *flags, self.guest, "-o", self.image)
        return None if compiled.returncode == 0 else f"compile: {compiled.stderr.decode()}"

    def run(self, *flags):
        """Interpreted and natively."""
        if self.openvm:
            flags += ("--segments", f"--metering={self.limits}")
        abi = ["--abi=openvm"] if self.openvm else []
        return [execute(AOTC, "run", *how, "guest", *flags, cwd=place)
                for how, place in zip((["-i", *abi], []), self.places)]

    def differ(self, *flags):
        runs = self.run(*flags)
        if observed(runs[0]) != observed(runs[1]):
            return True
        return runs[0].returncode == 122 and self.snapshots[0].read_bytes() != self.snapshots[1].read_bytes()

    def fails(self, seed):
        """What is wrong, or None."""
        if (wrong := self.compile(seed)) is not None:
            return wrong
        if self.differ():
            return "the whole run"
        numbers = random.Random(seed)
        for _ in range(4):
            first, more = int(10 ** numbers.uniform(1.8, 4.5)), numbers.randint(1, 150)
            if self.differ(f"--max-insns={first}", "--save-state=state"):
                return f"stopped after {first} instructions"
            if not all(path.exists() for path in self.snapshots):
                continue  # it had ended
            if self.differ("--load-state=state", f"--max-insns={more}", "--save-state=state"):
                return f"stopped after {first} instructions and {more} more"
            for path in self.snapshots:
                path.unlink()
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--openvm", action="store_true", help="guests of OpenVM, metered")
    parser.add_argument("--count", type=int, default=100, help="how many programs (default: 100)")
    parser.add_argument("--seed", type=int, default=1, help="of the first (default: 1)")
    options = parser.parse_args()
    for tool in (GCC, AOTC):
        if shutil.which(tool) is None:
            print(f"random_loops: there is no {tool}", file=sys.stderr)
            return 2
    differences = 0
    with tempfile.TemporaryDirectory() as directory:
        proof = Proof(pathlib.Path(directory), options.openvm)
        for seed in range(options.seed, options.seed + options.count):
            if (wrong := proof.fails(seed)) is None:
                continue
            differences += 1
            kept = pathlib.Path(tempfile.gettempdir()) / f"random_loops_{seed}.elf"
            shutil.copy(proof.guest, kept)
            print(f"seed {seed}: {wrong}; the guest is {kept}")
    print(f"{options.count} programs from seed {options.seed} on, {differences} with differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
