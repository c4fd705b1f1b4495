"""eGeMAPS low-level descriptors (25 columns, 100 frames a second) of all WAV files in a folder, as one Parquet file.

usage: python opensmile_features.py WAV_FOLDER FEATURES.parquet        needs: pip install opensmile pyarrow
"""
import sys
from pathlib import Path

import opensmile

folder, out = sys.argv[1:]
files = sorted(str(path) for path in Path(folder).rglob("*") if path.suffix.lower() == ".wav")
smile = opensmile.Smile(
    feature_set=opensmile.FeatureSet.eGeMAPSv02,
    feature_level=opensmile.FeatureLevel.LowLevelDescriptors,
)
frames = smile.process_files(files)  # one row a frame; file, start and end are its index
frames.to_parquet(out)
print(f"{len(files)} files, {len(frames)} frames, {frames.shape[1]} columns in {out}")
