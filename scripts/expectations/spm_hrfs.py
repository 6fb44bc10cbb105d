#!/usr/bin/env python3
"""SPM's responses and basis functions from nipy's test data, as text: writes tests/expectations/design/spm_*.tsv.

Needs scipy. Run from the repository's root with the folder that holds spm_hrfs.mat and spm_bases.mat (nipy, BSD
3-clause, nipy/modalities/fmri/tests) as the argument. Kept small: responses at RT 1 and 1.5 s, every 64th row of the
bases (dt 0.01 s).
"""
import sys

from scipy.io import loadmat

folder = sys.argv[1]
hrfs = loadmat(f"{folder}/spm_hrfs.mat", squeeze_me=True)
with open("tests/expectations/design/spm_hrfs.tsv", "w") as file:
    file.write("rt_s\tdelay_s\tundershoot_s\tdispersion_s\tundershoot_dispersion_s\tratio\tsamples\n")
    for parameters, samples in zip(hrfs["params"], hrfs["hrfs"]):
        if parameters[0] >= 1.0:
            cells = [repr(float(value)) for value in parameters]
            file.write("\t".join(cells + [" ".join("%.14e" % value for value in samples)]) + "\n")
bases = loadmat(f"{folder}/spm_bases.mat", squeeze_me=True)
with open("tests/expectations/design/spm_bases.tsv", "w") as file:
    file.write("row\thrf\tderivative\tdispersion\n")
    for row in range(0, len(bases["hrf"]), 64):
        file.write("\t".join([str(row)] + ["%.17g" % bases[name][row] for name in ("hrf", "dhrf", "ddhrf")]) + "\n")
