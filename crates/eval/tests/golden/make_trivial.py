"""Makes trivial.json: small labels with what scikit-learn's dummies score on them.

usage: python make_trivial.py > trivial.json        (made with scikit-learn 1.9.1, numpy 2.4.6)

`constant` holds the values of the dummies that always say the same. `drawn` holds the mean and its standard error over
many runs of those that draw: DummyClassifier("stratified") for decisions, scores at random for the order of rows. An
undefined value is null, and a run in which a metric is undefined does not count."""
import json
import sys
import warnings

import numpy as np
from sklearn import metrics as sk
from sklearn.dummy import DummyClassifier, DummyRegressor

warnings.filterwarnings("ignore")
RUNS = 2000
rng = np.random.default_rng(5)


def labels(n, positive):
    return np.where(rng.random(n) < positive, rng.integers(1, 10, n) / 3, 0.0)


def classes4(x):
    return np.clip(np.floor(x + 0.5), 0, 3).astype(int)


def decisions(present, decided):
    n, pos = len(present), int(present.sum())
    return {
        "precision": sk.precision_score(present, decided, zero_division=0) if pos else None,
        "recall": sk.recall_score(present, decided) if pos else None,
        "f1": sk.f1_score(present, decided, zero_division=0) if pos else None,
        "weighted_f1": sk.f1_score(present, decided, average="weighted", zero_division=0) if pos else None,
        "accuracy": sk.accuracy_score(present, decided),
        "balanced_accuracy": sk.balanced_accuracy_score(present, decided) if 0 < pos < n else None,
    }


def order(present, score):
    n, pos = len(present), int(present.sum())
    return {
        "roc_auc": sk.roc_auc_score(present, score) if 0 < pos < n else None,
        "average_precision": sk.average_precision_score(present, score) if pos else None,
    }


def intensities(intensity, predicted):
    return {
        "mae": sk.mean_absolute_error(intensity, predicted),
        "accuracy4": sk.accuracy_score(classes4(intensity), classes4(predicted)),
    }


def with_averages(each, whole):
    """Values by emotion, with their mean (where there is one) and those of all rows together."""
    macro = {}
    for metric in whole:
        values = [v[metric] for v in each.values() if v[metric] is not None]
        macro[metric] = float(np.mean(values)) if values else None
    return {**each, "macro": macro, "micro": whole}


def classifier(dummy, train, test):
    """What a dummy decides and how sure it says it is, by emotion."""
    out = {}
    for e in train:
        # Both classes are made known, so that "constant" can say one that no label has.
        x, y = np.zeros((len(train[e]) + 2, 1)), np.append(train[e] > 0, [False, True])
        weight = np.append(np.ones(len(train[e])), [0, 0])
        fitted = dummy().fit(x, y, sample_weight=weight)
        x = np.zeros((len(test[e]), 1))
        out[e] = fitted.predict(x).astype(bool), fitted.predict_proba(x)[:, 1]
    return out


def main():
    shape = {"happy": (0.5, 0.45), "sad": (0.08, 0.1), "fear": (0.05, 0.0)}
    train = {e: labels(50, p) for e, (p, _) in shape.items()}
    test = {e: labels(60, p) for e, (_, p) in shape.items()}
    test["fear"][:] = 0.0
    together = np.concatenate(list(test.values()))
    constant = {}
    for name, value in [("always-absent", False), ("always-present", True)]:
        said = classifier(lambda: DummyClassifier(strategy="constant", constant=value), train, test)
        each = {e: decisions(test[e] > 0, said[e][0]) | order(test[e] > 0, said[e][1]) for e in test}
        decided, score = (np.concatenate([said[e][i] for e in test]) for i in (0, 1))
        constant[name] = with_averages(each, decisions(together > 0, decided) | order(together > 0, score))
    for name, strategy in [("training-mean", "mean"), ("training-median", "median")]:
        said = {
            e: DummyRegressor(strategy=strategy).fit(np.zeros((50, 1)), train[e]).predict(np.zeros((60, 1))) for e in train
        }
        each = {e: intensities(test[e], said[e]) for e in test}
        constant[name] = with_averages(each, intensities(together, np.concatenate(list(said.values()))))
    runs = {}
    for seed in range(RUNS):
        said = {e: d for e, (d, _) in classifier(lambda: DummyClassifier(strategy="stratified", random_state=rng.integers(2**31)), train, test).items()}
        scores = {e: rng.random(60) for e in test}
        run = {e: decisions(test[e] > 0, said[e]) | order(test[e] > 0, scores[e]) for e in test}
        both = [np.concatenate(list(x.values())) for x in (said, scores)]
        run["micro"] = decisions(together > 0, both[0]) | order(together > 0, both[1])
        for emotion, values in run.items():
            for metric, value in values.items():
                kept = runs.setdefault(emotion, {}).setdefault(metric, [])
                if value is not None:
                    kept.append(value)
    drawn = {
        emotion: {
            metric: [float(np.mean(v)), float(np.std(v, ddof=1) / np.sqrt(len(v)))] if v else None
            for metric, v in values.items()
        }
        for emotion, values in runs.items()
    }
    emotions = [{"emotion": e, "train": train[e].tolist(), "test": test[e].tolist()} for e in test]
    json.dump({"emotions": emotions, "constant": constant, "drawn": drawn}, sys.stdout)
    print()


main()
