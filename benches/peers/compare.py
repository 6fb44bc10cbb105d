"""Runs one job in boldly and in nilearn in turn (A B B A ...) and prints wall time, CPU time and peak memory as ratios.

Usage: compare.py DATASET [--noise ar1|ols] [--pairs N] [--boldly PATH] [--python PATH] [--maps]
`--maps` also compares the twelve maps of the last pair. Everything runs on this machine, with a warm file cache.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# t and z of f32 arithmetic on both sides, and effects in percent: what the parity tests hold, on smoothed data.
TOLERANCE = {"effect": 1e-4, "variance": 1e-4, "t": 1e-3, "z": 1e-3}


def measure(command, environment):
    """Wall seconds, CPU seconds and peak MB of one command."""
    began = time.perf_counter()
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    stderr = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    if status != 0:
        sys.exit(f"{command[0]} failed:\n{stderr.decode()}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def spread(values, digits):
    ordered = [min(values), statistics.median(values), max(values)]
    return " / ".join(f"{value:.{digits}f}" for value in ordered)


def compare_maps(ours, theirs):
    import nibabel
    import numpy

    worst = {}
    for image in sorted(theirs.glob("*.nii.gz")):
        contrast, kind = image.name.removesuffix(".nii.gz").split("_stat-")
        own = next(ours.glob(f"job/sub-01/func/*_{contrast}_stat-{kind}_statmap.nii.gz"))
        a, b = (nibabel.load(path).get_fdata() for path in (own, image))
        scale = numpy.maximum(1.0, numpy.abs(b)) if kind in ("t", "z") else numpy.abs(b).max()
        difference = numpy.abs(a - b) / scale
        beyond = int((difference > TOLERANCE[kind]).sum())
        known = worst.get(kind, (0.0, 0))
        worst[kind] = (max(known[0], float(difference.max())), known[1] + beyond)
    for kind, (largest, beyond) in worst.items():
        print(f"  {kind}: largest relative difference {largest:.1e}, {beyond} voxels beyond {TOLERANCE[kind]:.0e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--noise", choices=["ar1", "ols"], default="ar1")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--boldly", default=str(HERE.parents[1] / "target/release/boldly"))
    parser.add_argument("--python", default=sys.executable, help="an interpreter with nilearn 0.14.1")
    parser.add_argument("--maps", action="store_true")
    words = parser.parse_args()

    scratch = Path(tempfile.mkdtemp(prefix="boldly-peers-"))
    environment = {**os.environ, "DATASET": str(words.dataset.resolve())}
    ours, theirs = scratch / "boldly", scratch / "nilearn"
    jobs = {
        "boldly": [words.boldly, "run", str(HERE / "job.toml"), "--out", str(ours), "--force", "--quiet"]
        + ["--set", f"glm.job.noise={words.noise}"],
        "nilearn": [words.python, str(HERE / "nilearn_job.py"), str(words.dataset), words.noise, str(theirs)],
    }
    results = {name: [] for name in jobs}
    for pair in range(words.pairs):
        order = ["boldly", "nilearn"] if pair % 2 == 0 else ["nilearn", "boldly"]
        for name in order:
            results[name].append(measure(jobs[name], environment))
    imports = [measure([words.python, "-c", "import nilearn.glm.first_level"], environment)[0] for _ in range(3)]

    print(f"{words.dataset.name}, {words.noise}, {words.pairs} pairs, {os.cpu_count()} cores; min / median / max")
    for name, rows in results.items():
        wall, cpu, memory = zip(*rows)
        print(f"  {name:8} wall {spread(wall, 2)} s, CPU {spread(cpu, 2)} s, peak {spread(memory, 0)} MB")
    print(f"  of nilearn's wall time, {statistics.median(imports):.2f} s are its import")
    for index, what in enumerate(["wall time", "CPU time", "peak memory"]):
        ratios = [b[index] / a[index] for a, b in zip(results["boldly"], results["nilearn"])]
        medians = [statistics.median(row[index] for row in results[name]) for name in ("nilearn", "boldly")]
        print(f"  {what}: nilearn / boldly = {medians[0] / medians[1]:.1f} (pairs {spread(ratios, 1)})")
    if words.maps:
        compare_maps(ours, theirs)
    shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
