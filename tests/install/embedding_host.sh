#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
build_example embedding_host
for round in 1 2; do
  # The second round finds the first one's events, and handles none twice.
  "$program" "$scratch/shop.db" >"$scratch/out" 2>&1 || fail "round $round"
  grep -q "^5 receipts for 5 orders, $((round * 10)) events" "$scratch/out" ||
    fail "round $round"
done
