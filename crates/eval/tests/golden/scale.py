"""Makes scale.json: ROC AUC and average precision of a million rows, as scikit-learn finds them.

usage: python scale.py > scale.json        (made with scikit-learn 1.9.1, numpy 2.4.6)

The rows are not stored: they are made of the numbers of a splitmix64 generator, which scale.rs repeats exactly. All
arithmetic on scores is a few operations in the same order in both languages, so that they agree to the last bit."""
import json
import sys

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

N = 1_000_000


def unit(stream):
    """N numbers of [0, 1) with 53 random bits."""
    z = (np.arange(N, dtype=np.uint64) + np.uint64(1 + stream * N)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) / 2**53


def rows(kind):
    u, v, present = unit(0), unit(1), unit(2) < 0.3
    u = np.where(present, (u + v) / 2, u * v)  # something to find
    if kind == "probabilities":
        score = u
    elif kind == "float32":
        score = u.astype(np.float32).astype(np.float64)
    elif kind == "logits":
        score = (u - 0.3) * 20
    elif kind == "few":
        score = np.floor(u * 64) / 64
    elif kind == "tied":
        score = np.full(N, 0.5)
    elif kind == "sorted":
        score = np.sort(u)
    elif kind == "reversed":
        score = np.sort(u)[::-1]
    elif kind == "crowded":  # all but one in a hundred within a few thousand steps of the last bit, and zeros
        score = np.where(v < 0.01, np.floor(u * 3), 0.25 + np.floor(u * 5000) * 2.0**-54)
    return present, score


cases = []
for kind in ["probabilities", "float32", "logits", "few", "tied", "sorted", "reversed", "crowded"]:
    present, score = rows(kind)
    cases.append({
        "kind": kind,
        "distinct": int(len(np.unique(score))),
        "roc_auc": float(roc_auc_score(present, score)),
        "average_precision": float(average_precision_score(present, score)),
    })
json.dump(cases, sys.stdout, indent=1)
print()
