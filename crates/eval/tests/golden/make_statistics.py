"""Makes statistics.json: what scipy, scikit-learn and numpy say of small data.

usage: python make_statistics.py > statistics.json        (made with numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1)
"""

import json
import sys

import numpy as np
from scipy import stats
from sklearn.isotonic import IsotonicRegression

rng = np.random.default_rng(1)


def t_tests():
    out = []
    for data in (rng.normal(0.4, 1, size=9), rng.integers(-2, 4, size=8).astype(float)):
        found = stats.ttest_1samp(data, 0)
        interval = found.confidence_interval(0.9)
        out.append({"data": data.tolist(), "p": float(found.pvalue), "interval": [float(interval.low), float(interval.high)]})
    return out


def delongs():
    """By the definition: a kernel over all pairs, its means over rows and columns, their covariances."""
    out = []
    for n, levels in ((40, 10_000), (60, 6)):
        present = rng.random(n) < 0.4
        first = np.floor((rng.random(n) + 0.3 * present) * levels) / levels
        second = np.floor((0.5 * first + rng.random(n)) * levels) / levels
        kernels = []
        for score in (first, second):
            x, y = score[present][:, None], score[~present][None, :]
            kernels.append((x > y) + 0.5 * (x == y))
        rows = np.cov([k.mean(axis=1) for k in kernels])
        columns = np.cov([k.mean(axis=0) for k in kernels])
        s = rows / present.sum() + columns / (~present).sum()
        variance = s[0, 0] + s[1, 1] - 2 * s[0, 1]
        aucs = [k.mean() for k in kernels]
        out.append(
            {
                "present": present.tolist(),
                "first": first.tolist(),
                "second": second.tolist(),
                "aucs": list(map(float, aucs)),
                "variance": float(variance),
                "p": float(2 * stats.norm.sf(abs(aucs[0] - aucs[1]) / np.sqrt(variance))),
            }
        )
    return out


def robust():
    values = rng.normal(size=17)
    tasks = [(rng.integers(0, 6, size=5).astype(float), rng.integers(0, 6, size=4).astype(float)) for _ in range(3)]
    better = [stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)) for x, y in tasks]
    return {
        "values": values.tolist(),
        "interquartile_mean": float(stats.trim_mean(values, 0.25)),
        "tasks": [[x.tolist(), y.tolist()] for x, y in tasks],
        "probability_of_improvement": float(np.mean(better)),
    }


def curves():
    labels = np.array([24.0, 72.0, 216.0, 960.0])
    out = []
    for values in (np.array([0.55, 0.62, 0.6, 0.7]), np.array([0.6, 0.55, 0.52, 0.66])):
        rising = IsotonicRegression().fit_transform(np.arange(4), values)
        target = 0.64
        at = np.exp(np.interp(target, rising[1:], np.log(labels)[1:]))
        out.append(
            {
                "labels": labels.tolist(),
                "values": values.tolist(),
                "target": target,
                "reached_at": float(at),
                "area": float(np.trapezoid(values, np.log(labels)) / np.log(labels[-1] / labels[0])),
            }
        )
    return out


def adjusted():
    p = rng.random(6) * 0.1
    order = np.argsort(p)
    holm = np.empty(6)
    holm[order] = np.minimum(np.maximum.accumulate(p[order] * (6 - np.arange(6))), 1)
    return {"p": p.tolist(), "holm": holm.tolist()}


def crossed():
    """Two pre-trainings, two training seeds and two label draws, all crossed; errors of four videos in each run of ssl, and
    of each training seed and label draw in scratch, which has no pre-training."""
    ssl, scratch = rng.normal(size=(2, 2, 2, 4)) + 3, rng.normal(size=(2, 2, 4)) + 3
    ssl += np.array([0.3, -0.4])[:, None, None, None]
    difference = ssl - scratch[None]
    runs = difference.mean(axis=3)
    mean = runs.mean()
    # Videos, pre-trainings, training seeds, label draws: the variance of a mean over each one's levels, and Satterthwaite's freedom.
    sources = [difference.mean(axis=(0, 1, 2))] + [runs.mean(axis=axes) for axes in ((1, 2), (0, 2), (0, 1))]
    variances = [source.var(ddof=1) / len(source) for source in sources]
    freedom = sum(variances) ** 2 / sum(v**2 / (len(source) - 1) for v, source in zip(variances, sources))
    t = stats.t(freedom, loc=mean, scale=np.sqrt(sum(variances)))
    # Expected mean squares of a crossed design: n times the variance of a source's means, less the residual.
    effects = [runs.mean(axis=axes, keepdims=True) - mean for axes in ((1, 2), (0, 2), (0, 1))]
    residual = ((runs - mean - sum(effects)) ** 2).sum() / (8 - 1 - 3)
    components = [max((effect.var(ddof=1) * 4 - residual) / 4, 0) for effect in effects]
    return {
        "ssl": ssl.tolist(),
        "scratch": scratch.tolist(),
        "difference": float(mean),
        "each": np.transpose(runs, (1, 2, 0)).ravel().tolist(),
        "p": float(2 * min(t.cdf(0), t.sf(0))),
        "interval": list(map(float, t.interval(0.95))),
        "components": [*map(float, components), float(residual)],
    }


json.dump(
    {
        "t_tests": t_tests(),
        "delongs": delongs(),
        "robust": robust(),
        "curves": curves(),
        "adjusted": adjusted(),
        "crossed": crossed(),
    },
    sys.stdout,
)
