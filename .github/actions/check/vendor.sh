#!/usr/bin/env bash
# Downloads the charts that the lock names, and those of the lock of the base, into the
# folder CHART_CACHE. The lock is not written. BASE is as for check.sh.
set -euo pipefail

here=$(dirname "$0")
out=$(mktemp -d "$RUNNER_TEMP/nevermigrate-XXXXXX")

# The log holds names from files that nobody has reviewed. GitHub must not take one for
# a command, so commands are off until a word that nobody can guess.
word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$word"
status=0
"${NEVERMIGRATE:-nevermigrate}" vendor --locked --cache "$CHART_CACHE" 2>"$out/errors" </dev/null || status=$?
cat "$out/errors"
"$here/base-lock.sh" >"$out/base.lock"
# Without the charts of the base its findings cannot be compared, and all are new.
base=0
if [ -s "$out/base.lock" ]; then
  "${NEVERMIGRATE:-nevermigrate}" vendor --locked --lock "$out/base.lock" --cache "$CHART_CACHE" 2>&1 </dev/null || base=$?
fi
echo "::$word::"
if [ "$base" != 0 ]; then echo "::warning::nevermigrate could not download every chart of the base"; fi
if [ "$status" != 0 ]; then
  reason=$(grep -m 1 '^Error: ' "$out/errors" | cut -c 8-1000 || true)
  reason=${reason:-"it ended with status $status"}
  printf '::error::nevermigrate could not download the charts: %s\n' "${reason//%/%25}"
fi
exit "$status"
