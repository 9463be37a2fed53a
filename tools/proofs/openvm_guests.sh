#!/usr/bin/env bash
#
# Runs OpenVM's own guests, interpreted and natively at every level, pure and metered, and compares: exit code, public
# values, retired instructions, place; segments and the heights of all chips. The guests are not part of this
# tree: they come from a directory, or from GitHub. Prints a table; speeds are of the highest level.
#
#   tools/proofs/openvm_guests.sh [DIRECTORY]
#
# DIRECTORY: a checkout of openvm-org/openvm; without it, commit COMMIT is cloned into a temporary directory.
#
# Needs python3. Environment: AOTC, the aotc to run (default: `bazel run`'s build of //tools:aotc); LEVELS (default "0 1 2").
# Exit status: 0 if all are equal and have ended with code 0, 1 if not, 2 for wrong usage.

set -euo pipefail
readonly COMMIT=f6595e3a66e6fd5c105fe9fbf336c9733932ba77

root="$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")")"
aotc="${AOTC:-${root}/bazel-bin/tools/aotc}"
[[ $# -le 1 ]] || { echo "usage: $0 [DIRECTORY]" >&2; exit 2; }
[[ -x ${aotc} ]] || { echo "$0: no ${aotc}; build //tools:aotc or set AOTC" >&2; exit 2; }

work="$(mktemp -d)"
trap 'rm -rf -- "${work}"' EXIT
source="${1:-}"
if [[ -z ${source} ]]; then
  source="${work}/openvm"
  git init --quiet "${source}"
  git -C "${source}" fetch --quiet --depth 1 https://github.com/openvm-org/openvm "${COMMIT}"
  git -C "${source}" checkout --quiet FETCH_HEAD
fi
guests="${source}/benchmarks/guest"

# What a guest reads, as benchmarks/prove/src/bin gives it to them; signatures are our own.
inputs_of() {
  case $1 in
    base64_json) echo "${guests}/$1/json_payload_encoded.txt" ;;
    bincode | rkyv) echo "${guests}/$1/minecraft_savedata.bin" ;;
    regex) echo "${guests}/$1/regex_email.txt" ;;
    fibonacci) echo hex:00350c0000000000 ;; # 800,000 as u64
    ecrecover) python3 "${root}/tools/proofs/ecrecover_inputs.py" ;;
    sha2_bench) echo hex:0000100000000000 ;;
  esac
}

# Of the JSON report, what must be equal; and the segments with their heights, and how many they are.
essence() { grep -E '^  "(result|pc|instructions|exit_code|public_values|error|trap)"' "$1"; }
field() { sed -nE "s/^  \"$2\": \"?([^\",]*)\"?,?$/\1/p" "$1"; }
segments() { python3 -c 'import json, sys; print(json.dumps(json.load(open(sys.argv[1]))["metered"]["segments"]))' "$1"; }
count() { python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'; }

run() { # run NAME FLAG…: reports to ${work}/NAME, output to ${work}/NAME.out
  local name=$1 code=0
  shift
  "${aotc}" run "${elf[0]}" "${flags[@]}" "$@" --json --stats-file="${work}/${name}" \
    >"${work}/${name}.out" 2>"${work}/${name}.errors" || code=$?
  return "${code}"
}

status=0
printf '%-22s %13s %8s %10s %10s %8s %10s  %s\n' guest instructions segments 'pure MHz' 'metered' 'interp.' compile \
  "interpreted = -O{${LEVELS:-0 1 2}}"
for directory in "${guests}"/*/; do
  name="$(basename -- "${directory}")"
  elf=("${directory}"elf/*.elf)
  [[ -s ${elf[0]} ]] || continue
  flags=("--openvm-config=${directory}openvm.toml")
  while read -r input; do [[ -n ${input} ]] && flags+=("--input=${input}"); done < <(inputs_of "${name}")
  verdict=equal
  run interpreted --interpret || verdict="exit code $?: $(head -1 "${work}/interpreted.errors")"
  run interpreted_metered --interpret --metered || verdict="metered: exit code $?"
  segments "${work}/interpreted_metered" >"${work}/expected"
  for level in ${LEVELS:-0 1 2}; do
    run native "-O${level}" || true
    run metered "-O${level}" --metered || true
    segments "${work}/metered" >"${work}/actual"
    if ! diff <(essence "${work}/interpreted") <(essence "${work}/native") >"${work}/difference" ||
      ! diff <(essence "${work}/interpreted") <(essence "${work}/metered") >"${work}/difference" ||
      ! cmp "${work}/expected" "${work}/actual" >"${work}/difference" ||
      ! cmp "${work}/interpreted.out" "${work}/native.out" >"${work}/difference"; then
      verdict="-O${level} DIFFERENT: $(tr '\n' ' ' <"${work}/difference")"
    fi
  done
  [[ ${verdict} == equal ]] || status=1
  printf '%-22s %13s %8s %10.0f %10.0f %8.0f %8.1fms  %s\n' "${name}" "$(field "${work}/native" instructions)" \
    "$(count <"${work}/actual")" "$(field "${work}/native" million_instructions_per_second)" \
    "$(field "${work}/metered" million_instructions_per_second)" \
    "$(field "${work}/interpreted" million_instructions_per_second)" \
    "$(field "${work}/native" compile_milliseconds)" "${verdict}"
done
exit ${status}
