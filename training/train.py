"""Trains a network: `python train.py --config configs/mini_xception.toml --data fer2013.csv --out runs/first`.

Writes OUT/last.pt (the state to resume from, by running the same command again), OUT/log.jsonl (a line per epoch, every fifth
with metrics on the held-out faces) and, at the end, OUT/model.pt with the averaged weights of the last epoch, the calibration
fitted on the held-out faces, and the metrics on PublicTest, which no choice depends on.

A configuration with `vote_share` learns from a mixture of label and votes (data.py). One without learns what heads.py defines: a
network with 22 outputs all three distributions, one with seven their merit.
"""

import argparse
import copy
import itertools
import json
import math
import time
import tomllib
from pathlib import Path

import torch
import torch.nn.functional as F

import data
import heads
import metrics
import networks
from augment import augment, mix
from optimizer import Optimizer

# Weights of networks with more parameters are saved as float16: they are used as teachers only, and their files are transferred
# between machines.
FLOAT16_ABOVE = 3_000_000


def update_average(averaged, model, decay):
    """Updates the exponential moving average of the weights and batch-norm statistics."""
    with torch.no_grad():
        means, values = averaged.state_dict().values(), model.state_dict().values()
        pairs = [(mean, value) for mean, value in zip(means, values) if mean.dtype.is_floating_point]
        torch._foreach_lerp_([mean for mean, _ in pairs], [value for _, value in pairs], 1 - decay)


class Lessons:
    """The views of lessons.py, one per epoch in rotation: augmented faces with the teachers' probabilities (knowledge
    distillation, Hinton et al. 2015, arXiv:1503.02531) and the truth, which is a mixture where faces were mixed."""

    def __init__(self, folder, faces, device):
        self.folder, self.device = folder, device
        self.load_view(0)
        if len(self.pixels) != faces:
            raise SystemExit(f"{folder} has {len(self.pixels)} faces and the data {faces}: the same --data and --holdout?")

    def load_view(self, epoch):
        """Loads the pixels and teachers' probabilities of the epoch's view; views that are made meanwhile count too."""
        self.files = sorted(self.folder.glob("view-*.pt"))
        if not self.files:
            raise SystemExit(f"no view-*.pt in {self.folder}: make them with lessons.py")
        view = torch.load(self.files[epoch % len(self.files)], weights_only=True, mmap=True)
        self.pixels, self.probabilities = view["pixels"].to(self.device), view["lesson"].to(self.device)
        self.truth = view["truth"].to(self.device)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--config", type=Path, required=True)
    arguments.add_argument("--data", type=Path, required=True, help="fer2013.csv, or a folder with load.py")
    arguments.add_argument("--ferplus", type=Path, help="fer2013new.csv, when --data is a csv")
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments.add_argument("--holdout", type=float, default=0.1, help="share of Training kept for calibration")
    arguments.add_argument("--lessons", type=Path, help="a folder made by lessons.py, whose views to take")
    arguments.add_argument("--start", type=Path, help="a model.pt whose weights to begin with")
    arguments.add_argument("--seed", type=int, help="instead of the config's")
    arguments.add_argument("--epochs", type=int, help="instead of the config's")
    arguments.add_argument("--seconds", type=float, help="train for this time instead of a number of epochs; not resumable")
    args = arguments.parse_args()
    begin = time.time()
    config = tomllib.loads(args.config.read_text())
    config |= {key: value for key in ("seed", "epochs") if (value := getattr(args, key)) is not None}
    lesson_share = config.get("lesson_share", 0.0)
    if (lesson_share > 0) != bool(args.lessons):
        arguments.error("a config with lesson_share needs --lessons, and one without takes none")
    args.out.mkdir(parents=True, exist_ok=True)
    device = torch.device(args.device)
    torch.backends.cudnn.benchmark = True

    train, held_out, test = data.load(args.data, args.ferplus, args.holdout)
    pixels = torch.from_numpy(train.pixels).to(device)
    judged_by_merit = "vote_share" not in config
    if judged_by_merit:
        targets = heads.truth(train)
    else:
        targets = data.targets(train, config["vote_share"], config["label_smoothing"], config.get("weigh_votes", False))
    targets = torch.from_numpy(targets).to(device)
    torch.manual_seed(config["seed"])
    model = networks.build(config).to(device)
    if args.start:
        model.load_state_dict(networks.load(args.start, device)[0].state_dict())
    averaged = copy.deepcopy(model)
    lessons = Lessons(args.lessons, len(train), device) if args.lessons else None
    optimizer = Optimizer(model, config)
    batch, epochs = config["batch"], config["epochs"]
    steps = len(pixels) // batch
    total, warmup = steps * epochs, steps * config["warmup_epochs"]
    print(f"{networks.parameter_count(model)} parameters, {len(train)} training faces, {len(held_out)} held out", flush=True)

    def progress(step):
        """Share of the training that is done, 0 to 1."""
        return (time.time() - begin) / args.seconds if args.seconds else step / total

    first, saved = 0, args.out / "last.pt"
    if saved.exists() and not args.seconds:
        state = torch.load(saved, weights_only=True, map_location=device)
        model.load_state_dict(state["model"])
        averaged.load_state_dict(state["averaged"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"]
        print(f"resumed after epoch {first}", flush=True)

    for epoch in itertools.count(first):
        if progress(epoch * steps) >= 1:
            break
        model.train()
        start, loss_sum = time.time(), torch.zeros((), device=device)
        # Seeded in every epoch, so that a resumed run continues like an uninterrupted one.
        torch.manual_seed(config["seed"] * 10_000 + epoch)
        generator = torch.Generator(device)
        order = torch.randperm(len(pixels), generator=generator.manual_seed(torch.initial_seed()), device=device)
        if lessons:
            lessons.load_view(epoch)
            pixels = lessons.pixels
        for index in range(steps):
            if progress(epoch * steps + index) >= 1:
                break
            step = epoch * steps + index
            generator.manual_seed(config["seed"] * 10_000_000 + step)
            rows = order[index * batch : (index + 1) * batch]
            target = targets[rows]
            if lessons:
                target = lessons.truth[rows].float() if judged_by_merit else target
                target = target + lesson_share * (lessons.probabilities[rows].float() - target)
            x = augment(pixels[rows].float().unsqueeze(1), config["geometry"], config["light"], generator)
            x = networks.normalise(x).contiguous(memory_format=networks.FORMAT)
            x, target = mix(x, target, config["mixup"], config["cutmix"], generator)
            rate = min(1.0, (step + 1) / max(warmup, 1)) * 0.5 * (1 + math.cos(math.pi * min(progress(step), 1.0)))
            with torch.autocast(device.type, dtype=torch.bfloat16):
                logits = model(x)
            if logits.shape[1] == heads.COLUMNS:
                loss = heads.loss(logits.float(), target)
            else:
                loss = F.cross_entropy(logits.float(), heads.merit(target) if judged_by_merit else target)
            loss.backward()
            optimizer.step(max(rate, 1e-3))
            update_average(averaged, model, min(config["ema"], (step + 1) / (step + 11)))
            loss_sum += loss.detach()
        line = {"epoch": epoch + 1, "loss": loss_sum.item() / steps}
        if len(held_out) and (epoch + 1) % 5 == 0:
            probabilities = networks.logits(averaged, held_out.pixels, device).softmax(1).numpy()
            figures = metrics.report(probabilities, held_out)
            kept = ("accuracy", "ece", "coverage_at_92", "ferplus_majority_accuracy")
            line |= {f"held_out_{key}": figures[key] for key in kept}
        line["seconds"] = round(time.time() - start, 1)
        print(json.dumps(line), flush=True)
        with open(args.out / "log.jsonl", "a") as log:
            log.write(json.dumps(line) + "\n")
        if args.seconds:
            continue
        state = {"model": model.state_dict(), "averaged": averaged.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state | {"epoch": epoch + 1}, saved.with_suffix(".part"))
        saved.with_suffix(".part").replace(saved)

    temperature, bias = 1.0, torch.zeros(7)
    if len(held_out):
        logits = networks.logits(averaged, held_out.pixels, device)
        temperature, bias = metrics.fit_calibration(logits, held_out.label, config["label_prior"])
    logits = networks.logits(averaged, test.pixels, device)
    figures = metrics.report((logits / temperature + bias).softmax(1).numpy(), test)
    weights = averaged.state_dict()
    if networks.parameter_count(model) > FLOAT16_ABOVE:
        weights = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
    calibration = {"temperature": temperature, "bias": bias}
    torch.save({"weights": weights, "config": config, "figures": figures} | calibration, args.out / "model.pt")
    print(json.dumps({"temperature": temperature, "bias": bias.tolist()} | figures))


if __name__ == "__main__":
    main()
