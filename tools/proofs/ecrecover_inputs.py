#!/usr/bin/env python3
"""The inputs of OpenVM's guest `ecrecover`, one `hex:` argument a line: the address that it expects, then five times
hash, recovery id and signature as the Ethereum precompile at address 1 takes them. Its own benchmark signs at random;
here key and nonces are fixed. Curve: SEC 2, section 2.4.1; signing: SEC 1, section 4.1.3; Keccak-256: the Keccak
submission with rate 1088 (not SHA-3's padding)."""

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
     0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8)
MASK = 2**64 - 1


def rotate(x, n):
    return ((x << n) | (x >> (64 - n))) & MASK if n else x


def keccak_f(a):
    lfsr = 1
    for _ in range(24):
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[(x - 1) % 5] ^ rotate(c[(x + 1) % 5], 1) for x in range(5)]
        a = [a[i] ^ d[i % 5] for i in range(25)]
        x, y, lane = 1, 0, a[1]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            a[x + 5 * y], lane = rotate(lane, (t + 1) * (t + 2) // 2 % 64), a[x + 5 * y]
        a = [a[i] ^ (~a[i // 5 * 5 + (i + 1) % 5] & MASK & a[i // 5 * 5 + (i + 2) % 5]) for i in range(25)]
        for j in range(7):
            if lfsr & 1:
                a[0] ^= 1 << (2**j - 1)
            lfsr = (lfsr << 1) ^ ((lfsr >> 7) * 0x171)
    return a


def keccak256(data):
    rate = 136
    padded = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % rate))
    padded[-1] |= 0x80
    state = [0] * 25
    for at in range(0, len(padded), rate):
        for i in range(rate // 8):
            state[i] ^= int.from_bytes(padded[at + 8 * i:at + 8 * i + 8], "little")
        state = keccak_f(state)
    return b"".join(lane.to_bytes(8, "little") for lane in state[:4])


def add(p, q):
    if p is None or q is None:
        return p or q
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = 3 * p[0] * p[0] * pow(2 * p[1], -1, P)
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P)
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def times(k, p):
    result = None
    while k:
        if k & 1:
            result = add(result, p)
        p = add(p, p)
        k >>= 1
    return result


def sign(key, digest, nonce):
    x, y = times(nonce, G)
    r = x % N
    s = pow(nonce, -1, N) * (int.from_bytes(digest, "big") + r * key) % N
    recovery = y & 1
    if s > N // 2:  # the lower one of the two, as Ethereum wants it
        s, recovery = N - s, recovery ^ 1
    return digest + bytes(31) + bytes([27 + recovery]) + r.to_bytes(32, "big") + s.to_bytes(32, "big")


def main():
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    key = int.from_bytes(keccak256(b"a key"), "big") % N
    x, y = times(key, G)
    address = bytes(12) + keccak256(x.to_bytes(32, "big") + y.to_bytes(32, "big"))[12:]
    print(f"hex:{address.hex()}")
    for text in (b"Elliptic", b"Curve", b"Digital", b"Signature", b"Algorithm"):
        nonce = int.from_bytes(keccak256(b"nonce" + text), "big") % N
        print(f"hex:{sign(key, keccak256(text), nonce).hex()}")


if __name__ == "__main__":
    main()
