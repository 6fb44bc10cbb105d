#!/usr/bin/env bash
# Runs the whole test suite; the last line is the count of tests. Arguments go to `cargo test`.
#
# Tests on data that is not shipped look for it in BOLDLY_TEST_DATA (default: ../shared) and say when they skip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

./scripts/setup.sh
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
cargo test --workspace --no-fail-fast "$@" 2>&1 | tee "$log" || status=$?

# one line a test binary: `test result: ok. 12 passed; 0 failed; ...`
awk '/^test result: /{ for (i = 1; i < NF; i++) { if ($(i + 1) == "passed;") passed += $i; if ($(i + 1) == "failed;") failed += $i } }
     END { printf "%d passed, %d failed\n", passed, failed }' "$log"
exit "$status"
