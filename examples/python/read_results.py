"""Reads a run with pandas and redraws its main figure: `python read_results.py RUN [FIGURE.png]`.

pip install pandas pyarrow scikit-learn matplotlib"""
# %% Where the run is. In a notebook, write the two paths here instead.
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.metrics import roc_auc_score

run = Path(sys.argv[1])
figure = Path(sys.argv[2]) if len(sys.argv) > 2 else Path("learning-curves.png")

# %% One row a measurement. Metrics that are undefined are missing, never 0.
results = pd.read_csv(run / "results.csv")
print(results.groupby(["start", "metric"])["value"].mean().unstack().round(3))

# %% One row a cell, segment and emotion: any number can be computed from these.
predictions = pd.read_parquet(run / "predictions.parquet")
judged = predictions[predictions["split"] == "test"]
cell, rows = next(iter(judged.groupby("cell")))
emotion = rows["emotion"].iloc[0]
rows = rows[rows["emotion"] == emotion]
ours = roc_auc_score(rows["present"], rows["score"]) if rows["present"].nunique() == 2 else float("nan")
which = (results["cell"] == cell) & (results["split"] == "test") & (results["emotion"] == emotion) & (results["metric"] == "roc_auc")
print(f"cell {cell[:12]}, {emotion}: ROC AUC {ours:.6f} here, {results.loc[which, 'value'].iloc[0]:.6f} in results.csv")

# %% The main figure: macro ROC AUC on the test segments against the number of labels.
# The mean is over folds, seeds and draws; the bars show how far the runs lie apart. The intervals of the report are of
# another kind: they come from resampling videos (statistics.json).
macro = results[(results["split"] == "test") & (results["emotion"] == "macro") & (results["metric"] == "roc_auc")]
fig, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
for start, of_start in macro.groupby("start"):
    by_labels = of_start.groupby("n_labels")["value"].agg(["mean", "std"])
    axes.errorbar(by_labels.index, by_labels["mean"], yerr=by_labels["std"], marker="o", capsize=3, label=start)
axes.set(xscale="log", xlabel="labelled training segments", ylabel="macro ROC AUC, test")
axes.legend()
fig.savefig(figure, dpi=150)
print(figure)
