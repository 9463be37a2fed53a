#!/bin/bash
# What other people's tools say of compiled images: elfutils, binutils and LLVM must accept them without
# a warning, dlopen must map them, and the envelope must be the one of docs/image_format.md.
#
#   bazel test //tools/proofs:image_tools_test
aotc="$1"
source tools/proofs/lib.sh
need eu-elflint elfutils eu-readelf elfutils readelf binutils objdump binutils nm binutils \
  llvm-readelf llvm python3 python3

# A tool that must succeed without saying anything of errors or warnings.
quiet() {
  checks=$((checks + 1))
  if ! "$@" >"$work/output" 2>"$work/errors"; then
    fail "$* exits with an error: $(tail -n 3 "$work/errors")"
  elif [[ -s $work/errors ]]; then
    fail "$* says on stderr: $(head -n 3 "$work/errors")"
  elif grep -aqE '(warning|error):|<corrupt|\(corrupt|<unknown' "$work/output"; then
    fail "$* says: $(grep -aE '(warning|error):|<corrupt|\(corrupt|<unknown' "$work/output" | head -n 3)"
  fi
}

# dlopen runs no constructor of the image, because it has none; the symbol must begin with the magic.
dlopens() {
  python3 - "$1" <<'PYTHON'
import ctypes, sys
image = ctypes.CDLL(sys.argv[1])
print((ctypes.c_char * 8).in_dll(image, "aot_file_info").raw)
PYTHON
}

for guest in hello bench_small_fib big100k switches_stripped switches_nosections funcptr_high \
  infinite_self_jump wasm/arithmetic wasm/data wasm/hello; do
  for level in 0 1 2; do
    about="$guest -O$level"
    compile "$guest" "$level"
    same "eu-elflint --strict" "No errors" "$(eu-elflint --strict "$image" 2>&1)"
    quiet readelf -a -W "$image"
    quiet readelf --debug-dump=frames,frames-interp "$image"
    quiet llvm-readelf -a --unwind "$image"
    quiet eu-readelf -a "$image"
    quiet objdump -d "$image"
    same "undecoded bytes in objdump -d" 0 "$(grep -c '(bad)' "$work/output")"
    quiet nm -n "$image"

    same "dynamic symbols" "aot_file_info" \
      "$(readelf --dyn-syms -W "$image" | awk '$1 ~ /^[1-9][0-9]*:$/ { print $8 }')"
    same "relocations" "There are no relocations in this file." "$(readelf -rW "$image" | sed '/^$/d')"
    same "segments that are writable and executable" 0 \
      "$(readelf -lW "$image" | grep -cE '0x[0-9a-f]+ +[R ]WE')"
    same "GNU_STACK" RW "$(readelf -lW "$image" | awk '$1 == "GNU_STACK" { print $7 }')"
    same "needed libraries, constructors, text relocations" "" \
      "$(readelf -dW "$image" | grep -E 'NEEDED|INIT|FINI|TEXTREL|RELA')"
    check "build-id" grep -q 'Build ID: [0-9a-f]\{40\}$' <(readelf -nW "$image")

    # Each compiled function has its symbol: as many as the function table, all inside .text.
    functions="$("$aotc" inspect --json "$image" | python3 -c \
      'import json, sys; print(json.load(sys.stdin)["totals"]["functions"])')"
    text="$(readelf -SW "$image" | sed -nE 's/^ *\[ *([0-9]+)\] \.text .*/\1/p')"
    same "function symbols in .text" "$functions" \
      "$(readelf -sW "$image" | awk -v text="$text" '$4 == "FUNC" && $7 == text' | wc -l)"
    check "no symbol name is given twice to different addresses" test -z "$(readelf -sW "$image" |
      awk '$4 == "FUNC" { print $8 }' | sort | uniq -d)"

    same "magic found by dlopen and dlsym" "b'PRECAST\\x00'" "$(dlopens "$image" 2>&1)"
  done
done
finish
