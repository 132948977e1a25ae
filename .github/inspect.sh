#!/usr/bin/env bash
# The step of action.yml: inspect, keep the verdict as an output, fail as asked. Inputs come by environment only, so
# that no name of a file or branch is ever read as shell.
set -u
case "$FAIL_ON" in hold | reject) ;; *) echo "fail-on: hold or reject" >&2; exit 2 ;; esac
sekisho="${SEKISHO:-$RUNNER_TEMP/sekisho/bin/sekisho}"

arguments=(--policy "$POLICY" --lang "$REPORT_LANGUAGE")
[ -n "$BASE" ] && arguments+=(--base "$BASE")
[ -n "$SUPPRESSIONS" ] && arguments+=(--suppressions "$SUPPRESSIONS")
[ -n "$BASELINE" ] && arguments+=(--baseline "$BASELINE")

"$sekisho" inspect "${arguments[@]}" --also "sarif=$SARIF" --also "markdown=$RUNNER_TEMP/sekisho.md" -- "$MODEL"
code=$?

case $code in
  0) decision=admit ;;
  1) decision=reject ;;
  3) decision=hold ;;
  *) exit "$code" ;;
esac
cat "$RUNNER_TEMP/sekisho.md" >> "$GITHUB_STEP_SUMMARY"
{ echo "decision=$decision"; echo "sarif=$SARIF"; } >> "$GITHUB_OUTPUT"
[ "$decision" = admit ] && exit 0
[ "$decision" = hold ] && [ "$FAIL_ON" = reject ] && exit 0
exit "$code"
