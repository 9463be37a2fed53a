# What the tests of the command line share: a directory of their own, what is expected of aotc, and the count. Sourced
# by a test that Bazel has started.

# shellcheck shell=bash
set -uo pipefail

readonly root="${PWD}"
readonly aotc="${root}/tools/aotc"
readonly json_check="${root}/tools/json_check"
work="$(mktemp -d "${TEST_TMPDIR:-/tmp}/cli_test.XXXXXX")"
readonly work
cd -- "${work}" || exit 1
unset BUILD_WORKING_DIRECTORY

failures=0
checks=0
fail() {
  failures=$((failures + 1))
  printf 'FAILED: %s\n' "$*"
  sed 's/^/    stdout: /' out 2>/dev/null | head -n 20
  sed 's/^/    stderr: /' err 2>/dev/null | head -n 20
}

# Runs aotc; its output goes to ./out and ./err. Fails unless it exits with CODE.
expect() { # CODE ARGUMENTS...
  local -r want="$1"
  shift
  local code=0
  checks=$((checks + 1))
  "${aotc}" "$@" >out 2>err </dev/null || code=$?
  ((code == want)) || fail "aotc $*: exit code ${code}, expected ${want}"
}
has() { # FILE TEXT
  checks=$((checks + 1))
  grep -qF -- "$2" "$1" || fail "$1 does not say: $2"
}
lacks() { # FILE TEXT
  checks=$((checks + 1))
  ! grep -qF -- "$2" "$1" || fail "$1 says: $2"
}
is_json() { # FILE
  checks=$((checks + 1))
  "${json_check}" <"$1" || fail "$1 is not JSON"
}
is_file() {
  checks=$((checks + 1))
  [[ -s $1 ]] || fail "there is no file $1"
}
same() { # A B
  checks=$((checks + 1))
  cmp -s -- "$1" "$2" || fail "$1 and $2 differ"
}

# The last command of a test.
finish() {
  printf '%d checks, %d failed\n' "${checks}" "${failures}"
  ((failures == 0))
}
