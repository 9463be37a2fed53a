#!/usr/bin/env bash
#
# The main job on a real guest: compiles a Lisp interpreter (a C program, built for RISC-V) to an
# image, shows what is in it, runs it natively and interpreted, and compares.
#
#   bazel run //tools:demo

set -euo pipefail

# Found through the runfiles, whether started by Bazel or by hand.
runfiles="${RUNFILES_DIR:-$0.runfiles}/precast"
[[ -d ${runfiles} ]] || runfiles="${PWD}"
readonly runfiles
readonly aotc="${runfiles}/tools/aotc"
readonly guest="${runfiles}/testdata/prebuilt/lisp.elf"
readonly input="${runfiles}/testdata/guests/input/sample.lisp"
readonly expected="${runfiles}/testdata/guests/expected/lisp.stdout"
readonly expected_exit=4 # the guest's exit code counts the errors in its input

# All names are absolute: nothing depends on where the user stands.
unset BUILD_WORKING_DIRECTORY

work="$(mktemp -d "${TMPDIR:-/tmp}/precast_demo.XXXXXX")"
readonly work
trap 'rm -rf -- "${work}"' EXIT

bold="" reset=""
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  bold=$'\033[1m' reset=$'\033[0m'
fi
step() { printf '\n%s%s%s\n' "${bold}" "$1" "${reset}"; }
show() { printf '  $ %s\n' "$*"; }

fail() {
  printf '\nFAILED: %s\n' "$1" >&2
  exit 1
}

run() { # NAME FLAGS...: runs the image, keeps output and exit code
  local -r name="$1"
  shift
  local code=0
  show aotc run lisp.so "$@" --stats '< sample.lisp'
  "${aotc}" run "${work}/lisp.so" "$@" --stats --stats-file="${work}/${name}.stats" \
    <"${input}" >"${work}/${name}.out" || code=$?
  sed 's/^/  /' "${work}/${name}.stats"
  ((code == expected_exit)) || fail "${name}: exit code ${code}, expected ${expected_exit}"
}

step "1. A RISC-V program becomes an x86-64 image."
show aotc compile lisp.elf -o lisp.so
"${aotc}" compile "${guest}" -o "${work}/lisp.so" 2>&1 | sed "s#${work}/##; s/^/    /"

step "2. What is in the image."
show aotc inspect lisp.so
"${aotc}" inspect "${work}/lisp.so" | sed -n '1,/^Segments/p' | sed '$d; s/^/    /'

step "3. Natively."
run native
step "4. Interpreted: the same result, the same number of instructions."
run interpreted --interpret

cmp -s "${work}/native.out" "${work}/interpreted.out" || fail "native and interpreted output differ"
cmp -s "${work}/native.out" "${expected}" || fail "the output is not what qemu-riscv32 printed"
count() { sed -nE 's/^ *instructions +([0-9,]+) .*/\1/p' "${work}/$1.stats"; }
[[ $(count native) == "$(count interpreted)" ]] || fail "the instruction counts differ"

step "The guest printed, both times, and under qemu-riscv32 when it was recorded:"
head -n 5 "${work}/native.out" | sed 's/^/    /'
printf '    ... (%d lines)\n' "$(wc -l <"${work}/native.out")"
printf '\nOK: same output, same exit code, same %s instructions.\n' "$(count native)"
