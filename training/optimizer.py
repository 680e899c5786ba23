"""What moves the weights: AdamW, and where the configuration has a `muon_lr`, Muon for the matrices among them.

Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) moves a matrix in all its directions by the same
amount. The matrices here are the convolutions that mix channels; depthwise ones, the stem's first, the last layer and
batch normalisation stay with AdamW.
"""

import torch
from torch import nn


class Optimizer:
    """`lr` and `weight_decay` are AdamW's, `muon_lr` and `muon_decay` Muon's."""

    def __init__(self, model, config):
        matrices = list(_matrices(model)) if "muon_lr" in config else []
        # torch's Muon takes matrices only. Each of these has to share its memory with the kernel it is made of, so `view`,
        # which fails where it cannot.
        self.matrices = [(kernel, _rows(kernel.detach()).view(len(kernel), -1)) for kernel in matrices]
        rest = [p for p in model.parameters() if all(p is not kernel for kernel in matrices)]
        self.parts = {"adamw": torch.optim.AdamW(rest, lr=config["lr"], weight_decay=config["weight_decay"])}
        self.peaks = {"adamw": config["lr"]}
        if matrices:
            self.parts["muon"] = torch.optim.Muon(
                [matrix for _, matrix in self.matrices], lr=config["muon_lr"], weight_decay=config["muon_decay"]
            )
            self.peaks["muon"] = config["muon_lr"]

    def step(self, share):
        """One step with `share`, 0 to 1, of the learning rates; forgets the gradients."""
        for kernel, matrix in self.matrices:
            matrix.grad = _rows(kernel.grad).flatten(1)
        for name, part in self.parts.items():
            for group in part.param_groups:
                group["lr"] = self.peaks[name] * share
            part.step()
            part.zero_grad(set_to_none=True)
        for kernel, _ in self.matrices:
            kernel.grad = None

    def state_dict(self):
        return {name: part.state_dict() for name, part in self.parts.items()}

    def load_state_dict(self, state):
        for name, part in self.parts.items():
            part.load_state_dict(state[name])


def _matrices(model):
    """Kernels (outputs, inputs, height, width) of the convolutions inside that mix channels."""
    inside = [m for m in model.modules() if isinstance(m, nn.Conv2d) and m.groups == 1 and m.in_channels > 1]
    return (m.weight for m in inside if m is not getattr(model, "head", None))


def _rows(kernel):
    """The kernel as (outputs, height, width, inputs), which is how channels_last lies in memory."""
    return kernel.permute(0, 2, 3, 1)
