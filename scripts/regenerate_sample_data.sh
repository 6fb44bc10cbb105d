#!/usr/bin/env bash
# Makes all folders of sample_data anew from their specifications. tests/simulate.rs holds the two together.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
make() { # specification, folder
    cargo run --release --locked --quiet -- simulate "sample_data/$1.toml" --out "$fresh/$2"
    rm -rf "sample_data/$2"
    mv "$fresh/$2" "sample_data/$2"
}
make simulation dataset
make neural neural
make calcium calcium
make spikes spikes
make convolution convolution
echo "sample_data is new; regenerate the expectations too: scripts/regenerate_expectations.sh"
