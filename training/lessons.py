"""Computes the teachers' predictions for knowledge distillation (Hinton et al. 2015, arXiv:1503.02531): `python lessons.py
--teacher runs/teacher-1/model.pt --data fer2013.csv --out lessons`. With several --teacher, their probabilities are averaged.

Writes VIEWS files, view-000.pt and so on, for `train.py --lessons`. Each has every training face once, with a different
augmentation: `pixels` u8 (N, 48, 48), `lesson` f16 (N, 22), the mean of the teachers' distributions (heads.py), and `truth` f16
(N, 22), which is a mixture where faces were mixed. So the teachers run once per view, however many epochs and students use it. Existing views are kept: an interrupted run can be continued, and several
processes can compute different views at the same time (--first).
"""

import argparse
import time
from pathlib import Path

import torch

import data
import heads
import networks
from augment import augment, mix

# Faces per batch.
CHUNK = 512


@torch.no_grad()
def compute_view(pixels, truth, teachers, args, generator, device):
    """(pixels u8 (N, 48, 48), what the teachers say of them and what is true, f16 (N, 22)) of all faces, augmented and mixed."""
    views, lessons, truths = [], [], []
    order = torch.randperm(len(pixels), generator=generator, device=device)
    place = order.argsort()
    for rows in order.split(CHUNK):
        x = augment(pixels[rows].float().unsqueeze(1), args.geometry, args.light, generator)
        x, target = mix(x, truth[rows], args.mixup, args.cutmix, generator)
        x = x.round()
        views.append(x.squeeze(1).to(torch.uint8))
        truths.append(target.half())
        x = networks.normalise(x).contiguous(memory_format=networks.FORMAT)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            predictions = [heads.probabilities(teacher(x).float()) for teacher in teachers]
        lessons.append((sum(predictions) / len(predictions)).half())
    return [torch.cat(parts)[place].cpu() for parts in (views, lessons, truths)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--teacher", type=Path, action="append", required=True, help="a model.pt; may be repeated")
    arguments.add_argument("--data", type=Path, required=True, help="fer2013.csv, or a folder with load.py")
    arguments.add_argument("--ferplus", type=Path, help="fer2013new.csv, when --data is a csv")
    arguments.add_argument("--holdout", type=float, default=0.1, help="as it will be for the students")
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--first", type=int, default=0, help="number of the first view")
    arguments.add_argument("--views", type=int, default=24)
    arguments.add_argument("--geometry", type=float, default=0.8, help="as in augment.py")
    arguments.add_argument("--light", type=float, default=0.4, help="as in augment.py")
    arguments.add_argument("--mixup", type=float, default=0.0, help="share of the faces, as in augment.py")
    arguments.add_argument("--cutmix", type=float, default=0.0, help="share of the faces, as in augment.py")
    arguments.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = arguments.parse_args()
    device = torch.device(args.device)
    args.out.mkdir(parents=True, exist_ok=True)
    train, _, _ = data.load(args.data, args.ferplus, args.holdout)
    pixels = torch.from_numpy(train.pixels).to(device)
    truth = torch.from_numpy(heads.truth(train)).to(device)
    teachers = [networks.load(path, device)[0] for path in args.teacher]
    for number in range(args.first, args.first + args.views):
        path = args.out / f"view-{number:03}.pt"
        if path.exists():
            continue
        start = time.time()
        generator = torch.Generator(device).manual_seed(number)
        augmented, lesson, target = compute_view(pixels, truth, teachers, args, generator, device)
        torch.save({"pixels": augmented, "lesson": lesson, "truth": target}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
        print(f"{path}: {time.time() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
