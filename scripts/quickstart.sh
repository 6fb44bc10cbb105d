#!/usr/bin/env bash
# From a fresh clone to statistic maps: sets up, builds, analyses the sample data, and says where the results are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

./scripts/setup.sh
cargo build --release --locked
./target/release/boldly run pipelines/quickstart.toml

results=pipelines/results/quickstart
echo
echo "Maps over both runs of a subject (open them in any NIfTI viewer):"
find "$results" -name 'sub-*_task-*_contrast-*_stat-z_statmap.nii.gz' ! -name '*_run-*' | LC_ALL=C sort | sed 's/^/    /'
picture=$(find "$results" -name '*_contrast-faceVsHouse_stat-z_statmap.png' ! -name '*_run-*' | LC_ALL=C sort | head -n 1)
if [ -z "$picture" ]; then
    echo "quickstart: the run wrote no picture of the faceVsHouse map below $results" >&2
    exit 1
fi
echo "The same as a picture:"
echo "    $picture"
echo "Everything on pages for a browser:"
echo "    $results/report.html"
