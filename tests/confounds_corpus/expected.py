"""Writes expected.tsv: what pandas and nilearn's scrubbing make of each table below a folder.

usage: expected.py CONFOUNDS_FOLDER > expected.tsv     (made with pandas 3.1.1 and nilearn 0.14.1)

Columns: the file; its rows; the verdict on all columns when n/a in the first row takes the second row's value;
the number of columns and the sum of all their values; and, where the table has both quality columns, the number of frames
that scrubbing keeps and the sum of their 0-based numbers: at 0.5 mm and 1.5 std DVARS, at 0.2 mm and 1.2, with
segments of at least 5.
"""
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from nilearn.interfaces.fmriprep.load_confounds_scrub import optimize_scrub

HEADERLESS = {"usub-01_task-auditory_desc-confounds_regressors.tsv", "sub-01_task-auditory_space-individual_desc-preproc_regressors.tsv"}


def kept(table, fd_mm, std_dvars):
    columns = {"framewise_displacement": fd_mm, "std_dvars": std_dvars}
    if not set(columns) <= set(table.columns):
        return "-"
    outliers = np.zeros(len(table), bool)
    for name, threshold in columns.items():
        outliers |= pd.to_numeric(table[name], errors="coerce").to_numpy() > threshold
    index = np.flatnonzero(outliers)
    if len(index):
        index = optimize_scrub(index, len(table), 5)
    frames = np.setdiff1d(np.arange(len(table)), index)
    return f"{len(frames)}:{frames.sum()}"


def main(folder):
    print("file", "rows", "verdict", "columns", "sum", "kept", "kept_strictly", sep="\t")
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".tsv", ".csv", ".txt"):
            continue
        header = None if path.suffix == ".txt" or path.name in HEADERLESS else 0
        separator = r"\s+" if path.suffix == ".txt" else "," if path.name == "development_fmri.csv" else "\t"
        table = pd.read_csv(path, sep=separator, header=header)
        numbers = table.apply(pd.to_numeric, errors="coerce").astype(float)
        if len(numbers) > 1:
            numbers.iloc[0] = numbers.iloc[0].fillna(numbers.iloc[1])
        booleans = table.dtypes.eq(bool).any()
        good = np.isfinite(numbers.to_numpy()).all() and not booleans
        total = f"{numbers.to_numpy().sum():.12e}" if good else "-"
        verdict = "read" if good else "confounds-not-a-number"
        name = path.relative_to(folder)
        print(name, len(table), verdict, table.shape[1] if good else "-", total, kept(table, 0.5, 1.5), kept(table, 0.2, 1.2), sep="\t")


main(Path(sys.argv[1]))
