"""What a camera, a detector and a room do to a face, on whole batches of f32 (N, 1, 48, 48) in 0-255."""

import math

import torch
import torch.nn.functional as F


def augment(x, strength, generator):
    """Flip, rotate, scale, shift; light (gain, offset, gamma); small or blurred faces; noise; an occluded patch."""

    def uniform(low, high, *shape):
        return torch.rand(*shape, generator=generator) * (high - low) + low

    n = len(x)
    angle = uniform(-1, 1, n) * math.radians(15) * strength
    scale = torch.exp(uniform(-1, 1, n) * 0.16 * strength)
    flip = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
    shift = uniform(-1, 1, n, 2) * 0.20 * strength  # of half the side: up to 10 % of the side
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    theta = torch.stack(
        [torch.stack([cos * flip, -sin, shift[:, 0]], 1), torch.stack([sin * flip, cos, shift[:, 1]], 1)], 1
    )
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)

    small = torch.rand(n, generator=generator) < 0.15 * strength
    if small.any():
        side = int(uniform(20, 40, 1).item())
        less = F.interpolate(x[small], size=side, mode="bilinear", antialias=True, align_corners=False)
        x[small] = F.interpolate(less, size=x.shape[-1], mode="bilinear", align_corners=False)

    gamma = torch.exp(uniform(-1, 1, n, 1, 1, 1) * 0.4 * strength)
    gain = torch.exp(uniform(-1, 1, n, 1, 1, 1) * 0.3 * strength)
    offset = uniform(-1, 1, n, 1, 1, 1) * 30 * strength
    mean = x.mean((2, 3), keepdim=True)
    x = (x - mean) * gain + mean + offset
    x = 255 * (x / 255).clamp(1e-4, 1) ** gamma

    noisy = (torch.rand(n, 1, 1, 1, generator=generator) < 0.2 * strength).float()
    x = x + noisy * uniform(0, 12, n, 1, 1, 1) * torch.randn(x.shape, generator=generator)

    hidden = torch.rand(n, generator=generator) < 0.3 * strength
    side = x.shape[-1]
    for index in hidden.nonzero().flatten().tolist():
        h, w = (int(v) for v in uniform(6, 18, 2))
        top, left = (int(v) for v in uniform(0, side - 18, 2))
        x[index, :, top : top + h, left : left + w] = uniform(0, 255, 1)
    return x.clamp(0, 255)
