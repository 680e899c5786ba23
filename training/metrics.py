"""Metrics of predicted probabilities (accuracy, recall, F1, calibration error, coverage at a wanted accuracy); calibration."""

import numpy as np
import torch
import torch.nn.functional as F

import data


def percent(share, places=1):
    """A share (0-1) in percent as the model cards write it: 66.2 %."""
    return f"{100 * share:.{places}f} %"


def report(probabilities, faces, wanted_accuracy=0.92):
    """Metrics of predicted probabilities (N, 7) for labelled faces.

    ece: expected calibration error over 15 equal bins (Guo et al. 2017, arXiv:1706.04599).
    coverage_at_92: the largest share of faces, taken by descending confidence, with at least `wanted_accuracy`; surest_at_92: the
    lowest confidence among them, i.e. the min-confidence with that coverage.
    ferplus_majority_accuracy: accuracy against the majority of FER+'s annotators, where more than half of them agree.
    """
    label = faces.label
    prediction, confidence = probabilities.argmax(1), probabilities.max(1)
    correct = prediction == label
    confusion = np.zeros((7, 7), int)
    np.add.at(confusion, (label, prediction), 1)
    recall = confusion.diagonal() / np.maximum(confusion.sum(1), 1)
    precision = confusion.diagonal() / np.maximum(confusion.sum(0), 1)
    f1 = 2 * recall * precision / np.maximum(recall + precision, 1e-12)
    bins = np.minimum((confidence * 15).astype(int), 14)
    ece = sum(abs(correct[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins))
    order = np.argsort(-confidence, kind="stable")
    kept = np.nonzero(np.cumsum(correct[order]) / np.arange(1, len(label) + 1) >= wanted_accuracy)[0]
    agreed, majority = data.majority(faces)
    return {
        "samples": len(label),
        "accuracy": float(correct.mean()),
        "macro_f1": float(f1.mean()),
        "ece": float(ece),
        "coverage_at_92": float((kept[-1] + 1) / len(label)) if len(kept) else 0.0,
        "surest_at_92": float(confidence[order][kept[-1]]) if len(kept) else 1.0,
        "ferplus_majority_samples": int(agreed.sum()),
        "ferplus_majority_accuracy": float((prediction == majority)[agreed].mean()) if agreed.any() else None,
        "per_class_recall": [float(r) for r in recall],
        "confusion": confusion.tolist(),
    }


def fit(parameters, scores, label):
    """Minimises the cross-entropy of the logits `scores()` against labels (N,) over the parameters, with L-BFGS."""
    optimizer = torch.optim.LBFGS(parameters, max_iter=200, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        value = F.cross_entropy(scores(), label)
        value.backward()
        return value

    optimizer.step(loss)


def fit_calibration(logits, label, label_prior):
    """(temperature, bias f32 (7,)) with which softmax(logits / temperature + bias) is calibrated.

    A network trained on votes predicts the emotions with the frequencies of the votes, which differ from those of FER-2013's
    labels: these have fewer neutral faces. `label_prior` is the share, 0 to 1, of the bias that corrects the frequencies; 0
    changes no prediction and fits only the temperature (temperature scaling, Guo et al. 2017, arXiv:1706.04599).
    """
    label = torch.as_tensor(label, dtype=torch.long)
    logits = logits.float()
    # The logarithm of the inverse temperature, which keeps the temperature above 0.
    log_inverse, bias = torch.zeros(1, requires_grad=True), torch.zeros(7, requires_grad=True)
    if label_prior > 0:
        fit([log_inverse, bias], lambda: logits * log_inverse.exp() + bias, label)
    bias = bias.detach() * label_prior
    bias -= bias.mean()
    fit([log_inverse], lambda: logits * log_inverse.exp() + bias, label)
    return float(torch.exp(-log_inverse.detach())), bias
