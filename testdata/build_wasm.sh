#!/usr/bin/env bash
#
# Builds testdata/wasm/*.wasm from the sources beside them; the results are checked in, so that tests need
# no tools. Needs wat2wasm (Debian: wabt).

set -euo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/wasm"
for source in *.wat; do
  flags=(--debug-names --enable-all)
  [[ ${source} == invalid.wat ]] && flags+=(--no-check)
  wat2wasm "${flags[@]}" -o "${source%.wat}.wasm" "${source}"
done
