#!/usr/bin/env bash
# Makes the pictures of docs/deconvolution.md anew, from the shipped pipelines: docs/images. Each is a file that a pipeline
# writes; two of them show, in place of the events, the true activity of the simulated data.
# BOLDLY names a build of the program; without it a release build is made.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -z "${BOLDLY:-}" ]; then
    cargo build --release --locked
    BOLDLY=./target/release/boldly
fi
made=target/doc_pictures
images=docs/images
rm -rf "$made"
mkdir -p "$made" "$images"

for pipeline in convolution_basics convolution_slice calcium_to_spikes spikes_to_rates; do
    "$BOLDLY" run "pipelines/$pipeline.toml" --out "$made/$pipeline"
done

# true_events SOURCE: the true activity of a source of the simulated data as a table of events
true_events() {
    awk -F '\t' -v source="$1" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == source) column = i; print "onset\tduration\ttrial_type"; next }
        $column > 0 && !on { onset = $1; on = 1 }
        $column == 0 && on { printf "%.3f\t%.3f\ttruth\n", onset, $1 - onset; on = 0 }
        { last = $1 }
        END { if (on) printf "%.3f\t%.3f\ttruth\n", onset, last - onset }
    ' sample_data/neural/truth/sub-01_task-spontaneous_run-01_neural.tsv
}

# The pipeline of regions, but without its interaction, and with the truth in place of the events.
for source in spikesLeft blocksLeft; do
    true_events "$source" >"$made/$source.tsv"
    sed -e "s|^events .*|events = \"$source.tsv\"|" -e 's|"\.\./sample_data|"../../sample_data|' \
        -e '/^\[\[deconvolve.ppi\]\]/,/^plus/d' pipelines/deconvolve_roi.toml >"$made/$source.toml"
    "$BOLDLY" run "$made/$source.toml" --out "$made/roi_$source"
done

# picture NAME PATTERN: the file of this name among what was made becomes docs/images/NAME
picture() {
    cp "$made"/$2 "$images/$1"
}
picture convolution_valid.svg 'convolution_basics/valid/sub-01/func/*.svg'
picture convolution_response.svg 'convolution_basics/response/sub-01/func/*.svg'
picture convolution_gaussian.svg 'convolution_basics/gaussian2p5/sub-01/func/*.svg'
picture slice_sigma1.png 'convolution_slice/sigma1/sub-01/func/*.png'
picture slice_sigma5.png 'convolution_slice/sigma5/sub-01/func/*.png'
picture slice_sigma10.png 'convolution_slice/sigma10/sub-01/func/*.png'
picture deconvolved_spikes.svg 'roi_spikesLeft/spikes/sub-01/func/*_desc-neuralspikesLeft_timeseries.svg'
picture deconvolved_blocks.svg 'roi_blocksLeft/blocks/sub-01/func/*_desc-neuralblocksLeft_timeseries.svg'
picture calcium_spikes.svg 'calcium_to_spikes/riseAndDecay/sub-01/func/*_desc-neuralcell4_timeseries.svg'
picture rates.svg 'spikes_to_rates/gaussian/sub-01/func/*_desc-rate_timeseries.svg'
du -sh "$images"
