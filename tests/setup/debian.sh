#!/usr/bin/env bash
# Install the Debian packages that the tests drive and Python cannot bring: Chromium (reports are opened in a real
# browser), curl (the curl snippets are run) and Java (Spark runs in it). Does nothing where they stand already. Needs
# root or passwordless sudo; elsewhere it says what is missing, and the tests concerned skip and name it.
set -euo pipefail
# shellcheck source=tests/setup/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# command:package
readonly needed=(chromium:chromium curl:curl java:default-jre-headless)

missing() {
  local pair
  for pair in "${needed[@]}"; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s\n' "${pair##*:}"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

may_install() {
  command -v apt-get >/dev/null 2>&1 || { reason="there is no apt-get"; return 1; }
  [ "$(id -u)" -eq 0 ] || sudo -n true >/dev/null 2>&1 || { reason="neither root nor passwordless sudo"; return 1; }
}

# Lists may be absent (a slim image) or older than the mirror (a 404 on a package): refresh and try once more.
install() {
  as_root apt-get install -y --no-install-recommends "$@" && return
  as_root apt-get update && as_root apt-get install -y --no-install-recommends "$@"
}

mapfile -t packages < <(missing)
[ "${#packages[@]}" -gt 0 ] || exit 0

reason="apt-get failed"
if may_install; then
  say "Debian packages: ${packages[*]} (may take a minute)"
  try debian install "${packages[@]}" || true
fi

mapfile -t packages < <(missing)
[ "${#packages[@]}" -eq 0 ] ||
  say "COULD NOT install ${packages[*]} ($reason): the tests that need them will skip and say so"
