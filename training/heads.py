"""What a teacher answers of a face: three distributions from one network, so that what a student is to be judged by can be
calculated from them.

Columns of a teacher's output and of the truth (N, 22): 0-6 FER-2013's label; 7-13 the votes of FER+'s annotators; 14-20 the
emotion on which more than half of all annotators agree, and 21 that they agree on none.
"""

import numpy as np
import torch
import torch.nn.functional as F

import data

LABEL, VOTES, MAJORITY = slice(0, 7), slice(7, 14), slice(14, 22)
COLUMNS = 22

# A face that annotators agree on counts by 1 / 2,854 in the agreement and by 1 / 3,589 in the accuracy on PublicTest.
MAJORITY_WEIGHT = 3589 / 2854


def truth(faces):
    """What labels and annotators say, f32 (N, 22). The votes of a face that has none are zero, and so is its majority."""
    known = faces.annotators > 0
    agreed, majority = data.majority(faces)
    target = np.zeros((len(faces), COLUMNS), np.float32)
    target[:, LABEL] = np.eye(7)[faces.label]
    target[:, VOTES] = faces.votes / np.maximum(faces.votes.sum(1, keepdims=True), 1)
    target[:, MAJORITY] = np.eye(8)[np.where(agreed, majority, 7)] * known[:, None]
    return target


def loss(logits, target):
    """Sum of the three mean cross-entropies."""
    return sum(F.cross_entropy(logits[:, part], target[:, part]) for part in (LABEL, VOTES, MAJORITY))


def probabilities(logits):
    """The three distributions of a teacher's logits, (N, 22)."""
    return torch.cat([logits[:, part].softmax(1) for part in (LABEL, VOTES, MAJORITY)], 1)


def merit(said):
    """The distribution over the seven emotions (N, 7) whose largest entry is right most often, by label and by majority together:
    each emotion's share of what can be expected of both."""
    worth = said[:, LABEL] + MAJORITY_WEIGHT * said[:, MAJORITY][:, :7]
    return worth / worth.sum(1, keepdim=True).clamp_min(1e-6)
