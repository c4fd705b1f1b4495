"""Makes the fixtures beside this script, and what numpy says should come of them. Needs h5py and numpy.

usage: python make.py
A small corpus in both label layouts: `features.csd` and `labels.csd` with the UTF-8 strings that CMU's SDK writes,
`sentiment.csd` and `emotions.csd` with ASCII strings. `float16.csd` holds one video in float16. `expected.json` holds the aligned, pooled, cropped frames, the
normaliser and a standardised batch, computed here the plain way: every frame against every segment.
"""
import json
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).parent
COLUMNS = ["F0", "VUV", "peakSlope", "creak", "HMPDM_0"]
EMOTIONS = ["happy", "sad", "anger", "surprise", "disgust", "fear"]
POOL, MOST, CLIP = 3, 4, 1.5
rng = np.random.default_rng(20261122)


def write(name, root, videos, columns, text, dtype):
    with h5py.File(HERE / name, "w", libver="earliest") as h:
        for key, value in {"dimension names": columns, "root name": root, "md5": None, "alignment compatible": True}.items():
            d = h.create_dataset(f"{root}/metadata/{key}", (1,), dtype=text)
            d[0] = json.dumps(value)
        for vid, (features, intervals) in videos.items():
            for part, x in (("features", features), ("intervals", intervals)):
                x = np.asarray(x, dtype if part == "features" else "f8")
                h.create_dataset(f"{root}/data/{vid}/{part}", data=x, compression="gzip", compression_opts=9)


def frames(n, constant=0.1):
    x = rng.normal([120, 0, -0.3, 0.1, 0], [30, 1, 0.1, 0.05, 0], (n, 5)).astype(np.float32)
    x[:, 1] = x[:, 1] > 0
    x[:, 4] = constant
    x[rng.random(n) < 0.3, 2] = -np.inf
    x[rng.random(n) < 0.1, 0] = np.nan
    t = np.arange(n) / 100
    return x, np.stack([t, t + 0.01], 1)


features = {v: frames(n) for v, n in {"-a_Bc": 40, "123456": 60, "mid": 30, "tst": 50, "unlabelled": 9, "val": 35}.items()}
x, t = features["123456"]
shuffled = rng.permutation(len(x))
features["123456"] = (x[shuffled], t[shuffled])  # rows out of order of time
x, t = features["val"]
x[3:12, 2] = -np.inf  # three windows without a finite value
third = lambda *k: [v / 3 for v in k]
labels = {  # video: rows of (start, end, sentiment, six intensities)
    "-a_Bc": [(0.105, 0.205, 1, *third(2, 0, 0, 0, 0, 1)), (-0.05, 0.03, 0, *third(0, 0, 0, 0, 0, 0))],
    "123456": [(0.30, 0.55, -1, *third(0, 3, 0, 0, 2, 0)), (0.10, 0.33, 2, *third(9, 0, 0, 1, 0, 0)), (0.2, 0.2, 0, *third(1, 0, 0, 0, 0, 0))],
    "mid": [(0.0, 0.1, 0, *third(1, 1, 1, 1, 1, 1)), (0.28, 0.90, -3, *third(0, 0, 4, 0, 0, 0)), (0.40, 0.60, 0, *third(0, 0, 2, 0, 0, 0))],
    "lost": [(0.0, 0.2, 0, *third(1, 0, 0, 0, 0, 0))],
    "tst": [(0.004999, 0.21, 0.5, *third(0, 1, 0, 0, 0, 0)), (0.38, 0.43, 0, *third(0, 0, 0, 0, 0, 0))],
    "val": [(0.03, 0.3499, 0, *third(0, 0, 0, 2, 0, 0))],
}
folds = {"train": ["-a_Bc", "123456", "lost"], "valid": ["val"], "test": ["tst", "unlabelled"]}
(HERE / "folds.json").write_text(json.dumps(folds) + "\n")
utf8, ascii_ = h5py.string_dtype("utf-8"), h5py.string_dtype("ascii")
column = lambda rows, a, b: np.array([r[a:b] for r in rows])
write("features.csd", "COVAREP", features, COLUMNS, utf8, "f4")
of = lambda a, b: {v: (column(r, a, b), column(r, 0, 2)) for v, r in labels.items()}
write("labels.csd", "All Labels", of(2, 9), ["sentiment", *EMOTIONS], utf8, "f4")
write("sentiment.csd", "Sentiment Labels", of(2, 3), ["sentiment"], ascii_, "f8")
write("emotions.csd", "Emotion Labels", of(3, 9), EMOTIONS, ascii_, "f8")
half = np.array([[0.1, -2.5], [65504, np.nan], [6e-8, -np.inf]])  # rounded, largest, smallest, not finite
write("float16.csd", "Half", {"v": (half, np.array([[0, 1], [1, 2], [2, 3]]))}, ["a", "b"], utf8, "f2")

# what should come of it
segments, train, counts = [], [], {"outside": 0}
for vid in sorted(labels):
    covered = set()
    for row, (start, end, sentiment, *intensities) in enumerate(labels[vid]):
        kept = np.zeros((0, 5))
        if vid in features and end - start >= 1e-5:
            x, t = features[vid]
            inside = [k for k in range(len(x)) if min(t[k, 1], end) - max(t[k, 0], start) > 1e-5]
            covered |= set(inside)
            inside.sort(key=lambda k: t[k, 0])
            x = np.where(np.isfinite(x[inside]), x[inside].astype(float), np.nan)
            pooled = []
            for w in range(0, len(x), POOL):
                window = x[w : w + POOL]
                n = np.isfinite(window).sum(0)
                pooled.append(np.where(n > 0, np.nansum(window, 0) / np.maximum(n, 1), np.nan))
            pooled = np.array(pooled, np.float32).reshape(-1, 5)
            surplus = max(0, len(pooled) - MOST)
            kept = pooled[surplus // 2 : len(pooled) - (surplus - surplus // 2)]
        if vid in folds["train"]:
            train.append(kept)
        segments.append({"video": vid, "row": row, "intensities": intensities, "sentiment": sentiment, "frames": kept})
    counts["outside"] += len(features[vid][0]) - len(covered) if vid in features else 0
train = np.concatenate(train).astype(float)
mean, std = np.nanmean(train, 0), np.nanstd(train, 0)
varying = [c for c in range(5) if np.nanmax(train[:, c]) > np.nanmin(train[:, c])]
for s in segments:
    z = np.clip((s["frames"][:, varying] - mean[varying]) / std[varying], -CLIP, CLIP)
    s["standardised"] = np.where(np.isfinite(z), z, 0).tolist()
    s["frames"] = [[None if np.isnan(v) else float(v) for v in f] for f in s["frames"]]
nonfinite = {c: int(sum((~np.isfinite(features[v][0][:, i])).sum() for v in labels if v in features)) for i, c in enumerate(COLUMNS)}
expected = {
    "segments": segments,
    "columns": [COLUMNS[c] for c in varying],
    "dropped": [COLUMNS[c] for c in range(5) if c not in varying],
    "mean": mean[varying].tolist(),
    "std": std[varying].tolist(),
    "training_missing": {COLUMNS[c]: int(np.isnan(train[:, c]).sum()) for c in range(5) if np.isnan(train[:, c]).any()},
    "nonfinite": {c: n for c, n in nonfinite.items() if n},
    "outside_segments": counts["outside"],
}
(HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
