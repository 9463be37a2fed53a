#!/bin/bash
# Suspends guests after exact counts of instructions and continues each time in a new process, turn by
# turn natively at -O1, interpreted, natively at -O0 and -O2: output, exit code and the count of instructions must
# be those of a run in one go.
#
#   bazel test //tools/proofs:suspend_test
#
# Every 997 instructions a process for a whole bench guest would be hundreds of thousands of processes,
# so only the first and the last hops are that short; //tools:guest_test suspends every 997 instructions
# within one process.
aotc="$1"
source tools/proofs/lib.sh

short_hops=100 # of 997 instructions each, at the start
long_hops=100  # evenly over the rest, of an odd size

count_of() { sed -nE 's/^ *"instructions_since_start": ([0-9]+),$/\1/p' "$1"; }
result_of() { sed -nE 's/^ *"result": "([a-z]+)",$/\1/p' "$1"; }

for elf in "$guests"/bench_small_*.elf "$guests"/{hello,longjmp,coroutines,malloc,cplusplus,bytecode}.elf; do
  guest="$(basename "$elf" .elf)"
  about="$guest"
  compile "$guest" 0
  compile "$guest" 2
  compile "$guest" 1
  "$aotc" run "$image" --json --stats-file="$work/whole.json" >"$work/whole.out" </dev/null
  whole_exit=$?
  total="$(count_of "$work/whole.json")"
  long=$(((total - short_hops * 997) / long_hops | 1))
  ((long > 997)) || long=997

  : >"$work/parts.out"
  hops=0 source=() result=suspended code=122
  while [[ $result == suspended ]]; do
    length=$long
    ((hops >= short_hops)) || length=997
    case $((hops % 5)) in
      0) with="$work/$guest.O1.so" how=() ;;
      2) with="$work/$guest.O2.so" how=() ;;
      1) with="$elf" how=(--interpret) ;;
      3) with="$work/$guest.O0.so" how=() ;;
      4) with="$work/$guest.O2.so" how=(--interpret) ;;
    esac
    # Interpreting is for short hops: tens of millions of instructions would take minutes.
    ((length < 3000000)) || how=()
    [[ $with != "$elf" || ${#how[@]} -gt 0 ]] || with="$work/$guest.O0.so"
    "$aotc" run "$with" "${how[@]}" "${source[@]}" --max-insns=$length --save-state="$work/state" \
      --json --stats-file="$work/part.json" >>"$work/parts.out" 2>"$work/errors" </dev/null
    code=$?
    result="$(result_of "$work/part.json")"
    hops=$((hops + 1))
    source=(--load-state="$work/state")
    if [[ $result == suspended ]]; then
      expected=$((hops <= short_hops ? hops * 997 : short_hops * 997 + (hops - short_hops) * long))
      actual="$(count_of "$work/part.json")"
      [[ $actual == "$expected" ]] || { fail "hop $hops: suspended after $actual, expected $expected"; break; }
      same "hop $hops: exit code of a suspended run" 122 "$code"
    fi
  done
  [[ $result == exited ]] || fail "hop $hops ended with '$result': $(head -n 3 "$work/errors")"
  same "exit code" "$whole_exit" "$code"
  same "count of instructions" "$total" "$(count_of "$work/part.json")"
  check "output differs" cmp "$work/whole.out" "$work/parts.out"
  printf '%-22s %12d instructions in %4d processes\n' "$guest" "$total" "$hops"
done
finish
