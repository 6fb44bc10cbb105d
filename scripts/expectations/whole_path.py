"""Whole analyses of the sample data by other programs, for `tests/whole_path.rs`.

`nilearn`: FirstLevelModel of nilearn 0.14.1, from files to maps: automatic mask, smoothing, Glover's response at the
middle of the repetition time, motion confounds, AR(1), two runs.
`native`: the formulas of docs/numerics.md once more, in numpy and scipy with dense covariance matrices: exact
convolution, censored frames, discarded frames, exact AR(1) over gaps, both fixed effects, F.

Run from the repository's root: python scripts/expectations/whole_path.py > tests/expectations/whole_path.json
"""
import json
import sys
import warnings

import nibabel as nib
import numpy as np
import pandas as pd
import scipy
from nilearn import __version__ as nilearn_version
from nilearn.glm.first_level import FirstLevelModel
from nilearn.masking import compute_multi_epi_mask
from scipy import stats
from scipy.ndimage import gaussian_filter1d

FOLDER = "sample_data/dataset/sub-01/func/sub-01_task-objects_run-0"
TR, FWHM_MM, HIGH_PASS, REF = 2.0, 12.0, 0.01, 0.5
MOTION = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"]
DISCARD, FD_MM, MIN_SEGMENT = 4, 0.9, 5
EVERY = 40  # one voxel in so many is written down

bold = [nib.load(f"{FOLDER}{run}_bold.nii.gz") for run in (1, 2)]
events = [pd.read_csv(f"{FOLDER}{run}_events.tsv", sep="\t") for run in (1, 2)]
confounds = [pd.read_csv(f"{FOLDER}{run}_desc-confounds_timeseries.tsv", sep="\t") for run in (1, 2)]


def written(mask, maps):
    """The mask packed to bits (first axis fastest), and the maps at some of its voxels."""
    inside = np.flatnonzero(mask.ravel(order="F"))
    chosen = inside[::EVERY]
    rank = {voxel: at for at, voxel in enumerate(inside)}
    at = [rank[voxel] for voxel in chosen]
    return dict(
        mask=np.packbits(mask.ravel(order="F").astype(np.uint8)).tobytes().hex(),
        voxels=chosen.tolist(),
        maps={name: [float(f"{value:.9g}") for value in np.asarray(values)[at]] for name, values in maps.items()},
    )


def nilearn_maps():
    model = FirstLevelModel(
        t_r=TR, slice_time_ref=REF, hrf_model="glover", high_pass=HIGH_PASS, smoothing_fwhm=FWHM_MM,
        noise_model="ar1", minimize_memory=False,
    )
    model.fit(bold, events=events, confounds=[table[MOTION] for table in confounds])
    mask = model.masker_.mask_img_.get_fdata() > 0
    in_order = lambda image: image.get_fdata().ravel(order="F")[np.flatnonzero(mask.ravel(order="F"))]
    maps = {}
    t = model.compute_contrast("face - house", output_type="all")
    for name, key in dict(effect="effect_size", variance="effect_variance", t="stat", z="z_score", p="p_value").items():
        maps[f"faceMinusHouse {name}"] = in_order(t[key])
    rows = [np.array([design.columns == name for name in ("face", "house")], float) for design in model.design_matrices_]
    f = model.compute_contrast(rows, stat_type="F", output_type="all")
    for name, key in dict(F="stat", z="z_score", p="p_value").items():
        maps[f"anyObject {name}"] = in_order(f[key])
    return written(mask, maps)


def glover(kind):
    """Glover's response of unit area (kind "cdf": its integral), from the published peak heights."""
    rise, fall = stats.gamma(7, scale=0.9), stats.gamma(13, scale=0.9)
    peak = lambda density, n: density.pdf(n * 0.9)
    ratio = 0.35 * peak(rise, 6) / peak(fall, 12)
    return lambda t: (getattr(rise, kind)(t) - ratio * getattr(fall, kind)(t)) / (1 - ratio)


def native_design(run):
    n = bold[run].shape[3]
    frames = np.arange(DISCARD, n)
    times = (frames + REF) * TR
    value, integral = glover("pdf"), glover("cdf")
    columns, names = [], []
    for condition, rows in sorted(events[run].groupby("trial_type")):
        since = times[:, None] - rows.onset.values[None]
        duration = rows.duration.values[None]
        columns += [(integral(since) - integral(since - duration)).sum(1), (value(since) - value(since - duration)).sum(1)]
        names += [condition, f"{condition}_derivative"]
    columns += [confounds[run][name].values[DISCARD:] for name in MOTION]
    length = len(frames)
    for k in range(1, int(np.floor(2 * length * HIGH_PASS * TR)) + 1):
        columns.append(np.sqrt(2 / length) * np.cos(np.pi * (np.arange(length) + 0.5) * k / length))
    columns.append(np.ones(length))
    names += [""] * (len(columns) - len(names))
    kept = ~(confounds[run].framewise_displacement.values[DISCARD:] > FD_MM)
    start = 0
    for stop in [*np.flatnonzero(np.diff(kept.astype(int))) + 1, length]:
        if kept[start] and stop - start < MIN_SEGMENT:
            kept[start:stop] = False
        start = stop
    return np.column_stack(columns), names, np.flatnonzero(kept)


def native_data(run, inside):
    data = np.asarray(bold[run].dataobj, dtype=float)[..., DISCARD:]
    sigma = FWHM_MM / np.sqrt(8 * np.log(2)) / np.array(bold[run].header.get_zooms()[:3], float)
    for axis in range(3):
        data = gaussian_filter1d(data, sigma[axis], axis=axis, mode="reflect", truncate=4.0)
    return data.reshape(-1, data.shape[3], order="F")[inside].T


def native_fit(run, inside):
    x, names, kept = native_design(run)
    y = native_data(run, inside)[kept]
    y = 100 * (y / y.mean(0) - 1)
    x = x[kept]
    n, rank = len(x), np.linalg.matrix_rank(x)
    residuals = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    neighbours = np.flatnonzero(np.diff(kept) == 1)
    rho = (n - 1) / len(neighbours) * (residuals[neighbours] * residuals[neighbours + 1]).sum(0) / (residuals**2).sum(0)
    lag = np.abs(kept[:, None] - kept[None])
    weights = np.array([[name == condition for name in names] for condition in ("face", "house")], float)
    effects, covariances, sigma, r2 = [], [], [], []
    for column in range(y.shape[1]):
        precision = np.linalg.inv(rho[column] ** lag) * (1 - rho[column] ** 2)
        inverse = np.linalg.inv(x.T @ precision @ x)
        beta = inverse @ (x.T @ precision @ y[:, column])
        left = y[:, column] - x @ beta
        variance = left @ precision @ left / (n - rank)
        effects.append(weights @ beta)
        covariances.append(variance * weights @ inverse @ weights.T)
        sigma.append(np.sqrt(variance))
        r2.append(1 - left @ left / ((y[:, column] - y[:, column].mean()) ** 2).sum())
    return dict(effect=np.array(effects), covariance=np.array(covariances), dof=n - rank, rho=rho, sigma=sigma, r2=r2)


def t_maps(prefix, effect, variance, dof):
    t = effect / np.sqrt(variance)
    tail = stats.t.sf(np.abs(t), dof)
    return {f"{prefix} {name}": values for name, values in
            dict(effect=effect, variance=variance, t=t, p=2 * tail, z=np.sign(t) * stats.norm.isf(tail)).items()}


def f_maps(prefix, effect, covariance, dof):
    f = np.einsum("vi,vij,vj->v", effect, np.linalg.inv(covariance), effect) / 2
    p = stats.f.sf(f, 2, dof)
    z = np.where(p <= 0.5, stats.norm.isf(p), -stats.norm.isf(stats.f.cdf(f, 2, dof)))
    return {f"{prefix} {name}": values for name, values in dict(F=f, p=p, z=z).items()}


def native_maps():
    means = [nib.Nifti1Image(np.asarray(image.dataobj)[..., DISCARD:], image.affine) for image in bold]
    mask = compute_multi_epi_mask(means).get_fdata() > 0
    inside = np.flatnonzero(mask.ravel(order="F"))
    fits = [native_fit(run, inside) for run in (0, 1)]
    c = np.array([1.0, -1.0])
    maps = {}
    for run, fit in enumerate(fits, 1):
        maps |= {f"run-0{run} {name}": fit[name] for name in ("rho", "sigma", "r2")}
        variance = np.einsum("i,vij,j->v", c, fit["covariance"], c)
        maps |= t_maps(f"run-0{run} faceMinusHouse", fit["effect"] @ c, variance, fit["dof"])
        maps |= f_maps(f"run-0{run} anyObject", fit["effect"], fit["covariance"], fit["dof"])
    e = np.array([fit["effect"] @ c for fit in fits])
    v = np.array([np.einsum("i,vij,j->v", c, fit["covariance"], c) for fit in fits])
    d = np.array([fit["dof"] for fit in fits], float)[:, None]
    total = (1 / v).sum(0)
    share = 1 / v / total
    maps |= t_maps("precision faceMinusHouse", (share * e).sum(0), (1 + 4 * (share * (1 - share) / d).sum(0)) / total, d.sum())
    maps |= t_maps("mean faceMinusHouse", e.mean(0), v.sum(0) / 4, v.sum(0) ** 2 / (v**2 / d).sum(0))
    precision = np.array([np.linalg.inv(fit["covariance"]) for fit in fits])
    pooled = np.linalg.inv(precision.sum(0))
    effect = np.einsum("vij,vj->vi", pooled, sum(np.einsum("vij,vj->vi", w, fit["effect"]) for w, fit in zip(precision, fits)))
    corrected = pooled.copy()
    for w, dof in zip(precision, d[:, 0]):
        p = pooled @ w
        corrected += 4 / dof * (p - p @ p) @ pooled
    maps |= f_maps("precision anyObject", effect, corrected, d.sum())
    maps |= f_maps("mean anyObject", sum(fit["effect"] for fit in fits) / 2, sum(fit["covariance"] for fit in fits) / 4, d.sum())
    return written(mask, maps)


warnings.filterwarnings("ignore")  # nilearn's, about the image it makes of the mask
json.dump(
    dict(nilearn_version=nilearn_version, scipy_version=scipy.__version__, nilearn=nilearn_maps(), native=native_maps()),
    sys.stdout, indent=0,
)
