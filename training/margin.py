"""Measures the accuracy by the margin around a detector's boxes.

    python margin.py --model ../models/mini_xception.onnx --data fer2013.csv

Every second face of PublicTest is enlarged three times, padded by replicating its edge, detected with frontalface_default,
cropped with several margins, and classified. Prints the accuracy for each margin. Needs opencv-python-headless<5.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

import data
import networks

# Side of an enlarged face and width of the padding, px.
ENLARGED, PADDING = 144, 72
# Shares of the box's side.
MARGINS = (-0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3)


def accuracy(session, faces, label):
    """Accuracy of the model on a list of grey faces of 48x48."""
    x = networks.normalise(np.array(faces, np.float32))
    return float((session.run(None, {"faces": x[:, None]})[0].argmax(1) == label).mean())


def crop(image, box, margin):
    """The box with a margin, scaled to 48x48 without aliasing."""
    x, y, w, h = box
    side = w * (1 + 2 * margin)
    scale = data.SIDE / side
    image = cv2.GaussianBlur(image, (0, 0), max(0.5 / scale, 0.1))
    shift = data.SIDE / 2 - np.array([x + w / 2, y + h / 2]) * scale
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(image, matrix, (data.SIDE, data.SIDE), borderMode=cv2.BORDER_REPLICATE)


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
        image = cv2.resize(pixels, (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
        image = cv2.copyMakeBorder(image, *[PADDING] * 4, cv2.BORDER_REPLICATE)
        boxes = detector.detectMultiScale(image, 1.1, 3, minSize=(ENLARGED // 2, ENLARGED // 2))
        if len(boxes):
            found.append((image, max(boxes, key=lambda box: box[2]), pixels, label))
    images, boxes, originals, label = map(list, zip(*found))
    side = np.median([box[2] for box in boxes]) / ENLARGED
    print(f"{len(found)} of {len(test.label[::2])} faces found; box side {side:.2f} of the crop's")
    print(f"the data's own crop  {accuracy(session, originals, label):.4f}")
    for margin in MARGINS:
        faces = [crop(image, box, margin) for image, box in zip(images, boxes)]
        print(f"margin {margin:+.2f}         {accuracy(session, faces, label):.4f}")


if __name__ == "__main__":
    main()
