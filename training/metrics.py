"""What a model's probabilities are worth: accuracy, recall, F1, calibration error, coverage at a wanted accuracy; and
what calibrates them."""

import numpy as np
import torch
import torch.nn.functional as F

import data


def percent(share, places=1):
    """A share as the models' cards write it: 66.2 %."""
    return f"{100 * share:.{places}f} %"


def report(probabilities, faces, wanted_accuracy=0.92):
    """Figures of probabilities (N, 7) for labelled faces.

    ece: expected calibration error over 15 equal bins (Guo et al. 2017, arXiv:1706.04599).
    coverage_at_92: the largest share of faces, surest first, on which `wanted_accuracy` still holds; surest_at_92: the
    lowest probability among them, which is the min-confidence that leaves just those.
    ferplus_majority_accuracy: where more than half of FER+'s annotators agree, the share that says what they say.
    """
    label = faces.label
    guess, sure = probabilities.argmax(1), probabilities.max(1)
    right = guess == label
    confusion = np.zeros((7, 7), int)
    np.add.at(confusion, (label, guess), 1)
    recall = confusion.diagonal() / np.maximum(confusion.sum(1), 1)
    precision = confusion.diagonal() / np.maximum(confusion.sum(0), 1)
    f1 = 2 * recall * precision / np.maximum(recall + precision, 1e-12)
    bins = np.minimum((sure * 15).astype(int), 14)
    ece = sum(abs(right[bins == b].mean() - sure[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins))
    order = np.argsort(-sure, kind="stable")
    kept = np.nonzero(np.cumsum(right[order]) / np.arange(1, len(label) + 1) >= wanted_accuracy)[0]
    agreed, majority = data.majority(faces)
    return {
        "samples": len(label),
        "accuracy": float(right.mean()),
        "macro_f1": float(f1.mean()),
        "ece": float(ece),
        "coverage_at_92": float((kept[-1] + 1) / len(label)) if len(kept) else 0.0,
        "surest_at_92": float(sure[order][kept[-1]]) if len(kept) else 1.0,
        "ferplus_majority_samples": int(agreed.sum()),
        "ferplus_majority_accuracy": float((guess == majority)[agreed].mean()) if agreed.any() else None,
        "per_class_recall": [float(r) for r in recall],
        "confusion": confusion.tolist(),
    }


def fit(parameters, scores, label):
    """Moves the parameters to where `scores()` has the least cross-entropy against labels (N,)."""
    optimizer = torch.optim.LBFGS(parameters, max_iter=200, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = F.cross_entropy(scores(), label)
        value.backward()
        return value

    optimizer.step(loss)


def calibration(logits, label, label_prior):
    """(temperature, bias f32 (7,)) with which softmax(logits / temperature + bias) means what it says.

    A network that learnt from votes expects the emotions as often as annotators saw them, which is not how often
    FER-2013's labels name them: these have fewer neutral faces. `label_prior` is the share, 0 to 1, of the bias towards
    the labels; 0 leaves every answer as it is and only fits the temperature (Guo et al. 2017).
    """
    label = torch.as_tensor(label, dtype=torch.long)
    logits = logits.float()
    # The logarithm, since a temperature is above 0.
    coldness, bias = torch.zeros(1, requires_grad=True), torch.zeros(7, requires_grad=True)
    if label_prior > 0:
        fit([coldness, bias], lambda: logits * coldness.exp() + bias, label)
    bias = bias.detach() * label_prior
    bias -= bias.mean()
    fit([coldness], lambda: logits * coldness.exp() + bias, label)
    return float(torch.exp(-coldness.detach())), bias
