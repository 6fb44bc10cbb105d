"""Expectations for smoothing, morphology and the automatic mask, from scipy and nilearn.

Run: python generate.py DATA_FOLDER   (DATA_FOLDER holds haxby2001, feeds, nifti, ...)
Arrays are written with axis 0 fastest. Masks are strings of 0 and 1; masks of real images, SHA-256 of that string.
"""

import hashlib
import json
import pathlib
import sys
import warnings

import nibabel
import nilearn
import numpy as np
import scipy
from nilearn.masking import compute_epi_mask, intersect_masks
from scipy import ndimage

here = pathlib.Path(__file__).parent
data = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(20261123)
VERSIONS = {"nilearn": nilearn.__version__, "scipy": scipy.__version__, "numpy": np.__version__}


def flat(array):
    return np.asarray(array).ravel(order="F")


def bits(mask):
    return "".join("1" if value else "0" for value in flat(mask))


def write(name, cases):
    lines = ",\n".join(json.dumps(case) for case in cases)
    (here / name).write_text(f'{{"versions": {json.dumps(VERSIONS)}, "cases": [\n{lines}\n]}}\n')


def smoothing():
    cases = []
    for shape, sigma in [
        ((7, 6, 5), (1.06, 0.8, 0.7)),
        ((19, 3, 4), (1.3, 1.3, 1.3)),  # axes shorter than the radius, rows longer than a block of lanes
        ((2, 3, 2), (4.0, 2.5, 6.0)),  # reflected many times
        ((9, 5, 1), (1.5, 0.0, 2.0)),  # one slice, one axis left alone
        ((1, 1, 6), (2.0, 2.0, 0.42466)),
    ]:
        volume = rng.normal(1000, 120, shape).round(2)
        out = volume.copy()
        for axis, s in enumerate(sigma):
            if s > 0:
                out = ndimage.gaussian_filter1d(out, s, axis=axis)
        cases.append({"shape": shape, "sigma": sigma, "in": flat(volume).tolist(), "out": flat(out).tolist()})
    write("smoothing.json", cases)


def largest(mask):
    from nilearn._utils.ndimage import largest_connected_component

    return largest_connected_component(mask) if mask.any() else mask


def morphology():
    cases = []
    shapes = [(7, 6, 5), (9, 4, 3), (5, 5, 1), (1, 1, 8), (6, 6, 6)]
    for shape in shapes:
        for density in (0.15, 0.3, 0.5, 0.85):
            mask = rng.random(shape) < density
            case = {"shape": shape, "mask": bits(mask), "largest": bits(largest(mask))}
            for n in (1, 2):
                case[f"eroded_{n}"] = bits(ndimage.binary_erosion(mask, iterations=n))
            for n in (1, 4):
                case[f"dilated_{n}"] = bits(ndimage.binary_dilation(mask, iterations=n))
            cases.append(case)
    # two components of equal size: scipy labels in C order, so the one with the smallest (i, j, k) is kept
    for first, second in [((0, 3, 3), (3, 0, 0)), ((2, 3, 0), (2, 0, 3))]:
        mask = np.zeros((4, 4, 4), bool)
        mask[first] = mask[second] = True
        cases.append({"shape": mask.shape, "mask": bits(mask), "largest": bits(largest(mask))})
    write("morphology.json", cases)


def blob(shape):
    """A bright ellipsoid with noise, islands and a soft edge on a dim background."""
    at = np.indices(shape)
    middle = (np.array(shape) - 1) / 2
    radius = sum(((at[a] - middle[a]) / (0.42 * shape[a])) ** 2 for a in range(3))
    mean = 900 / (1 + np.exp(12 * (radius - 1))) + rng.normal(60, 25, shape)
    mean[tuple(rng.integers(0, s, 12) for s in shape)] = 800
    return mean.round()


def mask_of(mean):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "computed an empty mask" is one of the expectations
        return compute_epi_mask(nibabel.Nifti1Image(mean, np.eye(4))).get_fdata() > 0


def simulated_masks():
    cases = []
    for shape in [(16, 18, 14), (13, 20, 11)]:
        runs = [blob(shape) for _ in range(3)]
        masks = [mask_of(mean) for mean in runs]
        images = [nibabel.Nifti1Image(mask.astype(np.int8), np.eye(4)) for mask in masks]
        cases.append(
            {
                "shape": shape,
                "means": [flat(mean).astype(int).tolist() for mean in runs],
                "masks": [bits(mask) for mask in masks],
                "combined": bits(intersect_masks(images, threshold=0.5).get_fdata()),
                "combined_two": bits(intersect_masks(images[:2], threshold=0.5).get_fdata()),
            }
        )
    # not finite: NaN is put back after smoothing and then counts as 0, infinity counts as 0 before it
    mean = blob((16, 18, 14))
    mean[8, 9, 7], mean[0, 0, 0], mean[4, 9, 7] = np.nan, np.nan, np.inf
    values = [None if np.isnan(v) else 1e999 if np.isinf(v) else int(v) for v in flat(mean)]
    values = ["nan" if v is None else "inf" if v == 1e999 else v for v in values]
    cases.append({"shape": mean.shape, "means": [values], "masks": [bits(mask_of(mean))]})
    write("epi_mask.json", cases)


def real_masks():
    names = [
        f"haxby2001/sub-01/func/sub-01_task-objectviewing_run-0{run}_desc-{grid}_bold.nii.gz"
        for grid in ("25mm", "1slice")
        for run in (1, 2, 3)
    ] + [
        "feeds/sub-01/func/sub-01_task-audiovisual_desc-filtered_bold.nii.gz",
        "feeds/sub-01/func/sub-01_task-audiovisual_desc-raw_bold.nii.gz",
        "nifti/tedana/echo1.nii.gz",
        "nifti/pyneal/testSeries.nii.gz",
        "nifti/oro_nifti/nifti/filtered_func_data.nii.gz",
        "nifti/nibabel/example4d.nii.gz",
        "nifti/nipype/ds003_sub-01_mc.nii.gz",
        "nifti/nipy/functional.nii.gz",
    ]
    cases = []
    for name in names:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mask = compute_epi_mask(nibabel.load(data / name)).get_fdata() > 0
        digest = hashlib.sha256(bits(mask).encode()).hexdigest()
        cases.append({"file": name, "n_inside": int(mask.sum()), "sha256": digest})
    write("epi_mask_real.json", cases)


smoothing()
morphology()
simulated_masks()
real_masks()
