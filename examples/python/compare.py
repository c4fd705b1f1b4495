"""Does model.py say what mosei-ssl says? pip install torch numpy safetensors pandas pyarrow

mosei-ssl predict MODEL PREPARED --out said.parquet
python compare.py MODEL PREPARED said.parquet"""
import json
import sys
from pathlib import Path

import pandas as pd
import torch
from model import Model
from safetensors.torch import load_file

model, prepared = Model(sys.argv[1]), Path(sys.argv[2])
said = pd.read_parquet(sys.argv[3]).set_index(["video", "segment", "emotion"]).sort_index()
manifest = json.loads((prepared / "manifest.json").read_text())
segments = load_file(prepared / "segments.safetensors")
frames = load_file(prepared / "frames.safetensors")["frames"]
offsets, worst, compared = segments["offsets"].tolist(), 0.0, 0
for i, (begin, end) in enumerate(zip(offsets, offsets[1:])):
    if end == begin:
        continue  # a segment without frames
    video, segment = manifest["videos"][segments["video"][i]], int(segments["segment"][i])
    theirs = said.loc[(video, segment)].loc[model.heads["emotions"]]
    for ours, name in zip(model(frames[begin:end], manifest["columns"]), ["score", "predicted_intensity"]):
        worst = max(worst, (ours - torch.tensor(theirs[name].to_numpy())).abs().max().item())
        compared += len(ours)
print(f"{compared} numbers, largest difference {worst:.1e}")
sys.exit(0 if compared and worst < 1e-4 else 1)
