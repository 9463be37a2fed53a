#!/bin/bash
# Runs every case of guests/manifest.txt under qemu-riscv32, an independent machine, and records
# (or compares) standard output and the way the run ended.
#
#   testdata/run_qemu.sh [--check] [--quick] [NAME...]
#     --check   compare with guests/expected instead of writing it
#     --quick   leave out the cases tagged `slow`
#     NAME...   only these cases
#
# Whether the run ended as the manifest says is checked in both modes.
set -ufo pipefail
cd "$(dirname "$0")/guests"
CHECK= QUICK=
while [[ "${1:-}" == --* ]]; do
  case $1 in
    --check) CHECK=1 ;;
    --quick) QUICK=1 ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
  shift
done
only=" $* "
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
ulimit -c 0

trim() { sed 's/^ *//; s/ *$//' <<<"$1"; }

# What a trap looks like from outside qemu: 128 + the signal. qemu has no word of its own for a
# guest stack overflow or a jump out of code: both are its SIGSEGV.
status_of() {
  case $1 in
    exit:*) echo "${1#exit:}" ;;
    trap:illegal-instruction) echo 132 ;;
    trap:breakpoint) echo 133 ;;
    trap:memory-fault | trap:stack-overflow | trap:pc-not-executable) echo 139 ;;
    trap:misaligned-pc) echo misaligned ;;
    limit) echo 124 ;;
    *) echo "bad-expectation" ;;
  esac
}

passed=0 failed=0
while IFS='|' read -r name elf args input grant expect tags notes; do
  name=$(trim "$name")
  case $name in '' | '#'*) continue ;; esac
  elf=$(trim "$elf") args=$(trim "$args") input=$(trim "$input") grant=$(trim "$grant")
  expect=$(trim "$expect") tags=$(trim "$tags")
  [ "$only" != "  " ] && [[ "$only" != *" $name "* ]] && continue
  [ -n "$QUICK" ] && [[ " $tags " == *" slow "* ]] && continue
  [ "$args" = - ] && args=
  [ "$input" = - ] && input=/dev/null
  mkdir -p "$tmp/work"
  seconds=600
  [ "$expect" = limit ] && seconds=2
  # qemu sends what it says about a fatal signal to standard error.
  # shellcheck disable=SC2086  # arguments are separated by spaces (and set -f leaves * alone)
  env -i "$(command -v timeout)" -s KILL $seconds "$(command -v qemu-riscv32)" \
    -cpu rv32,c=false,a=false,f=false,d=false "../prebuilt/$elf" ${args//@tmp/$tmp\/work} <"$input" >"$tmp/stdout" 2>"$tmp/stderr"
  got=$?
  [ "$expect" = limit ] && [ $got = 137 ] && got=124
  # qemu's user mode has no signal for this one: it stops and names the exception (0).
  [ $got = 1 ] && grep -q "unhandled CPU exception 0 " "$tmp/stderr" && got=misaligned
  rm -rf "$tmp/work"
  want=$(status_of "$expect")
  if [ "$got" != "$want" ]; then
    echo "FAILED $name: ended with $got, manifest says $expect"
    head -c 300 "$tmp/stdout"
    failed=$((failed + 1))
    continue
  fi
  if [ -z "$CHECK" ]; then
    cp "$tmp/stdout" "expected/$name.stdout"
  elif ! cmp -s "$tmp/stdout" "expected/$name.stdout"; then
    echo "FAILED $name: standard output differs from expected/$name.stdout"
    failed=$((failed + 1))
    continue
  fi
  passed=$((passed + 1))
done 2>/dev/null <manifest.txt
echo "$passed passed, $failed failed"
[ $failed = 0 ]
