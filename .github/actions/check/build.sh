#!/usr/bin/env bash
# Builds nevermigrate into GOBIN: the version that is asked for, or the source
# that this action came with.
set -euo pipefail

package=harness/cmd/nevermigrate
# A go.work above is none of ours.
export GOWORK=off
# With C it can load Go plugins, which it refuses, and is a quarter larger for it.
export CGO_ENABLED=0
if [ -n "${VERSION:-}" ]; then
  if [[ ! $VERSION =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]]; then
    echo "the input version is neither a version nor a revision" >&2
    exit 2
  fi
  cd "$RUNNER_TEMP"
  go install "github.com/proompteng/nevermigrate/$package@$VERSION"
else
  cd "$MODULE"
  go install "./$package"
fi
