"""Makes src/segment_seconds.txt: 64 quantiles of segment durations, from a CSV file with columns start and end in seconds.

    python segment_seconds.py labels.csv > src/segment_seconds.txt

For CMU-MOSEI the file has one row for each of the 23,259 labelled segments; starts below 0 count as 0.
"""

import csv
import sys

COUNT = 64

with open(sys.argv[1], newline="") as file:
    rows = list(csv.DictReader(file))
seconds = sorted(float(row["end"]) - max(0.0, float(row["start"])) for row in rows)
for i in range(COUNT):
    # The middle of the i-th of COUNT equal parts, between its two neighbours.
    place = (i + 0.5) / COUNT * (len(seconds) - 1)
    below = int(place)
    share = place - below
    print(f"{seconds[below] * (1 - share) + seconds[min(below + 1, len(seconds) - 1)] * share:.2f}")
