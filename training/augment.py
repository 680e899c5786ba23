"""Data augmentation: variations that detector, light and camera cause, for batches of f32 (N, 1, 48, 48) in 0-255, on any device.

The random values of each face come from `generator`, a torch generator on the device of the faces; no step synchronises with the
device.
"""

import math
import random

import torch
import torch.nn.functional as F


def augment(x, geometry, light, generator):
    """Geometric variations of strength `geometry` (0-1) and photometric ones of strength `light` (0-1).

    Geometry at 1: rotation by up to 15 degrees, scaling by up to 17 %, shift by up to 10 % of the side; half of the faces are
    mirrored at any strength. Light at 1: gain, offset and gamma for all; reduced resolution, noise or a hidden patch for some.
    """
    n, side, device = len(x), x.shape[-1], x.device

    def uniform(low, high, *shape):
        return torch.rand(*shape, generator=generator, device=device) * (high - low) + low

    def random_mask(share):
        return torch.rand(n, 1, 1, 1, generator=generator, device=device) < share

    angle = uniform(-1, 1, n) * math.radians(15) * geometry
    scale = torch.exp(uniform(-1, 1, n) * 0.16 * geometry)
    flip = torch.where(random_mask(0.5).flatten(), -1.0, 1.0)
    shift = uniform(-1, 1, n, 2) * 0.20 * geometry  # of half the side
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    theta = torch.stack(
        [torch.stack([cos * flip, -sin, shift[:, 0]], 1), torch.stack([sin * flip, cos, shift[:, 1]], 1)], 1
    )
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)

    # One size per batch, drawn from the generator's seed on the host, since a value from the device would have to be waited for.
    size = random.Random(generator.initial_seed() * 1_000_003 + n).randint(16, 40)
    low_resolution = F.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False)
    low_resolution = F.interpolate(low_resolution, size=side, mode="bilinear", align_corners=False)
    x = torch.where(random_mask(0.15 * light), low_resolution, x)

    gamma = torch.exp(uniform(-1, 1, n, 1, 1, 1) * 0.4 * light)
    gain = torch.exp(uniform(-1, 1, n, 1, 1, 1) * 0.3 * light)
    offset = uniform(-1, 1, n, 1, 1, 1) * 30 * light
    mean = x.mean((2, 3), keepdim=True)
    x = (x - mean) * gain + mean + offset
    x = 255 * (x / 255).clamp(1e-4, 1) ** gamma
    noise = torch.randn(x.shape, generator=generator, device=device)
    x = x + random_mask(0.2 * light) * uniform(0, 12, n, 1, 1, 1) * noise

    pixel = torch.arange(side, device=device)
    height, width = uniform(6, 18, n, 1, 1, 1), uniform(6, 18, n, 1, 1, 1)
    row = pixel.view(1, 1, side, 1) - uniform(0, side - 12, n, 1, 1, 1)
    column = pixel.view(1, 1, 1, side) - uniform(0, side - 12, n, 1, 1, 1)
    patch = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    x = torch.where(patch & random_mask(0.3 * light), uniform(0, 255, n, 1, 1, 1), x)
    return x.clamp(0, 255)


def mix(x, target, mixup, cutmix, generator):
    """Mixes faces and their targets within the batch: a share `mixup` of the faces is blended with another (mixup, Zhang et al.
    2018, arXiv:1710.09412), a share `cutmix` gets a rectangle of another (CutMix, Yun et al. 2019, arXiv:1905.04899)."""
    if mixup + cutmix == 0:
        return x, target
    n, side, device = len(x), x.shape[-1], x.device

    def rand(*shape):
        return torch.rand(*shape, generator=generator, device=device)

    other = torch.randperm(n, generator=generator, device=device)
    kind = rand(n, 1, 1, 1)
    pixel = torch.arange(side, device=device) + 0.5
    half = (1 - rand(n, 1, 1, 1)).sqrt() * side / 2
    rows = (pixel.view(1, 1, side, 1) - rand(n, 1, 1, 1) * side).abs() < half
    columns = (pixel.view(1, 1, 1, side) - rand(n, 1, 1, 1) * side).abs() < half
    rectangle = (rows & columns).to(x.dtype)
    share = torch.where(kind < mixup, rand(n, 1, 1, 1), torch.where(kind < mixup + cutmix, rectangle, 0.0))
    target_share = share.mean((1, 2, 3)).unsqueeze(1)
    return x + share * (x[other] - x), target + target_share * (target[other] - target)
