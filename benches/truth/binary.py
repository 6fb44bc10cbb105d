"""The `boldly` binary on tables: writes a pipeline, runs it, reads what it wrote."""

import argparse
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"

# What is compared: each method as it stands, ridge also with its smooth penalties, and the two sparse ones also by their
# mean over models. Nothing else is set.
VARIANTS = {
    "ridge": 'method = "ridge"',
    "ridge, smooth": 'method = "ridge"\npenalty = "smooth"',
    "ridge, differences": 'method = "ridge"\npenalty = "first-difference"',
    "wiener": 'method = "wiener"',
    "spike": 'method = "spike"',
    "spike, averaged": 'method = "spike"\nestimate = "averaged"',
    "block": 'method = "block"',
    "block, averaged": 'method = "block"\nestimate = "averaged"',
    "peb": 'method = "peb"',
    "auto": 'method = "auto"\nmaps = ["activity", "method"]',
}
NOISES = ("white", "evidence")


def parser(description):
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--boldly", type=Path, default=HERE.parents[1] / "target/release/boldly", help="the binary")
    options.add_argument("--data", type=Path, default=HERE.parents[1] / "../shared/data", help="folder of the data sets")
    options.add_argument("--max-memory", default="4GiB", help="as of `boldly run`")
    return options


def model(name, lines, noise="white", upsample=1, hrf='hrf = "spm"', kernel=None):
    """One `[[deconvolve]]`; a kernel takes the place of the design's response."""
    text = f'[[deconvolve]]\nname = "{name}"\n{lines}\nnoise = "{noise}"\nupsample = {upsample}\n'
    return text + (f"kernel = {kernel}\n\n" if kernel else f"[deconvolve.design]\n{hrf}\n\n")


def run(words, folder, inputs, models):
    """Runs one pipeline in a folder, by the binary of the options; returns where its results are."""
    folder.mkdir(parents=True, exist_ok=True)
    pipeline = folder / "pipeline.toml"
    pipeline.write_text(f'schema = 1\nname = "truth"\n\n{inputs}\n{models}[output]\ndir = "results"\nreport = false\n')
    command = [words.boldly.resolve(), "run", pipeline, "--progress", "never", "--force"]
    command += ["--max-memory", words.max_memory]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    if done.returncode != 0:
        sys.exit(f"boldly ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return folder / "results"


def table(path):
    """Columns by name; `n/a` is NaN."""
    with open(path, newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    number = {"n/a": np.nan}
    return {
        name: np.array([number[row[at]] if row[at] in number else float(row[at]) for row in rows[1:]])
        for at, name in enumerate(rows[0])
    }


def table_of_text(path, column):
    """One column of numbers of a table that also has words."""
    with open(path, newline="") as file:
        return np.array([float(row[column]) for row in csv.DictReader(file, delimiter="\t")])


def output(results, name, suffix):
    """The one file of a model with this ending."""
    (path,) = (results / name).rglob(f"*{suffix}")
    return path


def activity(results, name):
    return table(output(results, name, "_desc-neural_timeseries.tsv"))


def chosen(results, name):
    """The method that `auto` took for each column."""
    with open(output(results, name, "_desc-model_stats.tsv"), newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    words = {1: "ridge", 2: "smooth ridge", 3: "spike", 4: "block"}
    numbers = {row["name"]: int(float(row["method"])) for row in rows}
    return {name: words.get(number, f"candidate {number}") for name, number in numbers.items()}


def write_table(path, columns):
    """A TSV of columns by name, of any lengths: shorter ones end in n/a."""
    rows = max(len(values) for values in columns.values())
    with open(path, "w") as file:
        print(*columns, sep="\t", file=file)
        for row in range(rows):
            cells = (f"{values[row]:.9g}" if row < len(values) else "n/a" for values in columns.values())
            print(*cells, sep="\t", file=file)


def write_rows(path, rows):
    """A TSV of dictionaries."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        print(*rows[0], sep="\t", file=file)
        for row in rows:
            print(*(f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row.values()), sep="\t", file=file)


def version(boldly):
    return subprocess.run([boldly, "--version"], capture_output=True, text=True, check=True).stdout.strip()


def without_drift(series, n_frames, tr_s, high_pass_hz=0.01):
    """Residual of a constant and of the cosine drift of the binary's default: what a deconvolution sees of its data."""
    order = int(np.floor(2 * n_frames * tr_s * high_pass_hz))
    frames = np.arange(n_frames)
    drift = np.cos(np.pi * np.outer(frames + 0.5, np.arange(order + 1)) / n_frames)
    return series - drift @ np.linalg.lstsq(drift, series, rcond=None)[0]


def save_json(path, content):
    path.write_text(json.dumps(content, indent=1) + "\n")
