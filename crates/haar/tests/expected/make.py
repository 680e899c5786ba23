"""Writes expected results: the rectangles that OpenCV finds in photos and in images drawn by formula.

    python crates/haar/tests/expected/make.py synthetic|scenes|opencv|parts [FOLDER_OF_PNGS]

Run from the workspace's root with opencv-python-headless 4 and Debian's opencv-data. `synthetic` and `scenes` need no
data, and `synthetic` also writes the small made-up cascades; `opencv` searches the PNGs, and `parts` searches parts of
them, mirrored, transposed, darker or lighter.

The output has a line `picture` for each image (name, width, height, FNV-1a of its grey pixels), a line `search` for each
search in it (cascade, scale factor, minimum and maximum size, number and FNV-1a of the sorted ungrouped rectangles), and a
line for each grouped rectangle (x, y, width, height, neighbours), sorted.
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
    """The 64-bit FNV-1a hash."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def read_grey(path):
    """A photo in grey, by the integer weights that the test uses too."""
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
    """Weak noise, in which some windows are too flat to be normalised and some are not."""
    return (100 + noise(width, height, 11) // 7).astype(np.uint8)


def faces(width, height, places):
    """Drawn faces at (centre x, centre y, radius)."""
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


class Random:
    """Pseudo-random numbers, the same as in the test."""

    def __init__(self, seed):
        self.state = seed

    def below(self, end):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 16) % end


def scene(index):
    """Up to three drawn faces, with noise that depends on the index."""
    rng = Random(index * 7919 + 1)
    width, height = 180 + rng.below(260), 150 + rng.below(200)
    places = [
        (rng.below(width), rng.below(height), 20 + rng.below(min(width, height) // 3)) for _ in range(1 + rng.below(3))
    ]
    grain = noise(width, height, index + 1).astype(np.int64) * (index % 6) // 10
    return np.clip(faces(width, height, places).astype(np.int64) + grain - 12 * (index % 6), 0, 255).astype(np.uint8)


def crop_and_alter(image, index):
    """A part of a photo, at full or half size; depending on the index mirrored, transposed, darker or lighter."""
    rng = Random(index * 7919 + 1)
    if index % 3 == 2 and min(image.shape) >= 400:
        h, w = (side // 2 * 2 for side in image.shape)
        wide = image[:h, :w].astype(np.uint32)
        image = (wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2]) // 4
    height, width = image.shape
    w, h = min(width, 160 + rng.below(200)), min(height, 140 + rng.below(180))
    x, y = rng.below(width - w + 1), rng.below(height - h + 1)
    image = image[y : y + h, x : x + w].astype(np.uint32)
    if index % 2 == 1:
        image = image[:, ::-1]
    if index % 5 == 4:
        image = image.T
    scaled = image * [256, 160, 80, 320][index % 4] // 256 + rng.below(60)
    return np.ascontiguousarray(np.minimum(scaled, 255).astype(np.uint8))


def made_up(name, tilted, nodes, seed):
    """Writes a cascade of random features: no detector of anything, but with every kind of rectangle, tree and leaf."""
    rng = random.Random(seed)
    width, height, features, stages = 18, 15, [], []

    def add_feature():
        is_tilted = tilted and rng.random() < 0.5
        while True:
            x, y = rng.randrange(width), rng.randrange(height)
            w, h = 2 * rng.randrange(1, 5), 2 * rng.randrange(1, 5)
            if (x - h >= 0 and x + w <= width and y + w + h <= height) if is_tilted else (x + w <= width and y + h <= height):
                break
        half = [x, y, w // 2, h, 2] if rng.random() < 0.5 or is_tilted else [x, y, w, h // 2, 2]
        rects = [[x, y, w, h, -1], half]
        if rng.random() < 0.4:
            rects.append(half[:2] + [half[2] // 2 or 1, half[3] // 2 or 1, 0.75])
        features.append((rects, is_tilted))
        return len(features) - 1

    for _ in range(4):
        classifiers, largest_sum = [], 0
        for _ in range(5):
            count = nodes if nodes == 1 else rng.randrange(1, nodes + 1)
            leaves = [rng.uniform(-1, 1) for _ in range(count + 1)]
            order = list(range(count + 1))
            inner = []
            for i in range(count):
                children = [-order[i], i + 1] if i + 1 < count else [-order[i], -order[count]]
                if nodes > 1 and rng.random() < 0.5:
                    children.reverse()
                inner.append(children + [add_feature(), rng.gauss(0, 0.03)])
            classifiers.append((inner, leaves))
            largest_sum += max(leaves) - 0.5
        stages.append((largest_sum * 0.25, classifiers))
    out = ['<?xml version="1.0"?>', "<opencv_storage>", "<!-- made by make.py -->", '<cascade type_id="opencv-cascade-classifier">',
           "<stageType>BOOST</stageType>", "<featureType>HAAR</featureType>", f"<height>{height}</height>",
           f"<width>{width}</width>", "<featureParams><maxCatCount>0</maxCatCount></featureParams>", "<stages>"]
    for threshold, classifiers in stages:
        out.append(f"<_><stageThreshold>{threshold:.8e}</stageThreshold><weakClassifiers>")
        for inner, leaves in classifiers:
            numbers = " ".join(f"{l} {r} {f} {t:.8e}" for l, r, f, t in inner)
            out.append(f"<_><internalNodes>{numbers}</internalNodes>")
            out.append("<leafValues>" + " ".join(f"{leaf:.8e}" for leaf in leaves) + "</leafValues></_>")
        out.append("</weakClassifiers></_>")
    out.append("</stages><features>")
    for rects, is_tilted in features:
        text = "".join("<_>" + " ".join(str(v) for v in rect) + "</_>" for rect in rects)
        out.append(f"<_><rects>{text}</rects><tilted>{int(is_tilted)}</tilted></_>")
    out.append("</features></cascade></opencv_storage>")
    (HERE / f"{name}.xml").write_text("\n".join(out) + "\n")


def append_search(lines, image, name, factor, smallest, largest):
    path = HERE / f"{name}.xml" if name.startswith("made_up") else CASCADES / f"haarcascade_{name}.xml"
    cascade = cv2.CascadeClassifier(str(path))
    assert not cascade.empty(), path
    args = dict(scaleFactor=factor, minSize=(smallest, smallest), maxSize=(largest, largest))
    ungrouped = sorted(map(tuple, cascade.detectMultiScale(image, minNeighbors=0, **args)))
    rects, neighbors = cascade.detectMultiScale2(image, minNeighbors=3, **args)
    rect_hash = fnv(b"".join(int(v).to_bytes(4, "little") for rect in ungrouped for v in rect))
    lines.append(f"search {name} {factor} {smallest} {largest} {len(ungrouped)} {rect_hash:016x}")
    for *rect, n in sorted((*map(int, rect), int(n)) for rect, n in zip(rects, neighbors)):
        lines.append(" ".join(map(str, [*rect, n])))


def append_image(lines, name, image):
    lines.append(f"picture {name} {image.shape[1]} {image.shape[0]} {fnv(image.tobytes()):016x}")


def synthetic(lines):
    """Images drawn by formula, searched with every cascade."""
    made_up("made_up_stumps", False, 1, 1)
    made_up("made_up_tilted", True, 1, 2)
    made_up("made_up_trees", True, 3, 3)
    made_up_cascades = ["made_up_stumps", "made_up_tilted", "made_up_trees"]
    for name, image in {
        "noise": noise(157, 121, 7), "waves": waves(320, 199), "flat": flat(200, 150), "small": noise(18, 15, 3),
    }.items():
        append_image(lines, name, image)
        for cascade in made_up_cascades:
            for factor, smallest, largest in [(1.1, 0, 0), (1.3, 20, 60), (1.2, 50, 50)]:
                append_search(lines, image, cascade, factor, smallest, largest)
    for name, image in {
        "face": faces(320, 240, [(160, 120, 80)]),
        "faces": faces(641, 363, [(120, 150, 60), (330, 180, 110), (540, 220, 33)]),
    }.items():
        append_image(lines, name, image)
        for cascade in STUMPS + TREES + TILTED + made_up_cascades:
            for factor, smallest, largest in [(1.1, 0, 0), (1.2, 20, 0), (1.3, 60, 200)]:
                append_search(lines, image, cascade, factor, smallest, largest)


def photos(lines, path):
    """The PNGs of a folder."""
    for index, file in enumerate(sorted(Path(path).glob("*.png"))):
        image = read_grey(file)
        append_image(lines, file.name, image)
        # Combinations of cascade and settings are spread over the images, to keep the test quick.
        upright = (STUMPS + TREES)[index % 5 :] + (STUMPS + TREES)[: index % 5]
        append_search(lines, image, upright[0], 1.2, 30, 0)
        append_search(lines, image, upright[1], 1.3, 40, 200)
        append_search(lines, image, upright[2], 1.2, image.shape[0] // 12, 0)
        append_search(lines, image, TILTED[index % 5], [1.1, 1.2, 1.3][index % 3], 25, 0)
        if image.size < 200000:
            append_search(lines, image, upright[3], 1.1, 0, 0)


def append_two_searches(lines, image, index):
    """Two searches with two of the five common cascades, with settings that depend on the index."""
    rng = Random(index + 1)
    for turn in range(2):
        factor = [1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5][rng.below(8)]
        smallest, largest = [(0, 0), (30, 0), (0, 80), (24, 60), (40, 120), (60, 60)][rng.below(6)]
        append_search(lines, image, (STUMPS + TREES)[(index + 2 * turn) % 5], factor, smallest, largest)


def scenes(lines):
    """Drawn scenes."""
    for index in range(144):
        image = scene(index)
        append_image(lines, f"scene/{index}", image)
        append_two_searches(lines, image, index)


def parts(lines, path):
    """Parts of the PNGs of a folder."""
    for number, file in enumerate(sorted(Path(path).glob("*.png"))):
        photo = read_grey(file)
        for index in range(12):
            image = crop_and_alter(photo, index)
            append_image(lines, f"{file.name}/{index}", image)
            append_two_searches(lines, image, 12 * number + index)


if __name__ == "__main__":
    kind = sys.argv[1]
    data = sys.argv[2] if len(sys.argv) > 2 else "../shared/data/images/opencv"
    lines = [f"# python crates/haar/tests/expected/make.py {kind}, opencv-python-headless {cv2.__version__}"]
    {
        "synthetic": lambda: synthetic(lines),
        "scenes": lambda: scenes(lines),
        "opencv": lambda: photos(lines, data),
        "parts": lambda: parts(lines, data),
    }[kind]()
    (HERE / f"{kind}.txt").write_text("\n".join(lines) + "\n")
