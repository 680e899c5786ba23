"""Faces that `gst-mood process --overlay --blur-faces` finds and hides, against the boxes of another detector.

    cargo build --release --workspace
    python benches/film.py --data ../shared/data [--people] [CLIP...]

Needs mediapipe 0.10.14 and opencv-python-headless 4 (benches/requirements-tilt.txt). The reference is MediaPipe's full-range face
detector: its faces of 40 pixels and more. One is found where a box of the timeline has an intersection over union of 0.25 with it.
One is sharp in the film where its details are still there: the differences of neighbouring pixels, inside the box, correlate by
0.5 or more with the recording's. `--people` says how many people are in the recording, by the most that MediaPipe sees at once.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import cv2
import mediapipe
import numpy

from tilt import MIN_OVERLAP, MIN_REFERENCE_SIDE, ROOT, overlap, reference_boxes

GST_MOOD = ROOT / "target/release/gst-mood"
CLIPS = ("two_people.mp4", "walk.mkv", "face_noface.mov")
MIN_SIMILARITY = 0.5


def read_frames(path, size=None):
    video = cv2.VideoCapture(str(path))
    while True:
        is_read, frame = video.read()
        if not is_read:
            return
        yield frame if size in (None, frame.shape[1::-1]) else cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def details(frame, box):
    """Differences of neighbouring pixels in a box, across and down."""
    x, y, w, h = box
    height, width = frame.shape[:2]
    columns = slice(max(int(x - w / 2), 0), min(int(x + w / 2), width))
    rows = slice(max(int(y - h / 2), 0), min(int(y + h / 2), height))
    grey = cv2.cvtColor(frame[rows, columns], cv2.COLOR_BGR2GRAY).astype(float)
    return numpy.concatenate([numpy.diff(grey, axis=0).ravel(), numpy.diff(grey, axis=1).ravel()])


def similarity(one, other):
    length = numpy.linalg.norm(one) * numpy.linalg.norm(other)
    return float(one @ other) / length if length > 0 else 0.0


def measure(detector, clip, says_people):
    frames = list(read_frames(clip))
    height, width = frames[0].shape[:2]
    references = [
        [box for box in reference_boxes(detector, frame) if min(box[2:]) >= MIN_REFERENCE_SIDE] for frame in frames
    ]
    with tempfile.TemporaryDirectory() as folder:
        command = [GST_MOOD, "process", clip, "-o", folder, "--overlay", "--blur-faces"]
        if says_people:
            command += ["--people", str(max(map(len, references)))]
        subprocess.run(command, check=True, capture_output=True)
        result = Path(folder) / clip.stem
        lines = [json.loads(line) for line in (result / "timeline.jsonl").read_text().splitlines()]
        film = list(read_frames(result / "annotated.mp4", (width, height)))
        warnings = json.loads((result / "summary.json").read_text())["warnings"]
    records = [line for line in lines if line["type"] == "frame"]
    assert len(records) == len(frames) == len(film), (len(records), len(frames), len(film))
    total = found = sharp = 0
    for frame, drawn, record, faces in zip(frames, film, records, references):
        boxes = [
            ((x + w / 2) * width, (y + h / 2) * height, w * width, h * height)
            for x, y, w, h in (face["box"] for face in record["faces"])
        ]
        total += len(faces)
        found += sum(any(overlap(box, face) >= MIN_OVERLAP for box in boxes) for face in faces)
        sharp += sum(similarity(details(frame, face), details(drawn, face)) >= MIN_SIMILARITY for face in faces)
    share = sum(warning.get("share") or 0 for warning in warnings if warning["kind"] == "unverified-faces")
    ids = {face["id"] for record in records for face in record["faces"]}
    print(
        f"{clip.name:16} {found:3} of {total:3} faces found, {len(ids)} ids, {sharp:3} sharp in the film, "
        f"{share:4.0%} of the frames unverified{', --people' if says_people else ''}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT / "../shared/data")
    parser.add_argument("--people", action="store_true")
    parser.add_argument("clips", nargs="*", default=CLIPS)
    options = parser.parse_args()
    # 1 is the full-range model.
    with mediapipe.solutions.face_detection.FaceDetection(model_selection=1, min_detection_confidence=0.5) as detector:
        for name in options.clips:
            measure(detector, options.data / "video" / name, options.people)


if __name__ == "__main__":
    main()
