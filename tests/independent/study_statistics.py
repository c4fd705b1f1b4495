#!/usr/bin/env python3
"""Works the numbers of a study out a second time, and compares them with RUN/statistics.json.

usage: study_statistics.py RUN [--tolerance 1e-9]

Written from the definitions in docs/statistics.md, with pandas and scikit-learn, and with nothing of the program's own code: what goes in
is predictions.parquet (scores and labels), subsets.parquet (how many labels a budget came to) and config.toml. Every point is
compared: the mean of each start at each budget by emotion and metric, the differences of ssl with scratch and with every other start,
pair by pair, the areas under the learning curves, and label equivalence; and of the differences with scratch the ends of the interval
and p.

Prints how many numbers of each group were compared, and each difference. Exits 1 where there is one, or where a group is empty that the
study should have. Needs Python 3.11 and the packages of requirements.txt.
"""

import argparse
import functools
import json
import math
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import metrics as sk
from scipy import stats
from sklearn.isotonic import IsotonicRegression

TREATED, BASELINE = "ssl", "scratch"
# Those that statistics.json answers for; the configuration's primary metric may come on top.
METRICS = ["roc_auc", "average_precision", "f1", "mae", "accuracy4"]
MACRO = "macro"
NO_PRETRAINING = -1
RUN = ["start", "budget", "partition", "seed", "draw", "pretrain_seed"]
CELL = [*RUN, "fold"]
PLACE = ["budget", "emotion", "metric"]


def class4(intensity):
    """The four intensity classes: rounded half up, from 0 to 3."""
    return np.clip(np.floor(np.asarray(intensity, float) + 0.5), 0, 3)


def measure(rows, metric):
    """A metric of the rows of one cell and emotion; NaN where it has no value."""
    if metric in ("mae", "accuracy4"):
        if rows["predicted_intensity"].isna().any():
            return math.nan
        if metric == "mae":
            return sk.mean_absolute_error(rows["intensity"], rows["predicted_intensity"])
        return float((class4(rows["intensity"]) == class4(rows["predicted_intensity"])).mean())
    present = rows["present"].to_numpy(bool)
    positives, negatives = present.sum(), (~present).sum()
    needs = {"accuracy": True, "balanced_accuracy": positives and negatives, "roc_auc": positives and negatives}
    if rows["score"].isna().any() or not needs.get(metric, positives):
        return math.nan
    score = rows["score"].to_numpy(float)
    if metric == "roc_auc":
        return sk.roc_auc_score(present, score)
    if metric == "average_precision":
        return sk.average_precision_score(present, score)
    decided = score >= rows["threshold"].to_numpy(float)
    return {
        "precision": lambda: sk.precision_score(present, decided, zero_division=0),
        "recall": lambda: sk.recall_score(present, decided),
        "f1": lambda: sk.f1_score(present, decided, zero_division=0),
        "weighted_f1": lambda: sk.f1_score(present, decided, average="weighted", zero_division=0),
        "accuracy": lambda: sk.accuracy_score(present, decided),
        "balanced_accuracy": lambda: sk.balanced_accuracy_score(present, decided),
    }[metric]()


def tested(predictions, crossed):
    """The test rows. Where pre-training seeds are not crossed with training seeds they are no part of what a run is."""
    rows = predictions[predictions["split"] == "test"].copy()
    seeds = rows["pretrain_seed"] if crossed and "pretrain_seed" in rows else pd.Series(np.nan, rows.index)
    rows["pretrain_seed"] = seeds.fillna(NO_PRETRAINING).astype(int)
    if "partition" not in rows:
        rows["partition"] = 0
    return rows


def measured_cells(rows, metrics):
    """A number of each cell, emotion and metric. The macro value is the mean over the emotions that have a value."""
    by_emotion = rows.groupby([*CELL, "emotion"]).apply(lambda r: pd.Series({m: measure(r, m) for m in metrics}))
    macro = by_emotion.groupby(CELL).mean()
    macro = macro.set_index(pd.Index([MACRO] * len(macro), name="emotion"), append=True)
    return pd.concat([by_emotion, macro]).rename_axis(columns="metric").stack(future_stack=True).rename("value").reset_index()


def fold_sizes(rows):
    """Test videos of each fold."""
    return rows.groupby("fold")["video"].nunique()


def measured_runs(cells, sizes):
    """A number of each run, emotion and metric: the mean over the folds of its partition, each weighted by its test videos (`sizes`).

    Folds without a value are left out of the mean, runs without a cell in every fold of the partition are left out of the study.
    """
    needed = cells.groupby("partition")["fold"].nunique()
    weight = cells["fold"].map(sizes).where(cells["value"].notna(), 0)
    cells = cells.assign(weight=weight, part=weight * cells["value"].fillna(0))
    runs = cells.groupby([*RUN, "emotion", "metric"]).agg(folds=("fold", "nunique"), weight=("weight", "sum"), part=("part", "sum"))
    runs = runs[(runs["folds"] == needed.reindex(runs.index.get_level_values("partition")).to_numpy()) & (runs["weight"] > 0)]
    return (runs["part"] / runs["weight"]).rename("value").reset_index()


def variance_of_mean(values, weights=None):
    """The variance that levels with these means give the whole mean, and its degrees of freedom; None for a single level."""
    values = np.asarray(values, float)
    weights = np.full(len(values), 1 / len(values)) if weights is None else np.asarray(weights, float) / np.sum(weights)
    if len(values) < 2:
        return None
    squares = (weights * (values - np.sum(weights * values))) ** 2
    return len(values) / (len(values) - 1) * squares.sum(), len(values) - 1


def variance_of_data(of_folds, pseudo_values, sizes):
    """What folds and videos give: between the folds of one partition, and with several partitions between the videos as well.

    `of_folds` has columns partition, fold, each (the mean difference of a fold); `pseudo_values` gives those of the videos where a
    metric has no value in a second fold, or there are several partitions."""
    parts = []
    for _, one in of_folds.dropna(subset="each").groupby("partition"):
        parts.append(variance_of_mean(one["each"], one["fold"].map(sizes)))
    if any(part is None for part in parts):
        return variance_of_mean(pseudo_values())
    between, freedom = np.mean([part[0] for part in parts]), np.mean([part[1] for part in parts])
    if len(parts) == 1:
        return between, freedom
    videos, of_videos = variance_of_mean(pseudo_values())
    n = len(parts)
    folds = between / n
    freedom = 1 / (1 / of_videos + (1 / freedom - 1 / of_videos) / n)
    videos *= (n - 1) / n
    total = folds + videos
    if not total > 0:
        return total, freedom
    return total, total**2 / (folds**2 / freedom + videos**2 / of_videos)


def intervals(cells, runs, without, sizes, level):
    """By budget, emotion and metric: the ends of the t interval of ssl less scratch, and p. Empty places are left out."""
    pairs = paired(runs, TREATED, BASELINE)
    if pairs.empty:
        return {}
    on = [*PLACE, "partition", "seed", "draw", "fold"]
    ours, theirs = (cells[cells["start"] == start] for start in (TREATED, BASELINE))
    both = ours.merge(theirs, on=on, suffixes=("", "_other"))
    seeds = both[["pretrain_seed", "pretrain_seed_other"]]
    both = both[(seeds["pretrain_seed"] == seeds["pretrain_seed_other"]) | (seeds == NO_PRETRAINING).any(axis=1)]
    both = both.assign(each=both["value"] - both["value_other"])
    complete = pairs.set_index([*PLACE, "partition", "seed", "draw"]).index
    both = both[both.set_index([*PLACE, "partition", "seed", "draw"]).index.isin(complete)]
    of_folds = both.groupby([*PLACE, "partition", "fold"])["each"].mean().reset_index()
    found = {}
    for place, of_place in pairs.groupby(PLACE):
        value = of_place["each"].mean()
        folds = of_folds[(of_folds[PLACE] == pd.Series(dict(zip(PLACE, place)))).all(axis=1)]
        rest = lambda place=place: without(place[1])
        pseudo = lambda value=value, place=place: [len(rest()) * value - (len(rest()) - 1) * left.get(place, math.nan) for left in rest()]
        sources = [variance_of_data(folds, pseudo, sizes)]
        for source in ("seed", "draw", "pretrain"):
            levels = of_place[of_place[source] != NO_PRETRAINING].groupby(source)["each"].mean()
            sources.append(variance_of_mean(levels) if len(levels) else None)
        sources = [source for source in sources if source is not None]
        total = sum(variance for variance, _ in sources)
        if not sources or not total > 0:
            continue
        freedom = total**2 / sum(variance**2 / freedom for variance, freedom in sources)
        half = stats.t.ppf((1 + level) / 2, freedom) * math.sqrt(total)
        found[place] = (value - half, value + half, 2 * stats.t.sf(abs(value) / math.sqrt(total), freedom))
    return found


def differences_without_each_video(rows, metrics, cells, sizes):
    """A function of an emotion: the mean differences of the study without each test video in turn, by place.

    Where they are needed everywhere, all emotions are measured at once; else only the emotion that is asked for."""
    folds = rows.groupby("partition")["fold"].nunique()
    everywhere = len(folds) > 1 or folds.iloc[0] == 1

    @functools.cache
    def of(emotion):
        asked = rows if emotion is None else rows[rows["emotion"] == emotion]
        others = cells if emotion is None else cells[cells["emotion"] == emotion]
        left = []
        for video in sorted(asked["video"].unique()):
            tested_in = asked.loc[asked["video"] == video, "fold"].unique()
            again = measured_cells(asked[asked["fold"].isin(tested_in) & (asked["video"] != video)], metrics)
            runs = measured_runs(pd.concat([others[~others["fold"].isin(tested_in)], again]), sizes.sub(pd.Series(1, tested_in), fill_value=0))
            left.append(paired(runs, TREATED, BASELINE).groupby(PLACE)["each"].mean())
        return left

    return lambda emotion: of(None if everywhere or emotion == MACRO else emotion)


def paired(runs, ours, theirs):
    """ours less theirs in every pair of runs: of one partition, training seed, label draw and, where both have one, pre-training."""
    on = [*PLACE, "partition", "seed", "draw"]
    both = runs[runs["start"] == ours].merge(runs[runs["start"] == theirs], on=on, suffixes=("", "_other"))
    seeds = both[["pretrain_seed", "pretrain_seed_other"]]
    same = (seeds["pretrain_seed"] == seeds["pretrain_seed_other"]) | (seeds == NO_PRETRAINING).any(axis=1)
    pairs = both[same].assign(pretrain=seeds.max(axis=1), each=both["value"] - both["value_other"])
    return pairs.sort_values([*on, "pretrain"])


def contrasts(runs, ours, theirs):
    """By budget, emotion and metric: the mean difference, the mean of either side, how many pairs there are, each difference."""
    places = paired(runs, ours, theirs).groupby(PLACE)
    return {place: (p["each"].mean(), p["value"].mean(), p["value_other"].mean(), len(p), *p["each"]) for place, p in places}


def learning_curves(runs, labels):
    """By start, emotion and metric: the mean over runs by number of labels, fewest first; only curves that have all budgets.

    Budgets of equal labels, such as a count and a share that come to the same number, are one point at the mean of both."""
    means = runs.groupby(["start", "emotion", "metric", "budget"])["value"].mean().unstack("budget").reindex(columns=labels.index)
    return means.dropna().T.groupby(labels).mean().T


def area(curve):
    """The mean height of a curve over log labels."""
    at = np.log(curve.index.to_numpy(float))
    return np.trapezoid(curve, at) / (at[-1] - at[0])


def areas(curves):
    """By emotion and metric: the area under the curve of ssl less that of scratch."""
    arms = [curves.xs(arm, level="start").apply(area, axis=1) for arm in (TREATED, BASELINE)]
    return {place: (difference,) for place, difference in (arms[0] - arms[1]).dropna().items()}


def labels_to_reach(curve, target, rising):
    """Where a curve, made to rise by isotonic regression, reaches a value: between its points in proportion to log labels."""
    at = np.log(curve.index.to_numpy(float))
    fitted = IsotonicRegression(increasing=rising).fit_transform(at, curve)
    fitted, target = (fitted, target) if rising else (-fitted, -target)
    reached = np.flatnonzero(fitted >= target)
    if len(reached) == 0:
        return "not-reached", curve.index[-1]
    if reached[0] == 0:
        return "at-most", curve.index[0]
    i = reached[0]
    return "about", math.exp(np.interp(target, fitted[i - 1 : i + 1], at[i - 1 : i + 1]))


def equivalences(runs, curves):
    """By budget and metric: how many labels scratch needs to reach the macro mean of ssl.

    A list of answers for each: where the value to reach is that of a point up to rounding, either side of it is right.
    """
    reached = runs[(runs["start"] == TREATED) & (runs["emotion"] == MACRO)].groupby(["budget", "metric"])["value"].mean()
    theirs = {metric: curve for (start, emotion, metric), curve in curves.iterrows() if (start, emotion) == (BASELINE, MACRO)}
    answers = lambda metric, target: [labels_to_reach(theirs[metric], target + slack, metric != "mae") for slack in (0, -1e-13, 1e-13)]
    return {(budget, metric): answers(metric, target) for (budget, metric), target in reached.items() if metric in theirs}


def label_counts(subsets):
    """Labels of each budget: of the fold with the fewest, of that with the most, and the mean over folds; fewest first.

    Rows of a share and a count that are the same segments name both ("f1=n298"). A budget that has other counts in other
    draws is refused: it would not be one budget."""
    subsets = subsets.assign(budget=subsets["budget"].str.split("=")).explode("budget")
    counts = subsets.groupby(["budget", "fold", "draw"]).size().groupby(["budget", "fold"]).agg(["min", "max"])
    if (counts["min"] != counts["max"]).any():
        raise SystemExit(f"subsets.parquet: a budget has other counts in other draws:\n{counts[counts['min'] != counts['max']]}")
    return counts["min"].groupby("budget").agg(["mean", "min", "max"]).sort_values("mean", kind="stable")


def work_out(predictions, counts, crossed, metrics, level):
    """All numbers of a study, by group and place."""
    rows = tested(predictions, crossed)
    labels = counts["mean"]
    cells, sizes = measured_cells(rows, metrics), fold_sizes(rows)
    runs = measured_runs(cells, sizes)
    without = differences_without_each_video(rows, metrics, cells, sizes)
    curves = learning_curves(runs, labels)
    starts = list(dict.fromkeys(rows["start"]))
    points = runs.groupby(["start", "budget", "emotion", "metric"])["value"]
    others = [start for start in starts if start not in (TREATED, BASELINE)]
    of_others = {(other, *place): c for other in others for place, c in contrasts(runs, TREATED, other).items() if place[1] == MACRO}
    arms = {TREATED, BASELINE} <= set(starts)
    return {
        "study": {
            ("clusters",): (rows["video"].nunique(),),
            ("seeds",): (rows["seed"].nunique(),),
            ("draws",): (rows["draw"].nunique(),),
            **{("fold_clusters", fold): (n,) for fold, n in sizes.items()},
        },
        "budgets": {(budget,): tuple(row) for budget, row in counts.iterrows()},
        "curves": {place: (values.mean(), len(values)) for place, values in points},
        "contrasts": contrasts(runs, TREATED, BASELINE),
        "intervals": intervals(cells, runs, without, sizes, level),
        "others": of_others,
        "areas": areas(curves) if arms and labels.nunique() > 1 else {},
        "equivalences": equivalences(runs, curves),
    }


def expected_groups(starts, budgets):
    """The groups that a study of these starts, with so many budgets of different labels, cannot be without."""
    arms = {TREATED, BASELINE} <= set(starts)
    return {
        "study": True,
        "budgets": True,
        "curves": True,
        "contrasts": arms,
        "intervals": arms,
        "others": TREATED in starts and bool(set(starts) - {TREATED, BASELINE}),
        "areas": arms and budgets > 1,
        "equivalences": arms,
    }


def read_equivalence(entry):
    """The word and the labels of one answer of statistics.json."""
    return entry["labels"]["bound"], entry["labels"]["labels"]


def stated(statistics):
    """What statistics.json says, by group and place."""
    names = [budget["name"] for budget in statistics["budgets"]]
    contrast = lambda c: ((names[c["budget"]], c["emotion"], c["metric"]), (c["difference"]["value"], *c["arms"], c["pairs"], *c["each"]))
    with_other = lambda o, c: ((o["other"], *c[0]), c[1])
    return {
        "study": {(key,): (statistics[key],) for key in ("clusters", "seeds", "draws")}
        | {("fold_clusters", int(fold)): (n,) for fold, n in ((one["fold"], one["clusters"]) for one in statistics["folds"])},
        "budgets": {(b["name"],): (b["labels"], b["fewest"], b["most"]) for b in statistics["budgets"]},
        "curves": {(p["start"], names[p["budget"]], p["emotion"], p["metric"]): (p["estimate"]["value"], p["runs"]) for p in statistics["curves"]},
        "contrasts": dict(contrast(c) for c in statistics["contrasts"]),
        "intervals": {
            (names[c["budget"]], c["emotion"], c["metric"]): (c["difference"]["interval"]["low"], c["difference"]["interval"]["high"], c["p"])
            for c in statistics["contrasts"]
            if c["difference"]["interval"]
        },
        "others": dict(with_other(o, contrast(o["contrast"])) for o in statistics["others"]),
        "areas": {(a["emotion"], a["metric"]): (a["difference"]["value"],) for a in statistics["areas"]},
        "equivalences": {(names[e["budget"]], e["metric"]): read_equivalence(e) for e in statistics["equivalences"]},
    }


def agree(ours, theirs, tolerance):
    """Whether two tuples of numbers and words are the same; numbers up to the tolerance, relative where they are above 1."""
    near = lambda a, b: a == b if isinstance(a, str) or isinstance(b, str) else abs(a - b) <= tolerance * max(1.0, abs(a))
    return len(ours) == len(theirs) and all(map(near, ours, theirs))


def words(values):
    return " ".join(v if isinstance(v, str) else f"{v:.12g}" for v in values)


def compare(ours, theirs, expected, tolerance):
    """Prints what differs; how many differences there are."""
    problems = 0
    for group in ours:
        mine, its = ours[group], theirs[group]
        found = []
        for place in sorted(mine.keys() | its.keys(), key=str):
            if place not in its or place not in mine:
                found.append(f"{place}: {'not in statistics.json' if place in mine else 'in statistics.json alone'}")
                continue
            # Equivalences have several right answers where rounding decides between them.
            answers = mine[place] if isinstance(mine[place], list) else [mine[place]]
            if not any(agree(answer, its[place], tolerance) for answer in answers):
                found.append(f"{place}: expected {words(answers[0])}, found {words(its[place])}")
        if expected[group] and not mine:
            found.append("nothing to compare, where the study should have some")
        print(f"{group}: {sum(map(len, its.values()))} values at {len(its)} places, differences: {len(found)}")
        for line in found:
            print(f"  {group} {line}")
        problems += len(found)
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--tolerance", type=float, default=1e-9)
    asked = parser.parse_args()
    predictions = pd.read_parquet(asked.run / "predictions.parquet")
    counts = label_counts(pd.read_parquet(asked.run / "subsets.parquet"))
    config = tomllib.loads((asked.run / "config.toml").read_text(encoding="utf-8"))
    primary = config.get("report", {}).get("primary_metric")
    metrics = METRICS + [m for m in [primary] if m and m not in METRICS]
    ours = work_out(predictions, counts, "pretrain_seeds" in config.get("grid", {}), metrics, config.get("report", {}).get("level", 0.95))
    theirs = stated(json.loads((asked.run / "statistics.json").read_text(encoding="utf-8")))
    problems = compare(ours, theirs, expected_groups(set(predictions["start"]), counts["mean"].nunique()), asked.tolerance)
    print(f"differences in all: {problems}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
