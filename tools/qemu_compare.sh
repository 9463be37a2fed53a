#!/usr/bin/env bash
#
# Compares with qemu-riscv32 (Debian package qemu-user): for each bench guest the output, the exit
# code, and the time; and natively against interpreted the number of instructions.
#
#   bazel run --config=opt //tools:qemu_compare [-- [--small] [NAME...]]
#
# --small takes the hundredth of the work: for a quick look, the times say little then.
# Exit status: 0 if outputs, exit codes and counts are equal, and native is faster than qemu on each.

set -euo pipefail

runfiles="${RUNFILES_DIR:-$0.runfiles}/precast"
[[ -d ${runfiles} ]] || runfiles="${PWD}"
readonly runfiles
readonly aotc="${runfiles}/tools/aotc"
unset BUILD_WORKING_DIRECTORY

command -v qemu-riscv32 >/dev/null || {
  echo "qemu_compare: qemu-riscv32 is not on PATH; on Debian: apt-get install qemu-user" >&2
  exit 2
}

prefix="bench_"
names=()
for argument in "$@"; do
  case "${argument}" in
    --small) prefix="bench_small_" ;;
    -*)
      echo "usage: qemu_compare [--small] [NAME...]" >&2
      exit 2
      ;;
    *) names+=("${argument}") ;;
  esac
done
if ((${#names[@]} == 0)); then
  names=(callind fib i64mix lz mandel matmul nbody sha256 sieve sort vm)
fi

work="$(mktemp -d "${TMPDIR:-/tmp}/qemu_compare.XXXXXX")"
trap 'rm -rf -- "${work}"' EXIT

now() { date +%s%N; }
milliseconds() { echo $((($2 - $1) / 1000000)); }
field() { sed -nE "s/^ *\"$2\": ([0-9]+),?$/\1/p" "$1"; }

printf '%-10s %12s %10s %10s %10s %8s  %s\n' \
  guest instructions qemu/ms native/ms interp/ms speedup outcome
bad=0
for name in "${names[@]}"; do
  elf="${runfiles}/testdata/prebuilt/${prefix}${name}.elf"
  [[ -f ${elf} ]] || {
    echo "qemu_compare: no guest ${elf}" >&2
    exit 2
  }
  "${aotc}" compile -q "${elf}" -o "${work}/guest.so"
  qemu_exit=0 native_exit=0 interpreted_exit=0

  start=$(now)
  qemu-riscv32 "${elf}" >"${work}/qemu.out" </dev/null || qemu_exit=$?
  qemu_ms=$(milliseconds "${start}" "$(now)")
  start=$(now)
  "${aotc}" run "${work}/guest.so" --json --stats-file="${work}/native.json" \
    >"${work}/native.out" </dev/null || native_exit=$?
  native_ms=$(milliseconds "${start}" "$(now)")
  start=$(now)
  "${aotc}" run "${elf}" --interpret --json --stats-file="${work}/interpreted.json" \
    >"${work}/interpreted.out" </dev/null || interpreted_exit=$?
  interpreted_ms=$(milliseconds "${start}" "$(now)")

  outcome="equal"
  cmp -s "${work}/qemu.out" "${work}/native.out" || outcome="native output differs from qemu"
  cmp -s "${work}/qemu.out" "${work}/interpreted.out" ||
    outcome="interpreted output differs from qemu"
  [[ ${qemu_exit} == "${native_exit}" && ${qemu_exit} == "${interpreted_exit}" ]] ||
    outcome="exit codes: qemu ${qemu_exit}, native ${native_exit}, interpreted ${interpreted_exit}"
  count="$(field "${work}/native.json" instructions)"
  [[ ${count} == "$(field "${work}/interpreted.json" instructions)" ]] ||
    outcome="instruction counts differ"
  if [[ ${outcome} == equal ]] && ((native_ms >= qemu_ms)); then outcome="native is not faster"; fi
  [[ ${outcome} == equal ]] || bad=1
  printf '%-10s %12s %10d %10d %10d %7s×  %s\n' "${name}" "${count}" "${qemu_ms}" "${native_ms}" \
    "${interpreted_ms}" \
    "$(awk -v q="${qemu_ms}" -v n="${native_ms}" 'BEGIN { printf "%.2f", n > 0 ? q / n : 0 }')" \
    "${outcome}"
done
exit "${bad}"
