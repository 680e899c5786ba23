"""Large networks, used as teachers and not shipped. Input f32 (N, 1, 48, 48), output logits f32 (N, classes).

- `ResNet`: He et al. 2016, arXiv:1603.05027 (activations before the convolutions), with squeeze and excitation
  (Hu et al. 2018, arXiv:1709.01507).
- `VGG`: Simonyan and Zisserman 2015, arXiv:1409.1556, with batch normalisation; the architecture that Khaireddin and
  Chen 2021, arXiv:2105.03588, report 73.3 % with on FER-2013 after 300 epochs.
"""

from torch import nn


class Excitation(nn.Module):
    """Squeeze and excitation: scales each channel by a gate computed from the means of all channels."""

    def __init__(self, width):
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(width, width // 16, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width // 16, width, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return x * self.gate(x)


class Residual(nn.Module):
    """Pre-activation residual block of two 3x3 convolutions, the first with `stride`."""

    def __init__(self, inputs, outputs, stride, dropout):
        super().__init__()
        self.before = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(inplace=True))
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Dropout2d(dropout),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            Excitation(outputs),
        )
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)

    def forward(self, x):
        activated = self.before(x)
        shortcut = x if isinstance(self.shortcut, nn.Identity) else self.shortcut(activated)
        return self.body(activated) + shortcut


class ResNet(nn.Module):
    """`widths`: channels of each stage, each after the first at half the resolution of the one before; `depth`: blocks per stage;
    `dropout`: probability in the blocks; `head_dropout`: probability before the last layer."""

    def __init__(self, widths=(64, 128, 256, 384), depth=2, classes=7, dropout=0.0, head_dropout=0.0):
        super().__init__()
        layers, inputs = [nn.Conv2d(1, widths[0], 3, padding=1, bias=False)], widths[0]
        for stage, outputs in enumerate(widths):
            for block in range(depth):
                stride = 2 if stage > 0 and block == 0 else 1
                layers.append(Residual(inputs, outputs, stride, dropout))
                inputs = outputs
        layers += [nn.BatchNorm2d(inputs), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.features = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(head_dropout), nn.Linear(inputs, classes))

    def forward(self, x):
        return self.head(self.features(x))


class VGG(nn.Module):
    """Stages of `depth` 3x3 convolutions, each with batch normalisation and ReLU. `widths`: output channels of each stage;
    every stage ends with 2x2 max pooling. `hidden`: units of the two fully connected layers before the last one.
    `dropout`: probability in front of each fully connected layer."""

    def __init__(self, widths=(64, 128, 256, 512), depth=2, hidden=1024, classes=7, dropout=0.5, side=48):
        super().__init__()
        layers, inputs = [], 1
        for outputs in widths:
            for _ in range(depth):
                layers += [
                    nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
                    nn.BatchNorm2d(outputs),
                    nn.ReLU(inplace=True),
                ]
                inputs = outputs
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers, nn.Flatten())
        flat = inputs * (side >> len(widths)) ** 2
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(flat, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
        )
        self.head = nn.Linear(hidden, classes)

    def forward(self, x):
        return self.head(self.classifier(self.features(x)))
