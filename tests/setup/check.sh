#!/usr/bin/env bash
# Run every static check, all of them even when one fails, and end with the list of those that failed.
set -uo pipefail
# shellcheck source=tests/setup/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root" || exit 1

failed=()
check() {
  local name="$1"
  shift
  printf 'check: %s\n' "$name"
  "$@" || failed+=("$name")
}

check "lint" "$venv/bin/python" -m ruff check --quiet .
check "format" "$venv/bin/python" -m ruff format --check --quiet .
check "types (pyright)" "$venv/bin/python" -m pyright --warnings
check "types (mypy)" "$venv/bin/python" -m mypy
check "generated files are fresh" "$venv/bin/modelport" generate --check
check "docs/cli.md is fresh" "$venv/bin/python" -m modelport.cli._reference docs/cli.md --check

if [ "${#failed[@]}" -gt 0 ]; then
  printf 'check: FAILED: %s\n' "${failed[@]}" >&2
  exit 1
fi
printf 'check: all passed\n'
