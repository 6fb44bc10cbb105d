"""Writes what nilearn's load_confounds makes of real tables of fMRIPrep, for tests/confound_strategies.rs.

usage: confound_strategies.py CONFOUNDS_FOLDER > tests/expectations/confounds/strategies.json
made with nilearn 0.14.1 and pandas 3.1.1

Each case is a strategy with parameters, as nilearn takes them and as keys of `[confounds]`. Of each table and case: the
columns (a number of `column_sets`), the frames of the sample mask as ranges, and a checksum of the values, demean=False:
the sum over rows i (from 1) and columns j (from 1, in this order) of i * (j mod 7 + 1) * x. Or the name of the exception; or
`nan` where values are missing below the first row.
"""
import json
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from nilearn.interfaces.fmriprep import load_confounds, load_confounds_strategy

TABLES = [
    "nilearn/test_desc-confounds_regressors.tsv",
    "nilearn/no_nonsteady_desc-confounds_regressors.tsv",
    "nilearn/test-v21_desc-confounds_timeseries.tsv",
    "bidspm/sub-01_task-auditory_desc-confounds_timeseries.tsv",
    "bidspm_moae/sub-01_task-auditory_desc-confounds_regressors.tsv",
    "development_fmri_sub-pixar123/sub-pixar123_task-pixar_desc-confounds_regressors.tsv",
    "development_fmri_sub-pixar123/sub-pixar123_task-pixar_desc-reducedConfounds_regressors.tsv",
    "fmriprep/sub-01_task-mixedgamblestask_run-01_desc-motion_timeseries.tsv",
    "pybids_ds005/sub-01_task-mixedgamblestask_run-01_desc-preproc_timeseries.tsv",
    "pybids_ds005/sub-01_task-mixedgamblestask_run-02_desc-preproc_timeseries.tsv",
    "pybids_ds005/sub-02_task-mixedgamblestask_run-01_desc-preproc_timeseries.tsv",
    "pybids_ds005/sub-02_task-mixedgamblestask_run-02_desc-preproc_timeseries.tsv",
]

EXPANSIONS = ["basic", "power2", "derivatives", "full"]
COMPCOR = ["anat_combined", "anat_separated", "temporal", "temporal_anat_combined", "temporal_anat_separated"]

CASES = [(["motion", "high_pass", "wm_csf"], {}), (["non_steady_state"], {}), (["high_pass"], {})]
for component in ["motion", "wm_csf", "global_signal"]:
    CASES.append(([component], {}))
    CASES += [([component], {component: expansion}) for expansion in EXPANSIONS]
CASES.append((["high_pass", "compcor"], {}))
for kind in COMPCOR:
    CASES += [(["compcor", "high_pass"], {"compcor": kind, "n_compcor": n}) for n in ["all", 1, 5, 100]]
CASES += [
    (["ica_aroma"], {}),
    (["ica_aroma"], {"ica_aroma": "basic"}),
    (["ica_aroma", "wm_csf"], {"ica_aroma": "full", "wm_csf": "full"}),
    (["scrub"], {}),
    (["scrub"], {"scrub": 0}),
    (["scrub"], {"scrub": 10}),
    (["scrub"], {"fd_threshold": 0.2}),
    (["scrub"], {"std_dvars_threshold": 1.1, "scrub": 3}),
    (["scrub", "motion", "global_signal"], {"fd_threshold": 0.1, "std_dvars_threshold": 3.0, "motion": "basic"}),
    (["global_signal", "scrub", "compcor", "wm_csf", "high_pass", "motion", "ica_aroma"], {"ica_aroma": "basic"}),
    ("simple", {}),
    ("simple", {"motion": "basic", "wm_csf": "full", "global_signal": "basic"}),
    ("scrubbing", {}),
    ("scrubbing", {"motion": "derivatives", "wm_csf": "power2", "fd_threshold": 0.2, "std_dvars_threshold": 2.0, "scrub": 2}),
    ("compcor", {}),
    ("compcor", {"motion": "power2", "compcor": "temporal_anat_separated", "n_compcor": 3, "global_signal": "full"}),
    ("ica_aroma", {}),
    ("ica_aroma", {"wm_csf": "derivatives", "global_signal": "power2"}),
]


def as_keys(strategy, parameters):
    """The case as keys of `[confounds]`."""
    lines = [f"strategy = {json.dumps(strategy)}"]
    scrub = []
    for key, value in parameters.items():
        if key == "scrub":
            scrub.append(f"min_segment = {max(value, 1)}")  # 0 and 1 both keep every segment
        elif key == "fd_threshold":
            scrub.append(f"fd_mm = {value}")
        elif key == "std_dvars_threshold":
            scrub.append(f"std_dvars = {value}")
        else:
            lines.append(f"{key} = {json.dumps(value)}")
    if scrub:
        lines.append("scrub = { " + ", ".join(scrub) + " }")
    return "\n".join(lines)


def ranges(frames):
    """0-based frames as `0-2 5`."""
    parts = np.split(frames, np.flatnonzero(np.diff(frames) != 1) + 1) if len(frames) else []
    return " ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts)


def expected(image, rows, strategy, parameters, column_sets):
    load = load_confounds_strategy if isinstance(strategy, str) else load_confounds
    try:
        table, sample_mask = load(str(image), strategy, demean=False, **parameters)
    except Exception as exception:  # noqa: BLE001: whatever it is, nilearn does not load this
        return {"refused": type(exception).__name__}
    values = table.to_numpy(dtype=float)
    if np.isnan(values).any():
        return {"refused": "nan"}
    columns = list(table.columns)
    if columns not in column_sets:
        column_sets.append(columns)
    frames = np.arange(rows) if sample_mask is None else sample_mask
    answer = {"columns": column_sets.index(columns), "kept": ranges(frames)}
    if columns:
        weights = np.outer(np.arange(1, rows + 1), np.arange(1, len(columns) + 1) % 7 + 1)
        answer["checksum"] = float(f"{(weights * values).sum():.12e}")
    return answer


def main(folder):
    warnings.simplefilter("ignore")
    column_sets, tables = [], []
    for name in TABLES:
        path = folder / name
        rows = len(path.read_text().splitlines()) - 1
        answers = []
        with tempfile.TemporaryDirectory() as scratch:
            scratch = Path(scratch)
            suffix = "timeseries" if "timeseries" in path.name else "regressors"
            shutil.copy(path, scratch / f"sub-1_desc-confounds_{suffix}.tsv")
            if path.with_suffix(".json").is_file():
                shutil.copy(path.with_suffix(".json"), scratch / f"sub-1_desc-confounds_{suffix}.json")
            for strategy, parameters in CASES:
                aroma = parameters.get("ica_aroma", "full") == "full" and "ica_aroma" in strategy
                image = scratch / f"sub-1_desc-{'smoothAROMAnonaggr' if aroma else 'preproc'}_bold.nii.gz"
                answers.append(expected(image, rows, strategy, parameters, column_sets))
        tables.append({"table": name, "rows": rows, "answers": answers})
    cases = [as_keys(strategy, parameters) for strategy, parameters in CASES]
    lines = [f'"{key}": [\n' + ",\n".join(json.dumps(item) for item in items) + "\n]" for key, items in
             [("cases", cases), ("column_sets", column_sets)]]
    # one answer a line, so that a difference is seen where it is
    body = []
    for table in tables:
        answers = "[\n" + ",\n".join(json.dumps(answer) for answer in table["answers"]) + "\n]"
        body.append(f'{{"table": {json.dumps(table["table"])}, "rows": {table["rows"]}, "answers": {answers}}}')
    print("{\n" + ",\n".join(lines) + ',\n"tables": [\n' + ",\n".join(body) + "\n]\n}")


main(Path(sys.argv[1]))
