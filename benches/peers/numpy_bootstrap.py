"""A bootstrap over videos as it is written with numpy and scikit-learn: resamples a second.

Each resample draws videos with replacement, puts their rows together and asks scikit-learn for the metric of each emotion.
"""

import argparse
import json
import time

import numpy as np
import sklearn
from sklearn import metrics


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--segments", type=int, default=4662)
    parser.add_argument("--videos", type=int, default=678)
    parser.add_argument("--emotions", type=int, default=6)
    parser.add_argument("--resamples", type=int, default=40)
    parser.add_argument("--metric", choices=["roc_auc", "average_precision", "mae"], default="roc_auc")
    a = parser.parse_args()
    rng = np.random.default_rng(1)
    present = rng.random((a.emotions, a.segments)) < 0.3
    score = rng.random((a.emotions, a.segments)) + 0.3 * present
    rows_of = [np.arange(video, a.segments, a.videos) for video in range(a.videos)]
    measure = {
        "roc_auc": metrics.roc_auc_score,
        "average_precision": metrics.average_precision_score,
        "mae": metrics.mean_absolute_error,
    }[a.metric]
    began = time.perf_counter()
    for _ in range(a.resamples):
        rows = np.concatenate([rows_of[video] for video in rng.integers(0, a.videos, a.videos)])
        for emotion in range(a.emotions):
            measure(present[emotion, rows], score[emotion, rows])
    seconds = time.perf_counter() - began
    more = {"resamples": a.resamples, "numpy": np.__version__, "scikit-learn": sklearn.__version__}
    print(json.dumps({"name": "rate", "value": a.resamples / seconds, "unit": "resamples/s", "more": more}), flush=True)


if __name__ == "__main__":
    main()
