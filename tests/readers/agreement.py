"""Writes a human's annotations with pympi, and computes their agreement with a machine's by scikit-learn and krippendorff.

usage: agreement.py MACHINE.eaf
Reads the tier `Person 1` of the file, writes `human.eaf` beside it, in which many of the episodes begin earlier or later or have
another label and some are missing, and prints the figures of reference as JSON.
"""

import json
import random
import sys
from pathlib import Path

import krippendorff
import numpy as np
from pympi import Elan
from sklearn.metrics import accuracy_score, cohen_kappa_score, precision_score, recall_score

STEP = 100  # ms
WORDS = {"happy": "Joy", "sad": "tearful", "neutral": "neutral", "angry": "ANGER", "uncertain": "unclear"}


def perturb(spans, random):
    labels = sorted({text for _, _, text in spans})
    changed = []
    for start, end, text in spans:
        draw = random.random()
        if draw < 0.1:
            continue
        if draw < 0.35:
            text = random.choice(labels)
        start = max(0, start + random.choice([-700, -300, 0, 0, 310, 900]))
        if changed and changed[-1][1] > start:
            changed[-1][1] = start
        if start < end:
            changed.append([start, end, text])
    return [span for span in changed if span[0] < span[1]]


def sample(spans, count):
    values = [None] * count
    for unit in range(count):
        middle = unit * STEP + STEP / 2
        values[unit] = next((text for start, end, text in spans if start <= middle < end), None)
    return values


machine_path = Path(sys.argv[1])
machine = [tuple(span[:3]) for span in Elan.Eaf(machine_path).get_annotation_data_for_tier("Person 1")]
human = perturb(sorted(machine), random.Random(5))
document = Elan.Eaf(author="reference")
document.remove_tier("default")
document.add_tier("Änne's view")
for start, end, text in human:
    document.add_annotation("Änne's view", start, end, WORDS[text])
document.add_tier("remarks")
document.add_annotation("remarks", 0, 900, "the door opens")
document.to_file(machine_path.with_name("human.eaf"))

count = max(end for _, end, _ in machine) // STEP + 1
first, second = sample(human, count), sample(machine, count)
pairs = [(one, two) for one, two in zip(first, second) if one is not None and two is not None]
one, two = zip(*pairs)
labels = sorted(set(one) | set(two))
numbers = np.array([[labels.index(value) for value in side] for side in (one, two)])
recall = recall_score(one, two, labels=labels, average=None)
precision = precision_score(one, two, labels=labels, average=None)
json.dump(
    {
        "percent_agreement": 100 * accuracy_score(one, two),
        "kappa": cohen_kappa_score(one, two),
        "alpha": krippendorff.alpha(numbers, level_of_measurement="nominal"),
        "compared_seconds": len(pairs) * STEP / 1000,
        "first_only_seconds": sum(one is not None and two is None for one, two in zip(first, second)) * STEP / 1000,
        "per_label": {
            label: {
                "recall": recall[index],
                "precision": precision[index],
                "kappa": cohen_kappa_score([value == label for value in one], [value == label for value in two]),
            }
            for index, label in enumerate(labels)
        },
    },
    sys.stdout,
)
