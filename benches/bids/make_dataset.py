"""Writes a BIDS dataset of empty functional files: python make_dataset.py FOLDER [--subjects 1000] [--runs 10]

A run is an image, a sidecar and an events table; sidecars hold `{}`, as readers that open them must not fail.
"""
import argparse
from pathlib import Path


def make(folder, subjects, runs):
    folder.mkdir(parents=True)
    (folder / "dataset_description.json").write_text('{"Name": "empty", "BIDSVersion": "1.10.0"}\n')
    (folder / "task-x_bold.json").write_text('{"RepetitionTime": 2.0, "TaskName": "x"}\n')
    width = len(str(subjects))
    labels = [f"{number:0{width}d}" for number in range(1, subjects + 1)]
    (folder / "participants.tsv").write_text("participant_id\n" + "".join(f"sub-{label}\n" for label in labels))
    for label in labels:
        func = folder / f"sub-{label}" / "func"
        func.mkdir(parents=True)
        for run in range(1, runs + 1):
            stem = f"sub-{label}_task-x_run-{run:02d}"
            (func / f"{stem}_bold.nii.gz").touch()
            (func / f"{stem}_bold.json").write_text("{}")
            (func / f"{stem}_events.tsv").touch()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--subjects", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=10)
    make(**vars(parser.parse_args()))
