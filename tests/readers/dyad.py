"""Computes the synchrony of two people from a timeline with numpy, without our code, after Ramseyer and Tschacher (2011).

usage: dyad.py timeline.jsonl
Prints the figures for persons 1 and 2 as JSON; p values come from other surrogates than ours, and more of them.
"""

import json
import sys

import numpy as np

STEP, WINDOW, LAGS = 0.5, 120, 10
lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
frames = [line for line in lines if line["type"] == "frame"]
begin, end = frames[0]["pts"], lines[-1]["pts"]
ends = [frame["pts"] for frame in frames[1:]] + [end]
count = int(np.ceil((end - begin) / 1e9 / STEP - 1e-9))


def curve(person, key):
    sums, times = np.zeros(count), np.zeros(count)
    for frame, stop in zip(frames, ends):
        for face in frame["faces"]:
            if face["id"] == person and "label" in face:
                index = int((frame["pts"] - begin) / 1e9 / STEP + 1e-9)
                sums[index] += face[key] * (stop - frame["pts"])
                times[index] += stop - frame["pts"]
    with np.errstate(invalid="ignore"):
        return sums / times


def cross(one, two):
    values = []
    for lag in range(-LAGS, LAGS + 1):
        a, b = (one[: len(one) - lag], two[lag:]) if lag >= 0 else (one[-lag:], two[: len(two) + lag])
        both = ~np.isnan(a) & ~np.isnan(b)
        values.append(np.arctanh(np.corrcoef(a[both], b[both])[0, 1]))
    return np.array(values)


def strength(z):
    return np.abs(z).mean(-1)


def lead(z):
    return np.abs(z[..., LAGS + 1 :]).mean(-1) - np.abs(z[..., :LAGS]).mean(-1)


def synchrony(key):
    first, second = curve(1, key), curve(2, key)
    both = ~np.isnan(first) & ~np.isnan(second)
    starts = [start for start in range(0, count - WINDOW + 1, WINDOW) if both[start : start + WINDOW].mean() >= 0.75]
    number = len(starts)
    z = np.array([[cross(first[a : a + WINDOW], second[b : b + WINDOW]) for b in starts] for a in starts])
    own = z[range(number), range(number)]
    other = ~np.eye(number, dtype=bool)
    random = np.random.default_rng(1)
    surrogates = []
    while len(surrogates) < 4000:
        partners = random.permutation(number)
        if (partners != np.arange(number)).all():
            pairs = z[np.arange(number), partners]
            surrogates.append((strength(pairs).mean(), lead(pairs).mean()))
    surrogates = np.array(surrogates)
    best = np.abs(own).mean(0).argmax()
    chance = strength(z)[other].mean()
    return {
        "windows": number,
        "strength": strength(own).mean(),
        "chance": chance,
        "effect_size": (strength(own).mean() - chance) / surrogates[:, 0].std(),
        "p": (surrogates[:, 0] >= strength(own).mean()).mean(),
        "lead": lead(own).mean(),
        "lead_p": (np.abs(surrogates[:, 1]) >= abs(lead(own).mean())).mean(),
        "lag_seconds": (best - LAGS) * STEP,
        "correlation": np.tanh(own[:, best].mean()),
    }


def smiles(person):
    """The smile of each frame, as seen in the labels."""
    return np.array([any(f["id"] == person and f.get("label") == "happy" for f in frame["faces"]) for frame in frames])


durations = np.array(ends) - np.array([frame["pts"] for frame in frames])
together = smiles(1) & smiles(2)
seen = np.array([len(frame["faces"]) == 2 for frame in frames])
json.dump(
    {
        "valence": synchrony("valence"),
        "arousal": synchrony("arousal"),
        "common": int(durations[seen].sum()),
        "smiles": int((np.diff(together.astype(int), prepend=0) == 1).sum()),
        "smile_time": int(durations[together].sum()),
    },
    sys.stdout,
    default=float,
)
