#!/usr/bin/env python3
"""Design matrices of nilearn for randomised paradigms: writes tests/expectations/design/nilearn.json.

Needs nilearn 0.14.1 (numpy, scipy, pandas). Run from the repository's root: python3 scripts/expectations/design_nilearn.py
"""
import json
import warnings

import nilearn
import numpy as np
import pandas as pd
from nilearn.glm.first_level import make_first_level_design_matrix

warnings.simplefilter("ignore")
SEED = 20_261_123


def paradigm(rng, n_conditions, n_events, span_s, zero_durations, modulated, on_grid):
    rows = []
    for condition in range(n_conditions):
        onsets = np.sort(rng.uniform(-5.0, span_s - 3.0, n_events))
        # onsets on tenths of seconds fall on grid points, where one ulp decides the bin
        onsets = np.round(onsets, 1) if on_grid else onsets
        for onset in onsets:
            rows.append(
                dict(
                    onset=float(onset),
                    duration=0.0 if zero_durations else float(np.round(rng.uniform(0.2, 6.0), 2)),
                    trial_type=f"c{'BaC'[condition]}",
                    modulation=float(np.round(rng.normal(1, 0.5), 3)) if modulated else 1.0,
                )
            )
    return rows


CASES = [
    dict(label="glover, mid-TR", hrf="glover", tr=2.13, s=0.5, n=45, drift="cosine", high_pass=0.01),
    dict(label="spm with both derivatives, impulses, modulated", hrf="spm + derivative + dispersion", tr=2.13, s=0.5,
         n=40, drift="cosine", high_pass=1 / 128, zero=True, modulated=True),
    dict(label="glover with both derivatives", hrf="glover + derivative + dispersion", tr=2.0, s=0.0, n=40,
         drift="polynomial", order=3, on_grid=True),
    dict(label="glover with derivative, short TR", hrf="glover + derivative", tr=0.72, s=0.0, n=60, drift="cosine",
         high_pass=0.02, modulated=True),
    dict(label="fir", hrf="fir", tr=2.4, s=0.5, n=40, drift=None, fir=[0, 1, 3, 7], on_grid=True),
    dict(label="fir, impulses on the grid", hrf="fir", tr=2.5, s=0.0, n=40, drift=None, fir=[0, 1, 2], zero=True,
         on_grid=True),
    dict(label="spm, discarded volumes", hrf="spm", tr=2.5, s=0.0, n=40, discard=5, drift="polynomial", order=1,
         on_grid=True),
    dict(label="spm with derivative, discarded volumes, mid-TR", hrf="spm + derivative", tr=1.37, s=0.5, n=40,
         discard=4, drift="cosine", high_pass=0.01, zero=True),
    dict(label="no response", hrf=None, tr=1.5, s=0.0, n=50, drift="cosine", high_pass=0.008),
]


def main():
    rng = np.random.default_rng(SEED)
    out = []
    for case in CASES:
        discard = case.get("discard", 0)
        frame_times = ((np.arange(case["n"] + discard) + case["s"]) * case["tr"])[discard:]
        events = paradigm(rng, 3, 4, float(frame_times[-1]), case.get("zero", False), case.get("modulated", False),
                          case.get("on_grid", False))
        design = make_first_level_design_matrix(
            frame_times, pd.DataFrame(events), hrf_model=case["hrf"], drift_model=case["drift"],
            high_pass=case.get("high_pass", 0.01), drift_order=case.get("order", 1), fir_delays=case.get("fir"),
        )
        out.append(dict(
            label=case["label"], hrf=case["hrf"], tr_s=case["tr"], slice_time_ref=case["s"], frames=case["n"],
            discarded=discard, drift=case["drift"], high_pass_hz=case.get("high_pass"), order=case.get("order"),
            fir_delays=case.get("fir"), events=events, columns=list(design.columns),
            # 13 decimals: 1000 times finer than the test's tolerance
            matrix=[[round(float(value), 13) for value in design[name]] for name in design.columns],
        ))
    with open("tests/expectations/design/nilearn.json", "w") as file:
        file.write('{"nilearn": %s, "seed": %d, "cases": [\n' % (json.dumps(nilearn.__version__), SEED))
        file.write(",\n".join(json.dumps(case, separators=(",", ":")) for case in out))
        file.write("\n]}\n")


if __name__ == "__main__":
    main()
