#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install.sh DIR: puts the tests and the clients they need into DIR, so that
# nothing is installed into the source tree. Quick when nothing has changed.
set -euo pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=$1
mkdir -p "$target"
rm -rf "$target/support"
cp -r "$source"/*.js "$source"/support "$source"/package.json \
  "$source"/package-lock.json "$source"/.npmrc "$target/"
cd "$target"
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci --no-progress
  cp package-lock.json node_modules/.installed
fi
