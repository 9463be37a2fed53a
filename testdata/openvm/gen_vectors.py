#!/usr/bin/env python3
"""Expected values for the OpenVM guests, as a C header. Integers are Python's, hashes are hashlib's."""
import hashlib
import random

R = random.Random(20240801)
P = {
    'secp256k1': 2**256 - 2**32 - 977,
    'order': 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141,
    'p256': 2**256 - 2**224 + 2**192 + 2**96 - 1,
    'bn254': 21888242871839275222246405745257275088696311157297823662689037894645226208583,
    'bls': 4002409555221667393417789825735904156556882819939007885332058136124031650490837864442687629129015664037894272559787,
    'mersenne': 2**61 - 1,
}
MODULI = ['secp256k1', 'order', 'p256', 'bn254', 'bls', 'mersenne']
FP2 = ['bn254', 'bls']
CURVES = [  # name, modulus, a, generator
    ('secp256k1', 'secp256k1', 0,
     (0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798,
      0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8)),
    ('p256', 'p256', P['p256'] - 3,
     (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
      0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)),
    ('bn254', 'bn254', 0, (1, 2)),
]
M = 1 << 256
EDGES = [0, 1, 2, 255, 256, M - 1, M // 2, M // 2 - 1, M - 256]


def field_bytes(p):
    return 32 if p.bit_length() <= 256 else 48


def array(name, rows):
    width = len(rows[0])
    print(f'static const u8 {name}[{len(rows)}][{width}] = {{')
    for row in rows:
        assert len(row) == width, name
        print('  {' + ','.join(map(str, row)) + '},')
    print('};')


def le(x, n):
    return x.to_bytes(n, 'little')


def signed(x):
    return x - M if x >= M // 2 else x


def bigint():
    pairs = [(a, b) for a in EDGES for b in (0, 1, 255, M - 1, M // 2)]
    pairs += [(R.getrandbits(256), R.getrandbits(256)) for _ in range(20)]
    pairs += [(R.getrandbits(256), R.getrandbits(9)) for _ in range(20)]
    rows = []
    for a, b in pairs:
        s = b % 256
        results = [a + b, a - b, a ^ b, a | b, a & b, a << s, a >> s, signed(a) >> s,
                   signed(a) < signed(b), a < b, a * b]
        rows.append(le(a, 32) + le(b, 32) + b''.join(le(int(r) % M, 32) for r in results))
    array('kBigInt', rows)


def modular():
    for i, name in enumerate(MODULI):
        p = P[name]
        n = field_bytes(p)
        rows = []
        pairs = [(0, 1), (1, p - 1), (p - 1, p - 1), (0, p - 2)]
        pairs += [(R.randrange(p), R.randrange(1, p)) for _ in range(6)]
        for a, b in pairs:
            results = [(a + b) % p, (a - b) % p, a * b % p, a * pow(b, -1, p) % p]
            rows.append(le(a, n) + le(b, n) + b''.join(le(r, n) for r in results))
        array(f'kMod{i}', rows)
        array(f'kModulus{i}', [le(p, n)])


def fp2():
    def mul(x, y, p):
        return ((x[0] * y[0] - x[1] * y[1]) % p, (x[0] * y[1] + x[1] * y[0]) % p)

    for i, name in enumerate(FP2):
        p = P[name]
        n = field_bytes(p)
        rows = []
        for _ in range(6):
            x = (R.randrange(p), R.randrange(p))
            y = (R.randrange(p), R.randrange(1, p))
            d = pow(y[0] * y[0] + y[1] * y[1], -1, p)
            inverse = (y[0] * d % p, -y[1] * d % p)
            results = [((x[0] + y[0]) % p, (x[1] + y[1]) % p), ((x[0] - y[0]) % p, (x[1] - y[1]) % p),
                       mul(x, y, p), mul(x, inverse, p)]
            rows.append(b''.join(le(c, n) for v in [x, y] + results for c in v))
        array(f'kFp2_{i}', rows)
        array(f'kFp2Modulus{i}', [le(p, n) + bytes(n)])


def ecc():
    def add(p1, p2, p, a):
        if p1 == p2:
            k = (3 * p1[0] * p1[0] + a) * pow(2 * p1[1], -1, p) % p
        else:
            k = (p2[1] - p1[1]) * pow(p2[0] - p1[0], -1, p) % p
        x = (k * k - p1[0] - p2[0]) % p
        return (x, (k * (p1[0] - x) - p1[1]) % p)

    for i, (_, modulus, a, g) in enumerate(CURVES):
        p = P[modulus]
        points = [g]
        for _ in range(8):
            points.append(add(points[-1], points[-1], p, a))
        rows = []
        for p1, p2 in zip(points, points[3:] + points[1:4]):
            if p1 == p2:
                continue
            rows.append(b''.join(le(c, 32) for v in (p1, p2, add(p1, p2, p, a), add(p1, p1, p, a)) for c in v))
        array(f'kCurve{i}', rows)
        array(f'kCurveSetup{i}', [le(p, 32) + le(a, 32)])


def hashes():
    message = bytes(R.getrandbits(8) for _ in range(500))
    array('kMessage', [message])
    lengths = [0, 1, 55, 56, 63, 64, 111, 112, 135, 136, 137, 200, 271, 272, 500]
    print(f'static const u32 kLengths[{len(lengths)}] = {{{",".join(map(str, lengths))}}};')
    array('kSha256', [hashlib.sha256(message[:n]).digest() for n in lengths])
    array('kSha512', [hashlib.sha512(message[:n]).digest() for n in lengths])
    array('kSha3', [hashlib.sha3_256(message[:n]).digest() for n in lengths])


print('/* Made by gen_vectors.py. */')
bigint()
modular()
fp2()
ecc()
hashes()
