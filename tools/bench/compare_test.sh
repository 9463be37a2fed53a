#!/usr/bin/env bash
#
# compare with our own engines, the checked-in guests and a peer that is a shell command: outputs are compared, reports
# written, faults found, and nothing is left behind. Times are not looked at.
set -euo pipefail

readonly json_check=tools/json_check
work="$(mktemp -d "${TEST_TMPDIR:-/tmp}/compare_test.XXXXXX")"
readonly work

# No compiler and no other engine is seen, wherever this runs.
mkdir "${work}/bin"
for tool in echo false sh sleep true; do ln -s "$(type -P "${tool}")" "${work}/bin/${tool}"; done
compare() { PATH="${work}/bin" tools/bench/compare --work-dir="${work}/cache" "$@"; }

fail() {
  echo "FAIL: $*" >&2
  exit 1
}
has() { grep -qF -- "$2" "$1" || { cat "$1" >&2; fail "$1 lacks: $2"; }; }

# --- programs, ours alone -------------------------------------------------------------------------
compare --scale=100 --runs=1 --programs=fib,matmul \
  --engines='rv-O0,rv-O1,wasm-O1,wasm-O1-nometer,rv-interp' \
  --json="${work}/r.json" --html="${work}/r.html" >"${work}/out" 2>"${work}/err" || {
  cat "${work}/out" "${work}/err" >&2
  fail "exit code $?"
}
for text in '## Engines' 'rv-O0' 'wasm-O1-nometer' 'rv-interp' 'matmul' 'Machine:'; do
  has "${work}/out" "${text}"
done
grep -q -e WRONG -e FAILED -e FAULT "${work}/out" && fail "a fault"
[[ ! -s ${work}/err ]] || fail "messages: $(cat "${work}/err")"
"${json_check}" <"${work}/r.json" || fail "not JSON"
has "${work}/r.json" '"outcome": "ok"'
has "${work}/r.json" '"output": "fib='
has "${work}/r.html" '<svg'
grep -q '<script' "${work}/r.html" && fail "a script in the page"
compgen -G "${work}/cache/scratch*" >/dev/null && fail "scratch folder left behind"

# --- a wrong output, a program that fails, a peer that is not there ---------------------------------
cat >"${work}/peers" <<'PEERS'
right | wasm | - | sh -c "case $0 in *hello*) echo hello;; *) echo fib=000000000035c7e2;; esac" {guest}
wrong | wasm | - | sh -c "echo hello" {guest}
ends  | wasm | - | false {guest}
away  | wasm | no-such-compiler {guest} {out} | {out}
PEERS
code=0
compare --scale=100 --runs=1 --programs=fib --peers="${work}/peers" \
  --engines=wasm-O1,right,wrong,ends,away >"${work}/out" 2>"${work}/err" || code=$?
[[ ${code} == 1 ]] || fail "wrong output: exit code ${code}, expected 1"
has "${work}/out" 'fib (1/100), wrong: printed "hello'
has "${work}/out" 'fib (1/100), ends: exit code 1, expected 0'
has "${work}/out" 'not measured: away: no-such-compiler is not on PATH'
grep -q 'fib (1/100), right' "${work}/out" && fail "a right output taken for wrong"

# --- compile speed --------------------------------------------------------------------------------
compare --compile-speed --runs=1 --json="${work}/c.json" \
  testdata/bench/wasm/sort.wasm testdata/prebuilt/bench_sort.elf >"${work}/out" || fail "compile speed"
for text in 'sort.wasm' 'bench_sort.elf' 'hello.elf' 'first instruction'; do has "${work}/out" "${text}"; done
"${json_check}" <"${work}/c.json" || fail "not JSON"

# --- command lines --------------------------------------------------------------------------------
compare --help >"${work}/out" || fail "--help"
has "${work}/out" '--peers=FILE'
compare --list --engines='wasm-O*' >"${work}/out" || fail "--list"
has "${work}/out" 'wasm-O0'
for wrong in --clock=moon --programs=none --runs=9999 nothing.c README; do
  code=0
  compare "${wrong}" >"${work}/out" 2>&1 || code=$?
  [[ ${code} == 2 ]] || fail "${wrong}: exit code ${code}, expected 2"
done

# --- interrupted ----------------------------------------------------------------------------------
cat >"${work}/peers" <<'PEERS'
slow | wasm | - | sh -c "sleep 1000; echo hello" {guest}
PEERS
PATH="${work}/bin" tools/bench/compare --work-dir="${work}/cache" --peers="${work}/peers" --engines=slow \
  >"${work}/out" 2>&1 &
pid=$!
for ((i = 0; i < 100; ++i)); do
  compgen -G "${work}/cache/scratch*" >/dev/null && break
  sleep 0.1
done
sleep 0.5
kill -TERM "${pid}"
code=0
wait "${pid}" || code=$?
[[ ${code} == 143 ]] || fail "interrupted: exit code ${code}, expected 143"
has "${work}/out" 'interrupted'
compgen -G "${work}/cache/scratch*" >/dev/null && fail "scratch folder left behind after an interruption"
echo "PASS"
