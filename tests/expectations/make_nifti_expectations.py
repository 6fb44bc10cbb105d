"""Write nifti_corpus.tsv: what nibabel reads from every file of the image corpus, or why `boldly` refuses it.

    python make_nifti_expectations.py CORPUS > nifti_corpus.tsv        (CORPUS: the folder data/nifti)

One row a file. `values` rows hold nibabel's shape, stored type, zooms, affine and `get_fdata()` in float64:
range over finite values, mean, count of NaN, three probes (first, middle, last in file order), and the SHA-256 of
all values in file order (little-endian float64, every NaN the same one). `refused` rows say why.

A pair whose halves are compressed differently is opened in nibabel by naming both files.
"""

import gzip
import hashlib
import io
import logging
import sys
from pathlib import Path

import nibabel
import numpy

logging.disable(logging.CRITICAL)
COLUMNS = "file verdict reason shape dtype zooms affine min max mean n_nan probes sha256".split()


def load(path):
    """nibabel's image, also for a pair of which one half is compressed and the other is not."""
    name = path.name
    for end, other in ((".hdr", ".img.gz"), (".img.gz", ".hdr")):
        if name.endswith(end):
            partner = path.with_name(name[: -len(end)] + other)
            same = path.with_name(name[: -len(end)] + {".hdr": ".img", ".img.gz": ".hdr.gz"}[end])
            if partner.exists() and not same.exists():
                header, image = sorted((path, partner))  # .hdr before .img
                holders = {
                    "header": nibabel.FileHolder(fileobj=io.BytesIO(header.read_bytes())),
                    "image": nibabel.FileHolder(fileobj=io.BytesIO(gzip.decompress(image.read_bytes()))),
                }
                return nibabel.Nifti1Pair.from_file_map(holders)
    return nibabel.load(path)


def refusal(path, image):
    """Why we refuse what nibabel can open; None where we do not."""
    if isinstance(image, nibabel.brikhead.AFNIImage):
        return "AFNI"
    if isinstance(image, nibabel.Cifti2Image):
        return "CIFTI"
    if isinstance(image, nibabel.AnalyzeImage) and not isinstance(image, nibabel.Nifti1Pair):
        if path.with_suffix(".mat").exists():
            return "SPM matrix"
    if image.get_data_dtype().kind not in "iuf":
        return f"type {image.get_data_dtype()}"
    if sum(length > 1 for length in image.shape[3:]) > 1:
        return "several axes beyond space"
    return None


def numbers(values):
    return ",".join(repr(float(value)) for value in values)


def row(root, path):
    file = str(path.relative_to(root))
    try:
        image = load(path)
        reason = refusal(path, image)
        if reason is None:
            values = image.get_fdata(dtype=numpy.float64)
    except Exception as error:  # noqa: BLE001: any failure of nibabel is the verdict
        reason = f"nibabel: {type(error).__name__}"
    if reason is not None:
        return [file, "refused", reason] + [""] * (len(COLUMNS) - 3)
    flat = numpy.where(numpy.isnan(values), numpy.nan, values).ravel(order="F").astype("<f8")
    finite = flat[numpy.isfinite(flat)]
    return [
        file,
        "values",
        "",
        ",".join(map(str, image.shape)),
        image.get_data_dtype().newbyteorder("=").name,
        numbers(image.header.get_zooms()),
        numbers(image.affine.ravel()),
        repr(float(finite.min())),
        repr(float(finite.max())),
        repr(float(finite.mean())),
        str(int(numpy.isnan(flat).sum())),
        numbers(flat[[0, flat.size // 2, -1]]),
        hashlib.sha256(flat.tobytes()).hexdigest(),
    ]


def main():
    root = Path(sys.argv[1])
    print(f"# nibabel {nibabel.__version__}, numpy {numpy.__version__}; made by make_nifti_expectations.py")
    print("\t".join(COLUMNS))
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        print("\t".join(row(root, path)))


main()
