#!/usr/bin/env bash
#
# Builds testdata/bench/wasm/*.wasm from the C sources in testdata/bench, which are checked in so that tests need no
# cross compiler: the published amount of work (NAME.wasm) and a hundredth of it (small_NAME.wasm). Two runs give the
# same bytes.
#
#   testdata/build_bench_wasm.sh [--check]     --check: build elsewhere and compare
#
# Needs the Debian 12 packages clang, lld, wasi-libc and libclang-rt-14-dev-wasm32.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/bench"

out=wasm
if [[ ${1:-} == --check ]]; then
  out="$(mktemp -d)"
  trap 'rm -rf -- "${out}"' EXIT
fi
mkdir -p "${out}"
for source in *.c; do
  name="${source%.c}"
  flags=(--target=wasm32-wasi -O2 -w -Wl,--strip-debug "-ffile-prefix-map=${PWD}=.")
  clang "${flags[@]}" -o "${out}/${name}.wasm" "${source}" -lm
  [[ ${name} == hello ]] || clang "${flags[@]}" -DTEST_SCALE=100 -o "${out}/small_${name}.wasm" "${source}" -lm
  chmod 644 "${out}"/*"${name}.wasm"
done
if [[ ${out} != wasm ]]; then
  diff -r "${out}" wasm && echo "bench/wasm is what the sources give"
fi
