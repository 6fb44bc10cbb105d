#!/usr/bin/env bash
# validate_bids.sh RESULTS...: holds every model's folder in folders of results to the official BIDS validator. An error of the
# standard fails, a warning does not (they ask for a README, authors, and the like). The validator is BOLDLY_BIDS_VALIDATOR, or
# else the version named here, installed from PyPI below target/tools once.
set -euo pipefail

version=3.0.2

# The message, and what the command said that failed.
fail() {
    printf 'validate_bids: %s\n' "$@" >&2
    exit 2
}

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/target/tools/bids-validator-$version
validator=${BOLDLY_BIDS_VALIDATOR:-$tools/bin/bids-validator-deno}
[ $# -gt 0 ] || fail "usage: validate_bids.sh RESULTS..."

if [ -n "${BOLDLY_BIDS_VALIDATOR:-}" ]; then
    command -v "$validator" >/dev/null || fail "BOLDLY_BIDS_VALIDATOR is no command: $validator"
elif [ ! -e "$tools/complete" ]; then
    rm -rf "$tools"
    mkdir -p "$(dirname "$tools")"
    said=$(python3 -m venv "$tools" 2>&1) ||
        fail "python3 with venv and pip is needed for the validator (Debian: apt-get install python3-venv)" "$said"
    said=$("$tools/bin/python" -m pip install --quiet --disable-pip-version-check "bids-validator-deno==$version" 2>&1) ||
        fail "bids-validator-deno $version cannot be installed; is there a network?" "$said"
    touch "$tools/complete" # an installation that was interrupted is begun anew
fi

models=()
for results in "$@"; do
    found=0
    for description in "$results"/*/dataset_description.json; do
        [ -e "$description" ] || continue
        models+=("$(dirname "$description")")
        found=1
    done
    [ "$found" -eq 1 ] || fail "no model's folder with a dataset_description.json in $results"
done

# Most of the time is that of starting; xargs runs as many at a time as there are processors, and fails where one fails.
# A report is held back until it is whole, so that two do not mix.
validate() {
    local said status=0
    said=$(NO_COLOR=1 "$1" --ignoreWarnings "$2" 2>&1) || status=$?
    if [ "$status" -eq 0 ]; then
        printf 'valid: %s\n' "$2"
    else
        printf 'NOT VALID: %s\n%s\n' "$2" "$said"
        exit 1
    fi
}
export -f validate
printf '%s\0' "${models[@]}" |
    xargs -0 -n 1 -P "$(getconf _NPROCESSORS_ONLN)" bash -c 'validate "$0" "$1"' "$validator" || {
    printf 'validate_bids: not all of %d folders are valid\n' "${#models[@]}" >&2
    exit 1
}
printf '%d folders are valid BIDS derivatives\n' "${#models[@]}"
