#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install.sh BUILD PREFIX: installs, and moves the result, so that nothing in it
# may know where it was made.
set -euo pipefail
build=$1 prefix=$2
rm -rf "$prefix" "$prefix.made"
cmake --install "$build" --prefix "$prefix.made" >/dev/null
mv "$prefix.made" "$prefix"
"$prefix/bin/eventweft" version
