#!/bin/bash
# Rebuilds every file in testdata/prebuilt from the sources beside it. Two runs give the same bytes:
# no timestamps, no temporary names, no host paths reach the output.
#
#   testdata/build_guests.sh [--check]     --check: build elsewhere and compare with prebuilt/
#
# Needs the Debian packages gcc-riscv64-unknown-elf, picolibc-riscv64-unknown-elf and python3.
set -euo pipefail
cd "$(dirname "$0")"
shopt -s nullglob
export LC_ALL=C SOURCE_DATE_EPOCH=0

CROSS=riscv64-unknown-elf
PICOLIBC=/usr/lib/picolibc/riscv64-unknown-elf
LIBC=$PICOLIBC/lib/release/rv32im/ilp32/libc.a
OBJ=$(mktemp -d)
trap 'rm -rf "$OBJ"' EXIT
OUT=$PWD/prebuilt
CHECK=
if [ "${1:-}" = --check ]; then
  CHECK=1
  OUT=$OBJ/prebuilt
fi
mkdir -p "$OUT"

CC=("$CROSS-gcc" -march=rv32im -mabi=ilp32 -O2 -g0 -Wall -Wextra
    "-ffile-prefix-map=$OBJ=." "-ffile-prefix-map=$PWD=." -isystem "$PICOLIBC/include")
# -S -X: no debug sections, no compiler-made local labels; functions keep their symbols.
LD=("$CROSS-gcc" -march=rv32im -mabi=ilp32 -nostdlib -static
    -Wl,-S,-X,--build-id=none,-z,max-page-size=4096)
LIBS=(-Wl,--start-group "$LIBC" -lgcc -Wl,--end-group)

# compile SOURCE OBJECT FLAGS...
compile() { "${CC[@]}" "${@:3}" -c -o "$OBJ/$2.o" "$1"; }

# link NAME SCRIPT OBJECTS... [-- FLAGS...]
link() {
  local name=$1 script=$2 objects=()
  shift 2
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    objects+=("$1.o")
    shift
  done
  [ $# -gt 0 ] && shift
  (cd "$OBJ" && "${LD[@]}" -Wl,-T,"$script" "$@" -o "$name.elf" "${objects[@]}" "${LIBS[@]}")
  install -m 755 "$OBJ/$name.elf" "$OUT/$name.elf"
}

# --- bench: no libc but memcpy and friends, own start -------------------------------------------
# Their own warnings are not what they are for.
BENCH_FLAGS=(-DRV_BARE -DSOFTFP -w)
compile bench/crt0_rv.S bench_crt0
for source in bench/*.c; do
  name=$(basename "$source" .c)
  compile "$source" "bench_$name" "${BENCH_FLAGS[@]}"
  link "bench_$name" "$PWD/bench/guest.ld" bench_crt0 "bench_$name"
  [ "$name" = hello ] && continue
  compile "$source" "bench_small_$name" "${BENCH_FLAGS[@]}" -DTEST_SCALE=100
  link "bench_small_$name" "$PWD/bench/guest.ld" bench_crt0 "bench_small_$name"
done

# --- big100k: more than 100,000 instructions, for measuring compile time ------------------------
python3 guests/big/gen_big.py 1100 >"$OBJ/big100k.c"
compile "$OBJ/big100k.c" big100k -Ibench "${BENCH_FLAGS[@]}"
link big100k "$PWD/bench/guest.ld" bench_crt0 big100k

# --- isa: one generated program per instruction -------------------------------------------------
mkdir "$OBJ/isa"
python3 guests/isa/gen_isa.py "$OBJ/isa"
for source in "$OBJ"/isa/*.S; do
  name=$(basename "$source" .S)
  compile "$source" "$name"
  script=guests/isa/isa.ld
  [ "$name" = isa_jal ] && script=guests/isa/isa_jal.ld
  link "$name" "$PWD/$script" "$name" -- -Wl,--no-relax
done

# --- C guests on picolibc -----------------------------------------------------------------------
GUEST_FLAGS=(-Iguests/lib -ffunction-sections -fdata-sections)
GUEST_LD=$PWD/guests/lib/guest.ld
RUNTIME=(crt0 syscalls stdio)
compile guests/lib/crt0.S crt0
compile guests/lib/syscalls.c syscalls "${GUEST_FLAGS[@]}"
compile guests/lib/stdio.c stdio "${GUEST_FLAGS[@]}"

# guest NAME [SOURCE [FLAGS... [-- LINK FLAGS...]]]: a C program and, where there is one, its
# assembly part SOURCE_asm.S.
guest() {
  local name=$1 source=${2:-guests/$1.c} flags=() objects=("$1")
  shift $(($# < 2 ? $# : 2))
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    flags+=("$1")
    shift
  done
  [ $# -gt 0 ] && shift
  compile "$source" "$name" "${GUEST_FLAGS[@]}" "${flags[@]}"
  if [ -e "${source%.*}_asm.S" ]; then
    compile "${source%.*}_asm.S" "${name}_asm"
    objects+=("${name}_asm")
  fi
  link "$name" "$GUEST_LD" "${RUNTIME[@]}" "${objects[@]}" -- -Wl,--gc-sections "$@"
}
for source in guests/*.c guests/programs/*.c; do
  guest "$(basename "$source" .c)" "$source"
done
guest cplusplus guests/cplusplus.cc -std=c++17 -fno-exceptions -fno-rtti -fno-threadsafe-statics

# The same sources by other ways of compiling and linking.
guest recursion_millicode guests/recursion.c -Os -msave-restore
guest recursion_O0 guests/recursion.c -O0
guest strings_O3 guests/strings.c -O3
guest strings_O0 guests/strings.c -O0
guest switches_Os guests/switches.c -Os
guest switches_O0 guests/switches.c -O0
guest funcptr_high guests/funcptr.c -- -Wl,--defsym=TEXT_BASE=0x80000000
guest recursion_norelax guests/recursion.c -- -Wl,--no-relax

# No symbols; and not even section headers (e_shoff, e_shnum and e_shstrndx are zero).
"$CROSS-strip" -s -o "$OUT/switches_stripped.elf" "$OUT/switches.elf"
python3 - "$OUT/switches_stripped.elf" "$OUT/switches_nosections.elf" <<'PYTHON'
import os, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
phoff, = struct.unpack_from("<I", data, 28)
phnum, = struct.unpack_from("<H", data, 44)
end = max(sum(struct.unpack_from("<I12xI", data, phoff + 32 * i + 4)) for i in range(phnum))
del data[end:]
struct.pack_into("<I", data, 32, 0)
struct.pack_into("<HHH", data, 46, 0, 0, 0)
open(sys.argv[2], "wb").write(data)
os.chmod(sys.argv[2], 0o755)
PYTHON

# One segment that may be read, written and executed.
compile guests/funcptr.c funcptr_rwx "${GUEST_FLAGS[@]}"
link funcptr_rwx "$PWD/guests/lib/rwx.ld" "${RUNTIME[@]}" funcptr_rwx -- -Wl,--gc-sections,--no-warn-rwx-segments

# --- traps --------------------------------------------------------------------------------------
for source in guests/faults/*.S; do
  name=$(basename "$source" .S)
  compile "$source" "$name" -Iguests/faults -Wa,-Iguests/faults
  link "$name" "$PWD/guests/isa/isa.ld" "$name"
done

if [ -n "$CHECK" ]; then
  diff -r "$OUT" prebuilt && echo "prebuilt/ is what the sources give: $(ls prebuilt | wc -l) files"
else
  echo "built $(ls "$OUT" | wc -l) files, $(du -cb "$OUT"/* | tail -1 | cut -f1) bytes"
fi
