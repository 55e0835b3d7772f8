#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
export DEPLOYMENT_WEBHOOK_SECRET=topsecret
build_example deployment_tracker
start_example
cat >"$scratch/deploy.json" <<'JSON'
{"deployment_id":"7","environment":"production","status":"success",
 "repository_name":"octo/repo","commit_sha":"0123456789abcdef"}
JSON
send deployments --file "$scratch/deploy.json" >/dev/null
expect 'octo/repo in production is now 0123456789abcdef'
expect 'changed: octo/repo, event 2'
stop_example
