"""Spikes from fluorescence, ours and those of oasis-deconv 0.3.2, against spikes recorded from the same cells.

    python benches/calcium/compare.py --ours ORDER1.tsv ORDER2.tsv [--data ../shared/data/calcium] [--out results.tsv]

Each file of ours has a column per recording, named as its file without `_dff.tsv.gz`, with a row per sample (shorter
recordings end in `n/a`): what `boldly run` writes as `sub-.._desc-neural_timeseries.tsv`.

The measure is the correlation of estimated with recorded spikes, both binned at 40 ms; bins start half a sample before
the first sample, the same for both tools. A cell's value is the mean over its recordings, the summary the median over cells.
The package is called as `oasis.functions.deconvolve(y, g=(None,), penalty=1)` for order 1 (its default call) and with
`g=(None, None)` for order 2.
"""

import argparse
import csv
import gzip
import math
import os
import pathlib
import warnings

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402
from oasis.functions import deconvolve  # noqa: E402

BIN_S = 0.04


def correlation(time_s, activity, spikes_s):
    dt_s = np.median(np.diff(time_s))
    bins = math.floor((time_s[-1] - time_s[0] + dt_s) / BIN_S)
    edges = time_s[0] - dt_s / 2 + BIN_S * np.arange(bins + 1)
    estimated = np.histogram(time_s, edges, weights=activity)[0]
    recorded = np.histogram(spikes_s, edges)[0]
    return np.corrcoef(estimated, recorded)[0, 1]


def columns(path):
    """Column name -> values, up to the first n/a."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    found = {}
    for place, name in enumerate(rows[0]):
        values = [row[place] for row in rows[1:]]
        found[name] = np.array([float(value) for value in values if value != "n/a"])
    return found


def recordings(data):
    for path in sorted(data.glob("DS*/*_dff.tsv.gz")):
        with gzip.open(path, "rt") as file:
            table = np.loadtxt(file, skiprows=1)
        name = path.name.removesuffix("_dff.tsv.gz")
        spikes_s = np.loadtxt(path.with_name(name + "_spikes.tsv"), skiprows=1, ndmin=1)
        yield path.parent.name.split("-")[0], name, table[:, 0], np.ascontiguousarray(table[:, 1]), spikes_s


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", nargs=2, required=True, metavar=("ORDER1", "ORDER2"))
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("../shared/data/calcium"))
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).with_name("results.tsv"))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)  # the package prefers tau_d to g
    ours = [columns(path) for path in arguments.ours]
    rows, cells = [], {}
    for dataset, name, time_s, y, spikes_s in recordings(arguments.data):
        values = []
        for order, g in enumerate([(None,), (None, None)]):
            values.append(correlation(time_s, ours[order][name], spikes_s))
            values.append(correlation(time_s, deconvolve(y, g=g, penalty=1).s, spikes_s))
        rows.append((dataset, name, values))
        cells.setdefault((dataset, name.split("_rec-")[0]), []).append(values)
    means = {cell: np.mean(values, axis=0) for cell, values in cells.items()}
    median = np.median(list(means.values()), axis=0)
    rows += [(dataset, cell + " (cell)", values) for (dataset, cell), values in means.items()]
    rows.append(("all", "median of cells", median))
    with open(arguments.out, "w") as file:
        print("dataset", "recording", "boldly_ar1", "oasis_ar1", "boldly_ar2", "oasis_ar2", sep="\t", file=file)
        for dataset, name, values in rows:
            print(dataset, name, *(f"{value:.3f}" for value in values), sep="\t", file=file)
    print(arguments.out.read_text())


if __name__ == "__main__":
    main()
