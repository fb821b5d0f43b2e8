#!/usr/bin/env bash
# Tells where the source is that this action came with, where the program goes,
# and a digest of what it is built from.
set -euo pipefail

module=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)
if [ -n "${VERSION:-}" ]; then
  digest=$(printf %s "$VERSION" | sha256sum)
else
  digest=$(cd "$module" && find go.mod go.sum harness policy -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
fi
{
  echo "module=$module"
  echo "bin=$RUNNER_TEMP/nevermigrate-bin"
  echo "digest=${digest%% *}"
} >>"$GITHUB_OUTPUT"
