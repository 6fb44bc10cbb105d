"""Compares the twelve maps of boldly and nilearn, and prints the worst of each kind as JSON.

Usage: compare_maps.py BOLDLY_OUT NILEARN_OUT, in an environment with nibabel.
"""

import json
import sys
from pathlib import Path

import nibabel
import numpy as np

# of t and z, relative where they are beyond 1; of effects and variances, relative to the largest of the map. nilearn
# rounds to float32 after each axis of the smoothing and again to percent; boldly does not.
TOLERANCE = {"effect": 1e-4, "variance": 1e-4, "t": 1e-3, "z": 1e-3}


def compare(ours, theirs):
    """Largest difference, values beyond the tolerance, and values in the mask, by kind of map."""
    kinds = {kind: {"largest": 0.0, "beyond": 0, "values": 0, "tolerance": TOLERANCE[kind]} for kind in TOLERANCE}
    images = sorted(theirs.glob("*.nii.gz"))
    if len(images) != 12:
        sys.exit(f"{theirs} holds {len(images)} maps, not 12")
    for image in images:
        contrast, kind = image.name.removesuffix(".nii.gz").split("_stat-")
        own = next(ours.glob(f"job/sub-01/func/*_{contrast}_stat-{kind}_statmap.nii.gz"))
        a, b = (nibabel.load(path).get_fdata() for path in (own, image))
        scale = np.maximum(1.0, np.abs(b)) if kind in ("t", "z") else np.abs(b).max()
        difference = np.abs(a - b) / scale
        found = kinds[kind]
        found["largest"] = max(found["largest"], float(difference.max()))
        # a value that is not finite on one side is beyond too
        found["beyond"] += int((~(difference <= TOLERANCE[kind])).sum())
        found["values"] += int((b != 0).sum())
    return kinds


if __name__ == "__main__":
    print(json.dumps(compare(Path(sys.argv[1]), Path(sys.argv[2]))))
