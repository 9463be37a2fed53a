#!/usr/bin/env bash
#
# Runs OpenVM's own guests, interpreted and natively at every level, and compares: exit code, public values, retired
# instructions, place. They are not part of this tree: they come from a directory, or from GitHub.
#
#   tools/proofs/openvm_guests.sh [DIRECTORY]
#
# DIRECTORY: a checkout of openvm-org/openvm; without it, commit COMMIT is cloned into a temporary directory.
#
# Environment: AOTC, the aotc to run (default: `bazel run`'s build of //tools:aotc); LEVELS (default "0 1 2").
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

# What a guest reads, as benchmarks/prove/src/bin gives it to them. ecrecover is left out: its signatures are made by
# the benchmark itself.
inputs_of() {
  case $1 in
    base64_json) echo "${guests}/$1/json_payload_encoded.txt" ;;
    bincode | rkyv) echo "${guests}/$1/minecraft_savedata.bin" ;;
    regex) echo "${guests}/$1/regex_email.txt" ;;
    fibonacci) echo hex:00350c0000000000 ;; # 800,000 as u64
    sha2_bench) echo hex:0000100000000000 ;;
  esac
}

# Of the JSON report, what must be equal.
essence() { grep -E '"(result|pc|instructions|exit_code|public_values|error|trap)"' "$1"; }
field() { sed -nE "s/^ *\"$2\": \"?([^\",]*)\"?,?$/\1/p" "$1"; }

status=0
printf '%-22s %14s %9s %9s %10s  %s\n' guest instructions interp/s native/s compile "-O${LEVELS:-0 1 2}"
for directory in "${guests}"/*/; do
  name="$(basename -- "${directory}")"
  elf=("${directory}"elf/*.elf)
  [[ -s ${elf[0]} && ${name} != ecrecover ]] || continue
  flags=("--openvm-config=${directory}openvm.toml")
  while read -r input; do [[ -n ${input} ]] && flags+=("--input=${input}"); done < <(inputs_of "${name}")
  code=0
  "${aotc}" run "${elf[0]}" "${flags[@]}" --interpret --json --stats-file="${work}/interpreted" \
    >"${work}/interpreted.out" 2>"${work}/errors" || code=$?
  verdict=equal
  [[ ${code} -eq 0 ]] || verdict="exit code ${code}: $(head -1 "${work}/errors")"
  for level in ${LEVELS:-0 1 2}; do
    "${aotc}" run "${elf[0]}" "${flags[@]}" "-O${level}" --json --stats-file="${work}/native" \
      >"${work}/native.out" 2>/dev/null || true
    if ! diff <(essence "${work}/interpreted") <(essence "${work}/native") >"${work}/difference" ||
      ! cmp -s "${work}/interpreted.out" "${work}/native.out"; then
      verdict="-O${level} DIFFERENT: $(tr '\n' ' ' <"${work}/difference")"
    fi
  done
  [[ ${verdict} == equal ]] || status=1
  printf '%-22s %14s %8.0fM %8.0fM %8.1fms  %s\n' "${name}" "$(field "${work}/native" instructions)" \
    "$(field "${work}/interpreted" million_instructions_per_second)" \
    "$(field "${work}/native" million_instructions_per_second)" \
    "$(field "${work}/native" compile_milliseconds)" "${verdict}"
done
exit ${status}
