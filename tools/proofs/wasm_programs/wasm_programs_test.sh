#!/bin/bash
# WASI programs that nobody here wrote, compiled by aotc to image files and run from them: the same standard output,
# exit code and files as under Node's WASI. README.md lists them.
#
#   bazel test --config=opt --test_output=all //tools/proofs/wasm_programs:wasm_programs_test
#   ... --test_arg=lua --test_arg=sqlite3     only these
#
# They are compiled at -O2, or at the level LEVEL (--test_env=LEVEL=1).
# Archives and modules are kept in $WASM_PROGRAMS_CACHE (/tmp/precast_wasm_programs.UID); give it with --test_env.
aotc="$(readlink -f "$1")"
shift
here="$PWD/tools/proofs/wasm_programs"
source tools/proofs/lib.sh
need clang clang wasm-ld lld node nodejs npm npm make make gcc gcc tclsh tcl xz xz-utils
if ! echo 'int main(void) { return 0; }' | clang --target=wasm32-wasi -x c - -o "$work/empty.wasm" 2>/dev/null; then
  echo "FAILED: clang cannot link for wasm32-wasi; on Debian 12: apt-get install wasi-libc libclang-rt-14-dev-wasm32"
  exit 1
fi
if (($(node -p 'process.versions.node.split(".")[0]') < 20)); then
  echo "FAILED: Node's WASI is that of version 20 or later; this is $(node --version)"
  exit 1
fi
cache="${WASM_PROGRAMS_CACHE:-/tmp/precast_wasm_programs.$UID}"
mkdir -p "$cache"
cache="$(readlink -f "$cache")"
source "$here/build.sh"

runner="$(readlink -f "$here/run_node.mjs")"
inputs="$(readlink -f "$here/inputs/program.lua")"
inputs="${inputs%/*}"
wanted=("$@")
level="-O${LEVEL:-2}"

cpu_ms() { awk 'END { printf "%.0f", ($1 + $2) * 1000 }' "$work/time"; }

# timed COMMAND...: processor time in $work/time; standard input and output are the caller's.
timed() {
  local TIMEFORMAT='%3U %3S' code=0
  { time "$@" 2>"$work/stderr"; } 2>"$work/time" || code=$?
  return "$code"
}

# step MODULE STDIN ARGUMENT...: runs it everywhere, in the directories that the program's steps share.
step() {
  local -r name="$1" stdin="$2"
  shift 2
  steps=$((steps + 1))
  local engine code
  for engine in node native interpreted; do
    [[ $engine == interpreted && ! $interpret ]] && continue
    local directory="$work/$program.$engine" code=0
    case "$engine" in
      node)
        WASM_TIMES="$work/node_time" timed node --no-warnings "$runner" "$cache/modules/$name.wasm" "$guest" "$directory" PROOF=yes \
          -- "$@" <"$stdin" >"$directory.out.$steps" || code=$?
        node_ms=$((node_ms + $(awk '{ printf "%.0f", $1 }' "$work/node_time")))
        ;;
      native)
        timed "$aotc" run "$work/$name.so" --dir="$directory::$guest" --env=PROOF=yes -- "$@" \
          <"$stdin" >"$directory.out.$steps" || code=$?
        native_ms=$((native_ms + $(cpu_ms)))
        ;;
      interpreted)
        timed "$aotc" run --interpret "$cache/modules/$name.wasm" --dir="$directory::$guest" \
          --env=PROOF=yes -- "$@" <"$stdin" >"$directory.out.$steps" || code=$?
        interpreted_ms=$((interpreted_ms + $(cpu_ms)))
        ;;
    esac
    echo "$code" >"$directory.code.$steps"
    cp "$work/stderr" "$directory.err.$steps"
  done
}

# program NAME MODULES FUNCTION: FUNCTION fills $files with files and runs steps.
# Interpreted too if $interpret is set.
program() {
  program="$1"
  local -r modules="$2" function="$3"
  if ((${#wanted[@]} > 0)) && [[ " ${wanted[*]} " != *" $program "* ]]; then return; fi
  about="$program"
  guest=/d steps=0 node_ms=0 native_ms=0 interpreted_ms=0
  local compile_ms=0 bytes=0 image_bytes=0 name code before="$failures"
  for name in $modules; do
    local message
    if ! message="$(module "$name")"; then
      fail "$message"
      return
    fi
    timed "$aotc" compile -q "$level" "$cache/modules/$name.wasm" -o "$work/$name.so" || {
      fail "aotc compile $name: $(head -n 3 "$work/stderr")"
      return
    }
    compile_ms=$((compile_ms + $(cpu_ms)))
    bytes=$((bytes + $(stat -Lc %s "$cache/modules/$name.wasm")))
    image_bytes=$((image_bytes + $(stat -c %s "$work/$name.so")))
  done
  files="$work/$program.files"
  mkdir -p "$files"
  "prepare_$function"
  local engine
  for engine in node native interpreted; do cp -r "$files" "$work/$program.$engine"; done
  "run_$function"

  local k
  for ((k = 1; k <= steps; ++k)); do
    same "step $k under Node: exit code: $(head -n 5 "$work/$program.node.err.$k")" "${expected_code:-0}" \
      "$(<"$work/$program.node.code.$k")"
  done
  local engines=(native)
  [[ $interpret ]] && engines+=(interpreted)
  for engine in "${engines[@]}"; do
    for ((k = 1; k <= steps; ++k)); do
      local errors="$work/$program.$engine.err.$k"
      same "$engine, step $k: exit code, beside Node's: $(head -n 5 "$errors")" "$(<"$work/$program.node.code.$k")" \
        "$(<"$work/$program.$engine.code.$k")"
      checks=$((checks + 1))
      cmp "$work/$program.node.out.$k" "$work/$program.$engine.out.$k" >"$work/difference" 2>&1 ||
        fail "$engine, step $k: other output than Node's: $(<"$work/difference") $(head -n 5 "$errors")"
    done
    checks=$((checks + 1))
    diff -rq "$work/$program.node" "$work/$program.$engine" >"$work/difference" ||
      fail "$engine: other files than Node's: $(head -n 5 "$work/difference")"
  done
  local outcome=equal
  ((failures == before)) || outcome=DIFFERENT
  printf '| %s | %s | %d | %d | %d | %.2f | %.2f | %s | %s |\n' "$program" "$(for name in $modules; do origin "$name"; done | sort -u)" \
    "$bytes" "$image_bytes" "$compile_ms" "$(awk "BEGIN { print $native_ms / 1000 }")" "$(awk "BEGIN { print $node_ms / 1000 }")" \
    "$([[ $interpret ]] && awk "BEGIN { printf \"%.2f\", $interpreted_ms / 1000 }" || echo –)" "$outcome" >>"$work/table"
}

none=/dev/null
# Something to compress: C, text of SIZE bytes.
text() { head -c "$1" "$(source_tree "${archives[duktape]}")/src/duktape.c"; }
text_for_compressor() {
  module duktape >/dev/null
  text 1000000 >"$files/text"
  text 60000 >"$files/short"
  head -c 300000 "$cache/modules/duktape.wasm" >"$files/binary"
}

prepare_bzip2() { text_for_compressor; }
run_bzip2() {
  step bzip2 "$none" -k -9 /d/text
  step bzip2 "$files/binary" -c
  step bzip2 "$none" -k /d/short
  step bzip2 "$none" -tv /d/short.bz2
  step bzip2 "$none" -dc /d/short.bz2
}
prepare_minigzip() { text_for_compressor; }
run_minigzip() {
  step minigzip "$files/text" -9
  step minigzip "$none" /d/text
  step minigzip "$none" -d /d/text.gz
  step minigzip "$none" /d/binary
}
prepare_lz4() { text_for_compressor; }
run_lz4() {
  step lz4 "$none" -q -9 /d/text /d/text.lz4
  step lz4 "$none" -q -1 -BD /d/binary /d/binary.lz4
  step lz4 "$none" -q -d /d/text.lz4 /d/text.again
  step lz4 "$none" -q -d /d/binary.lz4 /d/binary.again
}
prepare_brotli() { text_for_compressor; }
run_brotli() {
  step brotli "$none" -q 5 -o /d/text.br /d/text
  step brotli "$none" -q 9 -w 16 -o /d/binary.br /d/binary
  step brotli "$none" -d -c /d/text.br
  step brotli "$none" -t /d/binary.br
}
prepare_xz() { text_for_compressor; }
run_xz() {
  step xz "$files/binary" 1 # Node 20.20 aborts, without a word, from preset 6
  local engine
  for engine in node native interpreted; do cp "$work/xz.node.out.1" "$work/xz.$engine/binary.xz"; done
  step unxz "$none" /d/binary.xz
}
prepare_lua() { cp "$inputs/program.lua" "$files"; }
run_lua() {
  printf 'one line\n42.5 rest\nand more' >"$work/lua.in"
  step lua "$work/lua.in" /d/program.lua /d/out.txt
}
prepare_duktape() { cp "$inputs/program.js" "$files"; }
run_duktape() { step duktape "$none" /d/program.js; }
prepare_quickjs() { cp "$inputs"/{program,modern}.js "$files"; }
run_quickjs() {
  step quickjs "$none" /d/program.js
  step quickjs "$none" /d/modern.js a b c
}
prepare_sqlite3() { :; }
run_sqlite3() {
  step sqlite3 "$inputs/queries.sql" /d/test.db
  step sqlite3 "$none" /d/test.db .dump
  step sqlite3 "$none" /d/test.db "select count(*), sum(length(name)) from primes" .schema
}
prepare_mawk() {
  cp "$inputs/program.awk" "$files"
  text 1500000 >"$files/text"
}
run_mawk() { step mawk "$none" -v out=/d/top.txt -f /d/program.awk /d/text; }
prepare_dc() { cp "$inputs/program.dc" "$files"; }
run_dc() { step dc "$none" /d/program.dc; }
prepare_flite() { :; }
run_flite() {
  step flite "$none" -t "The quick brown fox jumps over the lazy dog." -o /d/fox.wav
  step flite "$none" -voice slt -t "One, two, three." -o /d/numbers.wav
}
prepare_yosys() { cp "$inputs/counter.v" "$files"; }
run_yosys() {
  guest=/
  step yosys "$none" -q -p "read_verilog /counter.v; hierarchy -top top; proc; flatten; opt; wreduce; alumacc; opt; simplemap; opt_clean; tee -o /stat.txt stat; write_rtlil /out.il; write_json /out.json"
}
# Written in Go.
prepare_esbuild() {
  cp "$inputs"/{program,modern}.js "$inputs/types.ts" "$files"
}
run_esbuild() {
  guest=/
  step esbuild "$none" --bundle --minify --target=es2015 /types.ts --outfile=/bundle.js --sourcemap
  step esbuild "$files/modern.js" --format=cjs --target=es2017
}
prepare_python() { cp "$inputs/program.py" "$files"; }
run_python() { step python "$none" /d/program.py; }
# The largest module: 75 MB.
prepare_clang() { cp "$inputs/program.c" "$files"; }
run_clang() {
  guest=/
  step clang "$none" -cc1 -triple wasm32-wasi -O2 -S -o /program.s /program.c
  step clang "$none" -cc1 -triple wasm32-wasi -O3 -target-feature +simd128 -emit-obj -o /program.o /program.c
}

interpret=yes
program bzip2 bzip2 bzip2
program minigzip minigzip minigzip
program lz4 lz4 lz4
program brotli brotli brotli
program xz "xz unxz" xz
expected_code=7 program lua lua lua
program duktape duktape duktape
program quickjs quickjs quickjs
program sqlite3 sqlite3 sqlite3
expected_code=3 program mawk mawk mawk
program dc dc dc
program flite flite flite
program esbuild esbuild esbuild
expected_code=9 program python python python
interpret=""
program yosys yosys yosys
program clang clang clang
about=""

echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), node $(node --version); seconds of processor time," \
  "Node's without its start and the module's first compilation"
echo
echo "| program | source | module bytes | image bytes | compile ms | $level s | Node s | interpreted s | |"
echo "|---|---|--:|--:|--:|--:|--:|--:|---|"
cat "$work/table"
finish
