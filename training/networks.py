"""Builds networks from their configuration and loads trained ones."""

import os

import torch

import heads
from model import MiniXception
from teacher import VGG, ResNet

# Order of dimensions in memory. Some devices run depthwise convolutions faster in the other one.
FORMAT = torch.contiguous_format if os.environ.get("MEMORY_FORMAT") == "contiguous" else torch.channels_last


def build(config):
    """The network of a configuration, whose table `network` has its kind and the parameters of its constructor."""
    kind = {"mini_xception": MiniXception, "resnet": ResNet, "vgg": VGG}[config["network"]["kind"]]
    options = {key: value for key, value in config["network"].items() if key != "kind"}
    return kind(**options).to(memory_format=FORMAT)


def load(path, device="cpu"):
    """(network in evaluation mode, content of the file) of a model.pt of train.py."""
    trained = torch.load(path, weights_only=True, map_location=device)
    model = build(trained["config"]).to(device)
    model.load_state_dict({name: value.float() if value.is_floating_point() else value
                           for name, value in trained["weights"].items()})
    return model.eval(), trained


def parameter_count(model):
    """Number of trainable parameters and batch-norm statistics, as in the published count of the network."""
    statistics = (b for b in model.buffers() if b.dtype == torch.float32)
    return sum(p.numel() for p in model.parameters()) + sum(b.numel() for b in statistics)


def normalise(x):
    """Scales grey values of 0-255 to -1 to 1, the input range of all networks here."""
    return (x - 127.5) / 127.5


@torch.no_grad()
def logits(model, pixels, device="cpu"):
    """The model's logits f32 (N, 7) for u8 faces (N, 48, 48), without augmentation; of a teacher with three distributions, the
    logarithm of their merit."""
    model.eval()
    parts = []
    for chunk in torch.from_numpy(pixels).to(device).split(512):
        x = normalise(chunk.float().unsqueeze(1)).contiguous(memory_format=FORMAT)
        parts.append(model(x).float())
    said = torch.cat(parts).cpu()
    return heads.merit(heads.probabilities(said)).clamp_min(1e-6).log() if said.shape[1] == heads.COLUMNS else said
