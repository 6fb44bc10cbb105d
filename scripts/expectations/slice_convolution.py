"""Values of the convolved sample slice that tests/cli/filters.rs holds, by scipy. Needs numpy, scipy and nibabel."""

from pathlib import Path

import nibabel
import numpy
from scipy import ndimage

SLICE = Path(__file__).parents[2] / "sample_data" / "convolution" / "slice.nii.gz"
# corners and edges, where what lies beyond matters, the middle, and a border between tissues
PLACES = [(0, 0), (63, 20), (31, 63), (32, 32), (20, 40), (12, 30)]


def main() -> None:
    image = numpy.asarray(nibabel.load(SLICE).dataobj, dtype=float)[:, :, 0]
    results = {
        "GAUSSIAN_REFLECT": ndimage.gaussian_filter(image, 2.0, mode="reflect", truncate=4.0),
        "GAUSSIAN_ZERO": ndimage.gaussian_filter(image, 2.0, mode="constant", truncate=4.0),
        "BOX_NEAREST": ndimage.uniform_filter(image, 5, mode="nearest"),
    }
    for name, result in results.items():
        rows = ", ".join(f"([{i}, {j}], {float(result[i, j])!r})" for i, j in PLACES)
        print(f"const {name}: [([usize; 2], f64); {len(PLACES)}] = [{rows}];")


if __name__ == "__main__":
    main()
