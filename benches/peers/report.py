"""The results as Markdown, and the documents that quote them.

`report.py` writes the tables of `results.json` into docs/performance.md, and their headline into the README;
`report.py --check` only says whether these are up to date; `report.py --print FILE` prints the tables of a file.
"""

import argparse
import json
import sys
from pathlib import Path

from measure import median, ratios, spread

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
RESULTS = HERE / "results.json"
MARKS = ("<!-- results: written by benches/peers/report.py -->", "<!-- end of results -->")
HEADLINE = "| the reference job on 2 cores"
NOISE = {"ar1": "AR(1)", "ols": "OLS"}
MODELS = {
    "ar1": "`ar1`",
    "arma11": "`arma11`, the model of AFNI's 3dREMLfit",
    "pooled-ar": "`pooled-ar`, the default",
}


def of_three(values, digits, unit=""):
    """The median, and in brackets the range."""
    low, middle, high = (f"{value:.{digits}f}" for value in values)
    return f"{middle}{unit} ({low} to {high})"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def quantities(samples):
    """Wall, CPU, peak as three cells."""
    wall, cpu, peak = (spread([sample[what] for sample in samples]) for what in ("wall_s", "cpu_s", "peak_mb"))
    return [of_three(wall, 2, " s"), of_three(cpu, 2, " s"), of_three(peak, 0, " MB")]


def peers(results):
    header = ["job", "", "wall", "CPU", "peak memory", "nilearn's wall / ours", "CPU", "memory"]
    rows = []
    for job in results["peers"]:
        theirs = job["samples"]["nilearn"]
        for name, samples in job["samples"].items():
            against = [""] * 3
            if name != "nilearn":
                against = [of_three(ratios(theirs, samples, what), 1) for what in ("wall_s", "cpu_s", "peak_mb")]
            name = name.replace("boldly, ", "boldly, profile ").replace("samples on disk", "`--max-memory 256MiB`")
            rows.append([f"`{job['dataset']}`, {NOISE[job['noise']]}", name, *quantities(samples), *against])
    imports = of_three(spread(results["imports_s"]), 2, " s")
    lines = [table(header, rows), f"nilearn's times include its import: {imports}.", agreement(results)]
    return "### Against nilearn\n\n" + "\n\n".join(lines)


def agreement(results):
    header = ["maps of `profile = \"nilearn\"` against nilearn's", "effect", "variance", "t", "z"]
    rows = []
    for job in results["peers"]:
        cells = [
            f"{found['largest']:.0e}; {found['beyond']} of {found['values']:,} beyond {found['tolerance']:.0e}"
            for found in (job["maps"][kind] for kind in header[1:])
        ]
        rows.append([f"`{job['dataset']}`, {NOISE[job['noise']]}", *cells])
    return table(header, rows)


def noise_models(results):
    samples = results["noise_models"]["samples"]
    rows = [
        [MODELS[noise], *quantities(own), of_three(ratios(own, samples["ar1"], "wall_s"), 1)]
        for noise, own in samples.items()
    ]
    how = " ".join(filter(None, ["`mni2mm`, `profile = \"native\"`.", results["noise_models"].get("note")]))
    return f"### Noise models\n\n{how}\n\n" + table(["", "wall", "CPU", "peak memory", "wall / that of `ar1`"], rows)


def length(results):
    part = results["length"]
    volumes = part["volumes"]
    rows = []
    for name, samples in part["samples"].items():
        per_volume = spread([1000 * sample["wall_s"] / volumes[name] for sample in samples])
        rows.append([f"`{name}`, {volumes[name]} volumes", *quantities(samples), of_three(per_volume, 2, " ms")])
    if "nilearn" in part:
        one = part["nilearn"]
        per_volume = 1000 * one["wall_s"] / volumes["hcp"]
        cells = [f"{one['wall_s']:.1f} s", f"{one['cpu_s']:.1f} s", f"{one['peak_mb']:.0f} MB", f"{per_volume:.2f} ms"]
        rows.append(["`hcp` in nilearn, once", *cells])
    factor = volumes["mni2mm"] / volumes["hcp"]
    long, short = part["samples"]["hcp"], part["samples"]["mni2mm"]
    wall, cpu = ([factor * ratio for ratio in ratios(long, short, what)] for what in ("wall_s", "cpu_s"))
    title = "### A long run in 1 GiB\n\nAR(1), `--max-memory 1GiB`.\n\n"
    last = f"A volume of `hcp` / of `mni2mm`: wall {of_three(wall, 2)}, CPU {of_three(cpu, 2)}."
    return title + table(["run", "wall", "CPU", "peak memory", "wall a volume"], rows) + "\n\n" + last


def floor(results):
    rows = results["floor"]
    inflate, run = ([row[what] for row in rows] for what in ("inflate_s", "run_s"))
    ratio = ratios(rows, [{"run_s": row["inflate_s"]} for row in rows], "run_s")
    return (
        "### Against one inflate of the input\n\n`mni2mm`, OLS, twelve maps, wall time in turn with inflating the same "
        f"file by zlib-rs on one thread: {of_three(spread(run), 2, ' s')} against "
        f"{of_three(spread(inflate), 2, ' s')}, ratio {of_three(ratio, 2)}."
    )


def startup(results):
    milliseconds = spread([1000 * second for second in results["startup_s"]])
    times = len(results["startup_s"])
    what = f"`boldly check pipelines/quickstart.toml`, {times} times"
    return f"### Start-up\n\n{what}: {of_three(milliseconds, 1, ' ms')}."


def threads(results):
    part = results["threads"]
    one, two = part["samples"]["1"], part["samples"]["2"]
    rows = [[f"`--threads {count}`", *quantities(samples)] for count, samples in part["samples"].items()]
    return (
        "### Threads\n\n`mni2mm`, AR(1), `profile = \"native\"`.\n\n"
        + table(["", "wall", "CPU", "peak memory"], rows)
        + f"\n\nOne thread's wall time / two threads': {of_three(ratios(one, two, 'wall_s'), 2)}; the decoder has a "
        f"thread of its own beside them. All {part['identical_files']} files of the results are the same bytes."
    )


# What a kernel is held against, by the start of its name: the rate of another measurement.
MEMORY, MEMORY_OF_TWO = ("bounds/memory/copy, threads: 1", "bounds/memory/copy, threads: 2")
DGEMM = "bounds/product 36x300 by 300x2048, one thread/dgemm"
BOUNDS = {
    "image/decode": "image/inflate",
    "image/inflate": MEMORY,
    "image/write": MEMORY,
    "smooth": MEMORY,
    "60 volumes": MEMORY_OF_TWO,
    "glm/native/ols": DGEMM,
    "glm/native/ar1": DGEMM,
    "glm/nilearn/ols": DGEMM,
    "glm/nilearn/ar1": DGEMM,
}


def kernels(results):
    found = results["kernels"]
    rates = {name: kernel["work"] / kernel["median_s"] for name, kernel in found.items()}
    rows = []
    for name, kernel in found.items():
        bound = next((bound for start, bound in BOUNDS.items() if name.startswith(start)), None)
        if kernel["unit"] == "Bytes":
            rate = f"{rates[name] / 1e9:.2f} GB/s"
        elif DGEMM in (bound, name) or name.startswith("bounds"):
            rate = f"{rates[name] / 1e9:.1f} GFLOP/s"
        else:
            rate = f"{rates[name] / 1e6:.2f} million/s"
        against = [bound, f"{100 * rates[name] / rates[bound]:.0f} %"] if bound in rates else ["", ""]
        rows.append([name, f"{1000 * kernel['median_s']:.2f} ms", rate, *against])
    title = "### Kernels and their bounds\n\n"
    return title + table(["kernel", "time", "throughput", "held against", "share of it"], rows)


def origin(results):
    found = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    machine = f"{found['cores']} cores of {found['cpu']}, {found['memory_gb']} GB; {found['system']}"
    how = f"Medians of {counted(results['rounds'])} in turn, with their range in brackets."
    return " ".join(filter(None, [f"{machine}; {versions}.", how, results["note"]]))


def counted(rounds):
    return "1 round" if rounds == 1 else f"{rounds} rounds"


def render(results):
    """All parts that were measured."""
    writers = {
        "peers": peers,
        "noise_models": noise_models,
        "length": length,
        "floor": floor,
        "startup_s": startup,
        "threads": threads,
        "kernels": kernels,
    }
    return "\n\n".join([origin(results), *(write(results) for part, write in writers.items() if part in results)])


def headline(results):
    """The README's row: wall time and memory of the reference job, in both profiles, in nilearn, and how much more the default takes."""
    samples = next(job for job in results["peers"] if (job["dataset"], job["noise"]) == ("mni2mm", "ar1"))["samples"]
    native, same_maps, theirs = (
        f"{median(samples[name], 'wall_s'):.1f} s, {median(samples[name], 'peak_mb'):.0f} MB"
        for name in ("boldly, native", "boldly, nilearn, samples on disk", "nilearn")
    )
    models = results["noise_models"]["samples"]
    _, times, _ = ratios(models["pooled-ar"], models["ar1"], "wall_s")
    default = f"the default noise model {times:.1f} times as long, {median(models['pooled-ar'], 'peak_mb'):.0f} MB"
    cells = [f"{native}; with nilearn's numbers, in 256 MiB, {same_maps}; {default}", theirs]
    what = f"{HEADLINE}: 91x109x91x300 volumes, 6 mm, AR(1), 12 maps"
    return " | ".join([what, *cells, "[performance](docs/performance.md) |"])


def between_marks(text, content):
    before, mark, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not mark or not end:
        sys.exit("the marks of the results are missing")
    return f"{before}{mark}\n\n{content}\n\n{end}{after}"


def documents(results):
    """Each document that quotes the results, with what it should hold."""
    performance, readme = REPOSITORY / "docs/performance.md", REPOSITORY / "README.md"
    lines = readme.read_text().split("\n")
    rows = [at for at, line in enumerate(lines) if line.startswith(HEADLINE)]
    if len(rows) != 1:
        sys.exit(f"{readme} has {len(rows)} rows of the reference job, not one")
    lines[rows[0]] = headline(results)
    return {performance: between_marks(performance.read_text(), render(results)), readme: "\n".join(lines)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--print", type=Path, metavar="FILE")
    words = parser.parse_args()
    if words.print:
        print(render(json.loads(words.print.read_text())))
        return
    stale = []
    for path, content in documents(json.loads(RESULTS.read_text())).items():
        if path.read_text() != content:
            stale.append(path)
            if not words.check:
                path.write_text(content)
    for path in stale:
        print(f"{path.relative_to(REPOSITORY)}: {'differs from results.json' if words.check else 'updated'}")
    if words.check and stale:
        sys.exit("run benches/peers/report.py")


if __name__ == "__main__":
    main()
