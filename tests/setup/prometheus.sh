#!/usr/bin/env bash
# Put Prometheus and promtool, which the tests of drift rules drive, under .cache/prometheus. They come out of the Debian
# package without installing it: an installed one would start a server of its own. Does nothing where they are there
# already, or on PATH; elsewhere the tests concerned skip and say what is missing.
set -euo pipefail
# shellcheck source=tests/setup/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly place="$cache/prometheus"

[ ! -x "$place/usr/bin/promtool" ] || exit 0
! command -v promtool >/dev/null 2>&1 || ! command -v prometheus >/dev/null 2>&1 || exit 0

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi; }

fetch() {
  rm -rf "$place" && mkdir -p "$place"
  cd "$place"
  apt-get download prometheus || { as_root apt-get update && apt-get download prometheus; }
  dpkg --extract prometheus_*.deb .
  rm prometheus_*.deb
  usr/bin/promtool --version
}

say "Prometheus and promtool, into .cache/prometheus"
if ! command -v apt-get >/dev/null 2>&1; then
  say "COULD NOT fetch Prometheus (there is no apt-get): the tests that need it will skip and say so"
elif ! try prometheus fetch; then
  rm -rf "$place"
  say "COULD NOT fetch Prometheus: the tests that need it will skip and say so"
fi
