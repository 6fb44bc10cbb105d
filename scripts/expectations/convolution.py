#!/usr/bin/env python3
"""Convolutions, Gaussian filters and firing rates by scipy, as text: prints tests/expectations/convolution.tsv.

Needs numpy and scipy. Run from the repository's root:

    python scripts/expectations/convolution.py > tests/expectations/convolution.tsv

Each line: what was computed, its arguments, the result's values (arrays with their last axis varying fastest). Signals
and kernels are whole numbers by the two formulas below, so that convolutions are exact; the tests make the same.
"""
import numpy as np
from scipy import ndimage, signal

EDGES = {"zero": "constant", "reflect": "reflect", "nearest": "nearest", "wrap": "wrap"}


def samples(n):
    return np.array([(7 * i + 3) % 11 - 5.0 for i in range(n)])


def weights(n):
    return np.array([(5 * i + 2) % 7 - 2.0 for i in range(n)])


def line(what, arguments, values):
    cells = [what, " ".join(str(argument) for argument in arguments)]
    texts = ["%d" % value if float(value).is_integer() else repr(float(value)) for value in np.ravel(values)]
    print("\t".join(cells + [" ".join(texts)]))


for n in range(1, 7):
    for k in range(1, 8):
        for mode in ("full", "valid", "same"):
            by_definition = signal.convolve(samples(n), weights(k), mode, method="direct")
            by_fft = signal.convolve(samples(n), weights(k), mode, method="fft")
            assert np.allclose(by_definition, by_fft)
            line("convolve", (mode, n, k), by_definition)

for n in range(1, 6):
    for k in range(1, 9):
        for name, mode in EDGES.items():
            for origin in (0, 1) if k in (3, 4) else (0,):
                result = ndimage.convolve1d(samples(n), weights(k), mode=mode, origin=origin)
                line("convolve1d", (name, n, k, origin), result)

for sigma in (0.1, 0.4, 1.0, 3.7, 9.0):
    for name, mode in EDGES.items():
        line("gaussian_filter1d", (name, 17, sigma), ndimage.gaussian_filter1d(samples(17), sigma, mode=mode))

ARRAYS = (
    ((7,), (1.3,)),
    ((4, 5), (0.8, 2.0)),
    ((3, 4, 5), (1.0, 0.0, 1.7)),
    ((2, 3, 2, 4), (0.6, 1.1, 2.0, 0.9)),
)
for shape, sigma in ARRAYS:
    array = samples(int(np.prod(shape))).reshape(shape)
    for name, mode in EDGES.items():
        arguments = (name, "x".join(map(str, shape)), "x".join(map(str, sigma)))
        line("gaussian_filter", arguments, ndimage.gaussian_filter(array, sigma, mode=mode))

array = samples(24).reshape(2, 3, 4)
for axis in range(3):
    for name, mode in EDGES.items():
        line("convolve1d_axis", (name, axis), ndimage.convolve1d(array, weights(4), axis=axis, mode=mode))

# firing rates: 2.07 s in bins of 0.1 s, the last of 0.07 s
spikes = np.array([0.0, 0.013, 0.05, 0.31, 0.42, 0.44, 0.81, 0.97, 1.23, 1.26, 1.52, 1.77, 1.95, 2.02, 2.05, 2.07])
edges = np.append(np.arange(21) * 0.1, 2.07)
counts, widths = np.histogram(spikes, edges)[0].astype(float), np.diff(edges)
line("counts", (), counts)
line("rates", ("gaussian", 0.15), ndimage.gaussian_filter1d(counts, 1.5, mode="constant")
     / ndimage.gaussian_filter1d(widths, 1.5, mode="constant"))
box = np.ones(5) / 5
line("rates", ("box", 0.5), signal.convolve(counts, box, "same") / signal.convolve(widths, box, "same"))
exponential, half_gaussian = np.exp(-np.arange(31) / 3.0), np.exp(-0.5 * (np.arange(13) / 3.0) ** 2)
for name, kernel in (("exponential", exponential), ("half-gaussian", half_gaussian)):
    line("rates", (name, 0.3), np.convolve(counts, kernel)[: len(counts)] / np.convolve(widths, kernel)[: len(counts)])
