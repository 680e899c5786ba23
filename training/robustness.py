"""How a model bears other boxes, other light and other cameras, and whether the quality score knows.

    python robustness.py --data fer2013.csv [--model ../models/mini_xception.onnx]

PublicTest's faces are shifted, scaled and turned as an inexact detector would cut them (what lies beyond the picture
repeats its edge), and darkened, overexposed, flattened, blurred, made noisy and small. All go through the crop, quality
and inference code of the element (the example `faces` of crates/mini-xception, built by this script). Prints tables in
Markdown: accuracy and its change for every degradation; then, over clean and degraded faces together, how often the
model is right by quality, and what quality is worth as a predictor beside the model's own confidence.
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


def moved(x, across=0.0, down=0.0, scale=1.0, degrees=0.0):
    """As a box shifted by shares of its side, `scale` times as large, and turned would cut it."""
    cos, sin = (scale * f(math.radians(degrees)) for f in (math.cos, math.sin))
    theta = torch.tensor([[cos, -sin, 2 * across], [sin, cos, 2 * down]]).expand(len(x), 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def blurred(x, sigma):
    reach = math.ceil(3 * sigma)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    weights = weights / weights.sum()
    x = F.pad(x, [reach] * 4, mode="replicate")
    return F.conv2d(F.conv2d(x, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))


def noisy(x, deviation):
    return x + deviation * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))


def small(x, side):
    return F.interpolate(x, size=side, mode="bilinear", antialias=True, align_corners=False)


GEOMETRY = {"as it is": lambda x: x}
for share in (0.05, 0.1, 0.15):
    for name, across, down in (("left", -1, 0), ("right", 1, 0), ("up", 0, -1), ("down", 0, 1)):
        GEOMETRY[f"box {percent(share, 0)} {name}"] = lambda x, a=across * share, d=down * share: moved(x, a, d)
for factor in (0.75, 0.85, 0.9, 1.1, 1.15, 1.25, 1.4):
    GEOMETRY[f"box {factor} times the size"] = lambda x, f=factor: moved(x, scale=f)
for angle in (-20, -10, 10, 20, 30):
    GEOMETRY[f"box turned by {angle} degrees"] = lambda x, a=angle: moved(x, degrees=a)

PICTURE = {
    "half the light": lambda x: x * 0.5,
    "a tenth of the light": lambda x: x * 0.1,
    "overexposed 1.5 times": lambda x: x * 1.5,
    "overexposed 2.5 times": lambda x: x * 2.5,
    "a quarter of the contrast": lambda x: (x - 128) * 0.25 + 128,
    "blurred, sigma 1": lambda x: blurred(x, 1.0),
    "blurred, sigma 2": lambda x: blurred(x, 2.0),
    "blurred, sigma 4": lambda x: blurred(x, 4.0),
    "noise of 10": lambda x: noisy(x, 10),
    "noise of 25": lambda x: noisy(x, 25),
    "32 pixels": lambda x: small(x, 32),
    "24 pixels": lambda x: small(x, 24),
    "16 pixels": lambda x: small(x, 16),
    "12 pixels": lambda x: small(x, 12),
}


def classify(faces, model):
    """(quality (N,), probabilities (N, 7)) of f32 faces (N, 1, S, S), rounded as a camera's would be."""
    pixels = faces.clamp(0, 255).round().to(torch.uint8).numpy()
    command = [ROOT / "target/release/examples/faces", str(faces.shape[-1]), *([model.resolve()] if model else [])]
    done = subprocess.run(command, input=pixels.tobytes(), stdout=subprocess.PIPE, check=True)
    rows = np.array([line.split() for line in done.stdout.decode().splitlines()], float)
    return rows[:, 0], rows[:, 1:]


def predicts(score, right):
    """The chance that a face told right scores higher than one told wrong (area under the ROC curve)."""
    order = np.argsort(score, kind="stable")
    ranks = np.empty(len(score))
    ranks[order] = np.arange(1, len(score) + 1)
    _, group = np.unique(score, return_inverse=True)
    ranks = (np.bincount(group, ranks) / np.bincount(group))[group]
    count = right.sum()
    return (ranks[right].sum() - count * (count + 1) / 2) / (count * (len(right) - count))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--model", type=Path, help="else the built-in one")
    args = arguments.parse_args()
    build = ["cargo", "build", "-q", "--release", "-p", "mini-xception", "--example", "faces"]
    subprocess.run(build, cwd=ROOT, check=True)
    _, _, test = data.load(args.data)
    faces = torch.from_numpy(test.pixels).float().unsqueeze(1)

    plain, qualities, sures, rights = None, [], [], []
    for title, changes in (("what the detector does", GEOMETRY), ("what light and camera do", PICTURE)):
        print(f"\n| {title} | accuracy | change | mean quality |\n|---|---|---|---|")
        for name, change in changes.items():
            quality, probabilities = classify(change(faces), args.model)
            right = probabilities.argmax(1) == test.label
            plain = right.mean() if plain is None else plain
            print(f"| {name} | {percent(right.mean())} | {100 * (right.mean() - plain):+.1f} | {quality.mean():.2f} |")
            if name in PICTURE or len(qualities) == 0:
                qualities.append(quality)
                sures.append(probabilities.max(1))
                rights.append(right)

    quality, sure, right = (np.concatenate(parts) for parts in (qualities, sures, rights))
    print("\n| quality | share of faces | right | mean confidence |\n|---|---|---|---|")
    edges = [0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.01]
    for low, high in zip(edges, edges[1:]):
        rows = (quality >= low) & (quality < high)
        if rows.any():
            print(f"| {low:.1f} to {min(high, 1):.1f} | {percent(rows.mean())} | {percent(right[rows].mean())} | "
                  f"{sure[rows].mean():.2f} |")
    good = quality >= 0.3
    print(f"\nRight where quality is at least 0.3: {percent(right[good].mean())}; below: {percent(right[~good].mean())}.")
    print(f"A right answer scores higher than a wrong one: quality {predicts(quality, right):.3f}, confidence "
          f"{predicts(sure, right):.3f}, their product {predicts(quality * sure, right):.3f} of the time.")


if __name__ == "__main__":
    main()
