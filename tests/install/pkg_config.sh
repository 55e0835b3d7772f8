#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
export PKG_CONFIG_PATH=$lib/pkgconfig
# shellcheck disable=SC2046 # these are words
"$CXX" ${CXXFLAGS:-} "$EXAMPLES/embedding_host/main.cpp" -o "$scratch/host" \
  $(pkg-config --cflags --libs eventweft) -Wl,-rpath,"$lib" || fail "building"
"$scratch/host" >"$scratch/out" || fail "running"
grep -q '^5 receipts for 5 orders' "$scratch/out" || fail "no receipts"
[ "$(pkg-config --modversion eventweft)" = \
  "$("$prefix/bin/eventweft" version | awk '{ print $2 }')" ] || fail "version"
