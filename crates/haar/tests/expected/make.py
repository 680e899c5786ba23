"""Writes expected rectangles: what OpenCV finds in test images and in pictures drawn by formula.

    python crates/haar/tests/expected/make.py synthetic|opencv [FOLDER_OF_PNGS]

from the workspace's root, with opencv-python-headless 4 and Debian's opencv-data. `synthetic` needs no data and also
writes the small made-up cascades. One line a picture (name, width, height, FNV-1a of its grey pixels), one line a
search in it (cascade, scale factor, min and max size, number and FNV-1a of the ungrouped rectangles, sorted), and one
line a grouped rectangle (x, y, width, height, neighbours), sorted.
"""

import random
import sys
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
CASCADES = Path("/usr/share/opencv4/haarcascades")
STUMPS, TREES = ["frontalface_default", "frontalface_alt", "profileface", "eye"], ["frontalface_alt2"]
TILTED = ["eye_tree_eyeglasses", "fullbody", "lefteye_2splits", "smile", "upperbody"]


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def grey(path):
    image = cv2.imread(str(path), cv2.IMREAD_COLOR).astype(np.uint32)
    return ((29 * image[..., 0] + 150 * image[..., 1] + 77 * image[..., 2] + 128) >> 8).astype(np.uint8)


def noise(width, height, seed):
    state, out = seed, np.empty(width * height, np.uint8)
    for i in range(out.size):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        out[i] = state >> 16 & 255
    return out.reshape(height, width)


def waves(width, height):
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    return ((x * x // 7 + y * y // 5 + x * y // 3) // 16 % 256).astype(np.uint8)


def flat(width, height):
    """Weak noise: some windows are too flat to be normalised, some are not."""
    return (100 + noise(width, height, 11) // 7).astype(np.uint8)


def faces(width, height, places):
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    image = (60 + 90 * x // width + 30 * y // height).astype(np.int64)
    for cx, cy, r in places:

        def ellipse(ex, ey, a, b):
            dx, dy = (x - cx) * 1000 - ex * r, (y - cy) * 1000 - ey * r
            return (np.abs(dx) * 1000 // (a * r)) ** 2 + (np.abs(dy) * 1000 // (b * r)) ** 2

        head = ellipse(0, 0, 750, 1000)
        image = np.where(head < 1000000, 200 - head * 50 // 1000000, image)
        for ex, ey, a, b, value in [
            (-300, -330, 200, 60, 80), (-300, -150, 170, 90, 105), (-300, -150, 80, 80, 30),
            (300, -330, 200, 60, 80), (300, -150, 170, 90, 105), (300, -150, 80, 80, 30),
            (0, 130, 90, 190, 215), (0, 330, 130, 40, 130), (0, 560, 300, 80, 90),
        ]:
            image = np.where(ellipse(ex, ey, a, b) < 1000000, value, image)
    return image.astype(np.uint8)


def made_up(name, tilted, nodes, seed):
    """A cascade of random features: finds nothing in particular, but uses every kind of rectangle, tree and leaf."""
    rng = random.Random(seed)
    width, height, features, stages = 18, 15, [], []

    def feature():
        tilt = tilted and rng.random() < 0.5
        while True:
            x, y = rng.randrange(width), rng.randrange(height)
            w, h = 2 * rng.randrange(1, 5), 2 * rng.randrange(1, 5)
            if (x - h >= 0 and x + w <= width and y + w + h <= height) if tilt else (x + w <= width and y + h <= height):
                break
        half = [x, y, w // 2, h, 2] if rng.random() < 0.5 or tilt else [x, y, w, h // 2, 2]
        rects = [[x, y, w, h, -1], half]
        if rng.random() < 0.4:
            rects.append(half[:2] + [half[2] // 2 or 1, half[3] // 2 or 1, 0.75])
        features.append((rects, tilt))
        return len(features) - 1

    for _ in range(4):
        weak, reach = [], 0
        for _ in range(5):
            count = nodes if nodes == 1 else rng.randrange(1, nodes + 1)
            leaves = [rng.uniform(-1, 1) for _ in range(count + 1)]
            order = list(range(count + 1))
            inner = []
            for i in range(count):
                children = [-order[i], i + 1] if i + 1 < count else [-order[i], -order[count]]
                if nodes > 1 and rng.random() < 0.5:
                    children.reverse()
                inner.append(children + [feature(), rng.gauss(0, 0.03)])
            weak.append((inner, leaves))
            reach += max(leaves) - 0.5
        stages.append((reach * 0.25, weak))
    out = ['<?xml version="1.0"?>', "<opencv_storage>", "<!-- made by make.py -->", '<cascade type_id="opencv-cascade-classifier">',
           "<stageType>BOOST</stageType>", "<featureType>HAAR</featureType>", f"<height>{height}</height>",
           f"<width>{width}</width>", "<featureParams><maxCatCount>0</maxCatCount></featureParams>", "<stages>"]
    for threshold, weak in stages:
        out.append(f"<_><stageThreshold>{threshold:.8e}</stageThreshold><weakClassifiers>")
        for inner, leaves in weak:
            numbers = " ".join(f"{l} {r} {f} {t:.8e}" for l, r, f, t in inner)
            out.append(f"<_><internalNodes>{numbers}</internalNodes>")
            out.append("<leafValues>" + " ".join(f"{leaf:.8e}" for leaf in leaves) + "</leafValues></_>")
        out.append("</weakClassifiers></_>")
    out.append("</stages><features>")
    for rects, tilt in features:
        text = "".join("<_>" + " ".join(str(v) for v in rect) + "</_>" for rect in rects)
        out.append(f"<_><rects>{text}</rects><tilted>{int(tilt)}</tilted></_>")
    out.append("</features></cascade></opencv_storage>")
    (HERE / f"{name}.xml").write_text("\n".join(out) + "\n")


def search(lines, image, name, factor, smallest, largest):
    path = HERE / f"{name}.xml" if name.startswith("made_up") else CASCADES / f"haarcascade_{name}.xml"
    cascade = cv2.CascadeClassifier(str(path))
    assert not cascade.empty(), path
    args = dict(scaleFactor=factor, minSize=(smallest, smallest), maxSize=(largest, largest))
    single = sorted(map(tuple, cascade.detectMultiScale(image, minNeighbors=0, **args)))
    rects, neighbors = cascade.detectMultiScale2(image, minNeighbors=3, **args)
    hashed = fnv(b"".join(int(v).to_bytes(4, "little") for rect in single for v in rect))
    lines.append(f"search {name} {factor} {smallest} {largest} {len(single)} {hashed:016x}")
    for *rect, n in sorted((*map(int, rect), int(n)) for rect, n in zip(rects, neighbors)):
        lines.append(" ".join(map(str, [*rect, n])))


def picture(lines, name, image):
    lines.append(f"picture {name} {image.shape[1]} {image.shape[0]} {fnv(image.tobytes()):016x}")


def synthetic(lines):
    made_up("made_up_stumps", False, 1, 1)
    made_up("made_up_tilted", True, 1, 2)
    made_up("made_up_trees", True, 3, 3)
    mine = ["made_up_stumps", "made_up_tilted", "made_up_trees"]
    for name, image in {
        "noise": noise(157, 121, 7), "waves": waves(320, 199), "flat": flat(200, 150), "small": noise(18, 15, 3),
    }.items():
        picture(lines, name, image)
        for cascade in mine:
            for factor, smallest, largest in [(1.1, 0, 0), (1.3, 20, 60), (1.2, 50, 50)]:
                search(lines, image, cascade, factor, smallest, largest)
    for name, image in {
        "face": faces(320, 240, [(160, 120, 80)]),
        "faces": faces(641, 363, [(120, 150, 60), (330, 180, 110), (540, 220, 33)]),
    }.items():
        picture(lines, name, image)
        for cascade in STUMPS + TREES + TILTED + mine:
            for factor, smallest, largest in [(1.1, 0, 0), (1.2, 20, 0), (1.3, 60, 200)]:
                search(lines, image, cascade, factor, smallest, largest)


def folder(lines, path):
    for index, file in enumerate(sorted(Path(path).glob("*.png"))):
        image = grey(file)
        picture(lines, file.name, image)
        # Every cascade with every setting, spread over the images to keep the test quick.
        upright = (STUMPS + TREES)[index % 5 :] + (STUMPS + TREES)[: index % 5]
        search(lines, image, upright[0], 1.2, 30, 0)
        search(lines, image, upright[1], 1.3, 40, 200)
        search(lines, image, upright[2], 1.2, image.shape[0] // 12, 0)
        search(lines, image, TILTED[index % 5], [1.1, 1.2, 1.3][index % 3], 25, 0)
        if image.size < 200000:
            search(lines, image, upright[3], 1.1, 0, 0)


if __name__ == "__main__":
    kind = sys.argv[1]
    data = sys.argv[2] if len(sys.argv) > 2 else "../shared/data/images/opencv"
    lines = [f"# python crates/haar/tests/expected/make.py {kind}, opencv-python-headless {cv2.__version__}"]
    synthetic(lines) if kind == "synthetic" else folder(lines, data)
    (HERE / f"{kind}.txt").write_text("\n".join(lines) + "\n")
