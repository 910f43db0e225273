# shellcheck shell=bash
# Sourced by the scripts that a new user runs first: makes sure that Debian packages are installed.
#
#   need_packages g++ cmake ...
# Installs what is missing if we are root; otherwise says exactly what to install, and ends the script.
need_packages() {
  local missing=() package
  if ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian: please see to these packages or their like yourself: $*" >&2
    return 0
  fi
  for package in "$@"; do
    # The status of a package that was removed but not purged is not "installed" either.
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    echo "Please install what is missing, then start again:" >&2
    echo "  sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  echo "-- installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # A package may bring a service, as rabbitmq-server does. This file keeps it from being started; a machine may have its own.
  local policy=/usr/sbin/policy-rc.d status=0
  if [ -e "$policy" ]; then
    policy=
  else
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  local install=(apt-get install -y -qq --no-install-recommends "${missing[@]}")
  # A fresh machine may have no package lists, or old ones.
  "${install[@]}" </dev/null >/dev/null 2>&1 || { apt-get update -qq && "${install[@]}" </dev/null >/dev/null; } || status=$?
  [ -z "$policy" ] || rm -f "$policy"
  return "$status"
}
