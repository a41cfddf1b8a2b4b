#!/usr/bin/env bash
# Run the test suite on every supported Python that this machine has: matrix.sh [pytest arguments]
# Each version has its environment under .cache/venvs. The version of .venv is left out: `make test-full` has run it.
set -euo pipefail
# shellcheck source=tests/setup/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly supported=(3.11 3.12 3.13)

# A pyenv shim exists for every installed version but runs only the chosen ones: look behind it.
interpreter() {
  local candidate
  for candidate in "python$1" "${PYENV_ROOT:-/nonexistent}"/versions/"$1".*/bin/python; do
    if "$candidate" -c '' >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

done_already=$(version_of "$venv/bin/python")
failed=()
for version in "${supported[@]}"; do
  [ "$version" != "$done_already" ] || continue
  if ! python=$(interpreter "$version"); then
    say "Python $version: not on this machine, left out"
    continue
  fi
  PYTHON="$python" MODELPORT_VENV="$cache/venvs/$version" "$root/tests/setup/venv.sh" dev
  say "Python $version: the tests"
  "$cache/venvs/$version/bin/python" -m pytest -o cache_dir="$cache/pytest-$version" "$@" || failed+=("$version")
done
[ "${#failed[@]}" -eq 0 ] || fail "tests failed on Python ${failed[*]}"
