"""The parts of the benchmark: each runs its commands in turn and gives its samples as a dictionary."""

import filecmp
import json
import os
import subprocess
import sys
from pathlib import Path

import prepare
from measure import Command, in_turn, measure

HERE = prepare.HERE
PROFILES = ("nilearn", "native")
# below what the samples of `mni2mm` would take
LIMIT = ("--max-memory", "256MiB")


class Bench:
    """What the parts share: the programs, where data and results go, how many rounds."""

    def __init__(self, boldly, python, data, scratch, rounds):
        self.boldly = boldly
        self.python = python
        self.data = data
        self.scratch = scratch
        self.rounds = rounds

    def dataset(self, name):
        return prepare.dataset(self.boldly, name, self.data)

    def boldly_run(self, dataset, noise, profile, *more):
        """The reference job; the folder of its results is not yet said."""
        settings = ["--set", f"glm.job.noise={noise}", "--set", f"profile={profile}"]
        words = ["run", HERE / "job.toml", "--quiet", *settings, *more]
        return words, {"DATASET": str(dataset.path.resolve())}

    def boldly_command(self, out, dataset, noise, profile, *more):
        words, variables = self.boldly_run(dataset, noise, profile, *more)
        return Command([self.boldly, *words, "--out", self.scratch / out], variables, self.scratch / out)

    def nilearn_command(self, dataset, noise):
        out = self.scratch / "nilearn"
        return Command([self.python, HERE / "nilearn_job.py", dataset.path, noise, out], {}, out)


def peers(bench, name, noise):
    """The reference job in both profiles, below a limit on memory, and in nilearn; then the last round's maps."""
    dataset = bench.dataset(name)
    commands = {
        f"boldly, {profile}": bench.boldly_command(f"boldly-{profile}", dataset, noise, profile)
        for profile in PROFILES
    }
    commands["boldly, nilearn, samples on disk"] = bench.boldly_command("boldly-limit", dataset, noise, "nilearn", *LIMIT)
    samples = in_turn({**commands, "nilearn": bench.nilearn_command(dataset, noise)}, bench.rounds)
    words = [bench.python, HERE / "compare_maps.py", bench.scratch / "boldly-nilearn", bench.scratch / "nilearn"]
    maps = json.loads(subprocess.check_output([str(word) for word in words]))
    return {"dataset": name, "noise": noise, "samples": samples, "maps": maps}


def imports(bench):
    """Wall seconds of importing what the job in nilearn imports, within its time above."""
    command = Command([bench.python, "-c", "import pandas, nilearn.glm.first_level"], {})
    measure(command)
    return [measure(command).wall_s for _ in range(bench.rounds)]


def length(bench, with_nilearn):
    """A run four times as long, below a memory limit, against the same grid's shorter one."""
    datasets = {name: bench.dataset(name) for name in ("mni2mm", "hcp")}
    limit = ["--max-memory", "1GiB"]
    samples = in_turn(
        {name: bench.boldly_command(name, made, "ar1", "nilearn", *limit) for name, made in datasets.items()},
        bench.rounds,
    )
    found = {"samples": samples, "volumes": {name: volumes(made) for name, made in datasets.items()}}
    if with_nilearn:
        found["nilearn"] = vars(measure(bench.nilearn_command(datasets["hcp"], "ar1")))
    return found


def volumes(dataset):
    """Rows of the table of confounds, which has one a volume."""
    table = Path(f"{dataset.stem}_desc-confounds_timeseries.tsv")
    return len(table.read_text().splitlines()) - 1


def floor(bench):
    """Seconds of one inflate of the image and of the whole job (OLS) right after it, by `benches/floor.rs`."""
    dataset = bench.dataset("mni2mm")
    words, variables = bench.boldly_run(dataset, "ols", "nilearn")
    cargo = ["cargo", "bench", "--quiet", "--locked", "--bench", "floor", "--"]
    arguments = [bench.rounds, dataset.image, bench.scratch / "floor", *words]
    output = subprocess.run(
        [*cargo, *(str(argument) for argument in arguments)],
        cwd=prepare.REPOSITORY,
        env={**os.environ, **variables},
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout
    rows = [line.split("\t") for line in output.splitlines() if "\t" in line]
    return [dict(zip(rows[0], map(float, row))) for row in rows[1:]]


def kernels(bench):
    """Median seconds and work of each kernel, by the criterion benches."""
    home = bench.scratch / "criterion"
    words = ["cargo", "bench", "--locked", "--bench", "kernels", "--bench", "glm", "--", "--noplot"]
    variables = {**os.environ, "CRITERION_HOME": str(home)}
    subprocess.run(words, cwd=prepare.REPOSITORY, env=variables, check=True, stdout=sys.stderr)
    found = {}
    for path in sorted(home.rglob("new/benchmark.json")):
        kernel = json.loads(path.read_text())
        estimates = json.loads(path.with_name("estimates.json").read_text())
        [(unit, work)] = kernel["throughput"].items()
        seconds = estimates["median"]["point_estimate"] / 1e9
        found[kernel["full_id"]] = {"median_s": seconds, "unit": unit, "work": work}
    return found


def startup(bench, times=50):
    """Seconds of `boldly check` on the sample pipeline, which reads no voxel."""
    command = Command([bench.boldly, "check", prepare.REPOSITORY / "pipelines/quickstart.toml", "--quiet"], {})
    measure(command)
    return [measure(command).wall_s for _ in range(times)]


def threads(bench):
    """The reference job by one thread and by two, and whether every byte of the results is the same."""
    dataset = bench.dataset("mni2mm")
    counts = ("1", "2")
    commands = {
        count: bench.boldly_command(f"threads-{count}", dataset, "ar1", "native", "--threads", count)
        for count in counts
    }
    samples = in_turn(commands, bench.rounds)
    one, two = (bench.scratch / f"threads-{count}" for count in counts)
    n_files, differing = compare_bytes(one, two)
    if differing:
        sys.exit(f"results depend on the number of threads: {', '.join(differing)}")
    return {"samples": samples, "identical_files": n_files}


def noise_models(bench):
    """The reference job under the default noise model, that of AFNI's 3dREMLfit, and an AR(1)."""
    dataset = bench.dataset("mni2mm")
    commands = {
        noise: bench.boldly_command(f"noise-{noise}", dataset, noise, "native") for noise in ("ar1", "arma11", "pooled-ar")
    }
    return {"samples": in_turn(commands, bench.rounds)}


def compare_bytes(one, two):
    """Number of result files in both folders, and those that are not the same bytes in both."""
    names = sorted(result_files(one) | result_files(two))
    _, mismatch, missing = filecmp.cmpfiles(one, two, names, shallow=False)
    return len(names), [str(name) for name in mismatch + missing]


def result_files(folder):
    """All files but the bookkeeping: locks, and how long each stage took."""
    files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {file for file in files if file.parts[0] != ".boldly"}
