#!/usr/bin/env bash
#
# The command line of aotc with WebAssembly modules as users meet it: compile, run, inspect, disasm, check; calls,
# traps, fuel, imports, mistakes.

# shellcheck source=tools/cli_test_lib.sh
source tools/cli_test_lib.sh

cp -L "${root}"/testdata/wasm/*.wasm .
cp -L "${root}/testdata/prebuilt/hello.elf" riscv.elf

prints() { # LINE...
  checks=$((checks + 1))
  { (($# == 0)) || printf '%s\n' "$@"; } | cmp -s - out || fail "expected to print: $*"
}

# --- Compiling -----------------------------------------------------------------------------------
expect 0 compile arithmetic.wasm
has err "arithmetic.so: 16 functions"
[[ -s arithmetic.so ]] || fail "no arithmetic.so"
expect 0 compile arithmetic.wasm -o again.so -j1 --check
same arithmetic.so again.so
expect 0 compile arithmetic.wasm -O0 -o arithmetic0.so --json
is_json err
expect 0 compile arithmetic.wasm --no-meter --canonical-nans -o free.so
expect 0 compile arithmetic.wasm --emit=ir
has out "function"
expect 0 compile arithmetic.wasm --emit=asm
[[ -s arithmetic.s && -s arithmetic.ld ]] || fail "no assembly"
expect 0 compile arithmetic.wasm --emit=disasm
has out "divide"
expect 1 compile invalid.wasm
has err "invalid.wasm: "
expect 0 compile arithmetic.wasm --cpu=x86-64-v3 -o v3.so
expect 2 compile arithmetic.wasm --cpu=z80
has err "x86-64-v2, x86-64-v3"
expect 1 compile arithmetic.wasm --fast-helpers
has err "fast helpers are for RISC-V programs"
expect 120 run arithmetic.wasm --fast-helpers --interpret
expect 2 compile arithmetic.wasm --profile=
has err "expected a value"
expect 0 compile riscv.elf --no-meter --cpu=native -o x.so
expect 0 run x.so --stats
has err "not counted"
expect 120 run x.so --max-insns=5
has err "no-meter"
head -c 40 arithmetic.wasm >cut.wasm
expect 1 compile cut.wasm

# --- Looking at modules and images ---------------------------------------------------------------
for file in arithmetic.wasm arithmetic.so; do
  expect 0 inspect "${file}"
  has out "1..4 pages"
  has out "function (i32, f64) -> (f64, i32)"
  expect 0 inspect "${file}" --json
  is_json out
  has out '"factorial"'
done
expect 0 inspect arithmetic.so
has out "wasm, metered, memory-initialized"
has out "sse4.2"
has out "content digest     right"
has out "  factorial"
expect 0 inspect free.so
has out "wasm, canonical-nans, memory-initialized"
expect 0 inspect uses_library.wasm
has out "library.twice"
expect 0 disasm arithmetic.so --function=divide
has out "call 9"
lacks out "i32.div_s"
expect 0 disasm arithmetic.so --function='divide[9]'
has out "i32.div_s"
has out "trap integer divide by zero at"
expect 0 disasm arithmetic.so --guest-only --function=factorial
has out "(no locals)"
has out "i64.mul"
expect 0 check arithmetic.so
expect 0 check arithmetic.so --program=arithmetic.wasm
expect 1 check arithmetic.so --program=hello.wasm
has out "program_guid"
expect 0 check arithmetic.wasm
has out "good"
expect 1 check invalid.wasm
head -c 9000 arithmetic.so >cut.so
expect 1 check cut.so
expect 120 run cut.so

# --- Calls, in every way to run ------------------------------------------------------------------
for how in "arithmetic.wasm" "arithmetic.wasm -O0" "arithmetic.wasm --interpret" \
  "arithmetic.wasm --no-meter" "arithmetic.so" "arithmetic0.so" "arithmetic.so --interpret" \
  "arithmetic.so --share-pages" "free.so"; do
  # shellcheck disable=SC2086
  set -- run ${how} --invoke
  expect 0 "$@" add 2 0x28
  prints 42
  expect 0 "$@" add -- -1 -1
  prints -2
  expect 0 "$@" factorial 20
  prints 2432902008176640000
  expect 0 "$@" half -- -inf
  prints -inf
  expect 0 "$@" root 2
  prints 1.4142135623730951
  expect 0 "$@" swap 7 nan
  prints nan 7
  expect 0 "$@" splat 1
  prints 0x00000001000000010000000100000001
  expect 0 "$@" same 17
  prints 17
  expect 0 "$@" count
  prints
  expect 0 "$@" byte 16
  prints 115
  expect 0 "$@" apply 0 20 22
  prints 42
  expect 121 "$@" apply 1 20 22
  has err "trap: indirect call type mismatch"
  expect 121 "$@" apply 2 20 22
  has err "trap: undefined element"
  expect 121 "$@" divide 1 0
  has err "trap: integer divide by zero in"
  has err " at offset 0x"
  expect 121 "$@" byte 65536
  has err "trap: out of bounds memory access"
  expect 121 "$@" unreachable
  has err "trap: unreachable"
  expect 121 "$@" deep
  has err "trap: call stack exhausted"
done

expect 0 run reactor.wasm --invoke ready
prints 1
expect 0 run reactor.wasm --invoke _initialize

# --- Mistakes in calls -----------------------------------------------------------------------------
expect 120 run arithmetic.wasm
has err "no function _start"
has err "--invoke NAME"
has err "swap (i32, f64) -> (f64, i32)"
expect 120 run arithmetic.wasm --invoke ad 1 2
has err 'did you mean "add"?'
expect 120 run arithmetic.wasm --invoke add 1
has err "expected 2 arguments, found 1"
expect 120 run arithmetic.wasm --invoke add 1 x
has err 'argument 2 of add: expected an i32'
expect 120 run invalid.wasm
expect 121 run start_traps.wasm --invoke never
has err "unreachable"
expect 2 run arithmetic.wasm --max-insns=5 --invoke count
has err "--fuel"
expect 2 run riscv.elf --fuel=5
has err "--max-insns"
expect 2 trace arithmetic.wasm
has err "RISC-V"
expect 120 run arithmetic.so --program=hello.wasm --invoke count

# --- Fuel ------------------------------------------------------------------------------------------
for how in arithmetic.wasm arithmetic.so arithmetic0.so "arithmetic.so --interpret"; do
  # shellcheck disable=SC2086
  set -- run ${how} --invoke
  expect 0 "$@" spin 1000 --json
  is_json err
  has err '"fuel": 6001'
  has err '"value": "0"'
  expect 0 "$@" spin 1000 --fuel=6001
  prints 0
  expect 122 "$@" spin 1000 --fuel=6000
  has err "all fuel consumed in"
  expect 122 "$@" forever --fuel=1M
  has err "of 1,000,000 used"
  expect 122 "$@" deep --fuel=100
done
expect 120 run free.so --fuel=10 --invoke count
has err "--no-meter"
expect 0 run free.so --stats --invoke count
has err "not counted"
expect 0 run arithmetic.so --stats --invoke spin 10
has err "61 instructions"

# --- Initial memory --------------------------------------------------------------------------------
expect 0 compile data.wasm
for how in data.so "data.so --share-pages" "data.so --interpret" "data.wasm --interpret"; do
  # shellcheck disable=SC2086
  set -- run ${how} --invoke
  expect 0 "$@" byte 4090
  prints 48
  expect 0 "$@" byte 4094
  prints 97
  expect 0 "$@" byte 4096
  prints 54
  expect 0 "$@" byte 200000
  prints 0
  expect 0 "$@" byte 3145727
  prints 122
  expect 121 "$@" byte 3145728
  expect 0 "$@" other 5
  prints 111
done

expect 0 compile large_data.wasm
for how in large_data.so "large_data.so --share-pages" "large_data.so --interpret" large_data.wasm; do
  # shellcheck disable=SC2086
  set -- run ${how} --invoke
  expect 0 "$@" byte 135173 # of "page 33"
  prints 51
  expect 0 "$@" byte 139264
  prints 0
  expect 0 "$@" set 135173 7
  prints 7
done

# --- Modules that import others ------------------------------------------------------------------
expect 120 run uses_library.wasm --invoke four_times 3
has err "library.twice: function (i32) -> i32"
has err "--import library=FILE"
expect 0 compile library.wasm
expect 0 compile uses_library.wasm --import library=library.wasm
for library in library.wasm library.so; do
  expect 0 compile uses_library.wasm -o other.so --import "library=${library}"
  same other.so uses_library.so
  for how in uses_library.wasm uses_library.so "uses_library.so --interpret"; do
    # shellcheck disable=SC2086
    set -- run ${how} --import "library=${library}" --invoke
    expect 0 "$@" four_times 3
    prints 12
    expect 0 "$@" also_twice 4
    prints 8
    expect 0 "$@" calls
    prints 1
    expect 0 "$@" star
    prints 42
  done
done
expect 0 inspect uses_library.so
has out "as library"
expect 120 run uses_library.so --invoke four_times 3
has err "give it with --import library=FILE"
expect 120 run uses_library.so --import library=library2.wasm --invoke four_times 3
has err "expected program"
has err "actual"
expect 0 run uses_library.wasm --import library=library2.wasm --invoke four_times 3
prints 27
expect 120 run uses_library.so --import library=riscv.elf --invoke four_times 3
expect 1 compile uses_library.wasm --import libary=library.wasm -o x.so
has err 'it imports from: library'
expect 2 compile uses_library.wasm --import library -o x.so

# --- WASI --------------------------------------------------------------------------------------------
expect 0 compile hello.wasm
for how in hello.wasm hello.so "hello.so --interpret"; do
  # shellcheck disable=SC2086
  expect 0 run ${how}
  prints "hello, world"
  # shellcheck disable=SC2086
  expect 3 run ${how} -- a -b c
done
expect 120 run hello.wasm --dir=not_there

finish
