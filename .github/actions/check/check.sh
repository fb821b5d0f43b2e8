#!/usr/bin/env bash
# Runs nevermigrate once and hands its report on: the table to the log,
# annotations, the step summary, and files as outputs. The inputs come as
# variables; see action.yml.
set -euo pipefail

out=$(mktemp -d "$RUNNER_TEMP/nevermigrate-XXXXXX")

# fail MESSAGE: a mistake in the inputs.
fail() {
  printf '::error::%s\n' "$1"
  exit 2
}

# flag VALUE NAME: whether an input is true; anything but true and false is a mistake.
flag() {
  case $1 in
    true) return 0 ;;
    false | '') return 1 ;;
    *) fail "the input $2 must be true or false" ;;
  esac
}

# Applications of Argo CD name the branch that a change goes to, and a checkout in CI is
# on no branch. What is judged is what would be there.
if [ -n "${BRANCH:-}" ] && git rev-parse --git-dir >/dev/null 2>&1 && git check-ref-format "refs/remotes/origin/$BRANCH" && ! git symbolic-ref -q refs/remotes/origin/HEAD >/dev/null; then
  git symbolic-ref refs/remotes/origin/HEAD "refs/remotes/origin/$BRANCH"
fi

args=()
if [ "${BASE:-}" = none ]; then BASE=; fi
if [ -n "${BASE:-}" ]; then
  args+=(diff --base "$BASE")
  if flag "${TRUST_HEAD:-}" trust-head; then args+=(--trust-head); fi
  if flag "${NEW_ONLY:-}" new-only; then args+=(--new-only); fi
else
  args+=(check)
  if flag "${NEW_ONLY:-}" new-only; then fail "the input new-only needs a base"; fi
  if flag "${TRUST_HEAD:-}" trust-head; then fail "the input trust-head needs a base"; fi
fi
if flag "${ALLOW_ABSENT:-}" allow-absent; then args+=(--allow-absent); fi
case ${ENFORCEMENT:-deny} in
  deny | report) ;;
  strict) args+=(--fail-on-warn) ;;
  *) fail "the input enforcement must be deny, strict or report" ;;
esac
while IFS= read -r line; do
  if [ -n "$line" ]; then args+=(--constraint "$line"); fi
done <<<"${CONSTRAINT:-}"
if [ -n "${CONFIG:-}" ]; then args+=(--config "$CONFIG"); fi
if [ -n "${CHART_CACHE:-}" ]; then args+=(--cache "$CHART_CACHE"); fi
if [ -n "${VERDICT_CACHE:-}" ]; then args+=(--verdict-cache "$VERDICT_CACHE"); fi
if [ -n "${KUBE_VERSION:-}" ]; then args+=(--kube-version "$KUBE_VERSION"); fi
while IFS= read -r line; do
  if [ -n "$line" ]; then args+=(--api-versions "$line"); fi
done <<<"${API_VERSIONS:-}"
for format in sarif html json markdown github; do
  args+=(-o "$format=$out/report.$format")
done
# Without a path diff takes the paths of the configuration or else the working
# directory, and check does so when it is told.
if [ -z "${BASE:-}" ]; then args+=(--default-path .); fi
args+=(--)
while IFS= read -r line; do
  if [ -n "$line" ]; then args+=("$line"); fi
done <<<"${PATHS:-}"

# The log holds names from files that nobody has reviewed. GitHub must not take
# one for a command, so commands are off until a word that nobody can guess.
word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$word"
status=0
"${NEVERMIGRATE:-nevermigrate}" "${args[@]}" 2>"$out/errors" </dev/null || status=$?
cat "$out/errors"
echo
echo "::$word::"

echo "status=$status" >>"$GITHUB_OUTPUT"
if [ ! -f "$out/report.github" ]; then
  reason=$(grep -m 1 '^Error: ' "$out/errors" | cut -c 8-1000 || true)
  reason=${reason:-"it ended with status $status"}
  printf '::error::nevermigrate could not decide: %s\n' "${reason//%/%25}"
  # In a block of code nothing is a link or a tag.
  printf '### nevermigrate: error\n\nIt could not be decided.\n\n~~~~~~\n%s\n~~~~~~\n' "${reason//\~/-}" >>"$GITHUB_STEP_SUMMARY"
  exit 2
fi
# Annotations: nevermigrate has escaped what is in them.
cat "$out/report.github"
cat "$out/report.markdown" >>"$GITHUB_STEP_SUMMARY"
for format in sarif html json markdown; do
  echo "$format=$out/report.$format" >>"$GITHUB_OUTPUT"
done
if [ "$status" = 1 ] && [ "${ENFORCEMENT:-deny}" = report ]; then
  exit 0
fi
exit "$status"
