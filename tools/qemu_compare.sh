#!/usr/bin/env bash
#
# Compares with qemu-riscv32 (Debian package qemu-user): for each bench guest the output, the exit
# code, and the time; and natively against interpreted the number of instructions.
#
#   bazel run --config=opt //tools:qemu_compare [-- [--small] [--runs=N] [--no-interpreter] [NAME...]]
#
#   --small           the hundredth of the work: for a quick look, the times say little then
#   --runs=N          times are medians of N runs (default 3), taken in turn: A B C A B C A B C
#   --no-interpreter  leave the interpreter out, which takes most of the time (and with it the
#                     comparison of counts)
#
# Prints a table in Markdown. Times are seconds of processor time of the whole process (loading and, for
# qemu, translating included; compiling the image is not), because wall clocks of shared machines lie.
# Exit status: 0 if outputs, exit codes and counts are equal, and native is faster than qemu on each.

set -euo pipefail

runfiles="${RUNFILES_DIR:-$0.runfiles}/precast"
[[ -d ${runfiles} ]] || runfiles="${PWD}"
readonly runfiles
aotc="${AOTC:-${runfiles}/tools/aotc}"
readonly aotc
unset BUILD_WORKING_DIRECTORY

command -v qemu-riscv32 >/dev/null || {
  echo "qemu_compare: qemu-riscv32 is not on PATH; on Debian: apt-get install qemu-user" >&2
  exit 2
}

prefix="bench_"
runs=3
interpreter=1
names=()
for argument in "$@"; do
  case "${argument}" in
    --small) prefix="bench_small_" ;;
    --runs=[1-9]*) runs="${argument#--runs=}" ;;
    --no-interpreter) interpreter=0 ;;
    -*)
      echo "usage: qemu_compare [--small] [--runs=N] [--no-interpreter] [NAME...]" >&2
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

field() { sed -nE "s/^ *\"$2\": ([0-9]+),?$/\1/p" "$1"; }

# measure NAME COMMAND...: appends the processor time to times.NAME, keeps output and exit code.
measure() {
  local -r name="$1"
  shift
  local code=0
  local TIMEFORMAT='%3U %3S'
  { time "$@" >"${work}/${name}.out" 2>"${work}/${name}.err" </dev/null; } 2>"${work}/time" || code=$?
  echo "${code}" >"${work}/${name}.exit"
  awk '{ printf "%.3f\n", $1 + $2 }' "${work}/time" >>"${work}/times.${name}"
}
median() { sort -n "${work}/times.$1" | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'; }

echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort | uniq -c | sed 's/^ *\([0-9]*\)/\1 ×/');" \
  "load $(cut -d' ' -f1 /proc/loadavg) at the start; $(qemu-riscv32 --version | head -n 1);" \
  "medians of ${runs}, seconds of processor time"
echo
echo "| guest | instructions | native -O1 | native -O0 | qemu | interpreter | qemu / -O1 | -O1 instructions per ns | |"
echo "|---|--:|--:|--:|--:|--:|--:|--:|---|"
bad=0
for name in "${names[@]}"; do
  elf="${runfiles}/testdata/prebuilt/${prefix}${name}.elf"
  [[ -f ${elf} ]] || {
    echo "qemu_compare: no guest ${elf}" >&2
    exit 2
  }
  rm -f "${work}"/times.*
  "${aotc}" compile -q -O1 "${elf}" -o "${work}/o1.so"
  "${aotc}" compile -q -O0 "${elf}" -o "${work}/o0.so"
  for ((run = 0; run < runs; ++run)); do
    measure o1 "${aotc}" run "${work}/o1.so" --json --stats-file="${work}/o1.json"
    measure qemu qemu-riscv32 "${elf}"
    measure o0 "${aotc}" run "${work}/o0.so" --json --stats-file="${work}/o0.json"
  done
  if ((interpreter)); then
    measure interpreter "${aotc}" run "${elf}" --interpret --json --stats-file="${work}/interpreter.json"
  fi

  outcome="equal"
  count="$(field "${work}/o1.json" instructions)"
  for other in o0 interpreter; do
    [[ -f ${work}/times.${other} ]] || continue
    cmp -s "${work}/qemu.out" "${work}/${other}.out" || outcome="${other}: output differs from qemu"
    cmp -s "${work}/qemu.exit" "${work}/${other}.exit" || outcome="${other}: exit code differs from qemu"
    [[ ${count} == "$(field "${work}/${other}.json" instructions)" ]] ||
      outcome="${other}: number of instructions differs from -O1"
  done
  cmp -s "${work}/qemu.out" "${work}/o1.out" || outcome="o1: output differs from qemu"
  cmp -s "${work}/qemu.exit" "${work}/o1.exit" || outcome="o1: exit code differs from qemu"
  native="$(median o1)" qemu="$(median qemu)"
  if [[ ${outcome} == equal ]] && awk "BEGIN { exit !(${native} >= ${qemu}) }"; then
    outcome="native is not faster"
  fi
  [[ ${outcome} == equal ]] || bad=1
  printf '| %s | %s | %.2f | %.2f | %.2f | %s | %s | %s | %s |\n' "${name}" \
    "$(sed ':a; s/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/; ta' <<<"${count}")" \
    "${native}" "$(median o0)" "${qemu}" \
    "$([[ -f ${work}/times.interpreter ]] && printf %.2f "$(median interpreter)" || echo –)" \
    "$(awk "BEGIN { if (${native} > 0) printf \"%.2f×\", ${qemu} / ${native}; else print \"–\" }")" \
    "$(awk "BEGIN { if (${native} > 0) printf \"%.2f\", ${count} / ${native} / 1e9; else print \"–\" }")" \
    "${outcome}"
done
exit "${bad}"
