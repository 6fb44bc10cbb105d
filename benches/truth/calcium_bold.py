"""BOLD deconvolved, against calcium recorded at the same time.

    python benches/truth/calcium_bold.py [--boldly PATH] [--data FOLDER] [--work FOLDER]

Data: `neural_truth/calcium_bold_*` (one animal, one session: 490 frames of 1.5 s, calcium at 50 Hz, 12 stimuli of 15 s).
A frame at time t stands for the 1.5 s before t, as the first is at 1.5 s. Calcium and stimulus are averaged into that.

Four responses, all fixed before any result was seen: the three canonical ones, and `fast`, SPM's with its time axis
shrunk by 0.56, so that it peaks at 2.8 s and not at 5 s, as rats' cortex does (Lambers et al. 2020,
doi 10.1016/j.neuroimage.2019.116446; faster and narrower than SPM's also in Chao et al. 2022,
doi 10.1117/1.NPh.9.3.032205). The data do not say what animal it was.

Against: the BOLD itself as measured, the same without drift (what the deconvolution sees), and that shifted back by 0 to
6 frames, without and with smoothing by a Gaussian: deconvolution smooths too, and noise alone lowers a correlation.
`fixed` is the better of the shifts of 4.5 and 6 s, `best` the best shift, `smooth` the best pair of shift and smoothing:
chosen by the truth itself, so in their favour; inside each bootstrap draw they are chosen anew.

Two things were added after the first results were seen: the smoothed BOLD, and `flat`, correlations of calcium with the
activity less its own fit by the drift columns.

Uncertainty: the 12 stimulus cycles (40 frames each, from 15 s before a stimulus) are drawn with replacement 2000 times;
intervals are from the 2.5th to the 97.5th percentile. Differences are of the same draws.
"""

import gzip
import tempfile
from pathlib import Path

import binary
import numpy as np
from scipy import ndimage, stats

TR_S, N_FRAMES, CYCLE_FRAMES, N_CYCLES = 1.5, 490, 40, 12
SHIFTS, FIXED_SHIFTS = range(7), (3, 4)
SMOOTHINGS_S = (1.5, 3.0, 4.5)
DRAWS, SEED = 2000, 20240611
HRFS = {"spm": 'hrf = "spm"', "glover": 'hrf = "glover"', "gamma": 'hrf = "gamma"', "fast": None}


def fast_response(path):
    """SPM's response, peaking at 2.8 s."""
    time_s = np.arange(0, 18, 0.1)
    slow_s = time_s / 0.56
    amplitude = stats.gamma.pdf(slow_s, 6) - stats.gamma.pdf(slow_s, 16) / 6
    binary.write_table(path, {"time_s": time_s, "amplitude": amplitude / amplitude.max()})


def truth(data):
    """Calcium and stimulus, averaged into the frames."""
    with gzip.open(data / "calcium_bold_calcium.tsv.gz", "rt") as file:
        time_s, calcium = np.loadtxt(file, skiprows=1, unpack=True)
    edges = TR_S * np.arange(N_FRAMES + 1)
    frame = np.digitize(time_s, edges[1:])
    inside = frame < N_FRAMES
    mean = np.bincount(frame[inside], calcium[inside]) / np.bincount(frame[inside])
    onsets = binary.table_of_text(data / "calcium_bold_events.tsv", "onset")
    overlap = [np.clip(np.minimum(edges[1:], on + 15) - np.maximum(edges[:-1], on), 0, None) / TR_S for on in onsets]
    return {"calcium": mean, "stimulus": np.sum(overlap, axis=0)}


def correlations(series, target, cycles):
    """Correlation over the frames of the cycles of each draw, one a draw."""
    moments = np.stack([np.ones(N_FRAMES), series, target, series**2, target**2, series * target])
    moments = moments[:, : N_CYCLES * CYCLE_FRAMES].reshape(6, N_CYCLES, CYCLE_FRAMES).sum(axis=2)
    n, x, y, xx, yy, xy = moments[:, cycles].sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (n * xy - x * y) / np.sqrt((n * xx - x**2) * (n * yy - y**2))


def shifted(series, frames):
    """What comes `frames` later, at each frame; only frames after the last cycle have to be made up."""
    return np.concatenate([series[frames:], np.full(frames, series[-1])])


def smoothed(series, sigma_s):
    return ndimage.gaussian_filter1d(series, sigma_s / TR_S, mode="nearest")


class Rivals:
    """Correlations, one a draw, that a deconvolution has to surpass."""

    def __init__(self, bold, target, draws):
        self.of_shift = [correlations(shifted(bold, k), target, draws) for k in SHIFTS]
        blurred = [smoothed(bold, sigma_s) for sigma_s in SMOOTHINGS_S]
        self.smooth = [correlations(shifted(series, k), target, draws) for series in blurred for k in SHIFTS]

    def best(self):
        return {
            "fixed": np.max([self.of_shift[k] for k in FIXED_SHIFTS], axis=0),
            "best": np.max(self.of_shift, axis=0),
            "smooth": np.max(self.of_shift + self.smooth, axis=0),
        }


def best_shift_s(series, target):
    """Where the activity would have to be moved to be most like the truth; above 0 it is late."""
    middle = slice(3, N_CYCLES * CYCLE_FRAMES - 3)
    moved = {k: np.corrcoef(np.roll(series, -k)[middle], target[middle])[0, 1] for k in range(-3, 4)}
    return TR_S * max(moved, key=moved.get)


def rows(scores, baseline, truths):
    """A row a score: its correlations, and how much better than shifted BOLD it is."""
    draws = np.random.default_rng(SEED).integers(N_CYCLES, size=(DRAWS, N_CYCLES))
    draws = np.concatenate([[np.arange(N_CYCLES)], draws])  # the first is the data themselves
    rivals = {name: Rivals(baseline, target, draws).best() for name, target in truths.items()}
    found = []
    for (hrf, method, noise), series in scores.items():
        row = {"response": hrf, "method": method, "noise": noise}
        if np.ptp(series) == 0:
            found.append(row | {"calcium": "all 0"})
            continue
        flat = binary.without_drift(series, N_FRAMES, TR_S)
        compared = {"calcium": (series, "calcium"), "stimulus": (series, "stimulus"), "flat": (flat, "calcium")}
        for name, (shape, truth_name) in compared.items():
            r = correlations(shape, truths[truth_name], draws)
            put(row, name, r)
            for what, other in rivals[truth_name].items():
                put(row, f"{name}_over_{what}", r - other)
        row["best_shift_s"] = best_shift_s(series, truths["calcium"])
        found.append(row)
    columns = dict.fromkeys(found[0], "n/a")
    return [columns | row for row in found]


def put(row, name, values):
    """The value of the data, and its interval over the draws."""
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    row[name], row[f"{name}_low"], row[f"{name}_high"] = float(values[0]), float(low), float(high)


def pipeline(data):
    """All models of all responses, and which is which."""
    models, names = "", {}
    for hrf, line in HRFS.items():
        for variant, lines in binary.VARIANTS.items():
            for noise in binary.NOISES:
                names[hrf, variant, noise] = f"m{len(names)}"
                kernel = None if line else '{ file = "fast.tsv" }'
                models += binary.model(names[hrf, variant, noise], lines, noise, hrf=line, kernel=kernel)
    inputs = f'[[timeseries]]\nsubject = "animal"\ntable = "{data}/calcium_bold_bold.tsv"\n'
    return inputs, models, names


def rival_series(bold, flat):
    scores = {("none", "BOLD as measured", ""): bold}
    scores |= {("none", f"BOLD, shifted {TR_S * k:g} s", ""): shifted(flat, k) for k in SHIFTS}
    for sigma_s in SMOOTHINGS_S:
        blurred, name = smoothed(flat, sigma_s), f"BOLD, smoothed {sigma_s:g} s, shifted"
        scores |= {("none", f"{name} {TR_S * k:g} s", ""): shifted(blurred, k) for k in SHIFTS}
    return scores


def main():
    options = binary.parser(__doc__)
    options.add_argument("--work", type=Path, help="keep pipelines and results here")
    words = options.parse_args()
    data = (words.data / "neural_truth").resolve()
    bold = binary.table(data / "calcium_bold_bold.tsv")["bold"]
    flat = binary.without_drift(bold, N_FRAMES, TR_S)
    scores = rival_series(bold, flat)
    with tempfile.TemporaryDirectory() as temporary:
        folder = words.work or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        fast_response(folder / "fast.tsv")
        inputs, models, names = pipeline(data)
        results = binary.run(words, folder, inputs, models)
        scores |= {key: binary.activity(results, name)["bold"] for key, name in names.items()}
        autos = {f"{key[0]}, {key[2]}": name for key, name in names.items() if key[1] == "auto"}
        taken = {key: binary.chosen(results, name)["bold"] for key, name in autos.items()}
    found = rows(scores, flat, truth(data))
    binary.write_rows(binary.RESULTS / "calcium_bold.tsv", found)
    binary.save_json(binary.RESULTS / "calcium_bold_auto.json", taken)
    shown = ("response", "method", "noise", "calcium", "calcium_over_smooth", "stimulus", "flat")
    for row in found:
        cells = [row[name] for name in shown]
        print(*(f"{cell:.2f}" if isinstance(cell, float) else cell for cell in cells), sep="\t")


if __name__ == "__main__":
    main()
