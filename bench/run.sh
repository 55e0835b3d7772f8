#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD_DIR [OPTION…] [PART…] (--help lists them): measures the eventweft built
# in BUILD_DIR; prints one table, writes build/bench/results.json.
set -euo pipefail
build=$(cd "$1" && pwd)
shift
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
area=$root/build/bench

# Octokit's example payloads, by the versions that the e2e tests have locked.
npm=$area/npm
mkdir -p "$npm"
if ! cmp -s "$root/tests/e2e/package-lock.json" "$npm/node_modules/.installed"; then
  cp "$root"/tests/e2e/{package.json,package-lock.json,.npmrc} "$npm/"
  (cd "$npm" && npm ci --no-progress >&2)
  cp "$npm/package-lock.json" "$npm/node_modules/.installed"
fi

# probot, which `processing` compares with.
if [ $# -eq 0 ] || [[ " $* " == *" processing "* ]]; then
  mkdir -p "$area/probot"
  if [ ! -d "$area/probot/node_modules/probot" ]; then
    (cd "$area/probot" && npm init -y >/dev/null &&
      npm install --no-progress --no-audit --no-fund probot@13 >&2)
  fi
fi

# On a real disk and in a directory that every user can enter: PostgreSQL does
# not run as root.
work=$(mktemp -d "${EVENTWEFT_BENCH_DIR:-/var/tmp}/eventweft-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

"$build/bench/eventweft_bench" \
  --binary "$build/app/eventweft" \
  --examples "$npm/node_modules/@octokit/webhooks-examples/api.github.com/index.json" \
  --work "$work" --results "$area/results.json" "$@"
echo "All figures: build/bench/results.json" >&2
