"""Wall time, CPU time and peak memory of commands, run in turn."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Sample:
    """What one process took, its children included; peak memory is that of the largest process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass
class Command:
    """A command, its variables, and the folder it makes, which is removed before each run."""

    words: list
    variables: dict
    out: Path | None = None


def measure(command):
    """Runs a command and waits for it."""
    if command.out is not None:
        shutil.rmtree(command.out, ignore_errors=True)
    began = time.perf_counter()
    child = subprocess.Popen(
        [str(word) for word in command.words],
        env={**os.environ, **command.variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    stderr = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{command.words[0]} ended with {child.returncode}:\n{stderr.decode()}")
    # kilobytes, but bytes on macOS
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Sample(wall, usage.ru_utime + usage.ru_stime, peak / 1e6)


def in_turn(commands, rounds):
    """Samples of each command: one run of each that does not count, then rounds that go A B B A ...

    The first fills the file cache; turning the order round takes out a slow drift of the machine.
    """
    for command in commands.values():
        measure(command)
    samples = {name: [] for name in commands}
    for round_ in range(rounds):
        names = list(commands)
        for name in names if round_ % 2 == 0 else reversed(names):
            samples[name].append(vars(measure(commands[name])))
        print(f"  round {round_ + 1} of {rounds}", file=sys.stderr)
    return samples


def spread(values):
    """Smallest, median and largest."""
    return min(values), statistics.median(values), max(values)


def median(samples, what):
    """Median of one quantity of samples."""
    return statistics.median(sample[what] for sample in samples)


def ratios(over, under, what):
    """Smallest, median and largest ratio of the samples that were taken in the same round; the middle one is the
    ratio of the medians."""
    of_rounds = [a[what] / b[what] for a, b in zip(over, under)]
    return min(of_rounds), median(over, what) / median(under, what), max(of_rounds)
