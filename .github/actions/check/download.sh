#!/usr/bin/env bash
# Downloads the archive FILE of the release RELEASE and unpacks the program into BIN.
# Nothing is unpacked whose checksum is not SUM, which the action has; where gh is there,
# GitHub's attestation of a download must be right, too. Archives are kept in
# RUNNER_TOOL_CACHE, which a runner may keep from job to job, and verified again.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# Bash on Windows has other names for folders than what runs outside of it.
unix() { if command -v cygpath >/dev/null; then cygpath -u "$1"; else printf '%s\n' "$1"; fi; }
bin=$(unix "$BIN")
kept=$(unix "${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}")/nevermigrate/$RELEASE/$FILE
out=$(mktemp -d "$(unix "$RUNNER_TEMP")/nevermigrate-XXXXXX")
url=$RELEASES/v$RELEASE/$FILE
source='or set the input build to true to build from source'

# fail MESSAGE: there is no program.
fail() {
  printf '::error::nevermigrate %s could not be downloaded: %s\n' "$RELEASE" "$1"
  exit 2
}

# download: fetches the archive to $out/archive, in three tries at most.
download() {
  local try status=0 code said
  for try in 1 2 3; do
    status=0
    code=$(curl --silent --show-error --fail --location --max-redirs 5 --proto '=https' --connect-timeout 30 --max-time 300 \
      --max-filesize 500000000 --output "$out/archive" --write-out '%{http_code}' "$url" 2>"$out/said") || status=$?
    said=$(head -n 1 "$out/said" | tr -d '\r' | cut -c 1-300)
    if [ "$status" = 0 ]; then return; fi
    case $code in
      404 | 410) fail "$url is not there (status $code). Take a commit of the action whose release is there, $source." ;;
    esac
    echo "Try $try of 3: $said"
    if [ "$try" != 3 ]; then sleep $((try * 5)); fi
  done
  fail "$url: ${said//%/%25}. Run the job again, $source."
}

# attest: asks GitHub who built the archive.
attest() {
  if [ "${GITHUB_SERVER_URL:-https://github.com}" != https://github.com ] || [ -z "${GH_TOKEN:-}" ]; then
    echo 'The attestation is not verified: it needs a token of github.com.'
  elif [[ $(gh attestation verify --help 2>/dev/null) != *--source-ref* ]]; then
    echo 'The attestation is not verified: there is no gh that could.'
  elif gh attestation verify "$out/archive" --repo "$REPOSITORY" --signer-workflow "$REPOSITORY/.github/workflows/release.yml" \
    --source-ref "refs/tags/v$RELEASE" --deny-self-hosted-runners >"$out/said" 2>&1; then
    echo "The attestation is right: $REPOSITORY built it."
  else
    said=$(tr -d '\r' <"$out/said" | grep -v '^$' | tail -n 1 | cut -c 1-300)
    fail "GitHub does not attest that $REPOSITORY built $url: ${said//%/%25}. Run the job again, $source."
  fi
}

sum() { "$here/sha256.sh" <"$1"; }

if [ -f "$kept" ] && [ "$(sum "$kept")" = "$SUM" ]; then
  cp "$kept" "$out/archive"
  echo "$FILE was kept from a job before."
else
  download
  got=$(sum "$out/archive")
  if [ "$got" != "$SUM" ]; then
    fail "the SHA-256 of $url is $got, and the action's checksums.txt says $SUM. Do not use it; tell the maintainers of nevermigrate."
  fi
  attest
  mkdir -p "$(dirname "$kept")"
  # Another job may read it at the same time.
  cp "$out/archive" "$kept.$$"
  mv -f "$kept.$$" "$kept"
  echo "$FILE was downloaded, and its checksum is right."
fi

mkdir -p "$bin"
case $FILE in
  *.zip) unzip -q -o "$out/archive" nevermigrate.exe -d "$bin" ;;
  *) tar -xzf "$out/archive" -C "$bin" nevermigrate ;;
esac
rm -r "$out"
