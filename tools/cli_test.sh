#!/usr/bin/env bash
#
# The command line of aotc as users meet it: help, mistakes, exit codes, files, JSON.

# shellcheck source=tools/cli_test_lib.sh
source tools/cli_test_lib.sh

readonly guests="${root}/testdata/prebuilt"

cp "${guests}"/{hello,args,recursion,fault_null_load,infinite_loop,files}.elf .

# --- Help and mistakes ---------------------------------------------------------------------------
expect 2
has err "Usage: aotc COMMAND"
expect 0 --help
has out "Usage: aotc COMMAND"
expect 0 --version
has out "image format"
for command in compile run resume inspect disasm check trace; do
  expect 0 "${command}" --help
  has out "Usage: aotc ${command}"
  expect 0 help "${command}"
  has out "Usage: aotc ${command}"
  expect 2 "${command}"
  has err "Try \"aotc ${command} --help\""
  expect 2 "${command}" --no-such-flag
  has err "unknown flag --no-such-flag"
done
expect 2 comiple hello.elf
has err 'did you mean "compile"?'
expect 2 frobnicate
has err 'no command "frobnicate"'
expect 2 compile hello.elf -O3
has err "expected 0, 1 or 2"
expect 2 compile hello.elf --emit=elf
has err "expected so, asm, ir or disasm"
expect 2 compile hello.elf args.elf
expect 2 run hello.elf --max-insns=many
has err "expected a number"
expect 2 run hello.elf --save-state=x
has err "--max-insns"
expect 2 run hello.elf --env=NONSENSE
has err "NAME=VALUE"
expect 2 disasm hello.so --guest-only --native-only

# --- Files that are not what they should be ------------------------------------------------------
echo "not a program" >text
: >empty
mkdir directory
for command in compile inspect disasm check; do
  expect 1 "${command}" nowhere.elf
  has err "cannot open nowhere.elf: No such file or directory"
  expect 1 "${command}" directory
  has err "is a directory"
done
for command in run trace; do
  expect 120 "${command}" nowhere.elf
  has err "cannot open nowhere.elf"
  expect 120 "${command}" text
  has err "not a guest program"
done
expect 1 compile text
has err "text: not a guest program"
expect 1 compile empty
expect 1 inspect hello.elf
has err "not an image"
expect 1 check hello.elf
expect 1 disasm "${aotc}"
has err "aot_file_info"

# --- Compile, check, inspect, run ----------------------------------------------------------------
expect 2 compile hello.elf -o ./hello.elf
has err "would overwrite the program"
expect 0 compile hello.elf
has err "guest instructions"
is_file hello.so
expect 0 compile -q hello.elf -o other.so -j 1
checks=$((checks + 1))
[[ ! -s err ]] || fail "compile -q is not quiet"
same hello.so other.so
expect 0 compile hello.elf -o - -q
same hello.so out
expect 0 compile hello.elf --json -o json.so
is_json err
expect 0 compile hello.elf -O0 -o hello0.so
expect 1 compile hello.elf -o no/such/directory/x.so
has err "cannot create no/such/directory/x.so"
expect 1 compile hello.elf -o directory
has err "it is a directory"
echo old >kept
expect 1 compile text -o kept
has kept old
checks=$((checks + 1))
[[ -z $(find . -name '*.??????' -newer hello.so -not -name '*.elf' -not -name '*.state') ]] ||
  fail "temporary files are left: $(ls)"

expect 0 compile hello.elf --emit=asm -o hello.s
is_file hello.s
is_file hello.ld
has err "ld -shared"
expect 0 compile hello.elf --emit=ir
has out "function \"main\""
expect 0 compile hello.elf --emit=disasm
cp out listing
expect 0 disasm hello.so
same out listing
expect 0 disasm hello.so --function=main
has out "main:"
has out "may fault at"
expect 0 disasm hello.so --function=main --guest-only
has out "addi sp, sp"
expect 1 disasm hello.so --function=mian
has err "did you mean main?"

expect 0 check hello.so --program=hello.elf
has out "good"
expect 1 check hello.so --program=args.elf
has out "program_guid"
has out "expected"
has out "actual"
expect 1 check hello.so --program=args.elf --json
is_json out
expect 0 check hello.so --json
is_json out
head -c 5000 hello.so >cut.so
expect 1 check cut.so
expect 1 inspect cut.so
expect 120 run cut.so

expect 0 inspect hello.so
has out "content digest     right"
cp out inspected
expect 0 inspect hello.so
same out inspected
expect 0 inspect hello.so --json
is_json out
has out '"content_digest_is_right": true'
# The sizes by category are those of the whole file, each byte counted once.
sum="$(sed -n '/"sizes": {/,/}/p' out | awk -F': ' '/": [0-9]/ { n += $NF } END { print n }')"
checks=$((checks + 1))
[[ ${sum} == "$(stat -c %s hello.so)" ]] || fail "sizes add up to ${sum}"
cp hello.so altered.so
printf 'X' | dd of=altered.so bs=1 seek="$(($(stat -c %s hello.so) - 200))" conv=notrunc status=none
expect 0 inspect altered.so
has out "WRONG"
expect 120 run altered.so
has err "digest"

expect 0 run hello.so
has out "hello, world 42"
cp out printed
expect 0 run hello0.so
same out printed
expect 0 run hello.elf
same out printed
expect 0 run hello.elf -O0
same out printed
expect 0 run hello.elf --interpret
same out printed
expect 0 run hello.so --lazy-plt
same out printed
expect 0 run hello.so --interpret
same out printed
expect 120 run hello.so --program=args.elf
has err "program_guid"
expect 0 run hello.so --program=hello.elf

# --- Exit codes, arguments, environment ----------------------------------------------------------
expect 42 run args.elf 42 x
expect 7 run args.elf -- 7 --flag
has out "--flag"
expect 121 run fault_null_load.elf
has err "trap: memory-fault at pc 0x"
has err "(_start+0x"
has err "address 0x00000000"
cp err trapped
expect 121 run fault_null_load.elf --interpret
same err trapped
expect 0 run args.elf --env=GUEST_GREETING=hello 0
has out "env GUEST_GREETING=hello"

# --- Limits and snapshots ------------------------------------------------------------------------
expect 122 run infinite_loop.elf --max-insns=1M
has err "after 1,000,000 instructions"
# The function that is named is the guest's, not the copy of it in which interrupted runs go on.
expect 0 compile -O2 "${guests}/bench_small_lz.elf" -o lz.so
expect 122 run lz.so --max-insns=1001
has err "suspended at pc 0x00010604 (main+0x70) after 1,001 instructions"
expect 0 run recursion.elf --stats --json --stats-file=whole.json
cp out whole
is_json whole.json
expect 122 run recursion.elf --max-insns=100k --save-state=r.state
cp out parts
is_file r.state
for _ in 1 2; do
  expect 122 resume r.state recursion.elf --interpret --max-insns=50_000 --save-state=r.state
  cat out >>parts
done
has err "after 200,000 instructions"
expect 0 resume r.state recursion.elf --json
is_json err
cat out >>parts
same whole parts
total="$(sed -nE 's/^ *"instructions": ([0-9]+),$/\1/p' whole.json)"
has err "\"instructions_since_start\": ${total}"
expect 120 resume r.state hello.elf
has err "cannot continue from r.state"
expect 120 resume text hello.elf
expect 0 run hello.elf --stats
has err "million instructions per second"

# --- Trace ---------------------------------------------------------------------------------------
expect 0 trace hello.elf
has out "no difference"
expect 0 trace hello.so --block --from=100 --count=200
expect 0 trace hello.elf -O0 --quiet --bisect

# --- Where paths are relative to, when started by `bazel run` --------------------------------------
mkdir -p elsewhere
cp hello.elf elsewhere/there.elf
BUILD_WORKING_DIRECTORY="${work}/elsewhere" "${aotc}" compile -q there.elf 2>err ||
  fail "compile relative to BUILD_WORKING_DIRECTORY"
is_file elsewhere/there.so

# --- An output that cannot be written ------------------------------------------------------------
checks=$((checks + 1))
"${aotc}" --help >/dev/full 2>err && fail "--help to a full disk succeeds"
has err "cannot write"
"${aotc}" inspect hello.so >/dev/full 2>err && fail "inspect to a full disk succeeds"
has err "cannot write"

# --- Standard descriptors that are closed: nothing else may get their numbers ---------------------
mkdir -p granted
echo "hello, file" >granted/in.txt
expect 0 run files.elf --dir=granted -- granted/in.txt granted/out.txt
mv granted/out.txt granted/expected.txt
checks=$((checks + 1))
"${aotc}" run files.elf --dir=granted -- granted/in.txt granted/out.txt >&- 2>err <&-
same granted/out.txt granted/expected.txt
"${aotc}" compile hello.elf -o closed.so >&- 2>&- <&- || fail "compile without standard descriptors"
same closed.so hello.so

# --- Profiles ------------------------------------------------------------------------------------
expect 0 inspect hello.so
guid="$(sed -nE 's/^ *program +([0-9a-f-]{36}).*/\1/p' out)"
profile() { # GUID
  printf '{"format": "precast-profile", "version": 1, "guid": "%s", "counts": [[65536, 1]]}' "$1" >profile.json
}
profile "${guid}"
expect 0 compile hello.elf --profile=profile.json -O2 -o profiled.so
expect 0 inspect profiled.so
has out ";profile="
profile "00000000-0000-0000-0000-000000000000"
expect 1 compile hello.elf --profile=profile.json -o profiled.so
has err "profile: guid: expected that of the program, ${guid}, actual 00000000"
echo '{' >profile.json
expect 1 compile hello.elf --profile=profile.json -o profiled.so
has err "profile.json: line 2, column 1: expected JSON"

finish
