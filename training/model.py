"""Mini-Xception (Arriaga, Valdenegro-Toro, Plöger 2017, arXiv:1710.07557).

A plain stem, four residual blocks of depthwise-separable convolutions, a convolution to seven maps and global average
pooling: no dense layer. Input f32 (N, 1, 48, 48), grey, (value - 127.5) / 127.5; output: logits f32 (N, 7).
"""

import torch
from torch import nn


class SeparableConv(nn.Module):
    """Depthwise 3x3, then pointwise."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class Block(nn.Module):
    """Two separable convolutions and a pooling, beside a strided 1x1 shortcut: halves height and width."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.body = nn.Sequential(
            SeparableConv(inputs, outputs),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            SeparableConv(outputs, outputs),
            nn.BatchNorm2d(outputs),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs)
        )

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class MiniXception(nn.Module):
    """`stem`: channels of the two plain convolutions; `blocks`: channels of the four residual blocks."""

    def __init__(self, stem=(8, 8), blocks=(16, 32, 64, 128), classes=7, dropout=0.0):
        super().__init__()
        layers, inputs = [], 1
        for outputs in stem:
            layers += [
                nn.Conv2d(inputs, outputs, 3, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
            inputs = outputs
        for outputs in blocks:
            layers.append(Block(inputs, outputs))
            inputs = outputs
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(inputs, classes, 3, padding=1)

    def forward(self, x):
        return self.head(self.dropout(self.features(x))).mean((2, 3))


def parameters(model):
    """Trainable parameters and batch-norm statistics: what the published count of the network counts."""
    statistics = (b for b in model.buffers() if b.dtype == torch.float32)
    return sum(p.numel() for p in model.parameters()) + sum(b.numel() for b in statistics)
