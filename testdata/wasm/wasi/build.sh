#!/usr/bin/env bash
#
# Builds testdata/wasm/wasi/*.wasm from the C sources beside them, and with --record runs them under Node to write
# *.expected (look at them before committing). Needs the Debian 12 packages clang, lld, wasi-libc and
# libclang-rt-14-dev-wasm32, and Node 20 for --record.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
for source in *.c; do
  name="${source%.c}"
  clang --target=wasm32-wasi -O2 -Wall -Wl,--strip-debug -o "${name}.wasm" "${source}"
  chmod 644 "${name}.wasm"
  [[ ${1:-} == --record ]] || continue
  work="$(mktemp -d)"
  printf 'first\nsecond' | node --no-warnings ../../../tools/proofs/wasm_programs/run_node.mjs "${name}.wasm" \
    /work "${work}" HOME=/home -- one "two words" >"${name}.expected" || echo "${name}: exit code $?"
  rm -rf "${work}"
done
