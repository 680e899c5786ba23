"""Recalibrates a trained model: `python calibrate.py --model runs/first/model.pt --data fer2013.csv`.

Prints the metrics on the held-out faces for several shares of the label prior, by two-fold cross-validation. With --label-prior,
writes that calibration, fitted on all held-out faces, and its metrics on PublicTest into the file.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import data
import metrics
import networks
from metrics import percent


def cross_calibrate(logits, faces, share):
    """Probabilities of each half of the faces, calibrated on the other half."""
    probabilities = np.empty(logits.shape, np.float32)
    is_even = np.arange(len(faces)) % 2 == 0
    for rows in (is_even, ~is_even):
        temperature, bias = metrics.fit_calibration(logits[~rows], faces.label[~rows], share)
        probabilities[rows] = (logits[rows] / temperature + bias).softmax(1).numpy()
    return probabilities


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--model", type=Path, required=True)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--ferplus", type=Path, help="fer2013new.csv, when --data is a csv")
    arguments.add_argument("--holdout", type=float, default=0.1, help="as it was for train.py")
    arguments.add_argument("--label-prior", type=float)
    args = arguments.parse_args()
    _, held_out, test = data.load(args.data, args.ferplus, args.holdout)
    model, trained = networks.load(args.model)
    logits = networks.logits(model, held_out.pixels)
    print("| share | accuracy | agreed | ECE | coverage at 92 % |\n|---|---|---|---|---|")
    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        figures = metrics.report(cross_calibrate(logits, held_out, share), held_out)
        print(f"| {share:.1f} | {percent(figures['accuracy'])} | {percent(figures['ferplus_majority_accuracy'])} "
              f"| {figures['ece']:.3f} | {percent(figures['coverage_at_92'])} |")
    if args.label_prior is not None:
        temperature, bias = metrics.fit_calibration(logits, held_out.label, args.label_prior)
        trained |= {"temperature": temperature, "bias": bias}
        probabilities = (networks.logits(model, test.pixels) / temperature + bias).softmax(1).numpy()
        trained["figures"] = metrics.report(probabilities, test)
        trained["config"]["label_prior"] = args.label_prior
        torch.save(trained, args.model)


if __name__ == "__main__":
    main()
