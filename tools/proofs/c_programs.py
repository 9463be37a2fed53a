#!/usr/bin/env python3
"""C programs that nobody here wrote, as guests of both kinds: interpreted and natively at every level they must print
the same, end the same way and retire the same instructions, and a RISC-V guest must end as under qemu.

  tools/proofs/c_programs.py DIRECTORY [--jobs=N]          every .c file below DIRECTORY, each a whole program
  tools/proofs/c_programs.py --csmith=N [--seed=S]         N programs that csmith invents

A file that a compiler refuses, or that runs longer than --patience seconds in the interpreter, is counted and left
out. Each program is compiled at a level between -O0 and -O3 that its name decides. Good directories are
gcc/testsuite/gcc.c-torture/execute of GCC's sources, or single-source programs of any test suite.

Environment: AOTC, the aotc to run (default: the one `bazel build --config=opt //tools:aotc` made here).
Exit status: 0 if there is no difference, 1 if there is one (the guest is kept, and its name printed), 2 for wrong
usage.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
AOTC = os.environ.get("AOTC", str(ROOT / "bazel-bin/tools/aotc"))
SUPPORT = ROOT / "testdata/guests/lib"
PICOLIBC = pathlib.Path("/usr/lib/picolibc/riscv64-unknown-elf")
CSMITH_HEADERS = "/usr/include/csmith"
LEVELS = ("-O0", "-O1", "-O2")
# What must be equal in the reports of `aotc run --json`.
FACTS = ("result", "pc", "instructions", "fuel", "exit_code", "trap")
# What picolibc's abort() wants of the system.
SYSTEM = "void _exit(int); int getpid(void) { return 1; } int kill(int p, int s) { _exit(128 + s); }\n"


def execute(command, seconds):
    """A finished process, or None if it took too long."""
    try:
        return subprocess.run(list(map(str, command)), capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return None


class Guests:
    """Compiles C files to guests in a directory of its own."""

    def __init__(self, directory):
        self.directory = directory
        self.system = directory / "system.c"
        self.system.write_text(SYSTEM)

    def riscv(self, source, level):
        libraries = PICOLIBC / "lib/release/rv32im/ilp32"
        flags = ["-march=rv32im", "-mabi=ilp32", "-nostdlib", "-static", "-isystem", PICOLIBC / "include",
                 f"-I{SUPPORT}", "-ffunction-sections", "-Wl,--gc-sections,-z,max-page-size=4096",
                 f"-Wl,-T,{SUPPORT}/guest.ld"]
        support = [SUPPORT / name for name in ("crt0.S", "syscalls.c", "stdio.c")]
        return self.build("riscv64-unknown-elf-gcc", flags, [*support, self.system], source, level, "elf",
                          ["-Wl,--start-group", libraries / "libc.a", libraries / "libm.a", "-lgcc",
                           "-Wl,--end-group"])

    def wasm(self, source, level):
        return self.build("clang", ["--target=wasm32-wasi", "-Wl,--strip-debug"], [], source, level, "wasm", ["-lm"])

    def build(self, compiler, flags, support, source, level, suffix, libraries):
        out = self.directory / f"{source.stem}_{zlib.crc32(str(source).encode()):08x}{level}.{suffix}"
        done = execute([compiler, level, "-g0", "-w", *flags, f"-I{CSMITH_HEADERS}", *support, source, "-o", out,
                        *libraries], 120)
        return out if done is not None and done.returncode == 0 else None


def run(guest, how, patience):
    """What must be equal of a run, or None if it took too long."""
    report = guest.with_suffix(f".{'_'.join(how).strip('-')}.json")
    limit = ["--fuel=100G"] if guest.suffix == ".wasm" else []
    done = execute([AOTC, "run", guest, *how, *limit, "--json", f"--stats-file={report}"], patience)
    if done is None:
        return None
    facts = json.loads(report.read_text()) if report.exists() else {}
    report.unlink(missing_ok=True)
    return done.returncode, done.stdout, *(facts.get(name) for name in FACTS)


def check(guest, patience):
    """'equal', 'slow' or a list of what differs."""
    expected = run(guest, ["--interpret"], patience)
    if expected is None:
        return "slow"
    different = [level for level in LEVELS if run(guest, [level], 10 * patience) != expected]
    # A guest's trap has an exit code of its own, where qemu has a signal.
    if guest.suffix == ".elf" and shutil.which("qemu-riscv32") and expected[2] == "exited":
        done = execute(["qemu-riscv32", guest], 10 * patience)
        if done is None or (done.returncode, done.stdout) != expected[:2]:
            different.append("qemu")
    return different or "equal"


def check_source(guests, source, patience):
    """What came of each kind of guest."""
    level = ("-O0", "-O1", "-O2", "-O3", "-Os")[zlib.crc32(source.name.encode()) % 5]
    results = {}
    for kind, build in (("riscv", guests.riscv), ("wasm", guests.wasm)):
        guest = build(source, level)
        results[kind] = "not built" if guest is None else check(guest, patience)
        if isinstance(results[kind], list):
            print(f"DIFFERENT: {guest} ({source}): interpreted and {', '.join(results[kind])}", flush=True)
        elif guest is not None:
            guest.unlink()
    return results


def invent(directory, seed):
    source = directory / f"csmith_{seed}.c"
    execute(["csmith", "--seed", seed, "--max-funcs", 4 + seed % 7, "-o", source], 60)
    return source


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", type=pathlib.Path)
    parser.add_argument("--csmith", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--patience", type=float, default=10, metavar="SECONDS")
    given = parser.parse_args()
    if (given.directory is None) == (given.csmith == 0):
        parser.error("give a directory, or --csmith=N")
    for tool, package in (("riscv64-unknown-elf-gcc", "gcc-riscv64-unknown-elf and picolibc-riscv64-unknown-elf"),
                          ("clang", "clang, lld, wasi-libc and libclang-rt-14-dev-wasm32"),
                          (AOTC, "nothing: build //tools:aotc, or set AOTC"),
                          *([("csmith", "csmith and libcsmith-dev")] if given.csmith else [])):
        if not shutil.which(tool):
            sys.exit(f"no {tool}; to install: {package}")

    work = pathlib.Path(tempfile.mkdtemp(prefix="c_programs."))
    guests = Guests(work)
    if given.csmith:
        sources = (invent(work, given.seed + i) for i in range(given.csmith))
    else:
        sources = sorted(given.directory.rglob("*.c"))
    counts = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for results in pool.map(lambda source: check_source(guests, source, given.patience), sources):
            for kind, result in results.items():
                counts[kind, result if isinstance(result, str) else "DIFFERENT"] += 1
    for (kind, result), count in sorted(counts.items()):
        print(f"{kind:6} {result:10} {count:6}")
    if any(result == "DIFFERENT" for _, result in counts):
        return 1
    shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
