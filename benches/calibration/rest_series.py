"""Writes region series of rest (MATLAB files, variable `tc`, region x volume) as tables that the bench reads.

    python rest_series.py SHARED/data/rest/hcp_roi FOLDER
    cargo bench --bench calibration -- --real SHARED --rest FOLDER

The files do not state a repetition time: .72 s is that of HCP's protocol; 2 s is taken for the others, where it only sets how
long the random events last.
"""

import sys
from pathlib import Path

import numpy as np
import scipy.io

source, folder = map(Path, sys.argv[1:])
folder.mkdir(parents=True, exist_ok=True)
for path in sorted(source.rglob("*.mat")):
    # GROUP/subjects/SUBJECT/functional/FILE
    group, subject = path.parts[-5], path.parts[-3]
    tr_s = "0.72" if group == "hcp" else "2.0"
    series = scipy.io.loadmat(path)["tc"].T
    header = "\t".join(f"r{region}" for region in range(series.shape[1]))
    np.savetxt(folder / f"{group}-{subject}_tr-{tr_s}.tsv", series, "%.7g", "\t", header=header, comments="")
