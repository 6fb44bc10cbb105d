"""Times the indexing of a BIDS dataset by boldly, bids2table and ancpbids; installs nothing.

    python3 benches/bids/compare.py --python VENV/bin/python [--rounds 5] [--json benches/bids/results.json]

`--python` is an interpreter that has bids2table and ancpbids. Each round times every reader once, in turn, each in a process
of its own, after one round that is not counted (files' names are then in the system's cache for all of them). `index_s` is the
time of indexing alone, without imports; `process_s` all of the process.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from make_dataset import make

HERE = Path(__file__).resolve().parent
PEERS = {
    "bids2table": """
import json, sys, time
import bids2table
began = time.perf_counter()
table = bids2table.index_dataset(sys.argv[1])
print(json.dumps({"files": table.num_rows, "index_s": time.perf_counter() - began}))
""",
    "ancpbids": """
import json, sys, time
import ancpbids
began = time.perf_counter()
layout = ancpbids.BIDSLayout(sys.argv[1])
index_s = time.perf_counter() - began
print(json.dumps({"files": len(layout.get()), "index_s": index_s}))
""",
}
VERSIONS = """
import json, platform
from importlib.metadata import version
print(json.dumps({"Python": platform.python_version(), **{name: version(name) for name in ("bids2table", "ancpbids")}}))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="an interpreter with bids2table and ancpbids")
    parser.add_argument("--subjects", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--boldly", help="the compiled index.rs; made by cargo where it is not given")
    parser.add_argument("--json", type=Path, help="where the results go; else they are printed")
    arguments = parser.parse_args()
    readers = {"boldly": [arguments.boldly or executable()]}
    readers.update({name: [arguments.python, "-c", source] for name, source in PEERS.items()})
    times = {name: [] for name in readers}
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "dataset"
        make(root, arguments.subjects, arguments.runs)
        for number in range(arguments.rounds + 1):
            for name, command in readers.items():
                measured = measure([*command, str(root)])
                print(f"round {number}: {name} {measured}", file=sys.stderr)
                if number > 0:
                    times[name].append(measured)
    results = {
        "dataset": {"subjects": arguments.subjects, "runs": arguments.runs, "files": 3 * arguments.subjects * arguments.runs},
        "machine": {"cpu": cpu(), "cores": len(os.sched_getaffinity(0)), "system": platform.platform()},
        "versions": json.loads(subprocess.check_output([arguments.python, "-c", VERSIONS], text=True)),
        "rounds": arguments.rounds,
        "readers": {name: summary(rounds) for name, rounds in times.items()},
    }
    own = results["readers"]["boldly"]
    results["times_as_long_as_boldly"] = {
        name: {key: round(of[key]["median"] / own[key]["median"], 1) for key in ("index_s", "process_s")}
        for name, of in results["readers"].items()
        if name != "boldly"
    }
    text = json.dumps(results, indent=1) + "\n"
    arguments.json.write_text(text) if arguments.json else print(text)


def executable():
    """The compiled `benches/bids/index.rs`."""
    build = ["cargo", "build", "--release", "--locked", "--bench", "bids", "--message-format", "json"]
    for line in subprocess.check_output(build, text=True, cwd=HERE.parents[1]).splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "bids":
            return message["executable"]
    sys.exit("cargo built no executable")


def measure(command):
    began = time.perf_counter()
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {**json.loads(output.splitlines()[-1]), "process_s": time.perf_counter() - began}


def summary(rounds):
    keys = [key for key in rounds[0] if key.endswith("_s")]
    spread = {
        key: {"median": statistics.median(r[key] for r in rounds), "min": min(r[key] for r in rounds), "max": max(r[key] for r in rounds)}
        for key in keys
    }
    return {"files": rounds[0]["files"], **{key: {name: round(value, 4) for name, value in of.items()} for key, of in spread.items()}}


def cpu():
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
