"""The reference job in nilearn: smooth, fit, three contrasts, twelve maps. Usage: nilearn_job.py DATASET NOISE OUT."""

import json
import sys
from pathlib import Path

import pandas as pd
from nilearn.glm.first_level import FirstLevelModel

dataset, noise, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
stem = str(dataset / "sub-01/func/sub-01_task-objects_run-01")
t_r = json.loads(Path(f"{stem}_bold.json").read_text())["RepetitionTime"]
events = pd.read_csv(f"{stem}_events.tsv", sep="\t")
confounds = pd.read_csv(f"{stem}_desc-confounds_timeseries.tsv", sep="\t")
motion = [name for name in confounds.columns if name.startswith(("trans_", "rot_"))]

model = FirstLevelModel(
    t_r=t_r,
    hrf_model="glover",
    drift_model="cosine",
    high_pass=0.01,
    mask_img=str(dataset / "truth/mask.nii.gz"),
    smoothing_fwhm=6.0,
    noise_model=noise,
    minimize_memory=True,
)
model.fit(f"{stem}_bold.nii.gz", events=events, confounds=confounds[motion])

out.mkdir(parents=True, exist_ok=True)
maps = {"effect_size": "effect", "effect_variance": "variance", "stat": "t", "z_score": "z"}
for name, expression in {"faceVsHouse": "face - house", "face": "face", "house": "house"}.items():
    images = model.compute_contrast(expression, output_type="all")
    for kind, label in maps.items():
        images[kind].to_filename(out / f"contrast-{name}_stat-{label}.nii.gz")
