"""Makes unequal.json: a small study with nothing regular in it, and its numbers by tests/independent/study_statistics.py.

usage: python make_unequal.py > unequal.json        (made with numpy 2.4.6, pandas 3.1.1, scikit-learn 1.9.1)

Folds of one, three and six videos, videos of one to five segments; fear is in no segment, disgust in none of the first fold, sad in all
of the first fold. The share comes to other numbers of labels in each fold. Pre-training seeds are crossed with training seeds, and one
cell of frozen is missing.
"""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parents[4] / "tests/independent"))
import study_statistics as independent  # noqa: E402

rng = np.random.default_rng(3)
EMOTIONS = ["happy", "sad", "disgust", "fear"]
VIDEOS = [1, 3, 6]
BUDGETS = {"n4": [4, 4, 4], "f1": [31, 24, 11]}
SIZES = [31, 24, 11]
# How much of the truth a model sees, in the order of the budgets.
SKILL = {"ssl": [0.5, 0.65], "scratch": [0.25, 0.7], "frozen": [0.4, 0.45]}
METRICS = ["precision", "f1", "roc_auc", "average_precision", "mae", "accuracy4"]


def intensity(fold, emotion):
    rare = emotion == "fear" or (emotion == "disgust" and fold == 0)
    always = emotion == "sad" and fold == 0
    present = not rare and (always or rng.random() < 0.45)
    return round(float(rng.integers(1, 10)) / 3, 2) if present else 0.0


def tested(fold, videos):
    rows = []
    for video in range(videos):
        for segment in range(int(rng.integers(2 if fold == 0 else 1, 6))):
            rows += [[f"f{fold}v{video}", segment, emotion, intensity(fold, emotion)] for emotion in EMOTIONS]
    return rows


folds = [tested(fold, videos) for fold, videos in enumerate(VIDEOS)]
cells, table = [], []
for fold, (budget, start), seed, draw in itertools.product(range(3), itertools.product(BUDGETS, SKILL), range(2), range(2)):
    for pretrain_seed in [None] if start == "scratch" else range(2):
        if (fold, budget, start, seed, draw, pretrain_seed) == (2, "n4", "frozen", 1, 1, 0):
            continue
        skill = SKILL[start][list(BUDGETS).index(budget)]
        truth = np.array([row[3] for row in folds[fold]])
        n = len(truth)
        score = np.round(skill * (truth > 0) * 0.5 + (1 - 0.5 * skill) * rng.random(n), 2)
        predicted = np.round(np.clip(skill * truth + (1 - skill) * 2 * rng.random(n), 0, 3), 1)
        n_labels = BUDGETS[budget][fold]
        cell = {"fold": fold, "start": start, "budget": budget, "n_labels": n_labels, "seed": seed, "draw": draw, "pretrain_seed": pretrain_seed}
        cell |= {"fraction": n_labels / SIZES[fold], "threshold": 0.5}
        cells.append(cell | {"score": score.tolist(), "predicted": predicted.tolist()})
        rows = pd.DataFrame(folds[fold], columns=["video", "segment", "emotion", "intensity"])
        rows = rows.assign(split="test", present=rows["intensity"] > 0, score=score, predicted_intensity=predicted, **cell)
        table.append(rows)

subsets = [
    {"budget": budget, "fold": fold, "draw": draw, "segment": segment}
    for budget, counts in BUDGETS.items()
    for fold, n in enumerate(counts)
    for draw in range(2)
    for segment in range(n)
]
found = independent.work_out(pd.concat(table), independent.label_counts(pd.DataFrame(subsets)), True, METRICS, 0.95)
listed = lambda answer: [v if isinstance(v, str) else round(float(v), 12) for v in (answer[0] if isinstance(answer, list) else answer)]
expected = {group: [[list(map(str, place)), listed(values)] for place, values in places.items()] for group, places in found.items()}
json.dump({"metrics": METRICS, "folds": folds, "cells": cells, "expected": expected}, sys.stdout, separators=(",", ":"))
