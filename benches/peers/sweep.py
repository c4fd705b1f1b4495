"""The cells of a study one after another, as an ordinary PyTorch script trains them.

Reads the folder that `sweep --prepare` left: `prepared/`, `subsets.parquet`, `config.toml`. The same segments, labels,
sizes, steps, rates, looks at the validation split and starts as ours, pre-training included; other random numbers.
Segments are padded to the longest of their batch, the encoder is `nn.TransformerEncoder`, run eagerly in float32. A
frozen encoder is run once a cell; `--frozen each-step` runs it at each step, as a script does that only sets
`requires_grad_(False)`.
"""

import argparse
import json
import math
import time
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.numpy import load_file
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional as F


class Corpus:
    """Standardised segments, labels, and the splits of one fold."""

    def __init__(self, run, fold):
        manifest = json.loads((run / "prepared/manifest.json").read_text())
        parts = load_file(run / "prepared/segments.safetensors")
        frames = load_file(run / "prepared/frames.safetensors")["frames"]
        record = manifest["folds"][fold]
        normaliser = record["normaliser"]
        columns = [manifest["columns"].index(name) for name in normaliser["columns"]]
        clip = normaliser["clip"]
        x = (frames[:, columns] - np.array(normaliser["mean"])) / np.array(normaliser["std"])
        x = torch.from_numpy(np.nan_to_num(np.clip(x, -clip, clip)).astype(np.float32))
        offsets = parts["offsets"]
        self.segments = [x[a:b] for a, b in zip(offsets[:-1], offsets[1:])]
        self.intensity = torch.from_numpy(parts["intensities"])
        self.presence = (self.intensity > manifest["config"]["presence_above"]).float()
        split = [record["split"][video] for video in parts["video"]]
        self.of = {
            name: [i for i, s in enumerate(split) if s == name and len(self.segments[i]) > 0]
            for name in ("train", "valid", "test")
        }
        ids = zip((manifest["videos"][v] for v in parts["video"]), parts["segment"].tolist())
        self.place = {id: i for i, id in enumerate(ids)}
        self.width = x.shape[1]

    def batch(self, indices):
        """[B, T, C] with zeros behind short segments, and [B, T], true where there is nothing."""
        x = nn.utils.rnn.pad_sequence([self.segments[i] for i in indices], batch_first=True)
        lengths = torch.tensor([len(self.segments[i]) for i in indices])
        return x, torch.arange(x.shape[1])[None, :] >= lengths[:, None]


class Encoder(nn.Module):
    def __init__(self, columns, c, max_frames):
        super().__init__()
        d = c["model_dim"]
        self.input = nn.Linear(columns, d)
        angle = torch.arange(max_frames)[:, None] * torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
        table = torch.zeros(max_frames, d)
        table[:, 0::2], table[:, 1::2] = torch.sin(angle), torch.cos(angle)
        self.register_buffer("positions", table)
        layer = nn.TransformerEncoderLayer(
            d, c["heads"], c["feedforward_dim"], c["dropout"], c["activation"], batch_first=True, norm_first=c["norm_first"]
        )
        norm = nn.LayerNorm(d) if c["norm_first"] else None
        self.layers = nn.TransformerEncoder(layer, c["layers"], norm, enable_nested_tensor=False)

    def forward(self, x, padding):
        return self.layers(self.input(x) + self.positions[: x.shape[1]], src_key_padding_mask=padding)


class Heads(nn.Module):
    def __init__(self, d, emotions, dropout):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.presence = nn.Linear(d, emotions)
        self.intensity = nn.Linear(d, emotions)

    def forward(self, pooled):
        pooled = self.dropout(pooled)
        return self.presence(pooled), self.intensity(pooled)


def mean_frames(h, padding):
    keep = (~padding).unsqueeze(2).float()
    return (h * keep).sum(1) / keep.sum(1)


def batches(indices, size, seed):
    """An endless stream of batches, each epoch in an order of its own."""
    generator = torch.Generator().manual_seed(seed)
    size, rest = min(size, len(indices)), []
    while True:
        while len(rest) < size:
            rest += [indices[i] for i in torch.randperm(len(indices), generator=generator).tolist()]
        yield rest[:size]
        rest = rest[size:]


def train(modules, c, rate, stream, loss_of, validate):
    """The loop: AdamW, a rise and half a cosine, clipped gradients, the weights of the best look."""
    parameters = [p for m in modules for p in m.parameters()]
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": c["weight_decay"]},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=rate, fused=True)

    def factor(step):
        if step < c["warmup_steps"]:
            return (step + 1) / c["warmup_steps"]
        done = (step - c["warmup_steps"]) / max(1, c["steps"] - c["warmup_steps"])
        return 0.5 * (1 + math.cos(math.pi * done))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
    best, weights = math.inf, None
    for step in range(1, c["steps"] + 1):
        for m in modules:
            m.train()
        loss = loss_of(next(stream))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, c["clip_norm"])
        optimiser.step()
        schedule.step()
        if step % c["validate_every"] == 0 or step == c["steps"]:
            for m in modules:
                m.eval()
            with torch.no_grad():
                look = validate()
            if look < best:
                best = look
                weights = [{k: v.clone() for k, v in m.state_dict().items()} for m in modules]
    for m, w in zip(modules, weights):
        m.load_state_dict(w)
        m.eval()


def chunks(indices, size):
    return [indices[i : i + size] for i in range(0, len(indices), size)]


def pretrain(config, corpus, seed):
    torch.manual_seed(seed)
    c, ratio = config["pretrain"], config["mask"]["ratio"]
    encoder = Encoder(corpus.width, config["encoder"], config["data"]["max_frames"])
    head = nn.Linear(config["encoder"]["model_dim"], corpus.width)

    def masked(indices, generator=None):
        x, padding = corpus.batch(indices)
        score = torch.rand(padding.shape, generator=generator).masked_fill(padding, 2.0)
        count = ((~padding).sum(1, keepdim=True) * ratio).round().clamp(min=1)
        hidden = score.argsort(1).argsort(1) < count
        rebuilt = head(encoder(x.masked_fill(hidden.unsqueeze(2), 0.0), padding))
        return F.smooth_l1_loss(rebuilt[hidden], x[hidden])

    def validate():
        generator = torch.Generator().manual_seed(1)
        parts = chunks(corpus.of["valid"], c["batch_segments"])
        return sum(masked(part, generator).item() * len(part) for part in parts) / len(corpus.of["valid"])

    stream = batches(corpus.of["train"], c["batch_segments"], seed)
    train([encoder, head], c, c["learning_rate"], stream, masked, validate)
    return encoder.state_dict()


def cell(config, corpus, labelled, start, seed, pretrained, each_step):
    """Trains a cell; scores of the test split [S, E]."""
    torch.manual_seed(seed)
    c, t = config["finetune"], config["finetune"]["training"]
    encoder = Encoder(corpus.width, config["encoder"], config["data"]["max_frames"])
    if start in ("ssl", "frozen"):
        encoder.load_state_dict(pretrained)
    heads = Heads(config["encoder"]["model_dim"], corpus.intensity.shape[1], c["head_dropout"])
    learns = start in ("ssl", "scratch")
    cached = {}

    def pooled(indices):
        x, padding = corpus.batch(indices)
        return mean_frames(encoder(x, padding), padding)

    if not learns:
        encoder.requires_grad_(False).eval()
        if not each_step:
            with torch.no_grad():
                for part in chunks(labelled + corpus.of["valid"] + corpus.of["test"], t["batch_segments"]):
                    cached.update(zip(part, pooled(part)))

    def answer(indices):
        if cached:
            return heads(torch.stack([cached[i] for i in indices]))
        with torch.set_grad_enabled(learns and torch.is_grad_enabled()):
            vectors = pooled(indices)
        return heads(vectors)

    def loss_of(indices):
        presence, intensity = answer(indices)
        wrong = F.binary_cross_entropy_with_logits(presence, corpus.presence[indices])
        return wrong + c["intensity_weight"] * F.smooth_l1_loss(intensity, corpus.intensity[indices])

    def validate():
        parts = chunks(corpus.of["valid"], t["batch_segments"])
        return sum(loss_of(part).item() * len(part) for part in parts) / len(corpus.of["valid"])

    modules = [encoder, heads] if learns else [heads]
    rate = t["learning_rate"] if learns else c["probe_learning_rate"]
    train(modules, t, rate, batches(labelled, t["batch_segments"], seed), loss_of, validate)
    with torch.no_grad():
        for split in ("valid", "test"):
            scores = torch.cat([torch.sigmoid(answer(p)[0]) for p in chunks(corpus.of[split], t["batch_segments"])])
    return scores.numpy()


def macro_auc(corpus, scores):
    truth = corpus.presence[corpus.of["test"]].numpy()
    both = [e for e in range(truth.shape[1]) if 0 < truth[:, e].sum() < len(truth)]
    return float(np.mean([roc_auc_score(truth[:, e], scores[:, e]) for e in both]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--frozen", choices=["each-cell", "each-step"], default="each-cell")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    config = tomllib.loads((a.run / "config.toml").read_text())
    subsets = pd.read_parquet(a.run / "subsets.parquet")
    grid = config["grid"]
    folds = sorted(subsets["fold"].unique())
    corpora = {fold: Corpus(a.run, fold) for fold in folds}

    auc, seconds, cells = {}, {"pretrain": 0.0}, 0
    began = time.perf_counter()
    for fold in folds:
        corpus = corpora[fold]
        for seed in grid["seeds"]:
            then = time.perf_counter()
            pretrained = pretrain(config, corpus, seed)
            seconds["pretrain"] += time.perf_counter() - then
            for _, labels in subsets[subsets["fold"] == fold].groupby(["draw", "fraction"]):
                labelled = [corpus.place[id] for id in zip(labels["video"], labels["segment"])]
                for start in grid["starts"]:
                    then = time.perf_counter()
                    scores = cell(config, corpus, labelled, start, seed, pretrained, a.frozen == "each-step")
                    seconds[start] = seconds.get(start, 0.0) + time.perf_counter() - then
                    auc.setdefault(start, []).append(macro_auc(corpus, scores))
                    cells += 1
    wall = time.perf_counter() - began
    more = {
        "cells": cells,
        "seconds": round(wall, 2),
        "seconds by part": {k: round(s, 2) for k, s in seconds.items()},
        "macro ROC AUC": {k: round(float(np.mean(v)), 4) for k, v in auc.items()},
        "threads": a.threads,
        "torch": torch.__version__,
    }
    print(json.dumps({"name": "rate", "value": cells / wall * 3600, "unit": "cells/h", "more": more}), flush=True)


if __name__ == "__main__":
    main()
