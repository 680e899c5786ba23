"""The faces of FER-2013 (Goodfellow et al. 2013, arXiv:1307.0414) and their training targets, from fer2013.csv or from a folder
with the same data packed.

Labels are FER-2013's: 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral. A target is a distribution over the
seven. Where the votes of FER+ (Barsoum et al. 2016, doi:10.1145/2993148.2993165) are available, it is a mixture of the FER-2013
label and the votes.
"""

import csv
import importlib.util
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
# Side of a face image, px.
SIDE = 48

# Columns of FER+: neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, NF (not a face).
FERPLUS_TO_FER = [6, 3, 5, 4, 0, 1, 2]
FERPLUS_NOT_A_FACE = 9


@dataclass
class Faces:
    """One row per face: pixels u8 (N, 48, 48); label u8 (N,); votes f32 (N, 7) for the seven emotions; annotators f32 (N,), the
    number of all votes, including those for none of the seven. The last two are zero where unknown."""

    pixels: np.ndarray
    label: np.ndarray
    votes: np.ndarray
    annotators: np.ndarray

    def __len__(self):
        return len(self.label)

    def where(self, rows):
        """The faces of a mask or of indices."""
        return Faces(self.pixels[rows], self.label[rows], self.votes[rows], self.annotators[rows])


def load(source, ferplus=None, holdout=0.0):
    """(training faces, held-out faces, PublicTest faces) from `source`, a fer2013.csv or a folder with a load.py.

    Training images that are pixel copies of a test image, and those in which most annotators see no face, are left out.
    `holdout` is the share of the training faces that is held out for choosing settings and for calibration. A hash of the
    pixels selects them: copies stay together, no seed changes the selection, and a smaller share is a subset of a larger one.
    """
    source = Path(source)
    if source.is_dir():
        rows = _load_folder(source)
    else:
        rows = _load_csv(source, ferplus)
    train, test = rows["usage"] == 0, rows["usage"] == 1
    votes = rows["ferplus_votes"].astype(np.float32)
    no_face = votes.argmax(1) == FERPLUS_NOT_A_FACE
    train &= (rows["copy_in_test"] == 0) & ~(no_face & (votes.sum(1) > 0))
    mapped = np.zeros((len(votes), 7), np.float32)
    mapped[:, FERPLUS_TO_FER] = votes[:, :7]
    faces = Faces(rows["pixels"], rows["emotion"], mapped, votes.sum(1))
    position = np.array([zlib.crc32(pixels.tobytes()) / 2**32 for pixels in faces.pixels])
    return faces.where(train & (position >= holdout)), faces.where(train & (position < holdout)), faces.where(test)


def majority(faces):
    """(mask of the faces on which more than half of all annotators agree on one of the seven emotions, that emotion)."""
    return faces.votes.max(1) > faces.annotators / 2, faces.votes.argmax(1)


def targets(faces, vote_share, label_smoothing, weigh_votes=False):
    """Target distributions f32 (N, 7): a share `vote_share` of the FER+ votes, the rest the smoothed FER-2013 label. With
    `weigh_votes` the share is multiplied by the square of the share of annotators who agree: where they disagree, FER-2013's
    label is as good an estimate as theirs, and accuracy is measured by it."""
    one_hot = np.eye(7, dtype=np.float32)[faces.label]
    one_hot = one_hot * (1 - label_smoothing) + label_smoothing / 7
    total = faces.votes.sum(1, keepdims=True)
    share = np.where(total > 0, vote_share, 0.0)
    if weigh_votes:
        share = share * (faces.votes.max(1, keepdims=True) / np.maximum(faces.annotators[:, None], 1)) ** 2
    return ((1 - share) * one_hot + share * faces.votes / np.maximum(total, 1)).astype(np.float32)


def _load_folder(folder):
    """What the folder's load.py returns, with the keys of `_load_csv`."""
    spec = importlib.util.spec_from_file_location("fer2013_load", folder / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.load()


def _load_csv(path, ferplus):
    """The rows of fer2013.csv (emotion, pixels, Usage) and, where given, of FER+'s fer2013new.csv, which has the same order."""
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
