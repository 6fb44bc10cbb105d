#!/usr/bin/env bash
# Makes pipelines/expected anew from the shipped pipelines. Look at the differences before you commit them:
# `.ci/run` holds every later change to these numbers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo build --release --locked
for pipeline in pipelines/*.toml; do
    name=$(basename "$pipeline" .toml)
    rm -rf "target/expectations/$name"
    ./target/release/boldly run "$pipeline" --out "target/expectations/$name"
    ./scripts/select_outputs.sh "target/expectations/$name" "pipelines/expected/$name"
done
du -sh pipelines/expected
