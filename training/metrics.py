"""What a model's probabilities are worth: accuracy, recall, F1, calibration error, coverage at a wanted accuracy."""

import numpy as np


def report(probabilities, label, wanted_accuracy=0.92):
    """Figures of probabilities (N, 7) against labels (N,).

    ece: expected calibration error over 15 equal bins (Guo et al. 2017, arXiv:1706.04599).
    coverage: the largest share of faces, surest first, on which `wanted_accuracy` still holds.
    """
    label = np.asarray(label)
    guess, sure = probabilities.argmax(1), probabilities.max(1)
    right = guess == label
    confusion = np.zeros((7, 7), int)
    np.add.at(confusion, (label, guess), 1)
    recall = confusion.diagonal() / np.maximum(confusion.sum(1), 1)
    precision = confusion.diagonal() / np.maximum(confusion.sum(0), 1)
    f1 = 2 * recall * precision / np.maximum(recall + precision, 1e-12)
    bins = np.minimum((sure * 15).astype(int), 14)
    ece = sum(abs(right[bins == b].mean() - sure[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins))
    running = np.cumsum(right[np.argsort(-sure, kind="stable")]) / np.arange(1, len(label) + 1)
    kept = np.nonzero(running >= wanted_accuracy)[0]
    return {
        "accuracy": float(right.mean()),
        "macro_f1": float(f1.mean()),
        "ece": float(ece),
        f"coverage_at_{round(wanted_accuracy * 100)}": float((kept[-1] + 1) / len(label)) if len(kept) else 0.0,
        "per_class_recall": [float(r) for r in recall],
        "confusion": confusion.tolist(),
        "samples": len(label),
    }
