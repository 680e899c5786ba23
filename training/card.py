"""Creates the tables and the chart of a model card.

    python card.py --data fer2013.csv --model ../models/mini_xception.onnx --picture ../models/mini_xception.svg

Evaluates the exported file on PublicTest and prints tables in Markdown. Draws a reliability diagram (accuracy by confidence) and
the accuracy by coverage, for FER-2013's labels and for FER+'s majority.
"""

import argparse
from pathlib import Path

import numpy as np
import onnxruntime

import data
import metrics
import networks
from metrics import percent

# Side of a plot and the gap beside it, px.
SIDE, GAP = 300, 60
BLUE, RED, GREY = "#1f5fa8", "#b5432b", "#767676"


def predict(model, pixels):
    """Probabilities f32 (N, 7) of u8 faces (N, 48, 48) by an ONNX file."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    x = networks.normalise(pixels.astype(np.float32))[:, None]
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: chunk})[0] for chunk in np.array_split(x, len(x) // 256 + 1)])


def print_tables(probability, test):
    """Prints metrics, confusion matrix and accuracy by min-confidence."""
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
    confidence, prediction = probability.max(1), probability.argmax(1)
    print("\n| min-confidence | labelled | right by FER-2013's labels | right where FER+'s annotators agree |")
    print("|---" * 4 + "|")
    for threshold in (0.0, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9):
        kept = confidence >= threshold
        both = kept & agreed
        print(f"| {threshold:.2f} | {percent(kept.mean(), 0)} | {percent((prediction == test.label)[kept].mean())} | "
              f"{percent((prediction == majority)[both].mean())} |")


def accuracy_by_confidence(confidence, correct):
    """(mean confidence, accuracy, share of faces) of ten bins of confidence; bins with fewer than 20 faces are left out."""
    bins = np.minimum((confidence * 10).astype(int), 9)
    kept = [bins == b for b in range(10) if (bins == b).sum() >= 20]
    return [(confidence[rows].mean(), correct[rows].mean(), rows.mean()) for rows in kept]


def accuracy_by_coverage(confidence, correct):
    """(share labelled, accuracy of those) at 120 points, the most confident faces first."""
    order = np.argsort(-confidence, kind="stable")
    count = np.arange(1, len(confidence) + 1)
    accuracy = np.cumsum(correct[order]) / count
    return [(count[i] / len(confidence), accuracy[i]) for i in np.linspace(20, len(confidence) - 1, 120).astype(int)]


def axes(left, title, x_label, y_min):
    """SVG elements of a square plot at `left` px with a grid; the vertical axis is from `y_min` to 1."""
    parts = [f'<g transform="translate({left} 36)"><text x="{SIDE / 2}" y="-14" text-anchor="middle">{title}</text>']
    for step in range(6):
        share, value = step / 5, y_min + (1 - y_min) * step / 5
        position = SIDE * share
        parts.append(f'<path d="M{position} 0V{SIDE}M0 {position}H{SIDE}" stroke="#ddd"/>')
        parts.append(f'<text x="{position}" y="{SIDE + 18}" text-anchor="middle" font-size="11">{share:.0%}</text>')
        parts.append(f'<text x="-8" y="{SIDE - position + 4}" text-anchor="end" font-size="11">{value:.0%}</text>')
    parts.append(f'<text x="{SIDE / 2}" y="{SIDE + 38}" text-anchor="middle" font-size="12">{x_label}</text>')
    return parts


def draw(confidence, series):
    """The chart as SVG. `series`: (name, colour, mask of the faces included, whether each face is classified correctly)."""
    def y(value, y_min):
        return SIDE * (1 - (value - y_min) / (1 - y_min))

    parts = axes(GAP, "right, by confidence", "confidence", 0.0)
    parts.append(f'<path d="M0 {SIDE}L{SIDE} 0" stroke="{GREY}" stroke-dasharray="4 4"/>')
    for _, colour, rows, correct in series:
        points = accuracy_by_confidence(confidence[rows], correct[rows])
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
    for index, (name, colour, rows, correct) in enumerate(series):
        points = accuracy_by_coverage(confidence[rows], correct[rows])
        line = " ".join(f"{SIDE * x:.1f},{y(value, 0.5):.1f}" for x, value in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="8" y="{SIDE - 26 + 16 * index}" fill="{colour}" font-size="12">{name}</text>')
    parts.append("</g>")
    width, height = 2 * (SIDE + GAP) + 24, SIDE + 88
    header = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="14">'
    )
    return "\n".join([header, f'<rect width="{width}" height="{height}" fill="white"/>', *parts, "</svg>"]) + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--ferplus", type=Path, help="fer2013new.csv, when --data is a csv")
    arguments.add_argument("--model", type=Path, required=True)
    arguments.add_argument("--picture", type=Path)
    args = arguments.parse_args()
    _, _, test = data.load(args.data, args.ferplus)
    probability = predict(args.model, test.pixels)
    print_tables(probability, test)
    if args.picture:
        prediction = probability.argmax(1)
        agreed, majority = data.majority(test)
        series = [
            ("FER-2013's labels", BLUE, np.full(len(test), True), prediction == test.label),
            ("where FER+'s annotators agree", RED, agreed, prediction == majority),
        ]
        args.picture.write_text(draw(probability.max(1), series))


if __name__ == "__main__":
    main()
