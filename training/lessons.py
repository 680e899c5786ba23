"""Computes the teachers' predictions for knowledge distillation (Hinton et al. 2015, arXiv:1503.02531): `python lessons.py
--teacher runs/teacher-1/model.pt --data fer2013.csv --out lessons`. With several --teacher, their probabilities are averaged.

Writes VIEWS files, view-000.pt and so on, for `train.py --lessons`. Each has every training face once, with a different
augmentation: `pixels` u8 (N, 48, 48), and `lesson` f16 (N, 7), the mean of the teachers' probabilities. So the teachers run once
per view, however many epochs and students use it. Existing views are kept: an interrupted run can be continued, and several
processes can compute different views at the same time (--first).
"""

import argparse
import time
from pathlib import Path

import torch

import data
import networks
from augment import augment

# Faces per batch.
CHUNK = 512


@torch.no_grad()
def compute_view(pixels, teachers, geometry, light, generator, device):
    """(pixels u8 (N, 48, 48), mean probabilities of the teachers f16 (N, 7)) of all faces, augmented."""
    views, lessons = [], []
    for chunk in pixels.split(CHUNK):
        x = augment(chunk.float().unsqueeze(1), geometry, light, generator).round()
        views.append(x.squeeze(1).to(torch.uint8).cpu())
        x = networks.normalise(x).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            predictions = [teacher(x).float().softmax(1) for teacher in teachers]
        lessons.append((sum(predictions) / len(predictions)).half().cpu())
    return torch.cat(views), torch.cat(lessons)


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
    arguments.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = arguments.parse_args()
    device = torch.device(args.device)
    args.out.mkdir(parents=True, exist_ok=True)
    train, _, _ = data.load(args.data, args.ferplus, args.holdout)
    pixels = torch.from_numpy(train.pixels).to(device)
    teachers = [networks.load(path, device)[0] for path in args.teacher]
    for number in range(args.first, args.first + args.views):
        path = args.out / f"view-{number:03}.pt"
        if path.exists():
            continue
        start = time.time()
        generator = torch.Generator(device).manual_seed(number)
        augmented, lesson = compute_view(pixels, teachers, args.geometry, args.light, generator, device)
        torch.save({"pixels": augmented, "lesson": lesson}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
        print(f"{path}: {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
