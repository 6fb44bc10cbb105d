"""Measures what deconvolving a whole brain takes beyond reading it, and prints the results as Markdown.

Without arguments: builds the release binary, simulates the dataset `mni2mm` of `benches/peers` (below target/peers), and
measures `ridge`, `wiener`, `spike` and `block` in turn with a job that only reads; some twenty minutes on two cores.
Nothing else should run meanwhile.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers"))

import machine
import prepare
from measure import Command, in_turn, median, spread

METHODS = ("ridge", "wiener", "spike", "block")
READ = "read only"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=prepare.REPOSITORY / "target/peers", help="folder of the dataset"
    )
    parser.add_argument("--method", action="append", help="only this method; may be repeated")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each command that count [5]")
    parser.add_argument("--threads", type=int, help="threads of boldly [all cores]")
    parser.add_argument("--max-memory", help="limit on memory, such as 1GiB")
    parser.add_argument("--json", type=Path, help="also write all samples to this file")
    parser.add_argument("--note", default="", help="a sentence on the circumstances, kept with the results")
    parser.add_argument("--boldly", type=Path, help="this binary instead of building one")
    return parser.parse_args()


def commands(words, boldly, dataset, scratch):
    """The job of each method, and the one that only reads."""
    limits = [] if words.threads is None else ["--threads", words.threads]
    limits += [] if words.max_memory is None else ["--max-memory", words.max_memory]

    def command(job, out, *settings):
        line = [boldly, "run", HERE / job, "--quiet", *limits, *settings, "--out", scratch / out]
        return Command(line, {"DATASET": str(dataset.path.resolve())}, scratch / out)

    methods = words.method or METHODS
    of_methods = {name: command("job.toml", name, "--set", f"deconvolve.job.method={name}") for name in methods}
    return {READ: command("read.toml", "read"), **of_methods}


def seconds_beyond(samples, what):
    """Seconds of each round beyond those of reading in that round, by method."""
    reading = samples[READ]
    pairs = {name: zip(own, reading) for name, own in samples.items() if name != READ}
    return {name: [a[what] - b[what] for a, b in of_name] for name, of_name in pairs.items()}


def of_three(values, digits):
    low, middle, high = spread(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def render(results):
    """A row a command."""
    samples = results["samples"]
    wall, cpu = (seconds_beyond(samples, what) for what in ("wall_s", "cpu_s"))
    rows = [
        "| | wall, s | CPU, s | peak memory | wall beyond reading, s | CPU beyond reading, s |",
        "|---|---|---|---|---|---|",
    ]
    for name, own in samples.items():
        beyond = [of_three(times[name], 1) if name in times else "" for times in (wall, cpu)]
        whole = [of_three([sample[what] for sample in own], 1) for what in ("wall_s", "cpu_s")]
        rows.append("| " + " | ".join([name, *whole, f"{median(own, 'peak_mb'):.0f} MB", *beyond]) + " |")
    found = results["machine"]
    origin = (
        f"{found['cores']} cores of {found['cpu']}, {found['memory_gb']} GB; {found['system']}. Medians of "
        f"{results['rounds']} rounds in turn (range). {results['note']}"
    )
    return f"{origin.strip()}\n\n" + "\n".join(rows)


def main():
    words = arguments()
    boldly = words.boldly.resolve() if words.boldly else prepare.binary()
    dataset = prepare.dataset(boldly, "mni2mm", words.data.resolve())
    with tempfile.TemporaryDirectory(prefix="boldly-deconvolution-") as scratch:
        samples = in_turn(commands(words, boldly, dataset, Path(scratch)), words.rounds)
        versions = machine.versions(boldly, None, Path(scratch))
    results = {
        "machine": machine.describe(),
        "versions": versions,
        "rounds": words.rounds,
        "note": words.note,
        "samples": samples,
    }
    if words.json:
        words.json.write_text(json.dumps(results, indent=1) + "\n")
    print(render(results))


if __name__ == "__main__":
    main()
