#!/usr/bin/env python3
"""Clusters of 6, 18 and 26 neighbours by scipy, as JSON: prints tests/expectations/clusters.json.

Needs numpy and scipy. Run from the repository's root:

    python scripts/expectations/clusters.py > tests/expectations/clusters.json

The values are a linear congruential sequence over a grid of 17 x 13 x 11 voxels, the first axis fastest; the unit test
of src/inference/threshold/clusters.rs makes the same. Of each cluster: its voxels, and the index of the one furthest from zero (the
first of several); clusters are sorted by the two.
"""
import json

import numpy as np
from scipy import ndimage

SHAPE = (17, 13, 11)
values, state = [], 12345
for _ in range(np.prod(SHAPE)):
    state = (state * 1664525 + 1013904223) % 2**32
    values.append((state >> 16) / 8192 - 4)
values = np.array(values).reshape(SHAPE, order="F")
index = np.arange(values.size).reshape(SHAPE, order="F")
cases = []
for connectivity, neighbours in ((1, 6), (2, 18), (3, 26)):
    structure = ndimage.generate_binary_structure(3, connectivity)
    for height in (1.0, 2.0, 2.8, 3.5):
        clusters = []
        for sign in (1, -1):
            labels, n = ndimage.label(sign * values > height, structure)
            for label in range(1, n + 1):
                inside = labels == label
                order = np.argsort(index[inside])
                peak = np.argmax(np.abs(values[inside])[order])
                clusters.append([int(inside.sum()), int(index[inside][order][peak])])
        cases.append({"neighbours": neighbours, "height": height, "clusters": sorted(clusters)})
print(json.dumps(cases))
