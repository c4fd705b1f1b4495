"""Writes one table of synthetic predictions with pandas, polars and DuckDB.

usage: python make.py    (made with pandas 3.1.1, polars 2.1.0, duckdb 2.0.1, pyarrow 26.0.1)

Each program keeps its own types: nullable columns, int64, doubles where a whole number is missing, single precision,
categories, and extra columns. Row groups end within a cell."""
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

HERE = Path(__file__).parent
rows = []
for cell, start, seed in [("a", "ssl", 1), ("b", "scratch", None)]:
    for i in range(6):
        rows.append({
            "cell": cell, "fold": 2, "start": start, "fraction": 0.25, "n_labels": 8, "seed": 3, "draw": 0,
            "budget": "n8", "pretrain_seed": seed, "split": "valid" if i < 2 else "test", "video": f"00{i}",
            "segment": i, "emotion": "fear", "intensity": i / 2, "present": i > 0, "score": i / 8,
            "predicted_intensity": None if start == "scratch" else i / 4, "threshold": 0.5,
        })
table = pd.DataFrame(rows)
table["note"] = [[1, 2]] * len(table)
table.astype({"score": "float32", "start": "category"}).to_parquet(HERE / "pandas.parquet", row_group_size=4)

own = pl.from_pandas(table.drop(columns="note"))
own = own.with_columns(pl.col("emotion").cast(pl.Categorical), pl.lit([1.5]).alias("list"))
own.write_parquet(HERE / "polars.parquet", row_group_size=5)

plain = table.drop(columns="note")
duckdb.sql("copy (select *, {'cell': 3} as nested, date '2024-02-03' as day from plain) "
           f"to '{HERE / 'duckdb.parquet'}' (format parquet, row_group_size 2048)")
