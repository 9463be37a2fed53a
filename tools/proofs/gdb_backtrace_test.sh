#!/bin/bash
# gdb, stopped in a host call of a guest, must walk through the guest's functions, by name, down to main()
# of the host; also at an arbitrary guest instruction, and with no help from us but the symbols of the image.
#
#   bazel test //tools/proofs:gdb_backtrace_test
aotc="$1"
source tools/proofs/lib.sh
need gdb gdb
ulimit -c 0

# backtrace BREAKPOINT_COMMANDS...: what `bt` prints for $image.
backtrace() {
  local commands=(-ex "set pagination off" -ex "set confirm off" -ex "set debuginfod enabled off"
    -ex "source tools/proofs/precast_gdb.py" -ex "break PrecastHostCall" -ex run -ex precast-symbols)
  local command
  for command in "$@" bt; do commands+=(-ex "$command"); done
  HOME="$work" gdb -nx -batch "${commands[@]}" --args "$aotc" run --share-pages "$image" \
    </dev/null >"$work/gdb" 2>"$work/gdb.errors"
  sed -n '/^#0 /,$p' "$work/gdb"
}

cat >"$work/steps.py" <<'PYTHON'
good = 0
for step in range(500):
    gdb.execute("stepi", to_string=True)
    frame = gdb.newest_frame()
    while frame.older() is not None:
        frame = frame.older()
    if frame.name() == "main":
        good += 1
    else:
        print(f"step {step}: the walk from {gdb.newest_frame().pc():#x} ends in {frame.name()}")
print(f"steps: {good} of 500")
PYTHON

# The functions of the frames, from the innermost, parted by spaces.
names() { sed -nE 's/^#[0-9]+ +(0x[0-9a-f]+ in )?([^ (<]+|<signal handler called>).*/\2/p' | tr '\n' ' '; }

compile hello 1
backtrace >/dev/null
if grep -qE 'ptrace: Operation not permitted|Cannot create process' "$work/gdb" "$work/gdb.errors"; then
  echo "FAILED: gdb may not trace here (a container? allow SYS_PTRACE): $(head -n 2 "$work/gdb.errors")"
  exit 1
fi

for level in 0 1 2; do
  about="a host call, -O$level"
  compile recursion_O0 "$level"
  frames="$(backtrace | names)"
  echo "$about: $frames"
  same "innermost frame" PrecastHostCall "${frames%% *}"
  check "guest frames are missing or nameless: $frames" \
    grep -qE ' write .* printf main guest_start _start ' <<<"$frames"
  check "the walk does not go on from the guest's _start to the host's Run() and main(): $frames" \
    grep -qE ' _start (<signal handler called> )?precast_enter |_start .*precast::runtime::Instance::Run.* main $' \
    <<<"$frames"

  # The guest's deepest recursion: hanoi(n) calls itself; stop inside at the tenth call.
  about="a guest function, -O$level"
  frames="$(backtrace "delete" "break *hanoi" "ignore 2 9" "continue" | names)"
  echo "$about: $frames"
  same "innermost frame" hanoi "${frames%% *}"
  check "no recursion: $frames" grep -qE '^hanoi hanoi .*main guest_start _start ' <<<"$frames"
  check "no main() at the end: $frames" grep -qE 'precast::runtime::Instance::Run.* main $' <<<"$frames"

  # Wherever guest code is stopped, the unwind rules must hold: at every machine instruction of some calls
  # and returns the walk must reach main().
  about="single steps, -O$level"
  backtrace "delete" "break *hanoi" "ignore 2 5" "continue" "delete" \
    "source $work/steps.py" >/dev/null
  same "steps from which the walk reaches main()" "500 of 500" \
    "$(sed -n 's/^steps: //p' "$work/gdb")"
done
finish
