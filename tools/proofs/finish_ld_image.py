"""Adds to an image that ld made of our assembly what ld cannot make: PT_GNU_RELRO and the content digest.

  finish_ld_image.py IMAGE        (changes the file)

Offsets are those of docs/image_format.md and of the ELF specification.
"""

import hashlib
import struct
import sys

PT_GNU_RELRO = 0x6474E552
PF_R = 4
DIGEST_PIECE = 65536
PHDR = struct.Struct("<IIQQQQQQ")  # type, flags, offset, vaddr, paddr, filesz, memsz, align
SHDR = struct.Struct("<IIQQQQIIQQ")


def finish(image):
    phoff, shoff = struct.unpack_from("<QQ", image, 32)
    phnum, = struct.unpack_from("<H", image, 56)
    shnum, shstrndx = struct.unpack_from("<HH", image, 60)
    headers = [list(SHDR.unpack_from(image, shoff + SHDR.size * i)) for i in range(shnum)]
    strings = headers[shstrndx][4]

    def name(header):
        begin = strings + header[0]
        return bytes(image[begin:image.index(0, begin)]).decode()

    sections = {name(header): header for header in headers}

    # From the start of the writable segment to the page before .got.plt: sealed after binding.
    begin = sections[".dynamic"][3]
    end = sections[".got"][3] + sections[".got"][5]
    end = (end + 0xFFF) & ~0xFFF
    at = phoff + PHDR.size * phnum
    if at + PHDR.size > min(header[4] for header in headers[1:]):
        raise SystemExit("no room for one more program header")
    PHDR.pack_into(image, at, PT_GNU_RELRO, PF_R, begin, begin, begin, end - begin, end - begin, 1)
    struct.pack_into("<H", image, 56, phnum + 1)

    # aot_file_info is the only dynamic symbol: the second entry, after the empty one.
    info, = struct.unpack_from("<Q", image, sections[".dynsym"][4] + 24 + 8)
    digest = slice(info + 16, info + 48)
    image[digest] = bytes(32)
    pieces = (image[at:at + DIGEST_PIECE] for at in range(0, len(image), DIGEST_PIECE))
    digests = b"".join(hashlib.sha256(piece).digest() for piece in pieces)
    image[digest] = hashlib.sha256(digests).digest()


def main():
    with open(sys.argv[1], "r+b") as file:
        image = bytearray(file.read())
        finish(image)
        file.seek(0)
        file.write(image)


if __name__ == "__main__":
    main()
