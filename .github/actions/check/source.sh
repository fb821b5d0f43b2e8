#!/usr/bin/env bash
# Tells where the program comes from: the release that checksums.txt names, or source.
# A release is taken when it is of the source that this action came with, or when the
# input version names it. BUILD and VERSION are inputs; see action.yml.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)

# fail MESSAGE: what is wrong with the inputs or with checksums.txt.
fail() {
  printf '::error::%s\n' "$1"
  exit 2
}

case ${BUILD:-} in
  true | false | '') ;;
  *) fail "the input build must be true or false" ;;
esac
if [[ -n ${VERSION:-} && ! $VERSION =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]]; then
  fail "the input version is neither a version nor a revision"
fi

# The release: its version, the digest of its source, and the checksum of the archive
# for this machine.
release='' source='' file='' sum=''
os=$(printf %s "$RUNNER_OS" | tr '[:upper:]' '[:lower:]')
case $os in macos) os=darwin ;; esac
arch=$(printf %s "$RUNNER_ARCH" | tr '[:upper:]' '[:lower:]')
case $arch in x64) arch=amd64 ;; esac
end=tar.gz
if [ "$os" = windows ]; then end=zip; fi
number=0
while IFS= read -r line || [ -n "$line" ]; do
  number=$((number + 1))
  if [[ $line == '#'* || $line == 'no release' ]]; then continue; fi
  if [[ $line =~ ^source\ ([0-9a-f]{64})$ ]]; then
    source=${BASH_REMATCH[1]}
  elif [[ $line =~ ^([0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.-]*)\ ([a-z]+)\ ([a-z0-9]+)\ ([0-9a-f]{64})$ ]] &&
    [ "${release:-${BASH_REMATCH[1]}}" = "${BASH_REMATCH[1]}" ]; then
    release=${BASH_REMATCH[1]}
    if [ "${BASH_REMATCH[2]} ${BASH_REMATCH[3]}" = "$os $arch" ]; then
      file=nevermigrate_${release}_${os}_$arch.$end
      sum=${BASH_REMATCH[4]}
    fi
  else
    fail "line $number of the action's checksums.txt is none that scripts/action-checksums writes"
  fi
done <"$here/checksums.txt"

module=$(cd "$here/../../.." && pwd)
digest=$("$here/digest.sh" "$module")
from=source
if [ "${BUILD:-}" = true ]; then
  why='the input build is true'
elif [ -z "$release" ]; then
  why='there is no release yet'
elif [ -n "${VERSION:-}" ] && [ "${VERSION#v}" != "$release" ]; then
  why="the input version is not $release, of which this action has the checksums"
elif [ -z "${VERSION:-}" ] && [ "$source" != "$digest" ]; then
  why="this action is not that of release $release: its source differs"
else
  from=release
fi

if [ "$from" = release ]; then
  if [ -z "$sum" ]; then
    fail "release $release of nevermigrate has no archive for $os $arch: set the input build to true to build it from source"
  fi
  digest=$sum
  echo "nevermigrate is release $release."
else
  if [ -n "${VERSION:-}" ]; then digest=$(printf %s "$VERSION" | "$here/sha256.sh"); fi
  echo "nevermigrate is built from source: $why."
fi
{
  echo "from=$from"
  echo "release=$release"
  echo "file=$file"
  echo "sum=$sum"
  echo "module=$module"
  echo "bin=$RUNNER_TEMP/nevermigrate-bin"
  echo "digest=$digest"
} >>"$GITHUB_OUTPUT"
