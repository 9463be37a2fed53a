#!/bin/bash
# What other people's tools say of the objects we write: elfutils, binutils, LLVM and gdb must accept
# them without a warning, and `as` and `ld` must make the same image of our assembly.
#
# These tools are no inputs of the build, so this test is `manual` and runs outside the sandbox:
#   bazel test //elfwriter:tool_conformance_test
# It needs the Debian packages binutils, elfutils, gdb and llvm.
set -u

write_sample="$1"
compare_images="$2"
work="$(mktemp -d "${TEST_TMPDIR:-/tmp}/conformance.XXXXXX")"
failures=0

fail() {
  echo "FAILED [$variant]: $*"
  failures=$((failures + 1))
}

# Runs a command that must succeed without saying anything of errors or warnings.
quiet() {
  local output="$work/output"
  if ! "$@" >"$output" 2>&1; then
    fail "$* exits with an error: $(tail -n 3 "$output")"
  elif grep -aiqE 'warning|error:|corrupt|invalid' "$output"; then
    fail "$* says: $(grep -aiE 'warning|error:|corrupt|invalid' "$output" | head -n 3)"
  fi
}

for tool in eu-elflint readelf llvm-readelf objdump gdb as ld nm; do
  command -v "$tool" >/dev/null || { echo "FAILED: $tool is not installed"; exit 1; }
done

for variant in "" "functions=0" "export functions=0" "bss note" "empty" "minimal" "functions=1 export" \
  "functions=2 export" "functions=1000 export bss note" "functions=20000"; do
  dir="$work/${variant// /_}"
  mkdir -p "$dir"
  # shellcheck disable=SC2086  # A variant is a list of words.
  "$write_sample" "$dir" $variant || fail "write_sample"
  so="$dir/sample.so"

  lint="$(eu-elflint --strict "$so" 2>&1)"
  [[ "$lint" == "No errors" ]] || fail "eu-elflint: $lint"
  quiet readelf -aW "$so"
  quiet readelf --debug-dump=frames "$so"
  quiet llvm-readelf -a --unwind "$so"
  quiet eu-readelf -a "$so"
  quiet objdump -d "$so"
  quiet nm -n "$so"
  readelf -rW "$so" | grep -q 'There are no relocations' || fail "has relocations"

  if [[ "$variant" != "minimal" ]]; then
    # An object without entry point has no section for it: the one thing gdb may remark on.
    gdb_says="$(HOME="$work" gdb -nx -batch -ex 'info symbol (char *)&call_back + 2' -ex 'disassemble call_back' "$so" 2>&1 |
      grep -v 'Cannot find section for the entry point')"
    grep -q 'call_back + 2 in section .text' <<<"$gdb_says" || fail "gdb: info symbol"
    grep -q '<+10>:.*call .*\*%rax' <<<"$gdb_says" || fail "gdb: disassemble"
    grep -qiE 'warning|error' <<<"$gdb_says" && fail "gdb: $gdb_says"
  fi

  quiet as --64 -o "$dir/ld.o" "$dir/sample.s"
  # shellcheck disable=SC2046  # Options are a list of words.
  quiet ld $(cat "$dir/ld_options") -T "$dir/sample.ld" -o "$dir/ld.so" "$dir/ld.o"
  "$compare_images" "$so" "$dir/ld.so" || fail "images differ"
done

rm -rf "$work"
if ((failures != 0)); then
  echo "$failures failures"
  exit 1
fi
echo "all tools agree"
