# SPDX-License-Identifier: Apache-2.0
# Shared by the tests of the installed library.
set -euo pipefail
prefix=$EVENTWEFT_PREFIX
lib=$prefix/lib
[ -d "$lib/cmake" ] || lib=$(dirname "$(find "$prefix" -name cmake -type d | head -n 1)")
scratch=$(mktemp -d)
running=
finish() {
  [ -z "$running" ] || kill -9 "$running" 2>/dev/null || true
  rm -rf "$scratch"
}
trap finish EXIT

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  [ ! -e "$scratch/out" ] || sed 's/^/  | /' "$scratch/out" >&2
  exit 1
}

# build_example NAME: a project of its own that finds the library.
build_example() {
  local tree=$WORK/$1
  cmake -S "$EXAMPLES/$1" -B "$tree" -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_CXX_FLAGS="-Wall -Wextra -Wpedantic -Werror ${CXXFLAGS:-}" >"$scratch/cmake" 2>&1 &&
    cmake --build "$tree" >>"$scratch/cmake" 2>&1 || {
    cat "$scratch/cmake" >&2
    fail "building $1"
  }
  program=$tree/$1
}

# start_example: runs $program on a free port; its address is in $url.
start_example() {
  export EVENTWEFT_SERVER_LISTEN=127.0.0.1:0
  (cd "$scratch" && exec "$program") >"$scratch/out" 2>&1 &
  running=$!
  expect 'listening on '
  url=$(sed -n 's/^listening on //p' "$scratch/out")
}

# expect TEXT: waits until the program has written it.
expect() {
  local turn
  for turn in $(seq 600); do
    grep -qF -- "$1" "$scratch/out" && return
    kill -0 "$running" 2>/dev/null || fail "ended without: $1"
    sleep 0.1
  done
  fail "did not say: $1"
}

# stop_example: SIGTERM; it must end well.
stop_example() {
  kill -TERM "$running"
  wait "$running" || fail "ended with $?"
  running=
}

send() {
  "$prefix/bin/eventweft" send "$@" --url "$url"
}
