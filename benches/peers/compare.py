"""Measures boldly against nilearn, and against the limits of the machine, and prints the results as Markdown.

Without arguments: builds the release binary, simulates the datasets, installs nilearn (all below target/peers), and
measures every part; about half an hour on two cores, and 2 GB of disk. Nothing else should run meanwhile.
"""

import argparse
import json
import tempfile
from pathlib import Path

import machine
import parts
import prepare
import report

PARTS = ("peers", "noise_models", "length", "floor", "startup", "threads", "kernels")
JOBS = ("mni2mm/ar1", "mni2mm/ols", "epi3mm/ar1")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=prepare.REPOSITORY / "target/peers", help="folder of the datasets and of nilearn"
    )
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part; may be repeated")
    parser.add_argument("--job", choices=JOBS, action="append", help="only this job of the part `peers`")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each command that count [7]")
    parser.add_argument("--json", type=Path, help="also write all samples to this file")
    parser.add_argument("--note", default="", help="a sentence on the circumstances, kept with the results")
    parser.add_argument("--boldly", type=Path, help="this binary instead of building one")
    parser.add_argument("--python", type=Path, help="an interpreter with nilearn 0.14.1 instead of installing it")
    parser.add_argument("--nilearn-length", action="store_true", help="nilearn on the long run too: needs 12 GB")
    return parser.parse_args()


def main():
    words = arguments()
    wanted = words.part or PARTS
    data = words.data.resolve()
    boldly = words.boldly.resolve() if words.boldly else prepare.binary()
    needs_nilearn = "peers" in wanted or words.nilearn_length
    python = words.python
    if python is None and needs_nilearn:
        python = prepare.python_with_nilearn(data)
    results = {"machine": machine.describe(), "rounds": words.rounds, "note": words.note}
    with tempfile.TemporaryDirectory(prefix="boldly-peers-") as scratch:
        bench = parts.Bench(boldly, python, data, Path(scratch), words.rounds)
        if "peers" in wanted:
            jobs = [job.split("/") for job in words.job or JOBS]
            results["peers"] = [parts.peers(bench, name, noise) for name, noise in jobs]
            results["imports_s"] = parts.imports(bench)
        if "noise_models" in wanted:
            results["noise_models"] = parts.noise_models(bench)
        if "length" in wanted:
            results["length"] = parts.length(bench, words.nilearn_length)
        if "floor" in wanted:
            results["floor"] = parts.floor(bench)
        if "startup" in wanted:
            results["startup_s"] = parts.startup(bench)
        if "threads" in wanted:
            results["threads"] = parts.threads(bench)
        if "kernels" in wanted:
            results["kernels"] = parts.kernels(bench)
        results["versions"] = machine.versions(boldly, python, bench.scratch)
    if words.json:
        words.json.write_text(json.dumps(results, indent=1) + "\n")
    print(report.render(results))


if __name__ == "__main__":
    main()
