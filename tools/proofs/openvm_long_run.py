#!/usr/bin/env python3
"""A run of ten billion instructions, cut, executed again by preflight in parallel, chained and verified; and faults
in its files, each of which must be found.

  tools/proofs/openvm_long_run.py [--rounds=N] [--faults=N] [--seed=N] [--directory=DIR] [--jobs=N]

A round is about 10.9 million instructions (testdata/openvm/long.c); 920 are ten billion. Writes about half a
megabyte for each of some 1,200 segments into DIR (default: a temporary directory, removed in the end).

Environment: AOTC, the aotc to run (default: the one `bazel build --config=opt //tools:aotc` made here).
Exit status: 0 if all is well and every fault was found, 1 if not.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
AOTC = os.environ.get("AOTC", str(ROOT / "bazel-bin/tools/aotc"))
GUEST = ROOT / "testdata/openvm/long.elf"
MACHINE = ROOT / "testdata/openvm/machine.toml"


def aotc(*args):
    """Exit code, what it printed, seconds."""
    begin = time.monotonic()
    done = subprocess.run([AOTC, *map(str, args)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr, time.monotonic() - begin


def must(what, *args):
    code, text, seconds = aotc(*args)
    if code != 0:
        sys.exit(f"{what}: exit code {code}\n{text}")
    return text, seconds


def run_guest(rounds, *flags):
    digits = rounds.to_bytes(4, "little").hex()
    return must("run", "run", GUEST, f"--openvm-config={MACHINE}", f"--input=hex:{digits}", *flags)


def seal(manifest):
    """Gives a manifest the digest of its own content, as a forger would."""
    manifest.pop("digest", None)
    text = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False)
    manifest["digest"] = hashlib.sha256(text.encode()).hexdigest()
    return manifest


class Copy:
    """A directory of segments as hard links to the true one; what is changed gets a file of its own."""

    def __init__(self, source, target):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, copy_function=os.link)
        self.path = target

    def state(self, k):
        return self.path / f"state-{k:06d}"

    def rewrite(self, path, data):
        path.unlink()
        path.write_bytes(data)

    def manifest(self):
        return json.loads((self.path / "manifest.json").read_text())

    def write_manifest(self, manifest):
        self.rewrite(self.path / "manifest.json", json.dumps(seal(manifest), ensure_ascii=False).encode())


def flip_hex(text, rng):
    at = rng.randrange(len(text))
    return text[:at] + "0123456789abcdef"[int(text[at], 16) ^ rng.randrange(1, 16)] + text[at + 1:]


# Each changes a copy and says what it did. `n` is the number of segments.
def byte_of_a_state(copy, n, rng):
    path = copy.state(rng.randrange(n + 1))
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data))
    data[at] ^= 1 << rng.randrange(8)
    copy.rewrite(path, bytes(data))
    return f"{path.name}: a bit of byte {at}"


def short_state(copy, n, rng):
    path = copy.state(rng.randrange(n + 1))
    data = path.read_bytes()
    copy.rewrite(path, data[:rng.randrange(len(data))])
    return f"{path.name}: truncated"


def missing_state(copy, n, rng):
    path = copy.state(rng.randrange(n + 1))
    path.unlink()
    return f"{path.name}: removed"


def swapped_states(copy, n, rng):
    a, b = rng.sample(range(n + 1), 2)
    x, y = copy.state(a).read_bytes(), copy.state(b).read_bytes()
    copy.rewrite(copy.state(a), y)
    copy.rewrite(copy.state(b), x)
    return f"states {a} and {b} exchanged"


def forged_root(copy, n, rng):
    manifest = copy.manifest()
    k, which = rng.randrange(n), rng.choice(["initial_root", "final_root"])
    manifest["segments"][k][which] = flip_hex(manifest["segments"][k][which], rng)
    copy.write_manifest(manifest)
    return f"{which} of segment {k}, manifest sealed again"


def swapped_segments(copy, n, rng):
    manifest = copy.manifest()
    a, b = rng.sample(range(n), 2)
    segments = manifest["segments"]
    segments[a], segments[b] = segments[b], segments[a]
    copy.write_manifest(manifest)
    return f"segments {a} and {b} exchanged, manifest sealed again"


def dropped_segment(copy, n, rng):
    manifest = copy.manifest()
    k = rng.randrange(n)
    del manifest["segments"][k]
    copy.write_manifest(manifest)
    return f"segment {k} left out, manifest sealed again"


def other_program(copy, _n, rng):
    manifest = copy.manifest()
    manifest["program_commit"] = flip_hex(manifest["program_commit"], rng)
    copy.write_manifest(manifest)
    return "program commit, manifest sealed again"


def other_end(copy, _n, rng):
    manifest = copy.manifest()
    manifest["exit_code"] = rng.randrange(1, 256)
    copy.write_manifest(manifest)
    return "exit code, manifest sealed again"


def other_public_values(copy, _n, rng):
    manifest = copy.manifest()
    manifest["public_values"] = flip_hex(manifest["public_values"], rng)
    copy.write_manifest(manifest)
    return "public values, manifest sealed again"


def bit_of_the_manifest(copy, _n, rng):
    path = copy.path / "manifest.json"
    data = bytearray(path.read_bytes())
    # What is white space between values changes nothing.
    at = rng.choice([i for i in rng.sample(range(len(data)), 1000) if not chr(data[i]).isspace()])
    data[at] ^= 1 << rng.randrange(7)
    copy.rewrite(path, bytes(data))
    return f"manifest.json: a bit of byte {at}"


def forged_height(copy, n, rng):
    manifest = copy.manifest()
    k = rng.randrange(n)
    heights = manifest["segments"][k]["heights"]
    heights[rng.choice([i for i, h in enumerate(heights) if h > 1000])] += 1000000
    copy.write_manifest(manifest)
    return f"a height of segment {k}, manifest sealed again"


STATIC = [byte_of_a_state, short_state, missing_state, swapped_states, forged_root, swapped_segments, dropped_segment,
          other_program, other_end, other_public_values, bit_of_the_manifest]
EXECUTED = [forged_height]


def inject(directory, faults, rng, scratch, kinds, *flags):
    """Returns how many were found, by kind of fault and by the error that named them."""
    n = len(json.loads((directory / "manifest.json").read_text())["segments"])
    found = collections.Counter()
    missed = []
    for i in range(faults):
        kind = kinds[i % len(kinds)]
        copy = Copy(directory, scratch)
        what = kind(copy, n, rng)
        code, text, _ = aotc("segment-verify", copy.path, GUEST, "--json", *flags)
        if code == 1 and not json.loads(text)["ok"]:
            found[(kind.__name__, json.loads(text)["error"])] += 1
        else:
            missed.append(f"NOT FOUND: {what}: exit code {code}: {text.strip()}")
    shutil.rmtree(scratch, ignore_errors=True)
    return found, missed


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--rounds", type=int, default=920)
    flags.add_argument("--faults", type=int, default=110)
    flags.add_argument("--seed", type=int, default=1)
    flags.add_argument("--jobs", type=int, default=os.cpu_count())
    flags.add_argument("--directory", type=pathlib.Path)
    args = flags.parse_args()
    if not os.access(AOTC, os.X_OK):
        sys.exit(f"no {AOTC}: build //tools:aotc with --config=opt or set AOTC")
    work = pathlib.Path(tempfile.mkdtemp(dir=args.directory))
    rng = random.Random(args.seed)
    try:
        long_run, short_run = work / "long", work / "short"
        _, seconds = run_guest(args.rounds, f"--segments-dir={long_run}")
        manifest = json.loads((long_run / "manifest.json").read_text())
        n = len(manifest["segments"])
        last = manifest["segments"][-1]
        total = last["first_instruction"] + last["instructions"]
        size = sum(p.stat().st_size for p in long_run.iterdir())

        def say(what, seconds, count=total):
            print(f"{what:<44}{seconds:9.1f} s {count / seconds / 1e6:9.1f} M instructions/s", flush=True)

        print(f"{total:,} instructions, {n} segments, {size / 1e6:.0f} MB of states, {args.jobs} jobs", flush=True)
        say("metered, and the state at each boundary", seconds)
        _, seconds = must("verify", "segment-verify", long_run, GUEST)
        say("chain verified", seconds)
        _, seconds = must("execute", "segment-verify", long_run, GUEST, "--execute", f"--jobs={args.jobs}")
        say("every segment executed: heights, roots, ends", seconds)
        _, seconds = must("preflight", "preflight", long_run, GUEST, "--discard", f"--jobs={args.jobs}")
        say("every segment's records made by preflight", seconds)

        found, missed = inject(long_run, args.faults, rng, work / "fault", STATIC)
        run_guest(2, f"--segments-dir={short_run}")
        more, more_missed = inject(short_run, max(1, args.faults // 10), rng, work / "fault", EXECUTED, "--execute")
        for (kind, error), count in sorted((found + more).items()):
            print(f"{kind:<24} found {count:4} times as {error}")
        for line in missed + more_missed:
            print(line)
        print(f"{sum((found + more).values())} faults found, {len(missed + more_missed)} not")
        return 1 if missed or more_missed else 0
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
