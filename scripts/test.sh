#!/usr/bin/env bash
# Runs the whole test suite; the last line is the count of tests, the line before it that of tests which said that they
# were skipped. Arguments go to `cargo test`; those after `--` to the test programs.
#
# Tests on data that is not shipped look for it in BOLDLY_TEST_DATA (default: ../shared) and say when they skip.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

./scripts/setup.sh
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# what passing tests print is kept from view unless asked for, and with it that they skipped
case " $* " in *" -- "*) show=(--show-output) ;; *) show=(-- --show-output) ;; esac
status=0
cargo test --workspace --no-fail-fast "$@" "${show[@]}" 2>&1 | tee "$log" || status=$?

echo
echo "$(grep -c '^skipped[ :]' "$log" || true) tests said that they were skipped"
# one line a test program: `test result: ok. 12 passed; 0 failed; ...`
awk '/^test result: /{ for (i = 1; i < NF; i++) { if ($(i + 1) == "passed;") passed += $i; if ($(i + 1) == "failed;") failed += $i } }
     END { printf "%d passed, %d failed\n", passed, failed }' "$log"
exit "$status"
