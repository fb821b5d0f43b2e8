#!/usr/bin/env bash
# Builds nevermigrate into GOBIN: the version that is asked for, or the source
# that this action came with.
set -euo pipefail

package=harness/cmd/nevermigrate
# A go.work above is none of ours.
export GOWORK=off
# With C it can load Go plugins, which it refuses, and is a quarter larger for it.
export CGO_ENABLED=${CGO_ENABLED:-0}
if [ -n "${VERSION:-}" ]; then
  # source.sh has looked at what it may hold. Go calls a version by its v.
  if [[ $VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+ ]]; then VERSION=v$VERSION; fi
  cd "$RUNNER_TEMP"
  go install "github.com/proompteng/nevermigrate/$package@$VERSION"
else
  cd "$MODULE"
  go install "./$package"
fi
