"""FER-2013 faces and their training targets, from fer2013.csv or from a folder with the same data packed.

Labels are FER-2013's: 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral.
A target is a distribution over those seven. Where the FER+ votes (Barsoum et al. 2016,
doi:10.1145/2993148.2993165) are at hand, it is a mixture of the FER-2013 label and the votes.
"""

import csv
import importlib.util
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
SIDE = 48

# FER+ columns: neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, NF.
FERPLUS_TO_FER = [6, 3, 5, 4, 0, 1, 2]
FERPLUS_NOT_A_FACE = 9


@dataclass
class Faces:
    """One row a face: pixels u8 (N, 48, 48), label u8 (N,), votes f32 (N, 7), and annotators f32 (N,), how many votes
    there were in all, also for what is none of the seven; both zero where unknown."""

    pixels: np.ndarray
    label: np.ndarray
    votes: np.ndarray
    annotators: np.ndarray

    def __len__(self):
        return len(self.label)

    def where(self, rows):
        return Faces(self.pixels[rows], self.label[rows], self.votes[rows], self.annotators[rows])


def load(source, ferplus=None, holdout=0.0):
    """(training faces, held-out faces, PublicTest faces) from `source`, a fer2013.csv or a folder with a load.py.

    Training images that are pixel copies of a test image, and those most annotators say show no face, are left out.
    `holdout` is the share of the training faces kept out, for choosing settings and for calibration. Which ones follows
    from their pixels alone: copies stay together, no seed changes it, and a smaller share is part of a larger one.
    """
    source = Path(source)
    if source.is_dir():
        rows = _from_folder(source)
    else:
        rows = _from_csv(source, ferplus)
    train, test = rows["usage"] == 0, rows["usage"] == 1
    votes = rows["ferplus_votes"].astype(np.float32)
    no_face = votes.argmax(1) == FERPLUS_NOT_A_FACE
    train &= (rows["copy_in_test"] == 0) & ~(no_face & (votes.sum(1) > 0))
    mapped = np.zeros((len(votes), 7), np.float32)
    mapped[:, FERPLUS_TO_FER] = votes[:, :7]
    faces = Faces(rows["pixels"], rows["emotion"], mapped, votes.sum(1))
    place = np.array([zlib.crc32(pixels.tobytes()) / 2**32 for pixels in faces.pixels])
    return faces.where(train & (place >= holdout)), faces.where(train & (place < holdout)), faces.where(test)


def majority(faces):
    """Rows where more than half of all annotators agree on one of the seven emotions, and that emotion."""
    return faces.votes.max(1) > faces.annotators / 2, faces.votes.argmax(1)


def targets(faces, vote_share, label_smoothing, weigh_votes=False):
    """Distributions f32 (N, 7): `vote_share` of the FER+ votes, the rest the smoothed FER-2013 label. With `weigh_votes`
    that share is for faces all annotators agree on, and falls with the square of how many agree: where they do not,
    FER-2013's label is as good a guess as theirs, and what accuracy is measured by."""
    one_hot = np.eye(7, dtype=np.float32)[faces.label]
    one_hot = one_hot * (1 - label_smoothing) + label_smoothing / 7
    total = faces.votes.sum(1, keepdims=True)
    share = np.where(total > 0, vote_share, 0.0)
    if weigh_votes:
        share = share * (faces.votes.max(1, keepdims=True) / np.maximum(faces.annotators[:, None], 1)) ** 2
    return ((1 - share) * one_hot + share * faces.votes / np.maximum(total, 1)).astype(np.float32)


def _from_folder(folder):
    spec = importlib.util.spec_from_file_location("fer2013_load", folder / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


def _from_csv(path, ferplus):
    """fer2013.csv (emotion, pixels, Usage), and FER+'s fer2013new.csv beside it when given; both have the same order."""
    usage_code = {"Training": 0, "PublicTest": 1, "PrivateTest": 2}
    label, pixels, usage = [], [], []
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            row = {key.strip(): value for key, value in row.items()}
            label.append(int(row["emotion"]))
            pixels.append(np.array(row["pixels"].split(), np.uint8).reshape(SIDE, SIDE))
            usage.append(usage_code[row["Usage"].strip()])
    votes = np.zeros((len(label), 10), np.uint8)
    if ferplus:
        with open(ferplus, newline="") as file:
            for index, row in enumerate(csv.reader(file)):
                if index > 0:
                    votes[index - 1] = [int(value) for value in row[2:12]]
    pixels, usage = np.stack(pixels), np.array(usage, np.uint8)
    in_test = {image.tobytes() for image in pixels[usage != 0]}
    copies = np.array([image.tobytes() in in_test for image in pixels])
    return {
        "pixels": pixels,
        "emotion": np.array(label, np.uint8),
        "usage": usage,
        "ferplus_votes": votes,
        "copy_in_test": np.where(usage == 0, copies, False).astype(np.uint8),
    }
