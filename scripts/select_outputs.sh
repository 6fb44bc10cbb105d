#!/usr/bin/env bash
# select_outputs.sh RESULTS SELECTION: copies what a shipped pipeline is held to from its results: maps over runs, the
# design of first runs, and tables of statistics; of single runs what has no other form: activity and the maps of its
# estimation, regressors of interactions, rates, convolved series and images. A few hundred kB a pipeline, so that
# activity of voxels is among it where it is small.
set -euo pipefail

results=$1
selection=$2
rm -rf "$selection"
mkdir -p "$selection"
selection=$(cd "$selection" && pwd)
cd "$results"
find . -type f \( \
    \( -name '*_statmap.nii.gz' ! -name '*_run-*' \) -o \
    -name '*_run-01_design.tsv' -o \
    \( -name '*_stats.tsv' ! -name '*_run-*' \) -o \
    \( -name '*_desc-neural_bold.nii.gz' -size -320k \) -o \
    -name '*_stat-lambda_statmap.nii.gz' -o \
    -name '*_stat-sigma_statmap.nii.gz' -o \
    -name '*_stat-dof_statmap.nii.gz' -o \
    -name '*_stat-heldOutR2_statmap.nii.gz' -o \
    -name '*_stat-method_statmap.nii.gz' -o \
    -name '*_desc-neural_timeseries.tsv' -o \
    -name '*_desc-model_stats.tsv' -o \
    -name '*_desc-ppi*_timeseries.tsv' -o \
    -name '*_desc-rate_timeseries.tsv' -o \
    -name '*_desc-convolved_timeseries.tsv' -o \
    -name '*_desc-convolved_bold.nii.gz' \
    \) ! -path './.boldly/*' | LC_ALL=C sort | while IFS= read -r file; do
    mkdir -p "$selection/$(dirname "$file")"
    cp "$file" "$selection/$file"
done
if [ -z "$(find "$selection" -type f | head -n 1)" ]; then
    echo "select_outputs: nothing to compare in $results" >&2
    exit 1
fi
