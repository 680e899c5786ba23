"""Estimates how well FER-2013's labels and FER+'s votes can be predicted at the same time: `python limits.py --data fer2013.csv
--model runs/small/model.pt`.

Three logistic regressions predict the labels of PublicTest by ten-fold cross-validation: from a network's outputs (with several
--model, the mean over them and the mirrored faces), from the annotators' votes on the same face, and from both. The predictions
are then combined with the votes (or the network's outputs) by different weights, 1.0 being the label predictions alone. Prints
the accuracy by the labels / on the faces on which the annotators agree. The last regression is not a strict upper bound, since
a better network would know more about the labels; but no network is given the votes.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import data
import metrics
import networks

# Weights of the label predictions.
SHARES = (1.0, 0.8, 0.6, 0.4, 0.2)
FOLDS = 10


def cross_validate(features, label):
    """Probabilities f32 (N, 7) of the labels by features (N, F); each fold is predicted by a regression fitted on the others."""
    features = (features - features.mean(0)) / features.std(0).clamp_min(1e-6)
    features = torch.cat([features, torch.ones(len(features), 1)], 1)
    fold = torch.randperm(len(label), generator=torch.Generator().manual_seed(0)) % FOLDS
    probabilities = torch.zeros(len(label), 7)
    for number in range(FOLDS):
        train, test = fold != number, fold == number
        weights = torch.zeros(features.shape[1], 7, requires_grad=True)
        metrics.fit([weights], lambda: features[train] @ weights, label[train])
        probabilities[test] = (features[test] @ weights).softmax(1).detach()
    return probabilities


def predict(models, pixels):
    """Probabilities f32 (N, 7) of one network, or the mean of several over the faces and their mirror images."""
    views = [pixels] if len(models) == 1 else [pixels, pixels[:, :, ::-1].copy()]
    predictions = [networks.logits(model, view).softmax(1) for model in models for view in views]
    return sum(predictions) / len(predictions)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True, help="fer2013.csv, or a folder with load.py")
    arguments.add_argument("--ferplus", type=Path, help="fer2013new.csv, when --data is a csv")
    arguments.add_argument("--model", type=Path, action="append", required=True, help="a model.pt; may be repeated")
    args = arguments.parse_args()
    _, _, test = data.load(args.data, args.ferplus)
    label = torch.as_tensor(test.label).long()
    agreed, majority = data.majority(test)
    outputs = predict([networks.load(path)[0] for path in args.model], test.pixels).clamp_min(1e-30).log()
    votes = torch.from_numpy(test.votes / np.maximum(test.annotators, 1)[:, None])
    vote_features = torch.cat([votes, torch.eye(7)[majority]], 1)
    predictors = {
        "the networks' answers": (outputs, outputs.exp()),
        "the votes": (vote_features, votes),
        "both": (torch.cat([outputs, vote_features], 1), votes),
    }
    agreement = (test.label == majority)[agreed].mean()
    print(f"The label is the majority's on {metrics.percent(agreement)} of the agreed faces.\n")
    print("| goes by the labels | " + " | ".join(f"{share:.1f}" for share in SHARES) + " |")
    print("|---" * (1 + len(SHARES)) + "|")
    for name, (features, annotators) in predictors.items():
        labels, cells = cross_validate(features, label), []
        for share in SHARES:
            prediction = (share * labels + (1 - share) * annotators).argmax(1).numpy()
            accuracies = (prediction == test.label).mean(), (prediction == majority)[agreed].mean()
            cells.append(" / ".join(f"{100 * accuracy:.1f}" for accuracy in accuracies))
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
