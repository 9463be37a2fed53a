# Many parts of the interpreter and its library, with output that is the same everywhere.
import collections
import dataclasses
import decimal
import fractions
import functools
import hashlib
import heapq
import io
import itertools
import json
import math
import os
import random
import re
import statistics
import struct
import sys
import textwrap


@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: float = 0.5


class Stack(list):
    def __enter__(self):
        return self

    def __exit__(self, *_):
        print("left with", self)
        return True


def queens(n):
    def place(row, columns, up, down):
        if row == n:
            return 1
        return sum(
            place(row + 1, columns | {c}, up | {row + c}, down | {row - c})
            for c in range(n)
            if c not in columns and row + c not in up and row - c not in down
        )

    return place(0, frozenset(), frozenset(), frozenset())


def primes():
    found = {}
    for n in itertools.count(2):
        divisors = found.pop(n, None)
        if divisors is None:
            found[n * n] = [n]
            yield n
        else:
            for p in divisors:
                found.setdefault(n + p, []).append(p)


print(sys.byteorder, sys.maxsize, queens(5), list(itertools.islice(primes(), 8)))
print(sorted([Point(2), Point(1, 3.25), Point(1)]), 7**77 % 10**20, -7 // 2, divmod(-7, 3), 1e300 * 1e10)
print(decimal.Decimal(2).sqrt(), fractions.Fraction(3, 7) ** 3, math.fsum([0.1] * 10), math.gamma(4.5), round(2.675, 2))
print(re.sub(r"(?P<w>\w+) (\d+)", r"\2:\g<w>", "twelve 12, three 3"), textwrap.shorten("one two three four", 12))
data = bytes(range(256)) * 20
print(hashlib.sha256(data).hexdigest(), struct.pack("<hIq3s", -2, 3, -4, b"abc").hex())
words = collections.Counter(re.findall(r"\w", "the quick brown fox jumps over the lazy dog"))
print(words.most_common(4), heapq.nlargest(3, range(50), key=lambda n: n * 17 % 23))
random.seed(4)
numbers = [random.gauss(0, 1) for _ in range(300)]
print(f"{statistics.mean(numbers):.12f} {statistics.stdev(numbers):.12f}", functools.reduce(lambda a, b: a ^ b, range(99)))
text = json.dumps({"a": [1, 2.5, None, "ü\u2028"], "b": {str(k): k for k in range(5)}}, indent=1)
assert json.loads(text)["a"][3] == "ü\u2028"
with Stack([1]) as stack:
    stack.append([].pop() if stack else None)
try:
    (lambda depth: (f := lambda n: f(n + 1))(depth))(0)
except RecursionError as error:
    print(type(error).__name__, str(error)[:32])
print(type(lambda: (yield)), [*map(chr, range(97, 100))], {1, 2} ^ {2, 3}, "ß".upper(), "İ".casefold().encode())
with open("/d/out.json", "w", encoding="utf-8") as out:
    print(text, file=out)
os.mkdir("/d/new")
os.rename("/d/out.json", "/d/new/moved.json")
with io.open("/d/new/moved.json", encoding="utf-8") as again:
    print(len(again.read()), os.listdir("/d/new"), os.stat("/d/new/moved.json").st_size, os.environ.get("PROOF"))
sys.exit(9)
