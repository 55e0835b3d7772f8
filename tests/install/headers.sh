#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each public header compiles by itself with the standard library alone, and no
# name of a library within shows in it.
. "$(dirname "$0")/lib.sh"
cd "$prefix/include/eventweft"
for header in *.hpp; do
  printf '#include <eventweft/%s>\n#include <eventweft/%s>\n' "$header" "$header" \
    >"$scratch/one.cpp"
  "$CXX" -std=c++20 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -nostdinc++ \
    $("$CXX" -E -x c++ -std=c++20 -v /dev/null 2>&1 >/dev/null |
      sed -n '/#include </,/^End/ s/^ \(.*c++.*\)/-isystem \1/p') \
    -I "$prefix/include" "$scratch/one.cpp" || fail "$header does not stand alone"
done
if grep -nE '#include [<"](caf|boost|pqxx|simdjson|spdlog|tl|fmt)|#include "' ./*.hpp; then
  fail "a header includes what it must not"
fi
# __odr_asan…: AddressSanitizer's own marks on our names.
symbols=$(nm -DC --defined-only "$lib/libeventweft.so" | awk '$2 ~ /^[TWVBDR]$/' |
  grep -vE ' (vtable|typeinfo( name)?) for eventweft::| eventweft::|std::| __odr_asan_gen_' || true)
[ -z "$symbols" ] || fail "the library shows: $(head -n 5 <<<"$symbols")"
