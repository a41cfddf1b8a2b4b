#!/usr/bin/env bash
# Put other projects into environments of their own, which their pins demand: peers.sh NAME...
# NAME is a file of requirements, tests/setup/peers/NAME.txt; the environment is .cache/venvs/NAME. Tests and
# benchmarks that need one which is missing skip and name it, so a failure here is said and not fatal.
set -euo pipefail
# shellcheck source=tests/setup/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
export UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1 UV_NO_PROGRESS=1

install() {
  local requirements="$1" place="$2"
  "$venv/bin/uv" venv --quiet --clear --python "$venv/bin/python" "$place" &&
    "$venv/bin/uv" pip install --quiet --python "$place/bin/python" --requirement "$requirements"
}

for name in "$@"; do
  requirements="$root/tests/setup/peers/$name.txt"
  place="$cache/venvs/$name"
  cmp -s "$requirements" "$place/.installed" && continue
  say "peer: $name"
  if try "peer-$name" install "$requirements" "$place"; then
    cp "$requirements" "$place/.installed"
  else
    say "COULD NOT install $name: the tests that need it will skip and say so"
  fi
done
