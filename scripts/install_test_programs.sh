#!/usr/bin/env bash
# Installs the programs that some tests drive besides boldly: Chromium for the reports. Debian and root;
# elsewhere that test says that it is skipped.
set -euo pipefail

packages=()
command -v chromium >/dev/null 2>&1 || packages+=(chromium)
if [ "${#packages[@]}" -eq 0 ]; then
    echo "Chromium is there"
elif [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "not installed, for want of root or apt-get: ${packages[*]}"
else
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi
