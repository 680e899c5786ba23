"""Edits an exported session with pympi as a human would in ELAN, and computes what must become of it without our code.

usage: correct.py FOLDER
Reads `session.eaf` and `timeline.jsonl` of the folder, writes `edited.eaf` beside them, in which episodes of `Person 1` have another
label, begin later, are removed or are new, and prints the statistics of the corrected record as JSON.
"""

import json
import sys
from pathlib import Path

from pympi import Elan
from sklearn.metrics import cohen_kappa_score

folder = Path(sys.argv[1])
TIER = "Person 1"
document = Elan.Eaf(folder / "session.eaf")
machine = sorted(tuple(span[:3]) for span in document.get_annotation_data_for_tier(TIER))
edited = [list(span) for span in machine]
edited[1][2] = "Fear"  # another word for a label, in another case
edited[4][0] += 310  # begins later
edited[6][1] = edited[7][0] = edited[7][0] + 200  # the boundary of two
removed = edited.pop(10)
gaps = [(one[1], two[0]) for one, two in zip(edited, edited[1:]) if two[0] - one[1] > 1500]
edited.append([gaps[-1][0] + 200, gaps[-1][0] + 1200, "surprise"])
edited.sort()
document.remove_all_annotations_from_tier(TIER)
for start, end, label in edited:
    document.add_annotation(TIER, start, end, label)
document.add_tier("remarks")
document.add_annotation("remarks", 0, 900, "the door opens")
document.to_file(folder / "edited.eaf")

lines = [json.loads(line) for line in (folder / "timeline.jsonl").read_text().splitlines()]
frames = [line for line in lines if line["type"] == "frame"]
ends = [frame["pts"] for frame in frames[1:]] + [lines[-1]["pts"]]


def at(spans, ms):
    return next((label for start, end, label in spans if start <= ms < end), None)


human = [(start, end, label.lower()) for start, end, label in edited]
times = {}
for frame, end in zip(frames, ends):
    middle = (frame["pts"] + end) / 2e6
    said, seen = at(human, middle), at(machine, middle)
    own = [face.get("label") for face in frame["faces"] if face["id"] == 1]
    label = said if said != seen else (own[0] if own else None)
    if label:
        times[label] = times.get(label, 0) + end - frame["pts"]
units = [(at(human, ms), at(machine, ms)) for ms in range(50, int(lines[-1]["pts"] / 1e6), 100)]
pairs = [pair for pair in units if None not in pair]
total = sum(times.values())
json.dump(
    {
        "labels": {label: time / total for label, time in times.items()},
        "classified": total,
        "uncertain": times.get("uncertain", 0),
        "episodes": len(human),
        "removed": removed[0] / 1000,
        "percent_agreement": 100 * sum(one == two for one, two in pairs) / len(pairs),
        "kappa": cohen_kappa_score(*zip(*pairs)),
    },
    sys.stdout,
)
