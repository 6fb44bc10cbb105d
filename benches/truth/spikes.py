"""Spikes from fluorescence by the binary, then benches/calcium/compare.py.

    python benches/truth/spikes.py [--boldly PATH] [--data FOLDER] [--work FOLDER]

Each recording of `calcium` is a `[[timeseries]]` of one pipeline with two models, `method = "spike"` with
`kernel = { ar = 1 }` and `{ ar = 2 }` and nothing else set. Their activity becomes the two tables compare.py reads: a
column a recording. compare.py needs the package oasis-deconv 0.3.2.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import binary

COMPARE = binary.HERE.parent / "calcium/compare.py"
ORDERS = (1, 2)


def label(at):
    return f"recording{at}"


def pipeline(recordings):
    inputs = ""
    for at, path in enumerate(recordings):
        inputs += f'[[timeseries]]\nsubject = "{label(at)}"\ntable = "{path}"\n\n'
    models = "".join(
        f'[[deconvolve]]\nname = "order{order}"\nmethod = "spike"\nkernel = {{ ar = {order} }}\nmaps = ["activity"]\n\n'
        for order in ORDERS
    )
    return inputs, models


def main():
    options = binary.parser(__doc__)
    options.add_argument("--work", type=Path, help="keep pipelines and results here")
    words = options.parse_args()
    data = (words.data / "calcium").resolve()
    recordings = sorted(data.glob("DS*/*_dff.tsv.gz"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = words.work or Path(temporary)
        results = binary.run(words, folder, *pipeline(recordings))
        tables = []
        for order in ORDERS:
            columns = {}
            for at, path in enumerate(recordings):
                of_subject = results / f"order{order}" / f"sub-{label(at)}"
                (found,) = of_subject.rglob("*_desc-neural_timeseries.tsv")
                columns[path.name.removesuffix("_dff.tsv.gz")] = binary.table(found)["dff"]
            tables.append(folder / f"order{order}.tsv")
            binary.write_table(tables[-1], columns)
        out = binary.RESULTS / "spikes.tsv"
        command = [sys.executable, COMPARE, "--ours", *tables, "--data", data, "--out", out]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
