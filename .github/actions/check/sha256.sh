#!/usr/bin/env bash
# Prints the SHA-256 of each file that is named, as sha256sum does, or of the standard
# input by itself. macOS has shasum; on Windows sha256sum marks names with a star.
set -euo pipefail

sum=(sha256sum)
command -v sha256sum >/dev/null || sum=(shasum -a 256)
if [ $# = 0 ]; then
  digest=$("${sum[@]}")
  printf '%s\n' "${digest%% *}"
else
  "${sum[@]}" "$@" | sed 's/^\([0-9a-f]*\) \*/\1  /'
fi
