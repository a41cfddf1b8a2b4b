# Shared by the set-up scripts: one printed line a step; noisy output goes to a log, shown only when the step fails.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache="$root/.cache"
logs="$cache/setup"
venv="${MODELPORT_VENV:-$root/.venv}"
mkdir -p "$logs"

say() { printf 'set-up: %s\n' "$*"; }

fail() {
  printf 'set-up: FAILED: %s\n' "$*" >&2
  exit 1
}

# try LOG COMMAND...: run quietly; on failure show the end of the log and return the command's status.
try() {
  local log="$logs/$1.log" status=0
  shift
  "$@" >"$log" 2>&1 || status=$?
  if [ "$status" -ne 0 ]; then
    printf -- '--- the end of %s\n' "${log#"$root"/}" >&2
    tail -n 40 "$log" >&2
    printf -- '---\n' >&2
  fi
  return "$status"
}

# step TEXT LOG COMMAND...: announce, run, and stop the set-up when the command fails.
step() {
  local text="$1"
  shift
  say "$text"
  try "$@" || fail "$text"
}
