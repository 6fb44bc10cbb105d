"""Runs nilearn's own AR(1) on cells that the bench exported, and compares it to the profile `nilearn`.

    cargo bench --bench calibration -- --cells block-0.8s-240-arma11 --voxels 8192 --export FOLDER
    python nilearn_ar1.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
from scipy import stats

try:
    from nilearn.glm.contrasts import compute_contrast
    from nilearn.glm.first_level import run_glm
except ImportError:
    sys.exit("nilearn is not installed: nothing is compared")


def rates(effect, variance, truth, true_variance, dof):
    """Exact rates given the residuals: see rates.rs."""
    shift, deviation = effect - truth, np.sqrt(true_variance)
    for level in (0.05, 0.001):
        width = stats.t.isf(level / 2, dof) * np.sqrt(variance)
        yield np.mean(stats.norm.sf((width - shift) / deviation) + stats.norm.cdf((-width - shift) / deviation))


print("| cell | nilearn | profile `nilearn` | voxels of another bin | t elsewhere within |")
print("|---|---|---|---|---|")
for path in sorted(Path(sys.argv[1]).glob("*_data.npy")):
    name = path.name.removesuffix("_data.npy")
    data = np.load(path).astype(float)
    design = np.load(path.with_name(f"{name}_design.npy")).astype(float)
    truth, true_variance, effect, variance = np.load(path.with_name(f"{name}_maps.npy")).astype(float)
    labels, results = run_glm(data, design, noise_model="ar1", bins=100, n_jobs=1)
    weights = np.zeros(design.shape[1])
    weights[0] = 1
    contrast = compute_contrast(labels, results, weights, stat_type="t")
    peer_effect, peer_variance = contrast.effect.ravel(), contrast.variance.ravel()
    dof = len(design) - np.linalg.matrix_rank(design)
    peer = "/".join(f"{rate:.5f}" for rate in rates(peer_effect, peer_variance, truth, true_variance, dof))
    own = "/".join(f"{rate:.5f}" for rate in rates(effect, variance, truth, true_variance, dof))
    difference = np.abs(effect / np.sqrt(variance) - peer_effect / np.sqrt(peer_variance))
    # data and design are rounded to f32, so a coefficient at the edge of a bin may fall to its other side
    other = difference > 1e-3
    print(f"| {name} | {peer} | {own} | {other.sum()} of {other.size} | {difference[~other].max():.1e} |")
