#!/usr/bin/env bash
# Tells where the charts of the lock are kept, and a digest of the lock and of that of
# the base, by which they are cached. BASE is as for check.sh.
set -euo pipefail

here=$(dirname "$0")
{
  echo "cache=${CHART_CACHE:-$RUNNER_TEMP/nevermigrate-charts}"
  digest=$({
    cat "$(git rev-parse --show-toplevel)/nevermigrate.lock" || true
    "$here/base-lock.sh"
  } 2>/dev/null | "$here/sha256.sh")
  echo "digest=$digest"
} >>"$GITHUB_OUTPUT"
