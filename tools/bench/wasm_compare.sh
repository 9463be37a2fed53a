#!/usr/bin/env bash
#
# How fast the bench programs run, built for wasm32-wasi: by us, by V8 (Node), by wasm2c with gcc, and natively.
#
#   bazel run --config=opt //tools/bench:wasm_compare [-- [--small] [--runs=N] [--no-interpreter] [--json] [NAME...]]
#
#   --small           the hundredth of the work: for a quick look, the times say little then
#   --runs=N          times are medians of N runs (default 3), taken in turn: A B C A B C A B C
#   --no-interpreter  leave the interpreter out
#   --json            the same as JSON, in seconds
#
# Times are seconds of processor time. Of native code, wasm2c and our images it is that of the whole process (loading
# included, compiling not); of Node it is taken inside, around the run, with the optimizing compiler only
# (--no-liftoff) and done before. The interpreter runs the small programs, whatever the others run.
# Exit status: 0 if every output is the native one.

set -euo pipefail

runfiles="${RUNFILES_DIR:-$0.runfiles}/precast"
[[ -d ${runfiles} ]] || runfiles="${PWD}"
readonly runfiles
aotc="${AOTC:-${runfiles}/tools/aotc}"
readonly aotc
unset BUILD_WORKING_DIRECTORY

missing=()
for pair in gcc:gcc wasm2c:wabt node:nodejs; do
  command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
done
readonly wasm2c_runtime=/usr/share/wabt/wasm2c
[[ -f ${wasm2c_runtime}/wasm-rt-impl.c ]] || missing+=(wabt)
if ((${#missing[@]} > 0)); then
  echo "wasm_compare: these Debian packages are missing: ${missing[*]} (nodejs of version 20 or later)" >&2
  exit 2
fi

prefix="" scale=()
runs=3
interpreter=1
json=0
names=()
for argument in "$@"; do
  case "${argument}" in
    --small)
      prefix="small_"
      scale=(-DTEST_SCALE=100)
      ;;
    --runs=[1-9]*) runs="${argument#--runs=}" ;;
    --no-interpreter) interpreter=0 ;;
    --json) json=1 ;;
    -*)
      echo "usage: wasm_compare [--small] [--runs=N] [--no-interpreter] [--json] [NAME...]" >&2
      exit 2
      ;;
    *) names+=("${argument}") ;;
  esac
done
if ((${#names[@]} == 0)); then
  names=(callind fib i64mix lz mandel matmul nbody sha256 sieve sort vm)
fi

work="$(mktemp -d "${TMPDIR:-/tmp}/wasm_compare.XXXXXX")"
trap 'rm -rf -- "${work}"' EXIT

# measure NAME COMMAND...: appends the processor time to times.NAME, keeps output and exit code.
measure() {
  local -r name="$1"
  shift
  local code=0
  local TIMEFORMAT='%3U %3S'
  { time "$@" >"${work}/${name}.out" 2>"${work}/${name}.err" </dev/null; } 2>"${work}/time" || code=$?
  echo "exit code ${code}" >>"${work}/${name}.out"
  awk '{ printf "%.3f\n", $1 + $2 }' "${work}/time" >>"${work}/times.${name}"
}
measure_node() { # time taken inside
  rm -f "${work}/node_ms"
  measure node node --no-warnings --no-liftoff --no-wasm-lazy-compilation "${runfiles}/tools/bench/wasm_node.mjs" \
    "${wasm}" "${work}/node_ms"
  sed -i '$d' "${work}/times.node"
  awk '{ printf "%.3f\n", $1 / 1000 }' "${work}/node_ms" >>"${work}/times.node" || echo 0 >>"${work}/times.node"
}
median() { sort -n "${work}/times.$1" | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }'; }

readonly engines=(native wasm2c node o1 unmetered o0)
state="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort | uniq -c | sed 's/^ *\([0-9]*\)/\1 ×/')"
state+="; load $(cut -d' ' -f1 /proc/loadavg) at the start; $(gcc --version | head -n 1) -O2; node $(node --version), V8"
state+=" $(node -p process.versions.v8); wabt $(wasm2c --version); medians of ${runs}, seconds of processor time"
if ((!json)); then
  echo "${state}"
  echo
  echo "| program | native gcc | wasm2c, gcc | Node (V8) | -O1 | -O1 --no-meter | -O0 | interpreter (small) |" \
    "-O1 / native | no meter / native | no meter / V8 | no meter / wasm2c | |"
  echo "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|"
fi
bad=0
for name in "${names[@]}"; do
  wasm="${runfiles}/testdata/bench/wasm/${prefix}${name}.wasm"
  source="${runfiles}/testdata/bench/${name}.c"
  [[ -f ${wasm} && -f ${source} ]] || {
    echo "wasm_compare: no program ${wasm}" >&2
    exit 2
  }
  rm -f "${work}"/times.*
  gcc -O2 -w "${scale[@]}" -o "${work}/native" "${source}" -lm
  wasm2c -n bench "${wasm}" -o "${work}/bench.c"
  gcc -O2 -w "-I${work}" "-I${wasm2c_runtime}" -o "${work}/wasm2c" "${work}/bench.c" \
    "${runfiles}/tools/bench/wasm2c_host.c" "${wasm2c_runtime}/wasm-rt-impl.c" -lm
  "${aotc}" compile -q -O1 "${wasm}" -o "${work}/o1.so"
  "${aotc}" compile -q -O1 --no-meter "${wasm}" -o "${work}/unmetered.so"
  "${aotc}" compile -q -O0 "${wasm}" -o "${work}/o0.so"
  for ((run = 0; run < runs; ++run)); do
    measure native "${work}/native"
    measure o1 "${aotc}" run "${work}/o1.so"
    measure wasm2c "${work}/wasm2c"
    measure unmetered "${aotc}" run "${work}/unmetered.so"
    measure_node
    measure o0 "${aotc}" run "${work}/o0.so"
  done
  outcome="equal"
  for engine in "${engines[@]}"; do
    cmp -s "${work}/native.out" "${work}/${engine}.out" || outcome="${engine}: output differs from native"
  done
  if ((interpreter)); then
    gcc -O2 -w -DTEST_SCALE=100 -o "${work}/native_small" "${source}" -lm
    measure native_small "${work}/native_small"
    measure interpreter "${aotc}" run --interpret "${wasm%/*}/small_${name}.wasm"
    cmp -s "${work}/native_small.out" "${work}/interpreter.out" || outcome="interpreter: output differs from native"
  fi
  [[ ${outcome} == equal ]] || bad=1
  times=()
  for engine in "${engines[@]}" interpreter; do
    if [[ -f ${work}/times.${engine} ]]; then times+=("$(median "${engine}")"); else times+=(-); fi
  done
  printf '%s %s\t%s\n' "${name}" "${times[*]}" "${outcome}" >>"${work}/rows"
  ((json)) || tail -n 1 "${work}/rows" | awk -F '\t' '{
    split($1, t, " ")
    printf "| %s |", t[1]
    for (i = 2; i <= 8; i++) printf " %s |", t[i] == "-" ? "–" : sprintf("%.2f", t[i])
    printf " %s | %s | %s | %s | %s |\n", ratio(t[5], t[2]), ratio(t[6], t[2]), ratio(t[6], t[4]), ratio(t[6], t[3]), $2
  }
  function ratio(a, b) { return b > 0 ? sprintf("%.2f", a / b) : "–" }'
done

if ((json)); then
  awk -F '\t' -v state="${state}" 'BEGIN {
    gsub(/"/, "\\\"", state)
    printf "{\n  \"state\": \"%s\",\n  \"programs\": {", state
    split("native wasm2c node o1 o1_no_meter o0 interpreter_small", key, " ")
  }
  {
    split($1, t, " ")
    printf "%s\n    \"%s\": {\"outcome\": \"%s\"", NR > 1 ? "," : "", t[1], $2
    for (i = 2; i <= 8; i++) if (t[i] != "-") printf ", \"%s\": %s", key[i - 1], t[i]
    printf "}"
  }
  END { print "\n  }\n}" }' "${work}/rows"
else
  awk -F '\t' '{
    split($1, t, " ")
    if (t[2] <= 0 || t[3] <= 0 || t[4] <= 0 || t[5] <= 0 || t[6] <= 0) next
    n++
    for (i = 3; i <= 7; i++) native[i] += log(t[i] / t[2])
    v8 += log(t[6] / t[4]); wasm2c += log(t[6] / t[3])
  }
  END {
    if (n == 0) exit
    printf "| geometric mean, native = 1 | 1 |"
    for (i = 3; i <= 7; i++) printf " %.2f |", exp(native[i] / n)
    printf " | %.2f | %.2f | %.2f | %.2f | |\n", exp(native[5] / n), exp(native[6] / n), exp(v8 / n), exp(wasm2c / n)
  }' "${work}/rows"
fi
exit "${bad}"
