"""Exports a trained model to ONNX: `python export.py --model runs/first/model.pt --out ../models/mini_xception.onnx`.

Input f32 (N, 1, 48, 48), (grey - mean) / std; output f32 (N, 7), probabilities; opset 17, which ONNX Runtime 1.21 supports. The
calibration is part of the last layer, so that every program that runs the file gets calibrated probabilities. The metadata has
labels, input size, normalisation and metrics; training/README.md lists the keys. The outputs of ONNX Runtime are compared with
PyTorch's before the file is written.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

import data
import networks


class WithSoftmax(torch.nn.Module):
    """A network that returns probabilities instead of logits."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, faces):
        return self.model(faces).softmax(1)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--model", type=Path, required=True, help="model.pt of train.py")
    arguments.add_argument("--out", type=Path, required=True)
    args = arguments.parse_args()

    model, trained = networks.load(args.model)
    faces = torch.randn(3, 1, data.SIDE, data.SIDE)
    with torch.no_grad():
        expected = (model(faces) / trained["temperature"] + trained["bias"]).softmax(1).numpy()
    model.calibrate(trained["temperature"], trained["bias"])
    network = WithSoftmax(model).eval()

    temporary = args.out.with_suffix(".part.onnx")
    torch.onnx.export(
        network,
        (faces,),
        str(temporary),
        input_names=["faces"],
        output_names=["probabilities"],
        dynamic_axes={"faces": {0: "n"}, "probabilities": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )
    graph = onnx.load(temporary)
    figures = trained["figures"]
    metadata = {
        "labels": json.dumps(data.LABELS),
        "input_side": str(data.SIDE),
        "input_mean": "127.5",
        "input_std": "127.5",
        "output": "probabilities",
        "temperature": f"{trained['temperature']:.4f}",
        "bias": json.dumps([round(value, 4) for value in trained["bias"].tolist()]),
        "parameters": str(networks.parameter_count(model)),
        "trained_on": "FER-2013 Training without copies of test images, FER+ votes",
        "public_test_accuracy": f"{figures['accuracy']:.4f}",
        "public_test_ece": f"{figures['ece']:.4f}",
        "public_test_coverage_at_92": f"{figures['coverage_at_92']:.4f}",
    }
    onnx.helper.set_model_props(graph, metadata)
    graph.graph.name = args.out.stem
    graph.producer_name = "gst-mood training"
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, temporary)

    session = onnxruntime.InferenceSession(str(temporary), providers=["CPUExecutionProvider"])
    actual = session.run(None, {"faces": faces.numpy()})[0]
    np.testing.assert_allclose(expected, actual, atol=1e-5)
    temporary.replace(args.out)
    print(f"{args.out}: {args.out.stat().st_size} bytes, {metadata['parameters']} parameters")


if __name__ == "__main__":
    main()
