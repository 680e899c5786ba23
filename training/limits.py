"""How far FER-2013's labels and FER+'s annotators can be pleased at once: `python limits.py --data fer2013.csv --model
runs/small/model.pt`.

Three readers of PublicTest say how likely each label is: one sees what the network says of a face (or several together,
of it and its mirror image: --model may be repeated), one is told how the annotators voted on that very face, one both.
Each is a logistic regression, fitted on nine tenths of PublicTest for the last tenth, ten times. Prints what they answer
when they go by the labels (1.0), by the annotators, or by something in between: accuracy by the labels / on the agreed
faces. The last reader is no strict limit, since a better network would know more of the labels; but no network is told
the votes.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import data
import metrics
import networks

SHARES = (1.0, 0.8, 0.6, 0.4, 0.2)
FOLDS = 10


def expected(features, label):
    """Probabilities f32 (N, 7) of the labels by features (N, F), of each tenth by what the others teach."""
    features = (features - features.mean(0)) / features.std(0).clamp_min(1e-6)
    features = torch.cat([features, torch.ones(len(features), 1)], 1)
    fold = torch.randperm(len(label), generator=torch.Generator().manual_seed(0)) % FOLDS
    probabilities = torch.zeros(len(label), 7)
    for number in range(FOLDS):
        others, own = fold != number, fold == number
        weights = torch.zeros(features.shape[1], 7, requires_grad=True)
        metrics.fit([weights], lambda: features[others] @ weights, label[others])
        probabilities[own] = (features[own] @ weights).softmax(1).detach()
    return probabilities


def answers(models, pixels):
    """Probabilities f32 (N, 7) of one network, or the mean of several and of what they say of the mirrored faces."""
    views = [pixels] if len(models) == 1 else [pixels, pixels[:, :, ::-1].copy()]
    said = [networks.logits(model, view).softmax(1) for model in models for view in views]
    return sum(said) / len(said)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, required=True, help="fer2013.csv, or a folder with load.py")
    arguments.add_argument("--ferplus", type=Path, help="fer2013new.csv, when --data is a csv")
    arguments.add_argument("--model", type=Path, action="append", required=True, help="a model.pt; may be repeated")
    args = arguments.parse_args()
    _, _, test = data.load(args.data, args.ferplus)
    label = torch.as_tensor(test.label).long()
    agreed, majority = data.majority(test)
    seen = answers([networks.load(path)[0] for path in args.model], test.pixels).clamp_min(1e-30).log()
    votes = torch.from_numpy(test.votes / np.maximum(test.annotators, 1)[:, None])
    told = torch.cat([votes, torch.eye(7)[majority]], 1)
    readers = {
        "the networks' answers": (seen, seen.exp()),
        "the votes": (told, votes),
        "both": (torch.cat([seen, told], 1), votes),
    }
    same = (test.label == majority)[agreed].mean()
    print(f"The label is the majority's on {metrics.percent(same)} of the agreed faces.\n")
    print("| goes by the labels | " + " | ".join(f"{share:.1f}" for share in SHARES) + " |")
    print("|---" * (1 + len(SHARES)) + "|")
    for name, (features, people) in readers.items():
        labels, cells = expected(features, label), []
        for share in SHARES:
            guess = (share * labels + (1 - share) * people).argmax(1).numpy()
            right = (guess == test.label).mean(), (guess == majority)[agreed].mean()
            cells.append(" / ".join(f"{100 * part:.1f}" for part in right))
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
