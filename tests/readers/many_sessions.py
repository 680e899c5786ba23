"""Computes from timelines, without our code, what a comparison of sessions must give, runs the example of docs/analysis.md on our
tables, and checks these against timelines and data dictionary.

usage: many_sessions.py DOCS FOLDER
FOLDER holds `tables` and the folders of sessions, in each of which person 1 is the subject, `none` is the condition of the first 30 s
and `music` that of the rest. Prints the figures as JSON.
"""

import contextlib
import csv
import io
import json
import os
import re
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

docs, folder = Path(sys.argv[1]), Path(sys.argv[2])
names = sorted(path.parent.name for path in folder.glob("*/timeline.jsonl"))
lines = {name: [json.loads(line) for line in open(folder / name / "timeline.jsonl")] for name in names}


def frames_of(name):
    """Start (ns), duration (ns), valence and arousal of each frame with person 1."""
    frames = [line for line in lines[name] if line["type"] == "frame"]
    ends = [frame["pts"] for frame in frames[1:]] + [lines[name][-1]["pts"]]
    rows = []
    for frame, end in zip(frames, ends):
        rows += [
            (frame["pts"], end - frame["pts"], face["valence"], face["arousal"], face["label"])
            for face in frame["faces"]
            if face["id"] == 1
        ]
    return pd.DataFrame(rows, columns=["pts", "duration", "valence", "arousal", "label"])


def mean(frames, key):
    return np.average(frames[key], weights=frames.duration)


frames = {name: frames_of(name) for name in names}
split = lines[names[0]][2]["pts"] + 30e9
none = {name: table[table.pts < split] for name, table in frames.items()}
music = {name: table[table.pts >= split] for name, table in frames.items()}
clocks = [next(line for line in lines[name] if line["type"] == "clock") for name in names]
weeks = np.array([datetime.fromisoformat(clock["utc"][:-1]).timestamp() / 86400 / 7 for clock in clocks])
random = np.random.default_rng(5)


def bootstrap(statistic, count):
    draws = [statistic(random.integers(0, count, count)) for _ in range(10_000)]
    return np.nanpercentile(draws, [2.5, 97.5])


def slope(times, values):
    times = times - times.mean()
    squares = (times**2).sum()
    return (times * (values - values.mean())).sum() / squares if squares > 1e-12 else np.nan


result = {}
for key in ["valence", "arousal"]:
    whole = np.array([mean(frames[name], key) for name in names])
    differences = np.array([mean(music[name], key) - mean(none[name], key) for name in names])
    low, high = bootstrap(lambda index: slope(weeks[index], whole[index]), len(names))
    trend = {"value": np.polyfit(weeks - weeks.mean(), whole, 1)[0], "low": low, "high": high}
    low, high = bootstrap(lambda index: differences[index].mean(), len(names))
    result[key] = {"trend": trend, "contrast": {"value": differences.mean(), "low": low, "high": high}}
    result[key]["music"] = np.mean([mean(music[name], key) for name in names])

# Every column is in the data dictionary, in its order, and nothing else is.
dictionary = (docs / "data-dictionary.md").read_text()
for name in ["sessions.csv", "seconds.csv"]:
    section = dictionary.split(f"## {name}")[1].split("\n## ")[0]
    described = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    with open(folder / "tables" / name, newline="") as file:
        assert next(csv.reader(file)) == described, name

# Seconds and shares are those of the frames.
seconds = pd.read_csv(folder / "tables/seconds.csv")
sessions = pd.read_csv(folder / "tables/sessions.csv")
begin = lines[names[0]][2]["pts"]
for name in names[:2]:
    table = frames[name].assign(second=(frames[name].pts - begin) // 1_000_000_000)
    own = seconds[(seconds.session == name) & (seconds.person == 1)].set_index("second")
    for key in ["valence", "arousal"]:
        expected = table.groupby("second").apply(lambda group: mean(group, key))
        assert np.allclose(own[key].dropna(), expected, atol=2e-6), (name, key)
        assert own[key].isna().sum() == len(own) - len(expected)
    assert set(own[own.index < 30].condition) == {"none"} and set(own[own.index > 30].condition) == {"music"}
    row = sessions[(sessions.session == name) & (sessions.person == 1)].iloc[0]
    happy = table[table.label == "happy"].duration.sum() / table.duration.sum()
    assert abs(row.share_happy - happy) < 2e-6 and abs(row.classified - table.duration.sum() / 1e9) < 1e-3
    assert row.conditions == "music;none" and row.is_subject == 1

# The example runs as it stands.
example = re.search(r"```python\n(.*?)```", (docs / "analysis.md").read_text(), re.DOTALL).group(1)
os.chdir(folder)
space = {}
with contextlib.redirect_stdout(io.StringIO()):
    exec(example, space)
parquet = pd.read_parquet("tables/seconds.parquet")
both = [frame.astype(object).where(frame.notna(), None) for frame in (parquet, space["seconds"])]
assert list(parquet.columns) == list(space["seconds"].columns) and (both[0].values == both[1].values).all()
result["example"] = float(space["means"].diff(axis=1).iloc[:, -1].mean())
json.dump(result, sys.stdout, default=float)
