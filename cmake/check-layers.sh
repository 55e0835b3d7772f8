#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Dependencies point one way. CMake's targets see to it at link time; this sees
# to it for headers, which need no linking.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bad=0

# forbid FOLDER REGEX WHY: no file of FOLDER may have an include that matches.
forbid() {
  local found
  found=$(grep -rnE "^#include [<\"]($2)" "$1" --include='*.hpp' \
    --include='*.cpp' || true)
  if [ -n "$found" ]; then
    printf '%s: %s\n%s\n' "$1" "$3" "$found" >&2
    bad=1
  fi
}

forbid net 'persistence/|pqxx|SQLiteCpp|libpq' 'net/ knows nothing of SQL'
forbid net 'actors/|app/|caf/' 'net/ knows nothing of actors'
forbid persistence 'net/|actors/|app/|caf/|boost/(asio|beast)' \
  'persistence/ knows nothing of sockets or actors'
forbid actors 'net/|app/|pqxx|SQLiteCpp|boost/(asio|beast)' \
  'actors/ knows neither sockets nor SQL'
forbid actors/platforms 'caf/' 'platforms are plain functions'
for folder in messages codec crypto config telemetry delivery auth processing; do
  forbid "$folder" 'net/|actors/|app/|persistence/' \
    "$folder/ is below the layers it includes"
done
for folder in codec crypto config telemetry delivery auth processing; do
  forbid "$folder" 'caf/' "$folder/ knows no actors"
done
forbid include '[^>"]*"|caf/|boost/|pqxx|simdjson|spdlog|tl/' \
  'public headers know the standard library and each other only'
exit "$bad"
