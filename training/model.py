"""Mini-Xception (Arriaga, Valdenegro-Toro, Plöger 2017, arXiv:1710.07557).

A stem of plain convolutions, residual blocks of depthwise-separable convolutions, a convolution to seven maps and global
average pooling, without a dense layer. Input f32 (N, 1, 48, 48), grey, (value - 127.5) / 127.5; output: logits f32 (N, 7).
"""

import torch
from torch import nn


class SeparableConv(nn.Module):
    """Depthwise-separable convolution: a depthwise 3x3 and a pointwise one."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class Block(nn.Module):
    """Residual block: two separable convolutions and max pooling, with a strided 1x1 convolution as shortcut. Halves height and
    width; with a `stride` of 1 it keeps them and does not pool. With `activated`, the input of the first convolution passes a
    ReLU, as in Xception."""

    def __init__(self, inputs, outputs, stride=2, activated=False):
        super().__init__()
        self.activation = nn.ReLU() if activated else nn.Identity()
        self.body = nn.Sequential(
            SeparableConv(inputs, outputs),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            SeparableConv(outputs, outputs),
            nn.BatchNorm2d(outputs),
            nn.MaxPool2d(3, stride, padding=1) if stride > 1 else nn.Identity(),
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
        )

    def forward(self, x):
        return self.body(self.activation(x)) + self.shortcut(x)


class Middle(nn.Module):
    """A block of Xception's middle flow (Chollet 2017, arXiv:1610.02357): two separable convolutions, identity shortcut."""

    def __init__(self, width):
        super().__init__()
        layers = []
        for _ in range(2):
            layers += [nn.ReLU(), SeparableConv(width, width), nn.BatchNorm2d(width)]
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.body(x)


class MiniXception(nn.Module):
    """`stem`: channels of the plain convolutions; `blocks`: channels of the residual blocks; `strides`: their strides, 2 or
    1; `middle`: number of middle-flow blocks after each of them; `activated`: apply a ReLU to the output of each block before
    the next block or the last layer, which the published network does not; `dropout`: probability before the last layer."""

    def __init__(
        self,
        stem=(8, 8),
        blocks=(16, 32, 64, 128),
        strides=(2, 2, 2, 2),
        middle=(0, 0, 0, 0),
        activated=False,
        classes=7,
        dropout=0.0,
    ):
        super().__init__()
        layers, inputs = [], 1
        for outputs in stem:
            layers += [
                nn.Conv2d(inputs, outputs, 3, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
            inputs = outputs
        for index, (outputs, stride, middle_blocks) in enumerate(zip(blocks, strides, middle, strict=True)):
            layers.append(Block(inputs, outputs, stride, activated and index > 0))
            layers += [Middle(outputs) for _ in range(middle_blocks)]
            inputs = outputs
        if activated:
            layers.append(nn.ReLU())
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(inputs, classes, 3, padding=1)

    def forward(self, x):
        return self.head(self.dropout(self.features(x))).mean((2, 3))

    @torch.no_grad()
    def calibrate(self, temperature, bias):
        """Applies a calibration to the last layer, after which only a mean follows, so that the logits become calibrated."""
        self.head.weight /= temperature
        self.head.bias /= temperature
        self.head.bias += bias
