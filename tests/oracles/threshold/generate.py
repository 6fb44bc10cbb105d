"""Heights, cluster tables and true-discovery proportions by nilearn, as JSON.

Needs numpy, scipy and nilearn. Run from this folder:

    python generate.py > nilearn.json

The map is made in both languages: a linear congruential sequence (uniform on -1..1) on 12 x 10 x 9 voxels, axis 0
fastest, averaged twice over the 3 x 3 x 3 around each voxel (fewer at the edges), times 12, plus 3 around one place and
minus 3 around another. Voxels whose index is a multiple of 7 and lies below 200 are outside the mask.
"""
import json
import warnings

import nibabel
import numpy as np
import nilearn
from nilearn.glm import cluster_level_inference, threshold_stats_img
from nilearn.glm.thresholding import fdr_threshold
from nilearn.reporting import get_clusters_table

warnings.simplefilter("ignore")
SHAPE = (12, 10, 9)
AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3.0, 0, -20], [0, 0, 3.5, 5], [0, 0, 0, 1]])


def around(values):
    out = np.zeros_like(values)
    for i, j, k in np.ndindex(SHAPE):
        box = values[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2, max(k - 1, 0) : k + 2]
        total = 0.0
        for c in range(box.shape[2]):
            for b in range(box.shape[1]):
                for a in range(box.shape[0]):
                    total += box[a, b, c]
        out[i, j, k] = total / box.size
    return out


state, values = 987654321, []
for _ in range(np.prod(SHAPE)):
    state = (state * 1664525 + 1013904223) % 2**32
    values.append((state >> 8) / 2**23 - 1)
z = 12 * around(around(np.array(values).reshape(SHAPE, order="F")))
for centre, sign in (((3, 3, 4), 3.0), ((8, 6, 5), -3.0)):
    for i, j, k in np.ndindex(SHAPE):
        if sum((a - b) ** 2 for a, b in zip((i, j, k), centre)) <= 5:
            z[i, j, k] += sign
index = np.arange(z.size).reshape(SHAPE, order="F")
mask = ~((index % 7 == 0) & (index < 200))
z[~mask] = 0
image = nibabel.Nifti1Image(z, AFFINE)
mask_image = nibabel.Nifti1Image(mask.astype(np.uint8), AFFINE)

heights = []
for control, alpha in (("fpr", 0.001), ("fdr", 0.05), ("fdr", 0.001), ("bonferroni", 0.05)):
    for two_sided in (True, False):
        for smallest in (0, 12):
            thresholded, height = threshold_stats_img(
                image, mask_image, alpha=alpha, height_control=control, cluster_threshold=smallest, two_sided=two_sided
            )
            kept = thresholded.get_fdata()
            if not two_sided:
                kept = np.maximum(kept, 0)
            heights.append(
                {
                    "height": control,
                    "alpha": alpha,
                    "sides": 2 if two_sided else 1,
                    "min_cluster_voxels": smallest,
                    "threshold": float(height) if np.isfinite(height) else None,
                    "n_kept": int((kept != 0).sum()),
                    "sum_kept": float(kept.sum()),
                }
            )
tables = []
for height, smallest, two_sided in ((2.0, 0, True), (2.5, 0, True), (3.0, 5, False), (1.5, 20, True)):
    table = get_clusters_table(image, height, cluster_threshold=smallest, two_sided=two_sided)
    rows, size = [], None
    for row in table.itertuples(index=False):
        first = row[5] != ""
        size = float(row[5]) if first else size
        rows.append({"first": first, "xyz": [float(v) for v in row[1:4]], "z": float(row[4]), "mm3": size})
    tables.append({"height": height, "min_cluster_voxels": smallest, "sides": 2 if two_sided else 1, "rows": rows})
proportions = []
for height in (2.0, 2.5, 3.0):
    for alpha in (0.05, 0.2):
        shares = cluster_level_inference(image, mask_image, threshold=height, alpha=alpha).get_fdata()
        n = int((shares > 0).sum())
        proportions.append(
            {"height": height, "alpha": alpha, "largest": float(shares.max()), "sum": float(shares.sum()), "n": n}
        )
assert abs(fdr_threshold(np.abs(z[mask]), 0.025) - heights[4]["threshold"]) < 1e-12
print(
    json.dumps(
        {
            "nilearn": nilearn.__version__,
            "first": float(z[1, 0, 0]),
            "sum": float(z.sum()),
            "heights": heights,
            "tables": tables,
            "proportions": proportions,
        },
        indent=1,
    )
)
