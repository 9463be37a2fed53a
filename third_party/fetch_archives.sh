#!/usr/bin/env bash
#
# Fills a directory with the archives that WORKSPACE pins, for Bazel's --distdir.
#
#   third_party/fetch_archives.sh DIRECTORY [LIST]
#
# LIST: what to get, in the format of archives.txt (which is the default).
#
# On Debian and its relatives each archive is part of a source package, so the Debian mirror that this
# machine's apt is set up with has it, and apt's own downloader gets it: through the same proxy and with
# the same credentials as any package. The system's apt configuration is only read; no package list is
# needed or downloaded. Every file's sha256 is checked before it gets its name, so where it came from does
# not matter.
#
# Exit status: 0 if every archive is there; 1 if one is missing (Bazel can then still download it from
# the URL in WORKSPACE, where the machine reaches it); 2 for wrong usage.

set -euo pipefail

say() { printf 'fetch_archives: %s\n' "$*" >&2; }

if [[ $# -lt 1 || $# -gt 2 || $1 == -* ]]; then
  say "usage: third_party/fetch_archives.sh DIRECTORY [LIST]"
  exit 2
fi
readonly directory="$1"
list="${2:-$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/archives.txt}"
readonly list
readonly apt_helper=/usr/lib/apt/apt-helper

has_sha256() { # FILE SHA256
  [[ -f $1 ]] && printf '%s  %s\n' "$2" "$1" | sha256sum --check --status -
}

# Prints the base of each mirror that apt knows, the likeliest to hold Debian's pool first.
mirrors() {
  apt-get update --print-uris 2>/dev/null |
    sed -nE "s#^'([^']*)/dists/.*#\1#p" | sort -u |
    awk '{ print (/\/debian$/ ? 0 : /security/ ? 2 : 1) "\t" $0 }' | sort | cut -f2
}

# Downloads $2 below the pool of mirror $1 to file $3, if its sha256 is $4. Prints nothing.
download() {
  "${apt_helper}" -qq -o Acquire::Retries=2 -o APT::Sandbox::User="$(id -un)" \
    download-file "$1/pool/main/$2" "$3" "SHA256:$4" </dev/null >/dev/null 2>&1 &&
    has_sha256 "$3" "$4"
}

mkdir -p -- "${directory}"

mirror_list=()
mirrors_known=0
good_mirror=""
missing=()
fetched=0

while read -r sha256 path; do
  [[ -z ${sha256} || ${sha256} == \#* ]] && continue
  name="${path##*/}"
  target="${directory}/${name}"
  has_sha256 "${target}" "${sha256}" && continue

  if [[ ! -x ${apt_helper} ]]; then
    missing+=("${name}")
    continue
  fi
  if ((!mirrors_known)); then
    mapfile -t mirror_list < <(mirrors)
    mirrors_known=1
  fi

  temporary="$(mktemp -d -- "${directory}/.fetch.XXXXXX")"
  trap 'rm -rf -- "${temporary}"' EXIT
  got=0
  for mirror in ${good_mirror:+"${good_mirror}"} ${mirror_list[@]+"${mirror_list[@]}"}; do
    if download "${mirror}" "${path}" "${temporary}/${name}" "${sha256}"; then
      mv -f -- "${temporary}/${name}" "${target}"
      good_mirror="${mirror}"
      got=1
      break
    fi
    rm -f -- "${temporary}/${name}"*
  done
  rm -rf -- "${temporary}"
  if ((got)); then
    fetched=$((fetched + 1))
  else
    missing+=("${name}")
  fi
done <"${list}"

((fetched == 0)) || say "${fetched} archives fetched into ${directory}"
if ((${#missing[@]} > 0)); then
  if [[ -x ${apt_helper} ]]; then
    tried="none of the ${#mirror_list[@]} mirrors in this machine's apt configuration has them (${list} says which path and sha256)"
  else
    tried="this machine has no apt (${apt_helper}) to get them with"
  fi
  say "not in ${directory}, and ${tried}: ${missing[*]}"
  exit 1
fi
