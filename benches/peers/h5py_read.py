"""Every video's features and intervals read once with h5py: decompressed bytes a second.

The file's pages are in memory beforehand (read once, untimed). h5py holds one lock for all threads, so more of them would not help.
"""

import argparse
import json
import time
from pathlib import Path

import h5py


def warm(path):
    with open(path, "rb", buffering=0) as f:
        while f.read(1 << 24):
            pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path, help="folder with CMU_MOSEI_COVAREP.csd")
    parser.add_argument("--videos", type=int, help="read only the first so many")
    a = parser.parse_args()
    path = a.data / "CMU_MOSEI_COVAREP.csd"
    warm(path)

    start = time.perf_counter()
    read = rows = 0
    with h5py.File(path, "r") as h:
        (root,) = h
        data = h[root]["data"]
        for number, video in enumerate(data.values()):
            if number == a.videos:
                break
            features, intervals = video["features"][...], video["intervals"][...]
            read += features.nbytes + intervals.nbytes
            rows += len(features)
    seconds = time.perf_counter() - start

    more = {"bytes": read, "frames": rows, "h5py": h5py.__version__, "hdf5": h5py.version.hdf5_version}
    for name, value, unit in [("time", seconds, "s"), ("rate", read / seconds / 1e6, "MB/s")]:
        print(json.dumps({"name": name, "value": value, "unit": unit, "more": more}), flush=True)


if __name__ == "__main__":
    main()
