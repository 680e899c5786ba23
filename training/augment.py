"""What a camera, a detector and a room do to a face, on whole batches of f32 (N, 1, 48, 48) in 0-255, on any device.

Every face draws its own values from `generator`, a torch generator on the faces' device; nothing waits for the device.
"""

import math
import random

import torch
import torch.nn.functional as F


def augment(x, geometry, light, generator):
    """Faces as a detector might have cut them (`geometry` 0-1) in other light and by other cameras (`light` 0-1).

    Geometry at 1: turned by up to 15 degrees, scaled by up to 17 %, shifted by up to 10 % of the side; half are flipped
    whatever its value. Light at 1: gain, offset, gamma; some small and blurred, some noisy, some with a patch hidden.
    """
    n, side, device = len(x), x.shape[-1], x.device

    def uniform(low, high, *shape):
        return torch.rand(*shape, generator=generator, device=device) * (high - low) + low

    def some(share):
        return torch.rand(n, 1, 1, 1, generator=generator, device=device) < share

    angle = uniform(-1, 1, n) * math.radians(15) * geometry
    scale = torch.exp(uniform(-1, 1, n) * 0.16 * geometry)
    flip = torch.where(some(0.5).flatten(), -1.0, 1.0)
    shift = uniform(-1, 1, n, 2) * 0.20 * geometry  # of half the side
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    theta = torch.stack(
        [torch.stack([cos * flip, -sin, shift[:, 0]], 1), torch.stack([sin * flip, cos, shift[:, 1]], 1)], 1
    )
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)

    # One size a batch: which one comes from the generator's seed and not from the device, which would have to be asked.
    less = random.Random(generator.initial_seed() * 1_000_003 + n).randint(16, 40)
    less = F.interpolate(x, size=less, mode="bilinear", antialias=True, align_corners=False)
    less = F.interpolate(less, size=side, mode="bilinear", align_corners=False)
    x = torch.where(some(0.15 * light), less, x)

    gamma = torch.exp(uniform(-1, 1, n, 1, 1, 1) * 0.4 * light)
    gain = torch.exp(uniform(-1, 1, n, 1, 1, 1) * 0.3 * light)
    offset = uniform(-1, 1, n, 1, 1, 1) * 30 * light
    mean = x.mean((2, 3), keepdim=True)
    x = (x - mean) * gain + mean + offset
    x = 255 * (x / 255).clamp(1e-4, 1) ** gamma
    noise = torch.randn(x.shape, generator=generator, device=device)
    x = x + some(0.2 * light) * uniform(0, 12, n, 1, 1, 1) * noise

    place = torch.arange(side, device=device)
    height, width = uniform(6, 18, n, 1, 1, 1), uniform(6, 18, n, 1, 1, 1)
    down = place.view(1, 1, side, 1) - uniform(0, side - 12, n, 1, 1, 1)
    across = place.view(1, 1, 1, side) - uniform(0, side - 12, n, 1, 1, 1)
    patch = (down >= 0) & (down < height) & (across >= 0) & (across < width)
    x = torch.where(patch & some(0.3 * light), uniform(0, 255, n, 1, 1, 1), x)
    return x.clamp(0, 255)


def mix(x, target, mixup, cutmix, generator):
    """A share `mixup` of the batch is blended with another face of it (Zhang et al. 2018, arXiv:1710.09412), a share
    `cutmix` gets a rectangle of another (Yun et al. 2019, arXiv:1905.04899); targets are mixed by the same share."""
    if mixup + cutmix == 0:
        return x, target
    n, side, device = len(x), x.shape[-1], x.device

    def rand(*shape):
        return torch.rand(*shape, generator=generator, device=device)

    other = torch.randperm(n, generator=generator, device=device)
    kind = rand(n, 1, 1, 1)
    place = torch.arange(side, device=device) + 0.5
    half = (1 - rand(n, 1, 1, 1)).sqrt() * side / 2
    down = (place.view(1, 1, side, 1) - rand(n, 1, 1, 1) * side).abs() < half
    across = (place.view(1, 1, 1, side) - rand(n, 1, 1, 1) * side).abs() < half
    rectangle = (down & across).to(x.dtype)
    share = torch.where(kind < mixup, rand(n, 1, 1, 1), torch.where(kind < mixup + cutmix, rectangle, 0.0))
    of_target = share.mean((1, 2, 3)).unsqueeze(1)
    return x + share * (x[other] - x), target + of_target * (target[other] - target)
