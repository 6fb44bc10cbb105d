#!/usr/bin/env python3
"""Activity of a small region by SPM's deconvolution, for the unit test in src/model/deconvolve/peb/spm.rs.

The posterior mean is a least-squares solution by SVD with the priors as rows, where the program solves normal equations.
Needs numpy. Run from the repository's root: python3 scripts/expectations/peb_spm.py
"""
import numpy as np

FRAMES, BINS, LEAD = 12, 4, 128
KERNEL = np.array([0.0, 0.2, 0.4, 0.3, 0.1])
frame = np.arange(FRAMES)
series = np.sin(0.9 * frame) + 0.3 * np.cos(2.0 * frame)
confounds = np.stack([np.ones(FRAMES), frame / 10], axis=1)
whitening = np.eye(FRAMES) * 1.1 - 0.25 * (np.eye(FRAMES, k=1) + np.eye(FRAMES, k=-1))

bins = FRAMES * BINS + LEAD
basis = np.sqrt(2 / bins) * np.cos(np.pi * (np.arange(bins)[:, None] + 0.5) * frame / bins)
basis[:, 0] = bins**-0.5
first = LEAD + BINS * frame
convolved = np.stack([np.convolve(basis[:, k], KERNEL)[first] for k in range(FRAMES)], axis=1)
design = np.hstack([whitening @ convolved, confounds])
variances = np.r_[np.full(FRAMES, FRAMES / np.sum(convolved**2)), np.full(2, 1e6)]
added = 1e-6 + np.exp(-16)
precisions = 1 / (variances + added) + (FRAMES + 2 + 1) * 2.0**-29
rows = np.vstack([design / np.sqrt(0.25 + added), np.diag(np.sqrt(precisions))])
values = np.r_[series / np.sqrt(0.25 + added), np.zeros(FRAMES + 2)]
coefficients = np.linalg.lstsq(rows, values, rcond=None)[0]
activity = basis[LEAD:] @ coefficients[:FRAMES]
activity -= activity.mean()
print("activity, every fifth bin:", ", ".join(f"{value:.12f}" for value in activity[::5]))
Q = np.linalg.qr(confounds)[0]
adjusted = series - Q @ (Q.T @ series)
print("adjusted, every fourth frame:", ", ".join(f"{value:.12f}" for value in adjusted[::4]))
