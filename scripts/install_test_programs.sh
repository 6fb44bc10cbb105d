#!/usr/bin/env bash
# Installs the programs that some tests drive besides boldly: Chromium for the reports, Slurm for `boldly submit`. Debian and root;
# elsewhere those tests say that they are skipped.
set -euo pipefail

packages=()
command -v chromium >/dev/null 2>&1 || packages+=(chromium)
PATH=$PATH:/usr/sbin command -v slurmctld >/dev/null 2>&1 || packages+=(slurmctld slurmd slurm-client munge)
if [ "${#packages[@]}" -eq 0 ]; then
    echo "Chromium and Slurm are there"
elif [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "not installed, for want of root or apt-get: ${packages[*]}"
else
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
fi
