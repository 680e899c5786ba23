"""Checks the constants of the resting face on people on whom they were not chosen, and in other light and other boxes.

    python rest.py --data PEOPLE [--model ../models/mini_xception.onnx]

PEOPLE is a folder of class folders with photographs of faces, named after the person up to the first `.` or `_`. The faces go
through the crop and inference code of the element (the example `faces` of crates/mini-xception, built by this script); what is
then taken off is calculated here once more, as crates/mini-xception/src/resting_face.rs has it for rest that was told. Prints
two tables in Markdown: for each person, share and margin as the other people's photographs alone suggest them and what they are
worth on this person; and accuracy with darkened, blurred, scaled and displaced photographs.
"""

import argparse
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

ROOT = Path(__file__).resolve().parent.parent
CLASSES = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
NEUTRAL = 6
SIDE = 160
"""Side of the images that are classified, pixels."""
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
MARGINS = (0.0, 0.5, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
SHIPPED = (1.0, 1.5)
"""Share and margin of the product."""


def move(image, across=0.0, down=0.0, scale=1.0):
    """The crop of a box that is shifted by shares of its side and scaled; the image's edge is repeated."""
    side = image.size[0]
    padded = Image.fromarray(np.pad(np.asarray(image), side, mode="edge"))
    centre, half = side * np.array([1.5 + across, 1.5 + down]), side * scale / 2
    return padded.crop(tuple(int(value) for value in (*(centre - half), *(centre + half))))


CHANGES = {
    "as it is": lambda image: image,
    "half the light": lambda image: image.point(lambda grey: grey * 0.5),
    "a quarter of the light": lambda image: image.point(lambda grey: grey * 0.25),
    "overexposed 1.5 times": lambda image: image.point(lambda grey: min(255, grey * 1.5)),
    "half the contrast": lambda image: image.point(lambda grey: 64 + grey * 0.5),
    "blurred by 2 % of the side": lambda image: image.filter(ImageFilter.GaussianBlur(image.size[0] * 0.02)),
    "blurred by 4 % of the side": lambda image: image.filter(ImageFilter.GaussianBlur(image.size[0] * 0.04)),
    "32 pixels": lambda image: image.resize((32, 32), Image.BOX),
    "24 pixels": lambda image: image.resize((24, 24), Image.BOX),
    "box 10 % left": lambda image: move(image, across=-0.1),
    "box 10 % up": lambda image: move(image, down=-0.1),
    "box 10 % down": lambda image: move(image, down=0.1),
    "box 0.85 times the size": lambda image: move(image, scale=0.85),
    "box 1.15 times the size": lambda image: move(image, scale=1.15),
    "box turned by 10 degrees": lambda image: image.rotate(10, Image.BILINEAR, fillcolor=128),
}


def classify(images, model):
    """Probabilities of the images, N x 7."""
    pixels = [np.asarray(image.resize((SIDE, SIDE), Image.BILINEAR), dtype=np.uint8) for image in images]
    command = [ROOT / "target/release/examples/faces", str(SIDE), *([model] if model else [])]
    output = subprocess.run(command, input=np.stack(pixels).tobytes(), stdout=subprocess.PIPE, check=True).stdout
    return np.array([[float(value) for value in line.split()[1:]] for line in output.decode().splitlines()])


def take_off(probabilities, rest, labels, people, share, margin):
    """The distributions without the rest of the person's other neutral images, whose distributions `rest` has."""
    logarithms = np.log(np.maximum(rest, 1e-4))
    odds = logarithms - logarithms[:, NEUTRAL:]
    adjusted = probabilities.copy()
    for index, person in enumerate(people):
        others = (people == person) & (labels == NEUTRAL) & (np.arange(len(people)) != index)
        seconds = 30.0 * others.sum()
        if seconds > 0:
            shift = share * seconds / (seconds + 3) * (odds[others].mean(0) + margin)
            shift[NEUTRAL] = 0
            adjusted[index] *= np.exp(-shift)
    return adjusted


def score(probabilities, labels, chosen=slice(None)):
    """Accuracy, and mean recall of the six expressions, of the chosen images."""
    answers, labels = probabilities.argmax(1)[chosen], labels[chosen]
    recalls = [(answers[labels == label] == label).mean() for label in range(NEUTRAL)]
    return np.array([(answers == labels).mean(), np.mean(recalls)])


def show(values):
    return f"{100 * values[0]:.1f} %, {values[1]:.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    subprocess.run(
        ["cargo", "build", "-q", "--release", "-p", "mini-xception", "--example", "faces"], cwd=ROOT, check=True
    )

    paths = [path for name in CLASSES for path in sorted((options.data / name).iterdir())]
    images = [Image.open(path).convert("L") for path in paths]
    labels = np.array([CLASSES.index(path.parent.name) for path in paths])
    people = np.array([path.name.replace("_", ".").split(".")[0] for path in paths])
    plain = classify(images, options.model)
    adjusted = {
        (share, margin): take_off(plain, plain, labels, people, share, margin) for share in SHARES for margin in MARGINS
    }

    print("| judged | as it is | share and margin chosen on the others | with those | with the product's |")
    print("|---|---|---|---|---|")
    unseen = plain.copy()
    for person in sorted(set(people)):
        judged = people == person
        best = max(adjusted, key=lambda choice: (score(adjusted[choice], labels, ~judged).sum(), choice))
        unseen[judged] = adjusted[best][judged]
        results = [show(score(result, labels, judged)) for result in (plain, adjusted[best], adjusted[SHIPPED])]
        print(f"| {person} | {results[0]} | {best[0]}, {best[1]} | {results[1]} | {results[2]} |")
    results = [show(score(result, labels)) for result in (plain, unseen, adjusted[SHIPPED])]
    print(f"| all | {results[0]} | | {results[1]} | {results[2]} |")

    print("\n| the photographs | as it is | rest of the same kind taken off | rest of the original photographs taken off |")
    print("|---|---|---|---|")
    for name, change in CHANGES.items():
        changed = classify([change(image) for image in images], options.model)
        results = [take_off(changed, rest, labels, people, *SHIPPED) for rest in (changed, plain)]
        print(f"| {name} | {' | '.join(show(score(result, labels)) for result in (changed, *results))} |")


if __name__ == "__main__":
    main()
