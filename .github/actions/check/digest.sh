#!/usr/bin/env bash
# Prints a digest of what nevermigrate is built from: the module in the folder that is
# named. Whoever has the same files has the same digest.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
find go.mod go.sum harness policy -type f -print0 | LC_ALL=C sort -z | xargs -0 "$here/sha256.sh" | "$here/sha256.sh"
