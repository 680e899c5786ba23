"""The optimiser: AdamW and, where the configuration has a `muon_lr`, Muon for matrices.

AdamW: Loshchilov and Hutter 2019, arXiv:1711.05101. Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/)
orthogonalises the update of a matrix. It is used for the convolutions that mix channels; depthwise convolutions, the first
convolution of the stem, the last layer and batch normalisation use AdamW.
"""

import torch
from torch import nn


class Optimizer:
    """Reads `lr` and `weight_decay` (for AdamW), `muon_lr` and `muon_decay` (for Muon) from the configuration."""

    def __init__(self, model, config):
        matrices = list(_mixing_kernels(model)) if "muon_lr" in config else []
        # torch's Muon accepts only matrices. Each must share its memory with its kernel: `view` fails rather than copy it.
        self.matrices = [(kernel, _in_order(kernel, kernel.detach()).view(len(kernel), -1)) for kernel in matrices]
        rest = [p for p in model.parameters() if all(p is not kernel for kernel in matrices)]
        self.optimizers = {"adamw": torch.optim.AdamW(rest, lr=config["lr"], weight_decay=config["weight_decay"])}
        self.peak_rates = {"adamw": config["lr"]}
        if matrices:
            self.optimizers["muon"] = torch.optim.Muon(
                [matrix for _, matrix in self.matrices], lr=config["muon_lr"], weight_decay=config["muon_decay"]
            )
            self.peak_rates["muon"] = config["muon_lr"]

    def step(self, share):
        """Takes a step with `share` (0-1) of the peak learning rates and clears the gradients."""
        for kernel, matrix in self.matrices:
            matrix.grad = _in_order(kernel, kernel.grad).flatten(1)
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self.peak_rates[name] * share
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        for kernel, _ in self.matrices:
            kernel.grad = None

    def state_dict(self):
        return {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()}

    def load_state_dict(self, state):
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state[name])


def _mixing_kernels(model):
    """Kernels (outputs, inputs, height, width) of the convolutions that mix channels, without the first and the last
    layer."""
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d) and m.groups == 1 and m.in_channels > 1]
    return (m.weight for m in convolutions if m is not getattr(model, "head", None))


def _in_order(kernel, tensor):
    """A tensor of the kernel's shape, its dimensions in the order that the kernel has in memory."""
    return tensor if kernel.is_contiguous() else tensor.permute(0, 2, 3, 1)
