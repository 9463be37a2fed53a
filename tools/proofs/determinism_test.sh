#!/bin/bash
# Compiles twice under everything that must not matter: number of threads, directory, name of the file,
# environment, time zone, umask, address layout. The bytes must be equal.
#
#   bazel test //tools/proofs:determinism_test
aotc="$(readlink -f "$1")"
source tools/proofs/lib.sh
here="$PWD"

for guest in hello big100k cplusplus switches_stripped funcptr_high bench_small_vm \
  wasm/arithmetic; do
  for level in 0 1 2; do
    for emit in so asm ir; do
      about="$guest -O$level --emit=$emit"
      first="$work/first.$emit" dir="$work/another directory/ünïcode"
      checks=$((checks + 2))
      "$aotc" compile -q -j1 "-O$level" --emit=$emit "$(program "$guest")" -o "$first" || fail "one thread"
      mkdir -p "$dir"
      cp "$here/$(program "$guest")" "$dir/renamed program"
      (
        cd "$dir" && umask 077 && env -i HOME=/nowhere LANG=tr_TR.UTF-8 LC_ALL=C.UTF-8 TZ=Asia/Kathmandu \
          SOURCE_DATE_EPOCH=1 TERM=xterm PADDING="$(printf '%4000s' x)" MALLOC_PERTURB_=77 \
          "$aotc" compile -q -j7 "-O$level" --emit=$emit "renamed program" -o "second.$emit"
      ) || fail "seven threads, elsewhere"
      check "bytes differ" cmp "$first" "$dir/second.$emit"
      [[ $emit != asm ]] || check "linker scripts differ" cmp "$work/first.asm.ld" "$dir/second.asm.ld"
    done
  done
done

# The order in which threads finish depends on the load: try some more times.
about="big100k -O1, again and again"
"$aotc" compile -q -j1 "$guests/big100k.elf" -o "$work/one.so"
for threads in 2 3 4 16 64; do
  "$aotc" compile -q -j$threads "$guests/big100k.elf" -o "$work/many.so"
  check "-j$threads differs from -j1" cmp "$work/one.so" "$work/many.so"
done
finish
