#!/usr/bin/env python3
"""Writes the tables of docs/noise.md, and their headline into the README, from what the bench measured (results.tsv, runs.tsv,
random_designs.md).

    python3 benches/calibration/report.py [--check]
"""

import csv
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs/noise.md"
README = HERE.parent.parent / "README.md"
HEADLINE = "| false positives at a nominal .001"
MARKS = ("<!-- measured -->", "<!-- end of measured -->")
METHODS = {
    "oracle": "true covariance",
    "ols": "OLS",
    "nilearn-ar1": "AR(1), nilearn",
    "ar1": "`ar1`",
    "afni-grid": "AFNI's grid",
    "arma11": "`arma11`",
    "pooled-ar": "`pooled-ar`",
}
RUNS = {
    "ols precision": "OLS, precision",
    "nilearn-ar1 precision": "AR(1), nilearn, precision",
    "pooled-ar precision": "`pooled-ar`, precision",
    "pooled-ar mean": "`pooled-ar`, mean",
}
KEY = ("frames", "tr_s", "design", "noise", "variation", "fwhm")


def read(name):
    """Cells in the order of the file: their key to rows by method."""
    cells = {}
    with open(HERE / name) as file:
        for row in csv.DictReader(file, delimiter="\t"):
            cells.setdefault(tuple(row[part] for part in KEY), {})[row["method"]] = row
    return cells


def is_core(cell):
    return cell[0] == "240" and cell[4] != "abrupt"


def bounds(cell):
    if not is_core(cell):
        return (0.043, 0.065), (0.0004, 0.0025)
    if cell[1] == "0.8" and cell[2] == "block":
        return (0.045, 0.060), (0.0005, 0.0020)
    return (0.045, 0.056), (0.0006, 0.0016)


def rates(row):
    return float(row["rate_05"]), float(row["rate_001"])


def inside(cell, row):
    return all(low <= rate <= high for (low, high), rate in zip(bounds(cell), rates(row)))


def short(row):
    at_05, at_001 = rates(row)
    return f"{at_05:.3f}/{at_001:.4f}".replace("0.", ".")


def table(cells, methods, power):
    head = ["TR s", "design", "noise", "FWHM", *methods.values(), *(["power: nilearn", "`pooled-ar`"] if power else [])]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for cell, rows in cells.items():
        row = [cell[1], cell[2], cell[3], cell[5]]
        for method in methods:
            text = short(rows[method])
            row.append(f"**{text}**" if method.startswith("pooled-ar") and not inside(cell, rows[method]) else text)
        if power:
            row += [f"{float(rows[method]['power']):.3f}".replace("0.", ".") for method in ("nilearn-ar1", "pooled-ar")]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def counts(cells):
    lines = []
    for name, core in (("Core", True), ("Stress", False)):
        of = {cell: rows for cell, rows in cells.items() if is_core(cell) == core}
        head = f"**{name}, {len(of)} cells**"
        parts = []
        for method in ("ols", "nilearn-ar1", "ar1", "afni-grid", "arma11", "pooled-ar"):
            within = sum(inside(cell, rows[method]) for cell, rows in of.items())
            values = [rates(rows[method]) for rows in of.values()]
            low, high = ([pick(v[level] for v in values) for level in (0, 1)] for pick in (min, max))
            power = [float(rows[method]["power"]) for rows in of.values()]
            parts.append(
                f"| {METHODS[method]} | {within} | {low[0]:.3f}-{high[0]:.3f} | {low[1]:.4f}-{high[1]:.4f} | "
                f"{min(power):.3f}-{max(power):.3f} | {sum(p >= 0.98 for p in power)} |"
            )
        voxels = sorted({int(rows["pooled-ar"]["voxels"]) for rows in of.values()})
        error = [max(float(rows["pooled-ar"][column]) for rows in of.values()) for column in ("se_05", "se_001")]
        lines.append(
            f"{head} of {' or '.join(f'{v:,}' for v in voxels)} voxels; largest standard errors of `pooled-ar` "
            f"{error[0]:.4f} and {error[1]:.5f}.\n\n"
            "| model | cells inside the bounds | rate at .05 | rate at .001 | power | cells with power of .98 or more |\n"
            "|---|---|---|---|---|---|\n" + "\n".join(parts)
        )
    return "\n\n".join(lines)


def misses(cells):
    """What leaves the bounds, and where nilearn's AR(1) is nearer to nominal."""
    lines = []
    for cell, rows in cells.items():
        row = rows["pooled-ar"]
        name = f"{cell[0]} frames, TR {cell[1]} s, {cell[2]}, {cell[3]}, {cell[4]}, FWHM {cell[5]}"
        if not inside(cell, row):
            lines.append(
                f"- outside: {name}: {row['rate_05']} (SE {row['se_05']}), {row['rate_001']} (SE {row['se_001']}); "
                f"nilearn {short(rows['nilearn-ar1'])}; power {row['power']}"
            )
        for column, error, nominal in (("rate_05", "se_05", 0.05), ("rate_001", "se_001", 0.001)):
            own, peer = (rows[method] for method in ("pooled-ar", "nilearn-ar1"))
            farther = abs(float(own[column]) - nominal) - abs(float(peer[column]) - nominal)
            if farther > 2 * (float(own[error]) ** 2 + float(peer[error]) ** 2) ** 0.5:
                lines.append(f"- farther from {nominal} than nilearn's AR(1): {name}: {own[column]}, nilearn {peer[column]}")
    return "\n".join(lines) or "None leaves its bounds; nowhere is nilearn's AR(1) nearer by more than 2 standard errors."


def render():
    cells = read("results.tsv")
    parts = ["### In all", counts(cells), "### Outside the bounds, or behind nilearn", misses(cells)]
    for frames in ("240", "120"):
        for variation in ("constant", "smooth", "abrupt"):
            of = {cell: rows for cell, rows in cells.items() if cell[0] == frames and cell[4] == variation}
            if of:
                parts += [f"### {frames} frames, {variation}", table(of, METHODS, True)]
    if (HERE / "runs.tsv").exists():
        runs = read("runs.tsv")
        parts += ["### Fixed effects over 3 runs"]
        for variation in ("constant", "smooth", "abrupt"):
            of = {cell: rows for cell, rows in runs.items() if cell[4] == variation}
            if of:
                parts += [f"240 frames, {variation}:", table(of, RUNS, False)]
    if (HERE / "random_designs.md").exists():
        parts += ["### Real scans under random designs", (HERE / "random_designs.md").read_text().strip()]
    return "\n\n".join(parts)


def headline():
    """The README's row: the range of rates at .001 over the core cells, ours and nilearn's."""
    core = [rows for cell, rows in read("results.tsv").items() if is_core(cell)]
    cells = []
    for method in ("pooled-ar", "nilearn-ar1"):
        low, high = (f"{pick(rates(rows[method])[1] for rows in core):.4f}".replace("0.", ".", 1) for pick in (min, max))
        cells.append(f"{low} to {high}")
    what = f"AR(1), ARMA(1,1), AR(2), 1/f and white noise, blocks and events, TR 2 s and .8 s: {len(core)} simulated fields"
    return " | ".join([f"{HEADLINE}, {what}", *cells, "[noise](docs/noise.md) |"])


def documents():
    """Each document that quotes the results, with what it should hold."""
    text = PAGE.read_text()
    before, mark, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not mark or not end:
        sys.exit(f"{PAGE}: the marks of the results are missing")
    lines = README.read_text().split("\n")
    rows = [at for at, line in enumerate(lines) if line.startswith(HEADLINE)]
    if len(rows) != 1:
        sys.exit(f"{README} has {len(rows)} rows of false positives, not one")
    lines[rows[0]] = headline()
    return {PAGE: f"{before}{mark}\n\n{render()}\n\n{end}{after}", README: "\n".join(lines)}


def main():
    for path, content in documents().items():
        if "--check" not in sys.argv[1:]:
            path.write_text(content)
        elif path.read_text() != content:
            sys.exit(f"{path} differs from what was measured: run benches/calibration/report.py")


if __name__ == "__main__":
    main()
