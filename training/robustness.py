"""Measures a model's accuracy under inexact boxes, light and camera degradations, and how well the quality score predicts it.

    python robustness.py --data fer2013.csv [--model ../models/mini_xception.onnx]

The faces of PublicTest are shifted, scaled and rotated as by an inexact detector (the edge of the image is replicated), and
darkened, overexposed, reduced in contrast, blurred, made noisy and scaled down. They are processed by the crop, quality and
inference code of the element (the example `faces` of crates/mini-xception, built by this script). Prints tables in Markdown:
accuracy and its change for every degradation; then, over all faces, accuracy by quality, and how well quality predicts correct
classification compared with the model's confidence.
"""

import argparse
import math
import subprocess
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import data
from metrics import percent

ROOT = Path(__file__).resolve().parent.parent


def change_box(x, across=0.0, down=0.0, scale=1.0, degrees=0.0):
    """The crop of a box that is shifted by shares of its side, scaled, and rotated."""
    cos, sin = (scale * f(math.radians(degrees)) for f in (math.cos, math.sin))
    theta = torch.tensor([[cos, -sin, 2 * across], [sin, cos, 2 * down]]).expand(len(x), 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def blur(x, sigma):
    """Gaussian blur; `sigma` in pixels."""
    radius = math.ceil(3 * sigma)
    weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    weights = weights / weights.sum()
    x = F.pad(x, [radius] * 4, mode="replicate")
    return F.conv2d(F.conv2d(x, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))


def add_noise(x, deviation):
    """Gaussian noise; `deviation` in grey values."""
    return x + deviation * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))


def scale_down(x, side):
    """Faces of `side` x `side` pixels."""
    return F.interpolate(x, size=side, mode="bilinear", antialias=True, align_corners=False)


BOX_ERRORS = {"as it is": lambda x: x}
for share in (0.05, 0.1, 0.15):
    for name, across, down in (("left", -1, 0), ("right", 1, 0), ("up", 0, -1), ("down", 0, 1)):
        BOX_ERRORS[f"box {percent(share, 0)} {name}"] = lambda x, a=across * share, d=down * share: change_box(x, a, d)
for factor in (0.75, 0.85, 0.9, 1.1, 1.15, 1.25, 1.4):
    BOX_ERRORS[f"box {factor} times the size"] = lambda x, f=factor: change_box(x, scale=f)
for angle in (-20, -10, 10, 20, 30):
    BOX_ERRORS[f"box turned by {angle} degrees"] = lambda x, a=angle: change_box(x, degrees=a)

DEGRADATIONS = {
    "half the light": lambda x: x * 0.5,
    "a tenth of the light": lambda x: x * 0.1,
    "overexposed 1.5 times": lambda x: x * 1.5,
    "overexposed 2.5 times": lambda x: x * 2.5,
    "a quarter of the contrast": lambda x: (x - 128) * 0.25 + 128,
    "blurred, sigma 1": lambda x: blur(x, 1.0),
    "blurred, sigma 2": lambda x: blur(x, 2.0),
    "blurred, sigma 4": lambda x: blur(x, 4.0),
    "noise of 10": lambda x: add_noise(x, 10),
    "noise of 25": lambda x: add_noise(x, 25),
    "32 pixels": lambda x: scale_down(x, 32),
    "24 pixels": lambda x: scale_down(x, 24),
    "16 pixels": lambda x: scale_down(x, 16),
    "12 pixels": lambda x: scale_down(x, 12),
}


def classify(faces, model):
    """(quality (N,), probabilities (N, 7)) of f32 faces (N, 1, S, S), which are rounded to 8 bits."""
    pixels = faces.clamp(0, 255).round().to(torch.uint8).numpy()
    command = [ROOT / "target/release/examples/faces", str(faces.shape[-1]), *([model.resolve()] if model else [])]
    done = subprocess.run(command, input=pixels.tobytes(), stdout=subprocess.PIPE, check=True)
    rows = np.array([line.split() for line in done.stdout.decode().splitlines()], float)
    return rows[:, 0], rows[:, 1:]


def area_under_roc(score, correct):
    """Area under the ROC curve: the probability that a correctly classified face has a higher score than a misclassified one."""
    order = np.argsort(score, kind="stable")
    ranks = np.empty(len(score))
    ranks[order] = np.arange(1, len(score) + 1)
    _, group = np.unique(score, return_inverse=True)
    ranks = (np.bincount(group, ranks) / np.bincount(group))[group]
    count = correct.sum()
    return (ranks[correct].sum() - count * (count + 1) / 2) / (count * (len(correct) - count))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--model", type=Path, help="default: the built-in model")
    args = arguments.parse_args()
    build = ["cargo", "build", "-q", "--release", "-p", "mini-xception", "--example", "faces"]
    subprocess.run(build, cwd=ROOT, check=True)
    _, _, test = data.load(args.data)
    faces = torch.from_numpy(test.pixels).float().unsqueeze(1)

    baseline, qualities, confidences, corrects = None, [], [], []
    for title, changes in (("what the detector does", BOX_ERRORS), ("what light and camera do", DEGRADATIONS)):
        print(f"\n| {title} | accuracy | change | mean quality |\n|---|---|---|---|")
        for name, change in changes.items():
            quality, probabilities = classify(change(faces), args.model)
            correct = probabilities.argmax(1) == test.label
            baseline = correct.mean() if baseline is None else baseline
            print(f"| {name} | {percent(correct.mean())} | {100 * (correct.mean() - baseline):+.1f} | {quality.mean():.2f} |")
            if name in DEGRADATIONS or len(qualities) == 0:
                qualities.append(quality)
                confidences.append(probabilities.max(1))
                corrects.append(correct)

    quality, confidence, correct = (np.concatenate(parts) for parts in (qualities, confidences, corrects))
    print("\n| quality | share of faces | right | mean confidence |\n|---|---|---|---|")
    edges = [0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.01]
    for low, high in zip(edges, edges[1:]):
        rows = (quality >= low) & (quality < high)
        if rows.any():
            print(f"| {low:.1f} to {min(high, 1):.1f} | {percent(rows.mean())} | {percent(correct[rows].mean())} | "
                  f"{confidence[rows].mean():.2f} |")
    good = quality >= 0.3
    print(f"\nRight where quality is at least 0.3: {percent(correct[good].mean())}; below: {percent(correct[~good].mean())}.")
    print(f"A right answer scores higher than a wrong one: quality {area_under_roc(quality, correct):.3f}, confidence "
          f"{area_under_roc(confidence, correct):.3f}, "
          f"their product {area_under_roc(quality * confidence, correct):.3f} of the time.")


if __name__ == "__main__":
    main()
