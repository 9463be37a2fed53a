#!/bin/bash
# `aotc compile --emit=asm` through GNU as and ld must give an image equivalent to the one we write
# ourselves: the second writer proves the first. And what ld made must run in our own runtime.
#
#   bazel test //tools/proofs:emit_asm_test
#
# Two things ld cannot do, and without them our loader rightly refuses the file; finish_ld_image.py adds
# them: the program header PT_GNU_RELRO (ld makes none where a script pins addresses), and the content
# digest (it covers the whole file, and ld lays out symbol and string tables in its own way).
aotc="$1" compare_images="$2"
source tools/proofs/lib.sh
need as binutils ld binutils python3 python3

for guest in hello bench_small_fib switches_stripped funcptr_high cplusplus bytecode big100k wasm/arithmetic wasm/data \
  wasm/hello; do
  for level in 0 1 2; do
    about="$guest -O$level"
    compile "$guest" "$level"
    checks=$((checks + 1))
    # The command that aotc prints is the one to use: take it from there.
    commands="$("$aotc" compile --emit=asm "-O$level" "$(program "$guest")" -o "$work/asm.s" 2>&1)" ||
      fail "compile --emit=asm: $commands"
    commands="$(sed -n 's/^ *\(as .*\)/\1/p' <<<"$commands")"
    checks=$((checks + 1))
    said="$(eval "$commands" 2>&1)" || fail "$commands: $said"
    same "what as and ld say" "" "$said"
    check "images differ: $("$compare_images" "$image" "$work/asm.so" | head -n 5)" \
      "$compare_images" "$image" "$work/asm.so"

    # As ld left it, it must be refused for these two reasons and no other; the second only if code refers to slots.
    wrong="content_digest got"
    if readelf -SW "$image" | grep -qE ' \.got +PROGBITS +[0-9a-f]+ [0-9a-f]+ 0+ '; then
      wrong="content_digest"
    fi
    same "what aotc check finds wrong before" "$wrong" \
      "$("$aotc" check "$work/asm.so" 2>&1 | sed -nE 's/.*damaged: ([a-z_]+).*/\1/p' | sort -u | xargs)"
    check "finish_ld_image.py" python3 tools/proofs/finish_ld_image.py "$work/asm.so"
    check "refused: $("$aotc" check "$work/asm.so" 2>&1 | head -n 5)" "$aotc" check "$work/asm.so"
    call=()
    [[ $guest != wasm/arithmetic ]] || call=(--invoke factorial 20)
    [[ $guest != wasm/data ]] || call=(--invoke byte 4094)
    ours="$("$aotc" run "$image" --json --stats-file="$work/ours.json" "${call[@]}" </dev/null 2>&1)"
    our_exit=$?
    theirs="$("$aotc" run "$work/asm.so" --json --stats-file="$work/theirs.json" "${call[@]}" \
      </dev/null 2>&1)"
    their_exit=$?
    same "output" "$ours" "$theirs"
    same "exit code" "$our_exit" "$their_exit"
    same "counts" "$(grep -E 'instructions"|entries|host_calls|fuel' "$work/ours.json")" \
      "$(grep -E 'instructions"|entries|host_calls|fuel' "$work/theirs.json")"
    rm -f "$work"/asm*
  done
done
finish
