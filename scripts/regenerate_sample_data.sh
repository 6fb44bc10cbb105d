#!/usr/bin/env bash
# Makes sample_data/dataset anew from sample_data/simulation.toml. tests/simulate.rs holds the two together.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
cargo run --release --locked --quiet -- simulate sample_data/simulation.toml --out "$fresh/dataset"
rm -rf sample_data/dataset
mv "$fresh/dataset" sample_data/dataset
echo "sample_data/dataset is new; regenerate the expectations too: scripts/regenerate_expectations.sh"
