"""What half-precision and 8-bit variants of a model are worth: `python precision.py --data fer2013.csv`.

Converts the model to float16 and, calibrated on held-out faces, to 8 bits (QDQ, per channel), and prints accuracy,
calibration error and the median time of a batch of one on one thread, side by side in alternation.
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


class Faces(CalibrationDataReader):
    def __init__(self, faces):
        self.batches = iter([{"faces": faces[at : at + 32]} for at in range(0, len(faces), 32)])

    def get_next(self):
        return next(self.batches, None)


def open_session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def milliseconds(session, face):
    begun = time.perf_counter()
    for _ in range(REPEATS):
        session.run(None, {"faces": face})
    return (time.perf_counter() - begun) / REPEATS * 1000


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--ferplus", type=Path)
    arguments.add_argument("--model", type=Path, default=Path(__file__).parent.parent / "models/mini_xception.onnx")
    args = arguments.parse_args()
    _, held_out, test = data.load(args.data, args.ferplus, 0.1)
    known, asked = (networks.normalise(faces.pixels.astype(np.float32))[:, None] for faces in (held_out, test))
    with tempfile.TemporaryDirectory() as folder:
        half, plain, eight = (Path(folder) / f"{name}.onnx" for name in ("half", "plain", "eight"))
        onnx.save(convert_float_to_float16(onnx.load(args.model), keep_io_types=True), half)
        quant_pre_process(args.model, plain)
        quantize_static(plain, eight, Faces(known[:1024]), quant_format=QuantFormat.QDQ, per_channel=True)
        sessions = {"float32": open_session(args.model), "float16": open_session(half), "8 bits": open_session(eight)}
        times = {name: [] for name in sessions}
        for _ in range(ROUNDS):
            for name, session in sessions.items():
                times[name].append(milliseconds(session, asked[:1]))
        print("| variant | accuracy | agreed | ECE | ms a face | times float32 |\n|---|---|---|---|---|---|")
        for name, session in sessions.items():
            figures = metrics.report(session.run(None, {"faces": asked})[0], test)
            took = statistics.median(times[name])
            print(
                f"| {name} | {percent(figures['accuracy'])} | {percent(figures['ferplus_majority_accuracy'])} "
                f"| {figures['ece']:.3f} | {took:.3f} | {took / statistics.median(times['float32']):.2f} |"
            )


if __name__ == "__main__":
    main()
