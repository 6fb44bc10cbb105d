"""Holds verdicts.tsv against pandas: verdict, codes and number of events of every functional-imaging table.

usage: check.py FOLDER      where all_events_and_sidecars.tar.xz is unpacked; prints each difference and their number
"""
import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
# Onsets up to 1 ms before the run count as inside.
EARLIEST = -1e-3


def table_of(name):
    return {line.split("\t")[0]: line.split("\t")[1:] for line in (HERE / name).read_text().splitlines()[1:]}


def codes_of(table):
    if "trial_type" not in table:
        return {"events-condition-column-missing"}
    onset, duration = (pd.to_numeric(table[name], errors="coerce") for name in ("onset", "duration"))
    whole = table.trial_type.notna() & onset.notna() & duration.notna()
    inside = table[whole & (onset >= EARLIEST)]
    found = {
        "events-condition-missing": table.trial_type.isna().any(),
        "events-onset-missing": onset.isna().any(),
        "events-duration-missing": duration.isna().any(),
        "events-duration-negative": (duration < 0).any(),
        "events-outside-run": (onset[whole] < EARLIEST).any(),
        "events-duplicate": inside.duplicated(["onset", "trial_type"]).any(),
    }
    return {code for code, present in found.items() if present}


def count_of(table, policy):
    column, label, _, outside, duplicates = policy
    column = "trial_type" if column == "-" else column
    if label == "drop":
        table = table[table[column].notna()]
    if outside == "drop":
        table = table[table.onset >= EARLIEST]
    if duplicates == "sum":
        table = table.drop_duplicates(["onset", column, "duration"])
    return len(table)


def main(folder):
    policies, verdicts = table_of("policies.tsv"), table_of("verdicts.tsv")
    differences = 0
    for path in sorted(folder.glob("**/func/*_events.tsv")):
        dataset = path.relative_to(folder).parts[0]
        name = f"{dataset}/{path.name.removesuffix('_events.tsv')}"
        table = pd.read_csv(path, sep="\t", encoding="utf-8-sig")
        codes = codes_of(table)
        count = count_of(table, policies.get(dataset, ["-"] * 5))
        expected = ["refused" if codes else "read", " ".join(sorted(codes)) or "-", str(count)]
        if verdicts.pop(name, None) != expected:
            differences += 1
            print(name, expected)
    print(f"{differences} differences, {len(verdicts)} listed tables not found")


main(Path(sys.argv[1]))
