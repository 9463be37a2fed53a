#!/bin/bash
# perf must attribute the time of a running guest to the guest's functions, by name, from nothing but the
# image's .symtab: no agent, no map file. The image has to be mapped from its file for that (`aotc run
# --share-pages`); a private copy has no name that perf could look up.
#
#   bazel test //tools/proofs:perf_symbols_test
#
# The samples are of the software event cpu-clock, which needs no performance counters. Call graphs (perf
# record --call-graph dwarf) are not part of this: perf 6.1 takes a file's lowest mapping for the beginning
# of the file, and a guest's memory, mapped copy-on-write from the same file, often lies lower; it then
# looks for .eh_frame in the wrong place. (gdb does not: gdb_backtrace_test.sh.)
aotc="$1"
source tools/proofs/lib.sh
need perf linux-perf

record() { # FLAGS...
  rm -f "$work/perf.data"
  perf record -q -e cpu-clock:u -F 1000 -o "$work/perf.data" -- "$aotc" run --max-insns=500M "$@" \
    >/dev/null 2>"$work/errors"
  [[ -s $work/perf.data ]] # the exit code is that of aotc
}

for level in 0 1 2; do
  about="bench_sort -O$level"
  compile bench_sort "$level"
  if ! record --share-pages "$image"; then
    echo "FAILED: perf cannot record here: $(head -n 2 "$work/errors")"
    echo "        (kernel.perf_event_paranoid is $(cat /proc/sys/kernel/perf_event_paranoid); 2 or less is needed, or root)"
    exit 1
  fi
  perf report -i "$work/perf.data" --stdio -q --sort dso,symbol -g none 2>/dev/null >"$work/report"
  sed '/^$/d' "$work/report" | head -n 6
  # At least half of the time is in the image, and all of that has names of guest functions.
  shares="$(awk -v dso="$(basename "$image")" '$2 == dso { all += $1; if ($4 !~ /^0x/) named += $1 }
    END { printf "%d %d", all, named }' "$work/report")"
  read -r all named <<<"$shares"
  check "only $all % of the samples are in the image" test "$all" -ge 50
  same "share of samples in the image that have a name" "$all" "$named"
  unknown="$(comm -23 <(awk -v dso="$(basename "$image")" '$2 == dso { print $4 }' "$work/report" | sort -u) \
    <(readelf -sW "$image" | awk '$4 == "FUNC" { print $8 }' | sort -u))"
  same "names that are not in .symtab" "" "$unknown"
  check "perf does not know the image's build-id" grep -q "$(readelf -nW "$image" |
    sed -n 's/.*Build ID: //p')" <(perf buildid-list -i "$work/perf.data")

done
finish
