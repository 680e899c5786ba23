"""The figures and the picture of a model's card.

    python card.py --data fer2013.csv --model ../models/mini_xception.onnx --picture ../models/mini_xception.svg

Runs the finished file on PublicTest and prints tables in Markdown; draws how often the model is right by how sure it is,
for FER-2013's labels and for FER+'s majority, and how much it labels at which accuracy.
"""

import argparse
from pathlib import Path

import numpy as np
import onnxruntime

import data
import metrics
import networks
from metrics import percent

SIDE, GAP = 300, 60
BLUE, RED, GREY = "#1f5fa8", "#b5432b", "#767676"


def probabilities(model, pixels):
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    x = networks.normalise(pixels.astype(np.float32))[:, None]
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: chunk})[0] for chunk in np.array_split(x, len(x) // 256 + 1)])


def tables(probability, test):
    figures = metrics.report(probability, test)
    print("| | |\n|---|---|")
    print(f"| accuracy | {percent(figures['accuracy'])} |")
    print(f"| macro F1 | {figures['macro_f1']:.3f} |")
    print(f"| accuracy where most FER+ annotators agree ({figures['ferplus_majority_samples']:,} faces) | "
          f"{percent(figures['ferplus_majority_accuracy'])} |")
    print(f"| expected calibration error | {figures['ece']:.3f} |")
    print(f"| coverage at 92 % accuracy | {percent(figures['coverage_at_92'])}, "
          f"those of at least {figures['surest_at_92']:.2f} |")
    print("\n| | " + " | ".join(data.LABELS) + " | recall | precision |")
    print("|---" * 10 + "|")
    confusion = np.array(figures["confusion"])
    for index, (name, row) in enumerate(zip(data.LABELS, confusion)):
        recall, precision = row[index] / row.sum(), row[index] / max(confusion[:, index].sum(), 1)
        shares = f" | {percent(recall, 0)} | {percent(precision, 0)} |"
        print(f"| **{name}** | " + " | ".join(map(str, row)) + shares)
    agreed, majority = data.majority(test)
    sure, guess = probability.max(1), probability.argmax(1)
    print("\n| min-confidence | labelled | right by FER-2013's labels | right where FER+'s annotators agree |")
    print("|---" * 4 + "|")
    for limit in (0.0, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9):
        kept = sure >= limit
        both = kept & agreed
        print(f"| {limit:.2f} | {percent(kept.mean(), 0)} | {percent((guess == test.label)[kept].mean())} | "
              f"{percent((guess == majority)[both].mean())} |")


def by_confidence(sure, right):
    """(mean confidence, share right, share of faces) of ten bins of confidence, those with too few faces left out."""
    bins = np.minimum((sure * 10).astype(int), 9)
    kept = [bins == b for b in range(10) if (bins == b).sum() >= 20]
    return [(sure[rows].mean(), right[rows].mean(), rows.mean()) for rows in kept]


def by_coverage(sure, right):
    """(share labelled, share of those right), surest first."""
    order = np.argsort(-sure, kind="stable")
    count = np.arange(1, len(sure) + 1)
    accuracy = np.cumsum(right[order]) / count
    return [(count[i] / len(sure), accuracy[i]) for i in np.linspace(20, len(sure) - 1, 120).astype(int)]


def axes(left, title, below, lowest):
    """A square with a grid; the vertical axis begins at `lowest`."""
    parts = [f'<g transform="translate({left} 36)"><text x="{SIDE / 2}" y="-14" text-anchor="middle">{title}</text>']
    for step in range(6):
        share, value = step / 5, lowest + (1 - lowest) * step / 5
        at = SIDE * share
        parts.append(f'<path d="M{at} 0V{SIDE}M0 {at}H{SIDE}" stroke="#ddd"/>')
        parts.append(f'<text x="{at}" y="{SIDE + 18}" text-anchor="middle" font-size="11">{share:.0%}</text>')
        parts.append(f'<text x="-8" y="{SIDE - at + 4}" text-anchor="end" font-size="11">{value:.0%}</text>')
    parts.append(f'<text x="{SIDE / 2}" y="{SIDE + 38}" text-anchor="middle" font-size="12">{below}</text>')
    return parts


def picture(sure, kinds):
    """An SVG. `kinds`: (name, colour, rows it is about, whether each face is told right)."""
    def y(value, lowest):
        return SIDE * (1 - (value - lowest) / (1 - lowest))

    parts = axes(GAP, "right, by confidence", "confidence", 0.0)
    parts.append(f'<path d="M0 {SIDE}L{SIDE} 0" stroke="{GREY}" stroke-dasharray="4 4"/>')
    for _, colour, rows, right in kinds:
        points = by_confidence(sure[rows], right[rows])
        line = " ".join(f"{SIDE * x:.1f},{y(value, 0):.1f}" for x, value, _ in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{SIDE * x:.1f}" cy="{y(value, 0):.1f}" r="{2 + 12 * share ** 0.5:.1f}" fill="{colour}" '
            'fill-opacity="0.35"/>'
            for x, value, share in points
        ]
    parts.append("</g>")
    parts += axes(2 * GAP + SIDE, "right, by how much is labelled", "share labelled, surest first", 0.5)
    parts.append(f'<path d="M0 {y(0.92, 0.5):.1f}H{SIDE}" stroke="{GREY}" stroke-dasharray="4 4"/>')
    for place, (name, colour, rows, right) in enumerate(kinds):
        line = " ".join(f"{SIDE * x:.1f},{y(value, 0.5):.1f}" for x, value in by_coverage(sure[rows], right[rows]))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="8" y="{SIDE - 26 + 16 * place}" fill="{colour}" font-size="12">{name}</text>')
    parts.append("</g>")
    width, height = 2 * (SIDE + GAP) + 24, SIDE + 88
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="14">'
    )
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="white"/>', *parts, "</svg>"]) + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--ferplus", type=Path, help="fer2013new.csv, when --data is a csv")
    arguments.add_argument("--model", type=Path, required=True)
    arguments.add_argument("--picture", type=Path)
    args = arguments.parse_args()
    _, _, test = data.load(args.data, args.ferplus)
    probability = probabilities(args.model, test.pixels)
    tables(probability, test)
    if args.picture:
        guess = probability.argmax(1)
        agreed, majority = data.majority(test)
        kinds = [
            ("FER-2013's labels", BLUE, np.full(len(test), True), guess == test.label),
            ("where FER+'s annotators agree", RED, agreed, guess == majority),
        ]
        args.picture.write_text(picture(probability.max(1), kinds))


if __name__ == "__main__":
    main()
