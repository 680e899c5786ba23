"""Measures accuracy and time of float16 and 8-bit variants of a model: `python precision.py --data fer2013.csv`.

Converts the model to float16 and to 8 bits (QDQ, per channel, calibrated on held-out faces), and prints accuracy, calibration
error and the median time of one face on one thread, measured in alternation.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quant_pre_process, quantize_static
from onnxruntime.transformers.float16 import convert_float_to_float16

import data
import metrics
import networks
from metrics import percent

ROUNDS, REPEATS = 15, 200


class CalibrationFaces(CalibrationDataReader):
    """Feeds faces to the quantiser in batches of 32."""

    def __init__(self, faces):
        self.batches = iter([{"faces": faces[at : at + 32]} for at in range(0, len(faces), 32)])

    def get_next(self):
        return next(self.batches, None)


def open_session(path):
    """A session on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def milliseconds(session, face):
    """Mean time of a run, ms."""
    start = time.perf_counter()
    for _ in range(REPEATS):
        session.run(None, {"faces": face})
    return (time.perf_counter() - start) / REPEATS * 1000


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--ferplus", type=Path)
    arguments.add_argument("--model", type=Path, default=Path(__file__).parent.parent / "models/mini_xception.onnx")
    args = arguments.parse_args()
    _, held_out, test = data.load(args.data, args.ferplus, 0.1)
    calibration, inputs = (networks.normalise(faces.pixels.astype(np.float32))[:, None] for faces in (held_out, test))
    with tempfile.TemporaryDirectory() as folder:
        names = ("half", "preprocessed", "eight_bits")
        half, preprocessed, eight_bits = (Path(folder) / f"{name}.onnx" for name in names)
        onnx.save(convert_float_to_float16(onnx.load(args.model), keep_io_types=True), half)
        quant_pre_process(args.model, preprocessed)
        reader = CalibrationFaces(calibration[:1024])
        quantize_static(preprocessed, eight_bits, reader, quant_format=QuantFormat.QDQ, per_channel=True)
        sessions = {"float32": open_session(args.model), "float16": open_session(half), "8 bits": open_session(eight_bits)}
        times = {name: [] for name in sessions}
        for _ in range(ROUNDS):
            for name, session in sessions.items():
                times[name].append(milliseconds(session, inputs[:1]))
        print("| variant | accuracy | agreed | ECE | ms a face | times float32 |\n|---|---|---|---|---|---|")
        for name, session in sessions.items():
            figures = metrics.report(session.run(None, {"faces": inputs})[0], test)
            median = statistics.median(times[name])
            print(
                f"| {name} | {percent(figures['accuracy'])} | {percent(figures['ferplus_majority_accuracy'])} "
                f"| {figures['ece']:.3f} | {median:.3f} | {median / statistics.median(times['float32']):.2f} |"
            )


if __name__ == "__main__":
    main()
