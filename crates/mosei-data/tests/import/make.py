"""Makes the fixtures beside this script with the software that people use: numpy, pandas, pyarrow, polars, h5py and opensmile.

usage: python make.py          needs numpy pandas pyarrow polars h5py opensmile

Three recordings of one corpus in every format, so that one test holds them all against `expected.json`.
"""
import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import opensmile
import pandas as pd
import polars

HERE = Path(__file__).parent
COLUMNS = ["F0", "loudness sma", "mfcc[1]"]
NAMES = ["-a_Bc", "81406", "mid 1"]
rng = np.random.default_rng(20261123)

frames = {n: rng.normal(size=(k, 3)).astype(np.float32) for n, k in zip(NAMES, [7, 5, 9])}
frames["81406"][2, 1] = np.nan
frames["mid 1"][0, 0] = -np.inf


def table(name, x):
    t = np.arange(len(x)) / 100
    d = pd.DataFrame({"video": name, "start": t, "end": t + 0.01})
    return pd.concat([d, pd.DataFrame(x, columns=COLUMNS)], axis=1)


def fresh(name):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


whole = pd.concat([table(n, x) for n, x in frames.items()], ignore_index=True)
whole.to_csv(HERE / "frames.csv", index=False)
whole.to_csv(HERE / "frames_with_index.tsv", sep="\t")
whole.to_csv(HERE / "frames_semicolon.csv", sep=";", index=False, na_rep="NaN")
whole.sample(frac=1, random_state=1).sort_values("start", kind="stable").to_csv(HERE / "frames_interleaved.csv", index=False)
whole.to_parquet(HERE / "frames.parquet", row_group_size=4)
whole.replace({"video": {"mid 1": "a"}}).to_parquet(HERE / "altered.parquet", row_group_size=12)
whole.set_index(["video", "start", "end"]).to_parquet(HERE / "frames_zstd_index.parquet", compression="zstd")
polars.from_pandas(whole).write_parquet(HERE / "frames_polars.parquet")
numbered = whole.drop(columns=["start", "end"])
numbered.insert(1, "frame", np.concatenate([np.arange(len(x)) for x in frames.values()]))
numbered.to_parquet(HERE / "frames_numbered.parquet", compression="gzip")
spelt = whole.rename(columns={"video": "file"})
spelt["file"] = "corpus/wav/" + spelt["file"] + ".wav"
spelt["start"], spelt["end"] = pd.to_timedelta(spelt["start"], unit="s"), pd.to_timedelta(spelt["end"] + 0.01, unit="s")
spelt = spelt.set_index(["file", "start", "end"])
spelt.to_csv(HERE / "frames_timedelta.csv")
spelt.to_parquet(HERE / "frames_timedelta.parquet")

for folder, cast in {
    "npy_float32": lambda x: x,
    "npy_big_endian": lambda x: x.astype(">f8"),
    "npy_fortran": lambda x: np.asfortranarray(x),
}.items():
    place = fresh(folder)
    for n, x in frames.items():
        np.save(place / f"{n}.npy", cast(x))
place = fresh("csv_folder")
for n, x in frames.items():
    pd.DataFrame(x, columns=COLUMNS).to_csv(place / f"{n}.csv", index=False)
(HERE / "names.txt").write_text("\n".join(COLUMNS) + "\n")

# openSMILE's command line: single quotes around the name, semicolons; and ARFF.
place = fresh("smile_folder")
for n, x in frames.items():
    rows = [f"'unknown';{k / 100:f};" + ";".join(repr(float(v)) for v in r) for k, r in enumerate(x)]
    (place / f"{n}.csv").write_text("\n".join(["name;frameTime;" + ";".join(COLUMNS), *rows]) + "\n")
with open(HERE / "frames.arff", "w") as f:
    f.write("@relation openSMILE\n\n@attribute name string\n@attribute frameTime numeric\n")
    f.write("".join(f"@attribute '{c}' numeric\n" for c in COLUMNS) + "@attribute class numeric\n\n@data\n\n")
    for n, x in frames.items():
        for k, r in enumerate(x):
            f.write(",".join([f"'{n}'", f"{k / 100:f}", *(repr(float(v)) for v in r), "?"]) + "\n")

# As the releases are: cut and padded, by split; with ids in one file, without in a folder.
place = fresh("released")
order = ["train", "valid", "test"]
emotions = {s: rng.integers(0, 7, (2, 6)) / 2.0 for s in order}
emotions = {s: np.minimum(e, 3) for s, e in emotions.items()}
audio = {}
for s in order:
    x = np.zeros((2, 6, 3), np.float32)
    x[0, 2:] = rng.normal(size=(4, 3))
    x[1, :5] = rng.normal(size=(5, 3))
    x[1, 2] = 0
    audio[s] = x
with h5py.File(HERE / "released_groups.h5", "w", libver="earliest") as h:
    for s in order:
        h.create_dataset(f"{s}/audio", data=audio[s].astype("f8"), compression="gzip", chunks=(1, 3, 2))
        h.create_dataset(f"{s}/id", data=[f"{s}v$_${i}".encode() for i in range(2)])
        h.create_dataset(f"{s}/labels", data=np.concatenate([np.zeros((2, 1)), emotions[s]], 1)[:, None, :])
for s in order:
    with h5py.File(place / f"audio_{s}.h5", "w", libver="earliest") as h:
        h.create_dataset("d1", data=audio[s])
    with h5py.File(place / f"ey_{s}.h5", "w", libver="earliest") as h:
        h.create_dataset("d1", data=emotions[s])

# What the Python package itself writes.
signal = 0.3 * np.sin(2 * np.pi * 160 * np.arange(8000) / 16000) * np.linspace(0, 1, 8000)
smile = opensmile.Smile(feature_set=opensmile.FeatureSet.eGeMAPSv02, feature_level=opensmile.FeatureLevel.LowLevelDescriptors)
said = smile.process_signal(signal.astype(np.float32), 16000)
said = said.reset_index()
said.insert(0, "file", "/corpus/tone.wav")
said = said.set_index(["file", "start", "end"])
said.to_csv(HERE / "opensmile.csv")
said.to_parquet(HERE / "opensmile.parquet")

labels = pd.DataFrame({"file": [f"{n}.wav" for n in NAMES], "happy": [0, 1.5, 3], "fear": [0.5, 0, 0]})
labels.to_csv(HERE / "labels.csv", index=False)
labels.to_parquet(HERE / "labels.parquet")

plain = lambda x: [[None if not np.isfinite(v) else float(v) for v in r] for r in x]
expected = {
    "columns": COLUMNS,
    "frames": {n: plain(x) for n, x in frames.items()},
    "released": {s: [plain(audio[s][0, 2:]), plain(audio[s][1, :5])] for s in order},
    "emotions": {s: emotions[s].tolist() for s in order},
    "opensmile": {"columns": list(said.columns), "frames": plain(said.to_numpy())},
}
(HERE / "expected.json").write_text(json.dumps(expected) + "\n")
