# What the proofs share: reporting, and where things are. Sourced, with the path of aotc in $aotc.
#
# A proof asks other people's tools (elfutils, binutils, LLVM, gdb, perf, qemu), which are no inputs of
# the build. So the proofs are `manual`, run outside the sandbox, and say what to install.

# shellcheck shell=bash
set -uo pipefail

guests=testdata/prebuilt # relative to the runfiles, where tests start
work="$(mktemp -d "${TEST_TMPDIR:-${TMPDIR:-/tmp}}/proof.XXXXXX")"
trap 'rm -rf -- "$work"' EXIT
failures=0
checks=0
about="" # what is being looked at, for messages

fail() {
  failures=$((failures + 1))
  echo "FAILED${about:+ [$about]}: $*"
}

# check MESSAGE COMMAND...: the command must succeed; its output is thrown away.
check() {
  local -r message="$1"
  shift
  checks=$((checks + 1))
  "$@" >/dev/null 2>&1 || fail "$message"
}

# same WHAT EXPECTED ACTUAL
same() {
  checks=$((checks + 1))
  [[ "$2" == "$3" ]] || fail "$1: expected '$2', actual '$3'"
}

# need TOOL PACKAGE, in pairs: ends the proof if one is missing.
need() {
  local missing=()
  while (($# > 0)); do
    command -v -- "$1" >/dev/null || missing+=("$2")
    shift 2
  done
  if ((${#missing[@]} > 0)); then
    echo "FAILED: cannot prove anything without these Debian packages: ${missing[*]}"
    echo "        (as root: apt-get install --no-install-recommends ${missing[*]})"
    exit 1
  fi
}

# The program file of guest NAME: testdata/wasm/….wasm for wasm/…, else a RISC-V program.
program() {
  if [[ $1 == wasm/* ]]; then echo "testdata/$1.wasm"; else echo "$guests/$1.elf"; fi
}

# Compiles guest NAME at level LEVEL to $work/NAME.OLEVEL.so, whose name is left in $image.
compile() {
  image="$work/${1#wasm/}.O$2.so"
  checks=$((checks + 1))
  "$aotc" compile -q "-O$2" "$(program "$1")" -o "$image" || fail "aotc compile -O$2 $1"
}

# The last line of a proof.
finish() {
  if ((failures > 0)); then
    echo "$failures of $checks checks failed"
    exit 1
  fi
  echo "all $checks checks passed"
}
