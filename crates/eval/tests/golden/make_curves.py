"""Makes curves.json: small cases with the curves scikit-learn gives them.

usage: python make_curves.py > curves.json        (made with scikit-learn 1.9.1, numpy 2.4.6)

Scores are multiples of 1/levels (few levels, many ties); calibration bins are asked for only where no score is there twice, since
scikit-learn leaves its edges to interpolation there. The expected calibration error comes from its bins and their counts."""
import json

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve, roc_curve


def case(name, rows, levels, bins, seed):
    rng = np.random.default_rng(seed)
    present = rng.random(rows) < 0.3
    score = np.clip(rng.random(rows) * 0.7 + 0.2 * present, 0, 1)
    score = np.floor(score * levels) / levels if levels else score
    fpr, tpr, _ = roc_curve(present, score, drop_intermediate=False)
    precision, recall, _ = precision_recall_curve(present, score)
    at = np.linspace(0, 1, 11)
    # Its last point, recall 0 with precision 1, is no threshold's.
    out = {
        "name": name, "present": present.tolist(), "score": score.tolist(), "bins": bins,
        "roc": np.stack([fpr, tpr], 1).tolist(),
        "precision_recall": np.stack([recall, precision], 1)[:-1][::-1].tolist(),
        "tpr_at": np.interp(at, fpr, tpr).tolist(),
    }
    if bins:
        share, mean = calibration_curve(present, score, n_bins=bins, strategy="quantile")
        edges = np.quantile(score, np.linspace(0, 1, bins + 1))
        counts = np.bincount(np.searchsorted(edges[1:-1], score), minlength=bins)
        counts = counts[counts > 0]
        out["calibration"] = np.stack([counts, mean, share], 1).tolist()
        out["error"] = float((counts * np.abs(mean - share)).sum() / rows)
    return out


cases = [
    case("no ties", 97, 0, 5, 1),
    case("as many rows as bins fill", 60, 0, 6, 2),
    case("ties", 80, 12, 0, 3),
    case("few rows", 7, 0, 2, 5),
]
print(json.dumps(cases))
