"""What CMU-MultimodalSDK's `align` does with a features file and a label file, reimplemented: labelled segments a second.

Followed step by step: both files are opened with h5py and the shapes of all videos checked; videos that only one of them has are left out; of every video the features and intervals are
read, sorted by start with a Python sort, and copied in that order; then each segment's interval is read from the label file, compared with the
intervals of all frames of its video, and the frames that overlap it by more than 1e-5 s are copied out, with their features, twice: once for the
comparison and once for the length. Everything stays in memory. Not followed: messages and progress bars, which cost time too.

The files' pages are in memory beforehand (read once, untimed).
"""

import argparse
import json
import time
from pathlib import Path

import h5py
import numpy as np

EPSILON_S = 1e-5


def warm(path):
    with open(path, "rb", buffering=0) as f:
        while f.read(1 << 24):
            pass


reading_s = 0.0


def in_order(video):
    """All frames of a video, by start."""
    global reading_s
    start = time.perf_counter()
    intervals = np.concatenate([video["intervals"]], axis=0)
    features = np.concatenate([video["features"]], axis=0)
    reading_s += time.perf_counter() - start
    order = sorted(range(len(intervals)), key=lambda row: intervals[row, 0])
    return intervals[order, :], features[order, :]


def overlapping(segment, intervals, features):
    """The frames of a video that overlap a segment, cut to it, and their features."""
    start, end = segment
    # start of the frame before the segment's end, and its end after the segment's start, both with epsilon to spare
    edges = intervals.copy()
    edges[:, 0] = -edges[:, 0]
    touching = np.all(edges - np.array([-end, start]) > -EPSILON_S, axis=1)
    cut = intervals[touching, :]
    cut = np.stack([np.maximum(cut[:, 0], start), np.minimum(cut[:, 1], end)], axis=1)
    of_touching = features[touching, :]
    long_enough = np.where(abs(cut[:, 0] - cut[:, 1]) > EPSILON_S)
    return cut[long_enough], of_touching[long_enough]


def opened(path):
    """The videos of a file, as groups that are not read yet, after the checks of their shapes."""
    (root,) = (file := h5py.File(path, "r"))
    videos = dict(file[root]["data"])
    for video in videos:
        shapes = (videos[video]["intervals"].shape, videos[video]["features"].shape)
        if len(shapes[0]) != 2 or len(shapes[1]) < 2 or videos[video]["features"].shape[0] != videos[video]["intervals"].shape[0]:
            raise SystemExit(f"{path}: video {video} has shapes {shapes}")
    return videos


def align(features, labels):
    shared = set(features) & set(labels)
    frames = {video: in_order(features[video]) for video in features if video in shared}
    aligned = {"features": {}, "labels": {}}
    for video in labels:
        if video not in shared:
            continue
        for row in range(labels[video]["intervals"].shape[0]):
            segment = labels[video]["intervals"][row, :]
            if abs(segment[0] - segment[1]) < EPSILON_S:
                continue
            name = f"{video}[{row}]"
            intervals, values = overlapping(segment, *frames[video])
            if len(intervals):
                aligned["features"][name] = {"intervals": intervals, "features": values}
            interval = labels[video]["intervals"][row, :][None, :]
            aligned["labels"][name] = {"intervals": interval, "features": labels[video]["features"][row, :][None, :]}
    return aligned


def peak_memory_mib():
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="folder with CMU_MOSEI_COVAREP.csd and CMU_MOSEI_Labels.csd")
    a = parser.parse_args()
    paths = [a.data / "CMU_MOSEI_COVAREP.csd", a.data / "CMU_MOSEI_Labels.csd"]
    for path in paths:
        warm(path)

    start = time.perf_counter()
    aligned = align(*map(opened, paths))
    seconds = time.perf_counter() - start

    segments = len(aligned["features"])
    frames = sum(len(segment["features"]) for segment in aligned["features"].values())
    more = {"seconds": seconds, "of these in h5py's reading of frames": reading_s, "h5py": h5py.__version__, "numpy": np.__version__}
    figures = [
        ("rate", segments / seconds, "segments/s"),
        ("frames", frames, "frames in segments"),
        ("peak memory", peak_memory_mib(), "MiB"),
    ]
    for name, value, unit in figures:
        print(json.dumps({"name": name, "value": value, "unit": unit, "more": more}), flush=True)


if __name__ == "__main__":
    main()
