#!/usr/bin/env bash
# Prints the lock of the base side of a comparison, or nothing. BASE is as for check.sh.
set -euo pipefail

if [ -z "${BASE:-}" ] || [ "$BASE" = none ]; then exit; fi
if commit=$(git rev-parse --quiet --verify --end-of-options "$BASE^{commit}") && commit=$(git merge-base "$commit" HEAD); then
  git show "$commit:nevermigrate.lock" 2>/dev/null || true
fi
