#!/usr/bin/env bash
# Make or refresh the project's virtual environment: venv.sh demo|dev
#   demo  the library with what `modelport demo` needs
#   dev   every extra, the linters and the test tools
# The two only ever add packages, so running one after the other does not undo the first.
# Environment: PYTHON (interpreter to build on), MODELPORT_VENV (where; default .venv).
set -euo pipefail
# shellcheck source=tests/setup/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly uv_requirement='uv>=0.9'
readonly scope="${1:-dev}"
# Always the machine's own interpreter and its own certificate store.
export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1 UV_NO_PROGRESS=1

recent_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
    if recent_enough "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  fail "no Python 3.11 or newer found (tried: ${PYTHON:-python3 python3.13 python3.12 python3.11 python}); install one or say PYTHON=/path/to/python3"
}

make_venv() {
  local python
  python=$(find_python)
  say "virtual environment ${venv#"$root"/} with $("$python" --version)"
  try venv "$python" -m venv "$venv" && return
  rm -rf "$venv"
  fail "'$python -m venv' does not work here; on Debian and Ubuntu install the package python3-venv"
}

install_uv() {
  "$venv/bin/uv" --version >/dev/null 2>&1 && return
  step "$uv_requirement, by pip" uv "$venv/bin/python" -m pip install --disable-pip-version-check "$uv_requirement"
}

sync() {
  local arguments=(sync --frozen --inexact)
  case "$scope" in
    demo) arguments+=(--extra demo --no-default-groups) ;;
    dev) arguments+=(--all-extras) ;;
    *) fail "unknown scope '$scope': demo or dev" ;;
  esac
  UV_PROJECT_ENVIRONMENT="$venv" step "locked packages ($scope)" "sync-$scope" \
    "$venv/bin/uv" --project "$root" "${arguments[@]}" --python "$venv/bin/python"
}

recent_enough "$venv/bin/python" || make_venv
install_uv
sync
