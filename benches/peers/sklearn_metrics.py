"""scikit-learn's metrics over many rows: seconds, and the values.

The rows are made by rule, as metrics.rs makes them, and are equal to the last bit. scikit-learn takes one thread for these.
"""

import argparse
import json
import statistics
import time

import numpy as np
import sklearn
from sklearn import metrics


def unit(stream, rows):
    """Numbers of [0, 1) with 53 random bits: splitmix64, counted on from stream to stream."""
    z = (np.arange(rows, dtype=np.uint64) + np.uint64(1 + stream * rows)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) / 2**53


def rows(kind, n):
    u, v, present = unit(0, n), unit(1, n), unit(2, n) < 0.3
    u = np.where(present, (u + v) / 2, u * v)
    if kind == "float32":
        u = u.astype(np.float32).astype(np.float64)
    elif kind == "logits":
        u = (u - 0.3) * 20
    elif kind == "few":
        u = np.floor(u * 64) / 64
    elif kind == "sorted":
        u = np.sort(u)
    return present, u


def best_threshold(present, score):
    """The threshold of the highest F1, by the library's precision-recall curve."""
    precision, recall, thresholds = metrics.precision_recall_curve(present, score)
    precision, recall = precision[:-1], recall[:-1]
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    return thresholds[len(f1) - 1 - np.argmax(f1[::-1])]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kind", default="probabilities", choices=["probabilities", "float32", "logits", "few", "sorted"])
    parser.add_argument("--times", type=int, default=5, help="measured after one run that is not; the median is told")
    a = parser.parse_args()
    present, score = rows(a.kind, a.rows)
    intensity = present * 3.0

    measured = {
        "roc auc": lambda: metrics.roc_auc_score(present, score),
        "average precision": lambda: metrics.average_precision_score(present, score),
        "both": lambda: metrics.roc_auc_score(present, score) + metrics.average_precision_score(present, score),
        "threshold": lambda: best_threshold(present, score),
        "f1": lambda: metrics.f1_score(present, score >= 0.5),
        "mae": lambda: metrics.mean_absolute_error(intensity, score),
    }
    more = {"rows": a.rows, "threads": 1, "scikit-learn": sklearn.__version__, "numpy": np.__version__}

    def tell(name, value, unit):
        print(json.dumps({"name": name, "value": float(value), "unit": unit, "more": more}), flush=True)

    for name, function in measured.items():
        seconds = []
        value = function()
        for _ in range(max(a.times, 1)):
            start = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - start)
        tell(f"{name} time", 1e3 * statistics.median(seconds), "ms")
        if name != "both":
            tell(name, value, "1")


if __name__ == "__main__":
    main()
