#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
export GITHUB_WEBHOOK_SECRET=topsecret
build_example pr_notifier
start_example
answer=$(send github --event pull_request --sample) || fail "$answer"
expect '#'
grep -qE '^[^ ]+/[^ ]+#[0-9]+ opened by ' "$scratch/out" || fail "no notice"
grep -q 'PR processed' <<<"$answer" || fail "the handler's reply is not in: $answer"
if send github --event pull_request --sample --secret wrong >/dev/null 2>&1; then
  fail "took what was signed with another secret"
fi
stop_example
