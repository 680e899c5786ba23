"""Which margin suits a detector's boxes? `python margin.py --model ../models/mini_xception.onnx --data fer2013.csv`.

Every second face of PublicTest is enlarged three times, framed by its own edge, found with frontalface_default, cut out
with several margins, and classified. Prints the share labelled right for each margin. Needs opencv-python-headless<5.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

import data
import networks

ENLARGED, FRAME = 144, 72
MARGINS = (-0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3)


def accuracy(session, faces, label):
    x = networks.normalise(np.array(faces, np.float32))
    return float((session.run(None, {"faces": x[:, None]})[0].argmax(1) == label).mean())


def cut(picture, box, margin):
    x, y, w, h = box
    side = w * (1 + 2 * margin)
    scale = data.SIDE / side
    picture = cv2.GaussianBlur(picture, (0, 0), max(0.5 / scale, 0.1))
    shift = data.SIDE / 2 - np.array([x + w / 2, y + h / 2]) * scale
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(picture, matrix, (data.SIDE, data.SIDE), borderMode=cv2.BORDER_REPLICATE)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--model", type=Path, required=True)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--cascades", default="/usr/share/opencv4/haarcascades")
    args = arguments.parse_args()
    _, _, test = data.load(args.data)
    detector = cv2.CascadeClassifier(f"{args.cascades}/haarcascade_frontalface_default.xml")
    session = onnxruntime.InferenceSession(str(args.model), providers=["CPUExecutionProvider"])

    found = []
    for pixels, label in zip(test.pixels[::2], test.label[::2]):
        picture = cv2.resize(pixels, (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
        picture = cv2.copyMakeBorder(picture, *[FRAME] * 4, cv2.BORDER_REPLICATE)
        boxes = detector.detectMultiScale(picture, 1.1, 3, minSize=(ENLARGED // 2, ENLARGED // 2))
        if len(boxes):
            found.append((picture, max(boxes, key=lambda box: box[2]), pixels, label))
    pictures, boxes, originals, label = map(list, zip(*found))
    print(f"{len(found)} of {len(test.label[::2])} faces found; box side {np.median([b[2] for b in boxes]) / ENLARGED:.2f} of the crop's")
    print(f"the data's own crop  {accuracy(session, originals, label):.4f}")
    for margin in MARGINS:
        faces = [cut(picture, box, margin) for picture, box in zip(pictures, boxes)]
        print(f"margin {margin:+.2f}         {accuracy(session, faces, label):.4f}")


if __name__ == "__main__":
    main()
