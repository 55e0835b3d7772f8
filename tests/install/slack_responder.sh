#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
export SLACK_SIGNING_SECRET=topsecret
build_example slack_responder
start_example
send slack --type app_mention --sample >/dev/null
expect 'mentioned in '
printf 'command=%%2Fdeploys&text=&user_id=U1&team_id=T1&channel_id=C1&trigger_id=1.2' \
  >"$scratch/command"
answer=$(send slack --file "$scratch/command" --as-is \
  --content-type application/x-www-form-urlencoded) || fail "$answer"
grep -q 'I was mentioned 1 times' <<<"$answer" || fail "no reply in: $answer"
stop_example
