#!/usr/bin/env python3
"""Copies rows of docs/accuracy.md into the table of docs/deconvolution.md; run it when the former was made anew.

The best method of a row is set in bold; figures are those of docs/accuracy.md."""
import pathlib

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
MARK = "<!-- accuracy table: rows of docs/accuracy.md, by scripts/regenerate_accuracy_excerpt.py -->\n"
METHODS = ["ridge, GCV", "smooth ridge, evidence", "Wiener", "spike, averaged", "block, averaged", "auto, 9"]
# activity, SNR, noise rho, whitened, kernel late by
ROWS = [(activity, snr, "0", "no", "0") for activity in ("spikes", "blocks", "AR(1)") for snr in ("1", "3", "10")] + [
    ("spikes", "1", "0.4", "no", "0"),
    ("spikes", "1", "0.4", "true rho", "0"),
    ("blocks", "3", "0.4", "no", "0"),
    ("blocks", "3", "0.4", "true rho", "0"),
    ("spikes", "3", "0", "no", "1"),
    ("spikes", "3", "0", "no", "2"),
    ("blocks", "3", "0", "no", "2"),
]


def without_zero(text: str) -> str:
    return text[1:] if text.startswith("0.") else text


def correlations() -> tuple[list[str], dict[tuple[str, ...], list[str]]]:
    """Header and rows at TR 2 s of the table of correlations."""
    section = (DOCS / "accuracy.md").read_text().split("### Correlation")[1].split("###")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    header, rows = lines[0], lines[2:]
    return header, {tuple(row[:5]): row for row in rows if row[5] == "2"}


def excerpt() -> str:
    header, rows = correlations()
    names = ["auto, regions of 9" if method == "auto, 9" else method for method in METHODS]
    lines = [["activity", "SNR", "noise rho", "whitened", "kernel late by", *names], ["---"] * (5 + len(METHODS))]
    for key in ROWS:
        values = [rows[key][header.index(method)] for method in METHODS]
        best = max(float(value) for value in values)
        shown = [f"**{without_zero(v)}**" if float(v) == best else without_zero(v) for v in values]
        activity, snr, rho, whitened, late = key
        lines.append([activity, snr, without_zero(rho), whitened, f"{late} s", *shown])
    rule = "|" + "---|" * len(lines[1])
    return "\n".join([f"| {' | '.join(lines[0])} |", rule, *(f"| {' | '.join(line)} |" for line in lines[2:])]) + "\n"


def main() -> None:
    page = DOCS / "deconvolution.md"
    before, after = page.read_text().split(MARK)
    page.write_text(before + MARK + excerpt() + "\n" + after.split("\n\n", 1)[1])


main()
