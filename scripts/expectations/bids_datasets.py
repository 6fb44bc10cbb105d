"""What pybids finds for each BOLD image of many datasets, for `tests/bids_corpus.rs` (pybids 0.22.0).

    python scripts/expectations/bids_datasets.py ../shared/data/events/all_events_and_sidecars.tar.xz

writes two files into tests/expectations/bids/:

- corpus.tsv.gz: every functional image of the BIDS examples in the archive, with its events table and `RepetitionTime`. The
  archive has no images: one is made for each functional events table and for each `_bold.json` of a subject; for
  `synthetic`, whose events are in its root, also the raw ones that its derivatives were made from.
- made.json.gz: small datasets with sidecars and events strewn over the levels by a seeded generator, with the merged
  metadata and the events of each image. Where two files of one level apply, which BIDS forbids, pybids takes one or both;
  there the expectation is `ambiguous`, by the words of the standard. An events table with an entity that the image lacks does
  not apply by the standard, but does for pybids: such tables are not made.
"""
import gzip
import itertools
import json
import random
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path

from bids import BIDSLayout

warnings.filterwarnings("ignore")
HERE = Path(__file__).resolve().parents[2] / "tests/expectations/bids"
SEED = 20261127
MADE = 120


def layout(root):
    """Indexes a dataset; pybids insists on a description."""
    description = root / "dataset_description.json"
    if not description.exists():
        description.write_text('{"Name": "x", "BIDSVersion": "1.8.0"}')
    return BIDSLayout(root, validate=False)


def events_of(index, bold):
    """As pybids itself finds them for its models. The first is the nearest; asked for that one alone, pybids gives up at the
    first folder with events, even if none of them applies."""
    found = index.get_nearest(
        bold, suffix="events", extension=".tsv", strict=True, ignore_strict_entities=["suffix", "extension"], all_=True
    )
    return found[0] if found else None


def images_of(dataset):
    """The images a dataset without images must have had, below its root."""
    images = set()
    for path in sorted(dataset.rglob("*.tsv")) + sorted(dataset.rglob("*.json")):
        relative = path.relative_to(dataset)
        if "func" not in relative.parts:
            continue
        name = relative.name
        if name.endswith("_events.tsv"):
            images.add(relative.with_name(name.replace("_events.tsv", "_bold.nii.gz")))
        elif name.endswith("_bold.json"):
            images.add(relative.with_name(name.replace("_bold.json", "_bold.nii.gz")))
            if relative.parts[0] == "derivatives":
                stem = "_".join(p for p in name.split("_") if not p.startswith(("space-", "desc-")))
                images.add(Path(*relative.parts[2:-1]) / stem.replace("_bold.json", "_bold.nii.gz"))
    return sorted(images)


def corpus(archive, out):
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        for dataset in sorted(Path(scratch).iterdir()):
            images = images_of(dataset)
            for image in images:
                (dataset / image).parent.mkdir(parents=True, exist_ok=True)
                (dataset / image).touch()
            roots = {dataset: [i for i in images if i.parts[0] != "derivatives"]}
            for image in images:
                if image.parts[0] == "derivatives":
                    roots.setdefault(dataset / Path(*image.parts[:2]), []).append(image)
            raw = layout(dataset) if images else None
            for root, images in roots.items():
                index = raw if root == dataset else layout(root)
                for image in images:
                    bold = dataset / image
                    events = events_of(raw, bold) if root == dataset else raw_events(raw, dataset, image)
                    tr = index.get_metadata(bold).get("RepetitionTime")
                    rows.append(
                        (dataset.name, image, Path(events).relative_to(dataset) if events else "-", "-" if tr is None else tr)
                    )
            print(dataset.name, len(rows), file=sys.stderr)
    text = "dataset\tbold\tevents\trepetition_time_s\n" + "".join("\t".join(map(str, row)) + "\n" for row in rows)
    write(out / "corpus.tsv.gz", text)


def raw_events(raw, dataset, image):
    """Events of the raw image that a derivative was made from."""
    stem = "_".join(p for p in image.name.split("_") if not p.startswith(("space-", "desc-")))
    return events_of(raw, dataset / Path(*image.parts[2:-1]) / stem)


def made(out):
    chance = random.Random(SEED)
    trees = []
    while len(trees) < MADE:
        sessions = chance.choice([[None], ["a", "b"]])
        runs = chance.choice([[None], ["1", "2"], ["01", "02"]])
        tasks = chance.choice([["x"], ["x", "y"]])
        bolds = []
        for subject, session, task, run in itertools.product(["01", "02"], sessions, tasks, runs):
            bolds.append({"sub": subject, "ses": session, "task": task, "run": run})
        files = {}
        for bold in bolds:
            files[path_of(bold, 3, "bold.nii.gz")] = ""
        for kind, number in [("bold.json", chance.randint(1, 8)), ("events.tsv", chance.randint(1, 6))]:
            for _ in range(number):
                bold = dict(chance.choice(bolds))
                level = chance.choice([0, 0, 1, 2, 3, 3])
                if level == 2 and bold["ses"] is None:
                    continue
                for key in ["sub", "ses", "task", "run"]:
                    fixed = (key == "sub" and level >= 1) or (key == "ses" and level >= 2 and bold["ses"])
                    # BIDS asks for a task in the names of events
                    if not fixed and not (kind == "events.tsv" and key == "task") and (key in ("sub", "ses") or chance.random() < 0.5):
                        bold[key] = None
                if bold["run"] and chance.random() < 0.3:
                    bold["run"] = str(int(bold["run"])) if bold["run"][0] == "0" else "0" + bold["run"]
                content = ""
                if kind == "bold.json":
                    keys = chance.sample(["RepetitionTime", "TaskName", "A", "B", "C"], chance.randint(1, 4))
                    content = json.dumps({key: chance.randint(1, 99) for key in keys})
                files[path_of(bold, level, kind)] = content
        expected = {}
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch)
            for path, content in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(content)
            index = layout(root)
            for bold in bolds:
                path = path_of(bold, 3, "bold.nii.gz")
                events = events_of(index, root / path)
                expected[path] = {
                    "metadata": "ambiguous" if ambiguous(files, path, "bold.json", True) else index.get_metadata(root / path),
                    "events": "ambiguous" if ambiguous(files, path, "events.tsv", False)
                    else str(Path(events).relative_to(root)) if events else None,
                }
        trees.append({"files": files, "expected": expected})
    write(out / "made.json.gz", json.dumps(trees))


def path_of(labels, level, ending):
    folders = [f"sub-{labels['sub']}"] if level >= 1 else []
    if level >= 2 and labels["ses"]:
        folders.append(f"ses-{labels['ses']}")
    folders += ["func"] if level == 3 else []
    parts = [f"{key}-{label}" for key, label in labels.items() if label]
    return "/".join([*folders, "_".join([*parts, ending])])


def ambiguous(files, bold, ending, at_any_level):
    """Whether two files of one folder apply; for tables only the deepest folder with one counts."""
    parse = lambda path: {
        key: label.lstrip("0") if key == "run" else label
        for key, label in (part.split("-") for part in path.split("/")[-1].split("_")[:-1])
    }
    of_bold, counts = parse(bold), {}
    for path in files:
        if path.split("_")[-1].split("/")[-1] != ending:
            continue
        folder = path.split("/")[:-1]
        if bold.split("/")[: len(folder)] == folder and parse(path).items() <= of_bold.items():
            counts[len(folder)] = counts.get(len(folder), 0) + 1
    if at_any_level:
        return any(count > 1 for count in counts.values())
    return bool(counts) and counts[max(counts)] > 1


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
        packed.write(text.encode())
    print(path, path.stat().st_size, "bytes", file=sys.stderr)


if __name__ == "__main__":
    made(HERE)
    corpus(sys.argv[1], HERE)
