"""When did a sound, or a picture, come? Read off deconvolved activity, and off shifted BOLD.

    python benches/truth/localizer.py [--boldly PATH] [--data FOLDER] [--work FOLDER]

Data: `localizer/sub-01` (one person, one run: 128 frames of 2.4 s, fast events, about one in 5 s, heard or seen). Mean
series of six regions: the temporal labels 1 and 2 for sounds, the occipital ones 3 and 4 (centroids at y = -89 and -84 mm)
for pictures, and each pair together. Chosen by where they lie.

Score: activity, or BOLD without drift, some frames later. Positive are the samples whose time is within half a sample of an
event of the region's own modality (`nearest`), or within one and a half (`wide`); all others, those with events of the
other modality too, are negative. Area under the ROC curve: 0.5 is chance. Samples: the frames, or with `upsample` 2 and 4
halves and quarters of them, where BOLD is interpolated linearly. The last 3 frames are left out, for which shifted BOLD
has no data. Frame k is taken to be measured at k x 2.4 s: times of slices are not known.

Response: SPM's throughout; at one sample a frame also Glover's and the gamma one.

Rivals: BOLD shifted by 0 to 3 frames. `fixed` is 2 frames (4.8 s, near the peak of SPM's response), `best` the best of
the four by the truth itself, in its favour; inside each bootstrap draw it is chosen anew. Intervals: 1000 draws of
circular blocks of 24 s, 2.5th to 97.5th percentile; differences are of the same draws.

The same on simulated regions: the sounds' times, each an impulse of equal size, SPM's response, white noise or AR(1) noise
of rho 0.4, at SNR 1 and 3 (standard deviations of signal and noise), 20 draws each; mean over the draws with its standard
error.
"""

import gzip
import struct
import tempfile
from itertools import product
from pathlib import Path

import binary
import numpy as np
from scipy import signal, stats

TR_S, N_FRAMES, SHIFTS, FIXED_SHIFT = 2.4, 128, range(4), 2
UPSAMPLES = (1, 2, 4)
GRIDS = [("spm", 1), ("spm", 2), ("spm", 4), ("glover", 1), ("gamma", 1)]
GRIDS_SIMULATED = [("spm", 1)]
REGIONS = {"auditory": (1, 2), "auditoryRight": (1,), "auditoryLeft": (2,)}
REGIONS |= {"visual": (3, 4), "visualRight": (3,), "visualLeft": (4,)}
DRAWS, BLOCK_S, SEED = 1000, 24.0, 20240611
SIMULATED, SNRS, RHOS = 20, (1, 3), (0.0, 0.4)
TYPES = {2: "u1", 4: "<i2", 8: "<i4", 16: "<f4", 64: "<f8"}


def image(path):
    """Voxels of a little-endian NIfTI-1 file as stored (its scale factors are 1 here)."""
    with gzip.open(path) as file:
        content = file.read()
    shape = struct.unpack("<8h", content[40:56])
    (kind,), (offset,) = struct.unpack("<h", content[70:72]), struct.unpack("<f", content[108:112])
    size = shape[1 : 1 + shape[0]]
    return np.frombuffer(content, TYPES[kind], np.prod(size), int(offset)).reshape(size, order="F")


def region_means(data):
    bold = image(data / "sub-01_task-localizer_space-MNI_bold.nii.gz")
    labels = image(data / "sub-01_task-localizer_space-MNI_desc-parcels_dseg.nii.gz")
    return {name: bold[np.isin(labels, values)].mean(axis=0, dtype=float) for name, values in REGIONS.items()}


def events(data):
    """Onsets by modality, seconds."""
    path = data / "sub-01_task-localizer_desc-audiovideo_events.tsv"
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    return {kind: np.array([float(row[0]) for row in rows if row[2] == kind]) for kind in ("audio", "video")}


def simulated(onsets):
    """Regions that respond to these onsets, by column name."""
    generator = np.random.default_rng(SEED)
    lag_s = TR_S * np.arange(N_FRAMES)[:, None] - onsets
    clean = (stats.gamma.pdf(lag_s, 6) - stats.gamma.pdf(lag_s, 16) / 6).sum(axis=1)
    columns = {}
    for rho in RHOS:
        for snr in SNRS:
            for draw in range(SIMULATED):
                white = generator.standard_normal(N_FRAMES + 50)
                noise = signal.lfilter([np.sqrt(1 - rho**2)], [1, -rho], white)[50:]
                columns[f"rho{10 * rho:.0f}snr{snr}draw{draw}"] = 100 + clean / clean.std() * snr + noise
    return columns


def positives(onsets, upsample, wide):
    step_s = TR_S / upsample
    time_s = step_s * np.arange((N_FRAMES - SHIFTS[-1]) * upsample)
    reach_s = step_s * (1.5 if wide else 0.5)
    return (np.abs(time_s[:, None] - onsets) <= reach_s + 1e-9).any(axis=1)


def areas(score, positive, draws):
    """Area under the ROC curve in each draw: by mean ranks, so that equal scores count half."""
    ranks, true = stats.rankdata(score[draws], axis=1), positive[draws]
    hits = true.sum(axis=1)
    u = (ranks * true).sum(axis=1) - hits * (hits + 1) / 2
    return u / (hits * (draws.shape[1] - hits))


def block_draws(n_samples, upsample):
    """Sample indices of each draw; the first draw is the data themselves."""
    length = round(BLOCK_S / TR_S * upsample)
    starts = np.random.default_rng(SEED).integers(n_samples, size=(DRAWS, -(-n_samples // length)))
    indices = (starts[:, :, None] + np.arange(length)).reshape(DRAWS, -1)[:, :n_samples] % n_samples
    return np.concatenate([[np.arange(n_samples)], indices])


def shifted(series, shift, upsample):
    """BOLD without drift `shift` frames later, at the activity's samples."""
    flat = binary.without_drift(series, N_FRAMES, TR_S)
    samples = np.arange((N_FRAMES - SHIFTS[-1]) * upsample) / upsample + shift
    return np.interp(samples, np.arange(N_FRAMES), flat)


def models(grids):
    """Every method and noise for each pair of response and upsampling; which is which."""
    text, names = "", {}
    for (hrf, upsample), (variant, lines), noise in product(grids, binary.VARIANTS.items(), binary.NOISES):
        names[hrf, variant, noise, upsample] = name = f"m{len(names)}"
        text += binary.model(name, lines, noise, upsample, f'hrf = "{hrf}"')
    return text, names


def deconvolved(words, folder, columns, grids):
    """Activity by (response, variant, noise, upsample), then by column; and where the results are."""
    folder.mkdir(parents=True, exist_ok=True)
    binary.write_table(folder / "regions.tsv", columns)
    inputs = f'[[timeseries]]\nsubject = "one"\ntable = "regions.tsv"\ntr_s = {TR_S}\n'
    text, names = models(grids)
    results = binary.run(words, folder, inputs, text)
    return {key: binary.activity(results, name) for key, name in names.items()}, results, names


def real_rows(columns, found, onsets):
    rows = []
    for region, series in columns.items():
        own = onsets["audio" if region.startswith("auditory") else "video"]
        for upsample in UPSAMPLES:
            draws = block_draws((N_FRAMES - SHIFTS[-1]) * upsample, upsample)
            for window in ("nearest", "wide"):
                positive = positives(own, upsample, window == "wide")
                rivals = [areas(shifted(series, k, upsample), positive, draws) for k in SHIFTS]
                best = np.max(rivals, axis=0)
                scored = {("none", f"BOLD, shifted {TR_S * k:.1f} s", ""): rivals[k] for k in SHIFTS}
                for (*key, u), activity in found.items():
                    if u == upsample:
                        scored[tuple(key)] = areas(activity[region][: len(positive)], positive, draws)
                for (hrf, variant, noise), area in scored.items():
                    row = {"region": region, "upsample": upsample, "window": window, "positive": int(positive.sum())}
                    row |= {"response": hrf, "method": variant, "noise": noise}
                    put(row, "area", area)
                    put(row, "over_fixed", area - rivals[FIXED_SHIFT])
                    put(row, "over_best", area - best)
                    rows.append(row)
    return rows


def put(row, name, values):
    low, high = np.percentile(values[1:], [2.5, 97.5])
    row[name], row[f"{name}_low"], row[f"{name}_high"] = float(values[0]), float(low), float(high)


def simulated_rows(columns, found, onsets):
    rows = []
    for _, upsample in GRIDS_SIMULATED:
        positive = positives(onsets, upsample, False)
        once = np.arange(len(positive))[None]
        for rho in RHOS:
            for snr in SNRS:
                names = [f"rho{10 * rho:.0f}snr{snr}draw{draw}" for draw in range(SIMULATED)]
                later = [[shifted(columns[n], k, upsample) for n in names] for k in SHIFTS]
                rivals = np.array([[areas(score, positive, once)[0] for score in of_shift] for of_shift in later])
                scored = {(f"BOLD, shifted {TR_S * k:.1f} s", ""): rivals[k] for k in SHIFTS}
                for (_, variant, noise, u), activity in found.items():
                    if u == upsample:
                        area = [areas(activity[n][: len(positive)], positive, once)[0] for n in names]
                        scored[variant, noise] = np.array(area)
                for (variant, noise), area in scored.items():
                    gain = area - rivals.max(axis=0)
                    row = {"rho": rho, "snr": snr, "upsample": upsample, "method": variant, "noise": noise}
                    row |= {"area": float(area.mean()), "area_se": float(stats.sem(area))}
                    row |= {"over_best": float(gain.mean()), "over_best_se": float(stats.sem(gain))}
                    rows.append(row)
    return rows


def check_regions(words, folder, data, found):
    """The regions of `[[roi]]` give the same activity as the table of their means: largest difference, relative."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = data / "sub-01_task-localizer_space-MNI"
    inputs = f'[[run]]\nbold = "{stem}_bold.nii.gz"\n\n[mask]\npath = "{stem}_mask.nii.gz"\n\n'
    inputs += f'[[roi]]\nname = "parcels"\natlas = "{stem}_desc-parcels_dseg.nii.gz"\n\n[preprocess]\nscaling = "none"\n'
    results = binary.run(words, folder, inputs, binary.model("ridge", 'method = "ridge"'))
    paths = [path for path in (results / "ridge").rglob("*desc-neural*_timeseries.tsv") if "parcels" in path.name]
    regions = binary.table(paths[0])
    by_label = {1: "auditoryRight", 2: "auditoryLeft", 3: "visualRight", 4: "visualLeft"}
    largest = 0.0
    for label, name in by_label.items():
        column = next(values for key, values in regions.items() if key.endswith(str(label)))
        expected = found["spm", "ridge", "white", 1][name]
        largest = max(largest, float(np.abs(column - expected).max() / np.abs(expected).max()))
    return largest


def real(words, folder, data):
    onsets, columns = events(data), region_means(data)
    found, results, names = deconvolved(words, folder / "real", columns, GRIDS)
    binary.write_rows(binary.RESULTS / "localizer.tsv", real_rows(columns, found, onsets))
    autos = {", ".join(map(str, key)): name for key, name in names.items() if key[1] == "auto"}
    taken = {key: binary.chosen(results, name) for key, name in autos.items()}
    difference = check_regions(words, folder / "roi", data, found)
    print(f"regions of [[roi]] against the table of their means: {difference:.1e}")
    binary.save_json(binary.RESULTS / "localizer.json", {"auto": taken, "roi_against_table": float(f"{difference:.1e}")})


def simulation(words, folder, data):
    onsets = events(data)["audio"]
    columns = simulated(onsets)
    found, _, _ = deconvolved(words, folder / "simulated", columns, GRIDS_SIMULATED)
    binary.write_rows(binary.RESULTS / "localizer_simulated.tsv", simulated_rows(columns, found, onsets))


def main():
    parts = {"real": real, "simulated": simulation}
    options = binary.parser(__doc__)
    options.add_argument("--work", type=Path, help="keep pipelines and results here")
    options.add_argument("--part", choices=parts, help="only this")
    words = options.parse_args()
    data = (words.data / "localizer/sub-01/func").resolve()
    with tempfile.TemporaryDirectory() as temporary:
        for name, part in parts.items():
            if words.part in (None, name):
                part(words, words.work or Path(temporary), data)


if __name__ == "__main__":
    main()
