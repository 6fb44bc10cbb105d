"""nilearn's numbers on a design without full rank, for `tests/glm.rs` (nilearn 0.14.1).

Run from the repository's root: python scripts/expectations/rank_deficient.py > tests/expectations/rank_deficient.json
"""
import json
import sys

import nilearn
import numpy as np
from nilearn.glm.contrasts import compute_contrast
from nilearn.glm.first_level import run_glm

rng = np.random.default_rng(20261123)
n, voxels = 36, 5
t = np.arange(n)
x = np.column_stack([np.sin(0.41 * t), np.cos(0.23 * t), np.ones(n)])
x = np.column_stack([x, x[:, 0] + x[:, 2], np.zeros(n)])  # a sum of columns, and a column of zeros
noise = np.zeros((n, voxels))
for i in range(n):
    noise[i] = 0.5 * (noise[i - 1] if i else 0) + rng.standard_normal(voxels)
y = np.round(100 + 10 * noise)
contrasts = {"t": [[0, 1, 0, 0, 0]], "F": [[0, 1, 0, 0, 0], [1, 0, 0, 1, 0]]}
results = {}
for model in ("ols", "ar1"):
    labels, fits = run_glm(y, x, noise_model=model)
    for kind, weights in contrasts.items():
        c = compute_contrast(labels, fits, np.array(weights[0] if kind == "t" else weights, float), stat_type=kind)
        results[f"{model} {kind}"] = dict(
            dof=c.dof, stat=c.stat().tolist(), p=c.p_value().tolist(), z=c.z_score().tolist(), variance=c.variance.tolist()
        )
    beta = np.zeros((x.shape[1], voxels))
    for label, fit in fits.items():
        beta[:, labels == label] = fit.theta
    results[f"{model} beta"] = beta.tolist()
json.dump(dict(nilearn=nilearn.__version__, design=x.tolist(), data=y.tolist(), contrasts=contrasts, results=results), sys.stdout, indent=0)
