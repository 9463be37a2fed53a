#!/usr/bin/env bash
#
# Segments of OpenVM guests from the command line: metered runs, directories of segments, preflight, faults.

# shellcheck source=tools/cli_test_lib.sh
source tools/cli_test_lib.sh

readonly guest="${root}/testdata/openvm/io.elf"
readonly machine="--openvm-config=${root}/testdata/openvm/machine.toml"

# The segments of a report, without times.
segments_of() { # FILE
  sed -n '/"metered"/,/^  }/p' "$1"
}
# Changes the byte at OFFSET of FILE.
damage() { # FILE OFFSET
  printf '\377' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

printf 'a line of input for the guest to read, over and over again. %.0s' {1..60} >input
readonly run=(run "${guest}" "${machine}" --input=input --input=hex:01020304)

# Metered runs.
expect 0 "${run[@]}" --segments
has err 'segments       1'
echo '{"max_interactions": 60000}' >small.json
echo '{"max_interactionz": 60000}' >wrong.json
expect 0 "${run[@]}" --metering=small.json --json --stats-file=whole.json
is_json whole.json
has whole.json '"complete": true'
has whole.json '"BaseAlu"'
expect 120 "${run[@]}" --metering=wrong.json
has err 'max_interactionz: expected no such field'
expect 122 "${run[@]}" --metered-cost --max-cost=100k --json
has err '"exceeded": true'
expect 0 "${run[@]}" --metered-cost --json
has err '"exceeded": false'
expect 2 "${run[@]}" --metered-cost --segments
expect 2 "${run[@]}" --max-cost=5
expect 2 "${run[@]}" --metered-cost --max-insns=100 --save-state=cost.pcss
has err "a snapshot does not keep the cost"
expect 2 "${run[@]}" --segments --no-meter
has err "expected it without --no-meter"
expect 2 "${run[@]}" --metering=
has err "expected a value"
expect 2 compile "${guest}" "${machine}" --metered --no-meter
has err "expected it without --no-meter"

# What a program is metered with.
expect 0 metering "${guest}" "${machine}"
is_json out
has out '"max_height_bits": 24'
cp out defaults.json
expect 0 metering "${guest}" "${machine}" --metering=small.json
has out '"max_interactions": 60000'
expect 0 metering "${guest}" "${machine}" --metering=defaults.json
same out defaults.json
expect 0 metering --schema
is_json out
expect 2 metering
expect 2 metering --schema "${guest}"
expect 1 metering "${guest}" --abi=linux
has err "--abi=openvm takes it as one"
expect 1 metering "${guest}" "${machine}" --metering=wrong.json
has err 'max_interactionz: expected no such field'

# A random program with an entry that begins with a custom instruction, before which native code has a guard.
echo '{"max_height_bits": 11, "check_interval": 100}' >low.json
for how in --interpret -O0 -O2; do
  expect 122 run "${root}/testdata/openvm/guarded_entry.elf" --abi=openvm "${machine}" "${how}" \
    --max-insns=10427 --metering=low.json --json --stats-file="guarded${how}.json"
  segments_of "guarded${how}.json" >"guarded${how}.segments"
done
has guarded--interpret.json '"instructions": 3600'
same guarded--interpret.segments guarded-O0.segments
same guarded--interpret.segments guarded-O2.segments

# Interpreted, natively and from an image, with counting code and without: the same.
segments_of whole.json >whole.segments
expect 0 "${run[@]}" --metering=small.json --interpret --json --stats-file=interpreted.json
segments_of interpreted.json >interpreted.segments
same whole.segments interpreted.segments
has interpreted.json '"native_instructions": 0'
for level in 0 1 2; do
  expect 0 compile "${guest}" "${machine}" --metered "-O${level}" -o counting.so
  expect 0 run counting.so --input=input --input=hex:01020304 --metering=small.json --json \
    --stats-file=image.json
  segments_of image.json >image.segments
  same whole.segments image.segments
done
# Every kind of loop over memory, with limits so small that nearly every interval ends a segment, and larger ones.
readonly touches="${root}/testdata/openvm/touches.elf"
for limits in '"max_height_bits": 8, "check_interval": 37' '"max_height_bits": 12' '"max_height_bits": 15'; do
  echo "{${limits}}" >limits.json
  expect 0 run "${touches}" "${machine}" --metering=limits.json --interpret --json --stats-file=report
  segments_of report >interpreted.segments
  for level in 0 1 2; do
    expect 0 run "${touches}" "${machine}" --metering=limits.json "-O${level}" --json --stats-file=report
    segments_of report >native.segments
    same native.segments interpreted.segments
  done
done
for cost in 10000 12345678 2000000000; do
  code=122
  ((cost > 1000000000)) && code=0
  expect "${code}" run "${touches}" "${machine}" --metered-cost "--max-cost=${cost}" --interpret --json \
    --stats-file=report
  sed -n '/"pc"/p; /"instructions"/p; /"cost"/p' report >interpreted.cost
  expect "${code}" run "${touches}" "${machine}" --metered-cost "--max-cost=${cost}" -O2 --json \
    --stats-file=report
  sed -n '/"pc"/p; /"instructions"/p; /"cost"/p' report >native.cost
  same native.cost interpreted.cost
done

expect 0 inspect counting.so
has out 'counts-rows'
expect 0 run counting.so --input=input --input=hex:01020304
expect 0 compile "${guest}" "${machine}" -o plain.so
expect 0 run plain.so --input=input --input=hex:01020304 --metering=small.json --json \
  --stats-file=plain.json
has err 'does not count rows, so it is interpreted'
segments_of plain.json >plain.segments
same whole.segments plain.segments

# A metered run that is suspended goes on as if it had not been.
expect 122 "${run[@]}" --metering=small.json --max-insns=7777 --save-state=half
expect 0 resume half "${guest}" "${machine}" --metering=small.json --json --stats-file=rest.json
segments_of whole.json >a
segments_of rest.json >b
same a b

# A directory of segments.
expect 0 "${run[@]}" --metering=small.json --segments-dir=dir
# Said before the run, not after it.
expect 120 "${run[@]}" --metering=small.json --segments-dir=dir --stats-file=late
has err 'holds the segments of a run'
[ ! -e late ] || fail 'the guest was run before'
expect 120 "${run[@]}" --metering=small.json --segments-dir=/dev/null/dir --stats-file=late
[ ! -e late ] || fail 'the guest was run before'
expect 120 "${run[@]}" --metering=small.json --segments-dir=never --max-insns=7777
has err 'expected the guest to end'
expect 0 segment-verify dir
has out 'segments, '
expect 0 segment-verify dir "${guest}" --execute --jobs=2
has out 'good, also executed'
expect 0 segment-verify dir --json
is_json out
expect 1 segment-verify dir "${root}/testdata/openvm/arithmetic.elf"
has err 'program-commit'
# Native code and the interpreter write the same.
expect 0 "${run[@]}" --interpret --metering=small.json --segments-dir=interpreted
for file in dir/*; do same "${file}" "interpreted/${file##*/}"; done

# Preflight.
expect 0 preflight dir --jobs=2 --output=traces --json
is_json out
expect 0 preflight dir --discard
has out 'discarded'
expect 0 preflight dir --segment=1 --output=one
same traces/segment-000001.preflight one/segment-000001.preflight
expect 0 segment-dump traces/segment-000001.preflight --entries=5
has out 'BaseAlu'
expect 0 segment-dump traces/segment-000001.preflight --entries=5 --json
is_json out
damage traces/segment-000001.preflight 500
expect 1 segment-dump traces/segment-000001.preflight
expect 1 preflight dir --segment=99999
expect 2 preflight

# Continuing from the middle of a segment, natively and interpreted.
expect 0 segment-state dir --segment=2 --max-insns=17 -o two.state
expect 0 resume two.state "${guest}" "${machine}"
cp out native
expect 0 resume two.state "${guest}" "${machine}" --interpret
same out native

# Faults.
cp -r dir broken
damage broken/state-000001 60
expect 1 segment-verify broken
has err 'damaged: state-000001'
expect 1 segment-verify broken --json
has out '"error": "damaged"'
cp dir/state-000001 broken/state-000001
damage broken/state-000001 "$(($(stat -c %s broken/state-000001) - 5))"
expect 1 segment-verify broken
has err 'page-contents'
cp dir/state-000001 broken/state-000002
cp dir/state-000001 broken/state-000001
expect 1 segment-verify broken
has err 'order: state-000002'
rm broken/state-000002
expect 1 segment-verify broken
has err 'unreadable'

finish
