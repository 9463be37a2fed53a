#!/usr/bin/env bash
#
# Runs the scripts of the public WebAssembly test suite in every way there is:
#
#   bazel run --config=opt //tools:wasm_spec -- DIRECTORY [--json=DIRECTORY] [--quick] [SET...]
#
#   DIRECTORY         holds the sets: `core` and `simd` (WebAssembly/spec, tag wg-2.0, test/core and its simd), and
#                     under `next` the later ones: multi-memory, memory64, relaxed-simd, tail-call, threads,
#                     wide-arithmetic (WebAssembly/testsuite). A set that is not there is named and left out.
#   --json=DIRECTORY  where SET/NAME.json, which a newer `wast2json` made of SET/NAME.wast, replaces a script that the
#                     text parser built into aotc cannot read
#   --quick           natively at -O1, at -O2, also for this processor, and interpreted only
#   SET               which sets (default: all)
#
# `core` and `simd` run at the 2.0 feature level, `threads` at 2.0 with threads, the others with everything on. Each set runs at -O2, -O1 and -O0, with
# fuel and without; at -O2 for this processor; at -O1 with canonical NaNs; from images on disk in another process; and interpreted.
#
# Prints a line for each file with failures or skips, and a table. Exit status: 0 if every assertion holds.

set -euo pipefail

runfiles="${RUNFILES_DIR:-$0.runfiles}/precast"
[[ -d ${runfiles} ]] || runfiles="${PWD}"
aotc="${AOTC:-${runfiles}/tools/aotc}"
readonly aotc
cd -- "${BUILD_WORKING_DIRECTORY:-.}"
unset BUILD_WORKING_DIRECTORY

directory=""
json=""
quick=0
sets=()
for argument in "$@"; do
  case "${argument}" in
    --json=*) json="${argument#--json=}" ;;
    --quick) quick=1 ;;
    -*)
      echo "usage: wasm_spec DIRECTORY [--json=DIRECTORY] [--quick] [SET...]" >&2
      exit 2
      ;;
    *) if [[ -z ${directory} ]]; then directory="${argument}"; else sets+=("${argument}"); fi ;;
  esac
done
if [[ -z ${directory} || ! -d ${directory} ]]; then
  echo "wasm_spec: no directory \"${directory}\" with the specification's scripts. Get WebAssembly/spec (tag wg-2.0) and" \
    "WebAssembly/testsuite, and put their .wast files into DIRECTORY/core, DIRECTORY/simd and DIRECTORY/next/*." >&2
  exit 2
fi
all=(core simd next/multi-memory next/memory64 next/relaxed-simd next/tail-call next/threads
  next/wide-arithmetic)
((${#sets[@]} > 0)) || sets=("${all[@]}")

work="$(mktemp -d "${TMPDIR:-/tmp}/wasm_spec.XXXXXX")"
trap 'rm -rf -- "${work}"' EXIT
failed=0
printf '%s\n' "| set | way | scripts | passed | failed | skipped |" "|---|---|--:|--:|--:|--:|" >"${work}/table"

# scripts SET: what there is to run, one path a line.
scripts() {
  local path name
  for path in "${directory}/$1"/*.wast; do
    name="$(basename -- "${path}" .wast)"
    if [[ -n ${json} && -f ${json}/$1/${name}.json ]]; then
      printf '%s\n' "${json}/$1/${name}.json"
    else
      printf '%s\n' "${path}"
    fi
  done
}

# way SET NAME FLAGS...
way() {
  local -r set="$1" name="$2"
  shift 2
  local -r out="${work}/out"
  local features=all
  case "${set}" in
    core | simd) features=2.0 ;;
    next/threads) features=2.0+threads ;; # a proposal by itself: it asserts that there is one memory
  esac
  local paths
  mapfile -t paths < <(scripts "${set}")
  "${aotc}" wast --features="${features}" "$@" "${paths[@]}" >"${out}" 2>"${work}/err" || {
    failed=1
    sed "s#^#${set} ${name}: #" "${work}/err" >&2
  }
  # Lines of files that did not all hold, with what follows them.
  awk -v head="${set} (${name})" '
    / passed .* failed .* skipped$/ && !/^[0-9]+ scripts/ { show = ($0 !~ / 0 failed/) }
    /^  / && !/^ +[0-9]+ skipped/ { if (!named) print head; named = 1; if (line != "") print line; line = ""; print; next }
    { line = show || 1 ? $0 : "" }
  ' "${out}" >&2
  local -r total="$(grep -E '^[0-9]+ scripts,' "${out}" || echo "0 scripts, 0 of them with failures: 0 passed, 1 failed, 0 skipped")"
  printf '%s\n' "${total}" |
    sed -E "s#^([0-9]+) scripts, .*: ([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped#| ${set} | ${name} | \1 | \2 | \3 | \4 |#" \
      >>"${work}/table"
  grep -E '^ +[0-9]+ skipped:' "${out}" >>"${work}/skips" || true
}

for set in "${sets[@]}"; do
  if ! compgen -G "${directory}/${set}/*.wast" >/dev/null; then
    echo "wasm_spec: no scripts in ${directory}/${set}: left out" >&2
    continue
  fi
  way "${set}" "-O1" -O1
  way "${set}" "-O2" -O2
  way "${set}" "-O2, this processor" -O2 --cpu=native
  way "${set}" "interpreted" --interpret
  ((quick)) && continue
  way "${set}" "-O1, no fuel" -O1 --no-meter
  way "${set}" "-O2, no fuel" -O2 --no-meter
  way "${set}" "-O0" -O0
  way "${set}" "-O0, no fuel" -O0 --no-meter
  way "${set}" "-O1, canonical NaNs" -O1 --canonical-nans
  images="${work}/images"
  rm -rf -- "${images}"
  mkdir -- "${images}"
  way "${set}" "-O1, written to disk" -O1 --save-images="${images}"
  way "${set}" "from disk, another process" --load-images="${images}"
done

cat -- "${work}/table"
if [[ -s ${work}/skips ]]; then
  echo
  echo "Skipped, of all ways together:"
  awk '{ n = $1; sub(/^ +[0-9]+ skipped: /, ""); count[$0] += n } END { for (r in count) print "  " count[r] ": " r }' \
    "${work}/skips" | sort
fi
exit "${failed}"
