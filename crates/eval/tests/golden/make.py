"""Makes metrics.json: small and large cases with the values scikit-learn gives them.

usage: python make.py > metrics.json        (made with scikit-learn 1.9.1, numpy 2.4.6)

The rows of a case are not stored: they come from a linear congruential generator that golden.rs repeats exactly, so
that a case may be large. `levels` is the number of different scores (few levels, many ties); `positive` the share of
present rows in 1/256; `undefined` values are null."""
import json
import sys
import warnings

import numpy as np
from sklearn import metrics as sk

warnings.filterwarnings("ignore")
EMOTIONS = ["happy", "sad", "fear"]
MASK = (1 << 64) - 1


def draws(seed, n):
    state, out = seed, np.empty(n, np.uint64)
    for i in range(n):
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        out[i] = state >> 40  # 24 bits
    return out.astype(np.float64)


def rows(case):
    n = case["rows"]
    u = draws(case["seed"], 4 * n).reshape(n, 4)
    present = u[:, 0] % 256 < case["positive"]
    score = np.floor(u[:, 1] / 2**24 * case["levels"]) / case["levels"]
    score = np.where(present, (score + 1) / 2, score)  # something to find; both halves are exact
    intensity = np.where(present, (1 + u[:, 2] % 18) / 6, 0.0)
    predicted = u[:, 3] / 2**24 * 4 - 0.5
    return present, score, intensity, predicted, np.full(n, case["threshold"])


def classes4(x):
    return np.clip(np.floor(x + 0.5), 0, 3).astype(int)


def measure(present, score, intensity, predicted, threshold):
    n, pos = len(present), int(present.sum())
    if n == 0:
        return {}
    decided = score >= threshold
    both = 0 < pos < n
    return {
        "precision": sk.precision_score(present, decided, zero_division=0) if pos else None,
        "recall": sk.recall_score(present, decided) if pos else None,
        "f1": sk.f1_score(present, decided, zero_division=0) if pos else None,
        "weighted_f1": sk.f1_score(present, decided, average="weighted", zero_division=0) if pos else None,
        "accuracy": sk.accuracy_score(present, decided),
        "balanced_accuracy": sk.balanced_accuracy_score(present, decided) if both else None,
        "roc_auc": sk.roc_auc_score(present, score) if both else None,
        "average_precision": sk.average_precision_score(present, score) if pos else None,
        "mae": sk.mean_absolute_error(intensity, predicted),
        "accuracy4": sk.accuracy_score(classes4(intensity), classes4(predicted)),
    }


def best_threshold(present, score):
    """By sklearn's precision-recall curve; F1 in exact integers, the highest of equals."""
    if not present.any():
        return None
    best = None
    for t in np.unique(score)[::-1]:
        d = score >= t
        tp, den = int((d & present).sum()), int(d.sum() + present.sum())
        if tp and (best is None or tp * best[1] > best[0] * den):
            best = (tp, den, float(t))
    return best[2]


def main():
    cases = []
    for name, n, levels, positive, threshold in [
        ("many ties", 200, 4, 100, 0.5),
        ("no ties", 257, 1 << 20, 100, 0.5),
        ("all tied", 50, 1, 128, 0.25),
        ("all present", 40, 8, 256, 0.7),
        ("none present", 40, 8, 0, 0.5),
        ("one present row", 1, 8, 256, 0.5),
        ("one absent row", 1, 8, 0, 0.5),
        ("nothing predicted", 60, 16, 80, 2.0),
        ("everything predicted", 60, 16, 80, -1.0),
        ("rare", 3000, 64, 4, 0.6),
        ("large", 120_000, 1 << 22, 60, 0.5),
        ("large with ties", 120_000, 10, 60, 0.5),
    ]:
        case = {"name": name, "rows": n, "levels": levels, "positive": positive, "threshold": threshold, "seed": 17 + len(cases)}
        data = rows(case)
        # Row i belongs to emotion i mod 3; the whole case is the cell's micro.
        each = {e: measure(*(c[i::3] for c in data)) for i, e in enumerate(EMOTIONS[: min(3, n)])}
        whole = measure(*data)
        macro = {}
        for m in whole:
            values = [v[m] for v in each.values() if v.get(m) is not None]
            macro[m] = float(np.mean(values)) if values else None
        case["expected"] = {**each, "macro": macro, "micro": whole}
        case["positives"] = int(data[0].sum())
        if n <= 3000:
            case["best_threshold"] = best_threshold(data[0], data[1])
        cases.append(case)
    json.dump(cases, sys.stdout, indent=1)
    print()


main()
