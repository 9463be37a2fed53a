#!/bin/bash
# Rebuilds the guests of this directory. Two runs give the same bytes.
#
#   testdata/openvm/build.sh [--check]     --check: build elsewhere and compare
#
# Needs the Debian packages gcc-riscv64-unknown-elf and python3.
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C SOURCE_DATE_EPOCH=0

objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
python3 gen_vectors.py >"$objects/vectors.h"

cc=(riscv64-unknown-elf-gcc -march=rv32im -mabi=ilp32 -O2 -g0 -Wall -Wextra -Wno-main -ffreestanding
    -fno-builtin -fno-tree-loop-distribute-patterns "-ffile-prefix-map=$objects=." "-I$objects")
"${cc[@]}" -c -o "$objects/start.o" start.S
status=0
for name in arithmetic errors io long section touches; do
  "${cc[@]}" -c -o "$objects/$name.o" "$name.c"
  script=$PWD/guest.ld
  (cd "$objects" && riscv64-unknown-elf-gcc -march=rv32im -mabi=ilp32 -nostdlib -static \
    "-Wl,-S,-X,--build-id=none,-z,max-page-size=4096,-T,$script" -o "$name.elf" start.o "$name.o" -lgcc)
  if [ "${1:-}" = --check ]; then
    cmp "$objects/$name.elf" "$name.elf" || status=1
  else
    install -m 755 "$objects/$name.elf" "$name.elf"
  fi
done
exit $status
