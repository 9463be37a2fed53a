#!/usr/bin/env python3
"""Writes vectors.inc: expected results for the tests of this package, from Python's integers and hashlib.

  python3 openvm/primitives/testing/generate_vectors.py > openvm/primitives/testing/vectors.inc

Follows OpenVM's sources step by step and shares nothing with the code under test: no Montgomery form, no base-p digits
of exponents, no cubic character, inversion by pow(). Deterministic; takes a few minutes, nearly all for pairings.
"""

import hashlib
import random

RNG = random.Random(20261121)

SECP256K1 = 2**256 - 2**32 - 977
SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
X_BN = 0x44E992B44A6909F1
BN254 = 36 * X_BN**4 + 36 * X_BN**3 + 24 * X_BN**2 + 6 * X_BN + 1
BN254_N = 36 * X_BN**4 + 36 * X_BN**3 + 18 * X_BN**2 + 6 * X_BN + 1
X_BLS = -0xD201000000010000
BLS_N = X_BLS**4 - X_BLS**2 + 1
BLS = (X_BLS - 1) ** 2 * BLS_N // 3 + X_BLS
P384 = 2**384 - 2**128 - 2**96 + 2**32 - 1
P224 = 2**224 - 2**96 + 1
# In this order they are one program's moduli: the nonresidues depend on it.
MODULI = [
    SECP256K1, SECP256K1_N, P256, P256_N, BN254, BN254_N, BLS, BLS_N, P384, P224,
    2**255 - 19, 3, 5, 17, 7681, 2**61 - 1, 2**64 - 2**32 + 1, 2**127 - 1,
    2**256 - 189, 2**384 - 317, 2**266 - 3,
]
COMPOSITES = [15, 9, 2**256 - 1, 2**384 - 1, 3 * 5 * 17 * 257]


def hexes(*values):
    return ", ".join('"%s"' % (v if isinstance(v, str) else "%x" % v) for v in values)


def size_of(m):
    assert m < 2**384
    return 32 if m < 2**256 else 48


# --- ChaCha12, as rand 0.9's StdRng ---------------------------------------------------------------


class StdRng:
    def __init__(self, seed):
        self.key = [int.from_bytes(seed[4 * i : 4 * i + 4], "little") for i in range(8)]
        self.counter = 0
        self.words = []

    def refill(self):
        init = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574] + self.key
        init += [self.counter & 0xFFFFFFFF, self.counter >> 32, 0, 0]
        self.counter += 1
        x = list(init)

        def quarter(a, b, c, d):
            for dst, src, rot in ((d, b, 16), (b, d, 12), (d, b, 8), (b, d, 7)):
                first, second = (a, b) if dst == d else (c, d)
                x[first] = (x[first] + x[second]) & 0xFFFFFFFF
                v = x[dst] ^ x[first]
                x[dst] = (v << rot | v >> (32 - rot)) & 0xFFFFFFFF

        for _ in range(6):
            for q in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                      (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
                quarter(*q)
        self.words += [(a + b) & 0xFFFFFFFF for a, b in zip(x, init)]

    def fill(self, size):
        count = (size + 3) // 4
        while len(self.words) < count:
            self.refill()
        data = b"".join(w.to_bytes(4, "little") for w in self.words[:count])
        del self.words[:count]
        return data[:size]


# --- Modular ---------------------------------------------------------------------------------------


def find_non_qr(m, rng):
    if m % 4 == 3:
        return m - 1
    if m % 8 == 5:
        return 2
    size = (m.bit_length() + 7) // 8
    while True:
        value = int.from_bytes(rng.fill(size), "big")
        if value < m - 3 and pow(value + 2, (m - 1) >> 1, m) == m - 1:
            return value + 2


def mod_sqrt(x, m, non_qr):
    if m % 4 == 3:
        root = pow(x, (m + 1) >> 2, m)
        return root if root * root % m == x % m else None
    q, s = m - 1, 0
    while q % 2 == 0:
        q //= 2
        s += 1
    c, t, r = pow(non_qr, q, m), pow(x, q, m), pow(x, (q + 1) >> 1, m)
    while True:
        if t == 0:
            return 0
        if t == 1:
            return r
        i, power = 0, t
        while power != 1 and i < s:
            power = power * power % m
            i += 1
        if i == s:
            return None
        b = pow(c, 2 ** (s - i - 1), m)
        s, c, t, r = i, b * b % m, t * b * b % m, r * b % m


def operands(m):
    top = 2 ** (8 * size_of(m)) - 1
    values = [0, 1, 2, m - 1, m, (m + 1) // 2, top, top - m if top >= m else 1]
    values += [RNG.randrange(m) for _ in range(5)] + [RNG.randrange(top + 1) for _ in range(3)]
    return values


def inverse(x, m):
    try:
        return pow(x, -1, m)
    except ValueError:
        return None


def modular():
    print("// m, a, b; a + b, a - b, a * b, a / b or \"-\".")
    print("inline constexpr ModularVector kModularVectors[] = {")
    for m in MODULI + COMPOSITES:
        values = operands(m)
        pairs = [(0, 0), (values[3], values[3]), (values[4], 0), (1, values[4])]
        pairs += [(RNG.choice(values), RNG.choice(values)) for _ in range(8)]
        for a, b in pairs:
            inv = inverse(b, m)
            quotient = "-" if inv is None else a * inv % m
            print("    {%s}," % hexes(m, a, b, (a + b) % m, (a - b) % m, a * b % m, quotient))
    print("};\n")
    print("// The moduli of one program, in order, with their nonresidues.")
    print("inline constexpr NonResidueVector kNonResidueVectors[] = {")
    rng = StdRng(bytes(32))
    non_residues = {m: find_non_qr(m, rng) for m in MODULI}
    for m in MODULI:
        print("    {%s}," % hexes(m, non_residues[m]))
    print("};\n")
    print("// m, x; whether x is a square, the hint.")
    print("inline constexpr SquareRootVector kSquareRootVectors[] = {")
    for m in MODULI:
        for x in [0, 1, m, m - 1, 4] + [RNG.randrange(2 ** (8 * size_of(m))) for _ in range(4)]:
            if x >= 2 ** (8 * size_of(m)):
                continue
            root = mod_sqrt(x, m, non_residues[m])
            square = root is not None
            if not square:
                root = mod_sqrt(x * non_residues[m], m, non_residues[m])
            print("    {%s}," % hexes(m, x, 1 if square else 0, root))
    print("};\n")


# --- Fp2 and curves --------------------------------------------------------------------------------


def complex_numbers():
    print("// m, a.c0, a.c1, b.c0, b.c1; sum, difference, product, quotient or \"-\", each as c0, c1.")
    print("inline constexpr ComplexVector kComplexVectors[] = {")
    for m in [BN254, BLS, SECP256K1, P384, 2**61 - 1, 5]:
        values = operands(m)
        cases = [(0, 0, 0, 0), (1, 2, 0, 0), (1, 2, m, 0), (values[3],) * 4]
        if m == 5:
            cases.append((1, 1, 1, 2))  # 1 + 4 = 0: a divisor of zero
        cases += [tuple(RNG.choice(values) for _ in range(4)) for _ in range(8)]
        for a0, a1, b0, b1 in cases:
            norm = inverse(b0 * b0 + b1 * b1, m)
            quotient = ["-", "-"]
            if norm is not None:
                quotient = [(a0 * b0 + a1 * b1) * norm % m, (a1 * b0 - a0 * b1) * norm % m]
            print("    {%s}," % hexes(
                m, a0, a1, b0, b1, (a0 + b0) % m, (a1 + b1) % m, (a0 - b0) % m, (a1 - b1) % m,
                (a0 * b0 - a1 * b1) % m, (a0 * b1 + a1 * b0) % m, *quotient))
    print("};\n")


CURVES = [
    (SECP256K1, 0, 7),
    (P256, P256 - 3, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B),
    (BN254, 0, 3),
    (BLS, 0, 4),
    (P384, P384 - 3,
     0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF),
    (2**61 - 1, 5, 7),
]


def point_on(m, a, b):
    while True:
        x = RNG.randrange(m)
        y2 = (x**3 + a * x + b) % m
        y = mod_sqrt(y2, m, find_non_qr(m, StdRng(bytes(32))))
        if y is not None:
            return x, (y if RNG.random() < 0.5 else -y % m)


def add_points(p, q, m, a):
    (x1, y1), (x2, y2) = p, q
    inv = inverse(x2 - x1, m)
    if inv is None:
        return None
    slope = (y2 - y1) * inv
    x3 = (slope * slope - x1 - x2) % m
    return x3, (slope * (x1 - x3) - y1) % m


def double_point(p, m, a):
    x, y = p
    inv = inverse(2 * y, m)
    if inv is None:
        return None
    slope = (3 * x * x + a) * inv
    x3 = (slope * slope - 2 * x) % m
    return x3, (slope * (x - x3) - y) % m


def curves():
    print("// m, a, b, p, q (each x, y); p + q, 2p, or \"-\"; whether p and q are on the curve.")
    print("inline constexpr CurveVector kCurveVectors[] = {")
    for m, a, b in CURVES:
        top = 2 ** (8 * size_of(m))
        cases = [(point_on(m, a, b), point_on(m, a, b), 1) for _ in range(4)]
        p = cases[0][0]
        cases += [(p, p, 1), (p, (p[0], -p[1] % m), 1)]
        cases.append(((p[0], 0), p, 0))
        for _ in range(3):
            cases.append(tuple((RNG.randrange(top), RNG.randrange(top)) for _ in range(2)) + (0,))
        for p, q, on_curve in cases:
            total, twice = add_points(p, q, m, a) or ("-", "-"), double_point(p, m, a) or ("-", "-")
            print("    {%s}," % hexes(m, a, b, *p, *q, *total, *twice, on_curve))
    print("};\n")


# --- 256-bit integers ------------------------------------------------------------------------------


def integers():
    print("// a, b; add, sub, xor, or, and, sll, srl, sra, slt, sltu, mul, eq.")
    print("inline constexpr IntegerVector kIntegerVectors[] = {")
    full = 2**256
    special = [0, 1, 2**255, full - 1, 2**255 - 1, 2**64 - 1, 2**64, 2**128, 2**192 - 1]
    values = special + [RNG.randrange(full) for _ in range(6)]
    pairs = [(RNG.choice(values), RNG.choice(values)) for _ in range(40)]
    shifts = [0, 1, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257, 2**64, full - 1]
    pairs += [(RNG.choice(values), s) for s in shifts]
    pairs += [(RNG.randrange(2**255, full), RNG.randrange(full)) for _ in range(16)]
    for a, b in pairs:
        signed = lambda v: v - full if v >= full // 2 else v
        s = b & 255
        print("    {%s}," % hexes(
            a, b, (a + b) % full, (a - b) % full, a ^ b, a | b, a & b, (a << s) % full, a >> s,
            (signed(a) >> s) % full, int(signed(a) < signed(b)), int(a < b), a * b % full, int(a == b)))
    print("};\n")


# --- Hashes ----------------------------------------------------------------------------------------


def hashes():
    print("// message; its SHA3-256, SHA-256 and SHA-512.")
    print("inline constexpr HashVector kHashVectors[] = {")
    for size in [0, 1, 3, 55, 56, 63, 64, 111, 112, 127, 128, 135, 136, 137, 200, 300]:
        message = bytes(RNG.randrange(256) for _ in range(size))
        print("    {%s}," % hexes(message.hex(), hashlib.sha3_256(message).hexdigest(),
                                  hashlib.sha256(message).hexdigest(), hashlib.sha512(message).hexdigest()))
    print("};\n")
    print("// The first 80 bytes of StdRng with a key of zeros.")
    print('inline constexpr const char* kStdRngBytes = "%s";\n' % StdRng(bytes(32)).fill(80).hex())


# --- Pairings --------------------------------------------------------------------------------------


class Tower:
    """Fp12 = Fp2[w]/(w^6 - xi); an element is 6 pairs, multiplied as the polynomials they are."""

    def __init__(self, p, xi):
        self.p, self.xi = p, xi
        self.one = ((1, 0),) + ((0, 0),) * 5
        self.frobenius_factors = [self.pow2(xi, i * (p - 1) // 6) for i in range(6)]

    def mul2(self, a, b):
        p = self.p
        return (a[0] * b[0] - a[1] * b[1]) % p, (a[0] * b[1] + a[1] * b[0]) % p

    def add2(self, a, b):
        return (a[0] + b[0]) % self.p, (a[1] + b[1]) % self.p

    def sub2(self, a, b):
        return (a[0] - b[0]) % self.p, (a[1] - b[1]) % self.p

    def inv2(self, a):
        d = pow(a[0] * a[0] + a[1] * a[1], -1, self.p)
        return a[0] * d % self.p, -a[1] * d % self.p

    def scale2(self, a, k):
        return a[0] * k % self.p, a[1] * k % self.p

    def pow2(self, a, e):
        r = (1, 0)
        for bit in bin(e)[2:]:
            r = self.mul2(r, r)
            if bit == "1":
                r = self.mul2(r, a)
        return r

    def mul(self, a, b):
        p = self.p
        re, im = [0] * 11, [0] * 11
        for i, (a0, a1) in enumerate(a):
            for j, (b0, b1) in enumerate(b):
                re[i + j] += a0 * b0 - a1 * b1
                im[i + j] += a0 * b1 + a1 * b0
        x0, x1 = self.xi
        out = []
        for i in range(6):
            r, m = re[i], im[i]
            if i < 5:
                r += x0 * re[i + 6] - x1 * im[i + 6]
                m += x0 * im[i + 6] + x1 * re[i + 6]
            out.append((r % p, m % p))
        return tuple(out)

    def conjugate(self, a):
        return tuple(c if i % 2 == 0 else self.scale2(c, -1) for i, c in enumerate(a))

    def frobenius(self, a, times=1):
        for _ in range(times):
            a = tuple(self.mul2((c0, -c1 % self.p), g) for (c0, c1), g in zip(a, self.frobenius_factors))
        return a

    def inv(self, a):
        # 1/a = a^(p + … + p^11) / norm.
        product, power = self.one, a
        for _ in range(11):
            power = self.frobenius(power)
            product = self.mul(product, power)
        norm = self.mul(product, a)
        assert all(c == (0, 0) for c in norm[1:]) and norm[0][1] == 0
        d = pow(norm[0][0], -1, self.p)
        return tuple(self.scale2(c, d) for c in product)

    def pow(self, a, e):
        r = self.one
        for bit in bin(e)[2:] if e else "":
            r = self.mul(r, r)
            if bit == "1":
                r = self.mul(r, a)
        return r


def sparse(entries):
    return tuple(entries.get(i, (0, 0)) for i in range(6))


class Curve:
    def line(self, pair, slope, s):
        t = self.t
        b = t.scale2(t.scale2(slope, -1), pair["x_over_y"])
        c = t.scale2(t.sub2(t.mul2(slope, s[0]), s[1]), pair["one_over_y"])
        one = (1, 0)
        return sparse({0: one, 1: b, 3: c} if self.d_type else {0: c, 2: b, 3: one})

    def add(self, s, q):
        t = self.t
        slope = t.mul2(t.sub2(s[1], q[1]), t.inv2(t.sub2(s[0], q[0])))
        x = t.sub2(t.sub2(t.mul2(slope, slope), s[0]), q[0])
        return slope, (x, t.sub2(t.mul2(slope, t.sub2(s[0], x)), s[1]))

    def double(self, s):
        t = self.t
        slope = t.mul2(t.scale2(t.mul2(s[0], s[0]), 3), t.inv2(t.scale2(s[1], 2)))
        x = t.sub2(t.mul2(slope, slope), t.scale2(s[0], 2))
        return slope, (x, t.sub2(t.mul2(slope, t.sub2(s[0], x)), s[1]))

    def steps(self, f, pair, points):
        """Adds each of the points (None: itself) to the accumulator, one after another."""
        for point in points:
            s = pair["acc"]
            slope, pair["acc"] = self.double(s) if point is None else self.add(s, point)
            f = self.t.mul(f, self.line(pair, slope, s))
        return f

    def miller(self, ps, qs):
        t, f, pairs = self.t, self.t.one, []
        for p, q in zip(ps, qs):
            if p == (0, 0) or q == ((0, 0), (0, 0)):
                continue
            inv = pow(p[1], -1, t.p)
            pairs.append({"x_over_y": p[0] * inv % t.p, "one_over_y": inv, "q": q, "acc": q})
        for i, digit in enumerate(self.digits()[1:]):
            f = t.mul(f, f)
            for pair in pairs:
                q = pair["q"]
                if digit == 0:
                    f = self.steps(f, pair, [None])
                elif i == 0 and digit == 1:
                    f = self.steps(f, pair, [None, q])  # the first digit below the top
                else:
                    # (S + Q) + S, not 2S + Q: other lines, whose product differs by a factor that
                    # is a vertical line's value.
                    signed = q if digit == 1 else (q[0], t.scale2(q[1], -1))
                    s = pair["acc"]
                    slope, total = self.add(s, signed)
                    f = t.mul(f, self.line(pair, slope, s))
                    slope, pair["acc"] = self.add(s, total)
                    f = t.mul(f, self.line(pair, slope, s))
        return self.finish(f, pairs)

    def g1_mul(self, k, p):
        result = None
        for bit in bin(k)[2:]:
            if result is not None:
                result = double_point(result, self.t.p, 0)
            if bit == "1":
                result = p if result is None else add_points(result, p, self.t.p, 0)
        return result

    def g2_mul(self, k, q):
        result = None
        for bit in bin(k)[2:]:
            if result is not None:
                result = self.double(result)[1]
            if bit == "1":
                result = q if result is None else self.add(result, q)[1]
        return result


class Bn254(Curve):
    d_type = True
    name = "kBn254"
    order = BN254_N
    g1 = (1, 2)
    g2 = ((0x1800DEEF121F1E76426A00665E5C4479674322D4F75EDADD46DEBD5CD992F6ED,
           0x198E9393920D483A7260BFB731FB5D25F1AA493335A9E71297E485B7AEF312C2),
          (0x12C85EA5DB8C6DEB4AAB71808DCB408FE3D1E7690C43D37B4CE6CC0166FA7DAA,
           0x090689D0585FF075EC9E99AD690C3395BC4B313370B38EF355ACDADCD122975B))

    def __init__(self):
        self.t = Tower(BN254, (9, 1))
        self.unity = sparse({2: (
            9483667112135124394372960210728142145589475128897916459350428495526310884707,
            4534159768373982659291990808346042891252278737770656686799127720849666919525)})
        group = BN254**12 - 1
        lambda_ = 6 * X_BN + 2 + BN254**3 - BN254**2 + BN254
        self.lambda_ = lambda_
        self.exp1, self.exp2 = group // 3, (group // 27 + 1) // 3
        self.r_inv = pow(BN254_N, -1, group // BN254_N)
        self.m_inv = pow(lambda_ // (3 * BN254_N), -1, group // BN254_N)

    def digits(self):
        encoding = [
            0, 0, 0, 1, 0, 1, 0, -1, 0, 0, -1, 0, 0, 0, 1, 0, 0, -1, 0, -1, 0, 0, 0, 1, 0, -1, 0, 0, 0, 0,
            -1, 0, 0, 1, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, -1, 0, 0, -1, 0, 1, 0, -1, 0, 0, 0, -1, 0, -1, 0,
            0, 0, 1, 0, -1, 0, 1]
        assert sum(d << i for i, d in enumerate(encoding)) == 6 * X_BN + 2
        return encoding[::-1]

    def finish(self, f, pairs):
        t = self.t
        for pair in pairs:
            (x0, x1), (y0, y1) = pair["q"]
            q1 = (t.mul2((x0, -x1), t.frobenius_factors[2]), t.mul2((y0, -y1), t.frobenius_factors[3]))
            q2 = (t.mul2((x0, x1), t.pow2(t.xi, (t.p**2 - 1) // 3)), (y0, y1))
            f = self.steps(f, pair, [q1, q2])
        return f

    def hint(self, f):
        t = self.t
        shifted = t.mul(f, self.unity)
        if t.pow(f, self.exp1) == t.one:
            c, u = f, t.one
        elif t.pow(shifted, self.exp1) == t.one:
            c, u = shifted, self.unity
        else:
            c, u = t.mul(shifted, self.unity), t.mul(self.unity, self.unity)
        c = t.pow(t.pow(c, self.r_inv), self.m_inv)
        x, c_inv = t.pow(c, self.exp2), t.inv(c)
        step = t.pow(self.unity, self.exp2)

        def order(x):
            x3, count = t.mul(t.mul(t.mul(x, x), x), c_inv), 0
            while x3 != t.one:
                x3, count = t.mul(x3, t.mul(x3, x3)), count + 1
            return count

        while order(x) != 0:
            x = t.mul(x, step)
        return x, u

    def holds(self, f, c, u):
        return self.t.mul(f, u) == self.t.pow(c, self.lambda_)


class Bls12381(Curve):
    d_type = False
    name = "kBls12_381"
    order = BLS_N
    g1 = (0x17F1D3A73197D7942695638C4FA9AC0FC3688C4F9774B905A14E3A3F171BAC586C55E83FF97A1AEFFB3AF00ADB22C6BB,
          0x08B3F481E3AAA0F1A09E30ED741D8AE4FCF5E095D5D00AF600DB18CB2C04B3EDD03CC744A2888AE40CAA232946C5E7E1)
    g2 = ((0x024AA2B2F08F0A91260805272DC51051C6E47AD4FA403B02B4510B647AE3D1770BAC0326A805BBEFD48056C8C121BDB8,
           0x13E02B6052719F607DACD3A088274F65596BD0D09920B61AB5DA61BBDC7F5049334CF11213945D57E5AC7D055D042B7E),
          (0x0CE5D527727D6E118CC9CDC6DA2E351AADFD9BAA8CBDD3A76D429A695160D12C923AC9CC3BACA289E193548608B82801,
           0x0606C4A02EA734CC32ACD2B02BC28B99CB3E287E85A763AF267492AB572E99AB3F370D275CEC1DA1AAA9075FF05F79BE))

    def __init__(self):
        self.t = Tower(BLS, (1, 1))
        self.poly = (1 - X_BLS) // 3
        self.final = (BLS**12 - 1) // BLS_N // (27 * self.poly)

    def digits(self):
        return [int(b) for b in bin(-X_BLS)[2:]]

    def finish(self, f, pairs):
        return self.t.conjugate(f)

    def hint(self, f):
        t = self.t
        f_final = t.pow(f, self.final)
        root = t.pow(f_final, 27)
        s = t.one
        if root != t.one:
            s = t.inv(t.pow(root, pow(27 * self.final, -1, self.poly)))
        root = t.pow(f_final, self.poly)
        if t.pow(root, 27) == t.one:
            s = t.mul(s, t.inv(t.pow(root, 10)))
        return t.pow(t.mul(f, s), pow(BLS - X_BLS, -1, self.final)), s

    def holds(self, f, c, s):
        t = self.t
        return t.mul(f, s) == t.mul(t.frobenius(c), t.pow(c, -X_BLS))


def pairings():
    print("// Curve; points of G1 and of G2, coordinate by coordinate; the hint; whether the pairing is one.")
    print("inline constexpr PairingVector kPairingVectors[] = {")
    for curve in (Bn254(), Bls12381()):
        t, p = curve.t, curve.t.p
        size = size_of(p)
        negative = lambda point: (point[0], -point[1] % p)
        a, b = RNG.randrange(curve.order), RNG.randrange(curve.order)
        ap, bq, abp = curve.g1_mul(a, curve.g1), curve.g2_mul(b, curve.g2), curve.g1_mul(
            a * b % curve.order, curve.g1)
        infinity, infinity2 = (0, 0), ((0, 0), (0, 0))
        cases = [
            ([curve.g1, negative(curve.g1)], [curve.g2, curve.g2], True),
            ([ap, negative(abp)], [bq, curve.g2], True),
            ([ap, infinity, negative(abp), ap], [bq, bq, curve.g2, infinity2], True),
            ([infinity], [curve.g2], True),
            ([curve.g1], [curve.g2], False),
            ([ap, abp], [bq, curve.g2], False),
            ([ap, abp, curve.g1], [bq, curve.g2, bq], False),
            # Not on the curve, not in the group.
            ([(5, 6)], [((1, 2), (3, 4))], False),
        ]
        for _ in range(2):
            number = lambda: RNG.randrange(p)
            cases.append(([(number(), number())], [((number(), number()), (number(), number()))], False))
        for ps, qs, is_one in cases:
            f = curve.miller(ps, qs)
            c, u = curve.hint(f)
            if is_one:
                assert curve.holds(f, c, u)
                assert t.pow(f, (p**12 - 1) // curve.order) == t.one
            encode = lambda numbers: b"".join(v.to_bytes(size, "little") for v in numbers).hex()
            print("    {PairingCurve::%s, %s, %s}," % (
                curve.name,
                hexes(encode([v for point in ps for v in point]),
                      encode([v for q in qs for c2 in q for v in c2]),
                      encode([v for e in (c, u) for c2 in e for v in c2])),
                "true" if is_one else "false"))
    print("};")


print("// Generated by testing/generate_vectors.py; do not edit. Numbers are hexadecimal, most significant digit first,")
print("// except in pairings and hashes: there, bytes.")
hashes()
integers()
modular()
complex_numbers()
curves()
pairings()
