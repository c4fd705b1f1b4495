"""Writes regression.json: what scikit-learn's regularised regressions make of small random data.

Run with numpy and scikit-learn; the file was made with scikit-learn 1.7.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

rng = np.random.default_rng(0)
cases = []
for rows, columns in [(24, 5), (12, 30), (60, 12)]:
    x = np.round(rng.standard_normal((rows, columns)), 3)
    signal = x[:, 0] - 0.5 * x[:, 1] + rng.standard_normal(rows)
    present = signal > 0.4
    y = np.round(np.clip(signal, 0, 3), 3)
    for strength in [0.1, 3.0, 100.0]:
        logistic = LogisticRegression(C=1 / strength, tol=1e-10, max_iter=10000).fit(x, present)
        ridge = Ridge(alpha=strength).fit(x, y)
        cases.append({
            "x": x.tolist(), "present": present.tolist(), "y": y.tolist(), "strength": strength,
            "logistic": [*logistic.coef_[0].tolist(), float(logistic.intercept_[0])],
            "ridge": [*ridge.coef_.tolist(), float(ridge.intercept_)],
        })
Path(__file__).with_name("regression.json").write_text(json.dumps(cases) + "\n")
