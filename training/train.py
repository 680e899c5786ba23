"""Train Mini-Xception: `python train.py --config configs/mini_xception.toml --data fer2013.csv --out runs/first`.

Leaves OUT/last.pt (everything needed to resume; run the same command again), OUT/log.jsonl (a line an epoch) and, at
the end, OUT/model.pt with the averaged weights of the last epoch. No epoch is picked by its test accuracy.
"""

import argparse
import copy
import json
import math
import time
import tomllib
from pathlib import Path

import torch
import torch.nn.functional as F

import data
import metrics
from augment import augment
from model import MiniXception, parameters


def normalise(x):
    return (x - 127.5) / 127.5


@torch.no_grad()
def probabilities(model, pixels):
    """Softmax of the model over u8 faces (N, 48, 48), f32."""
    model.eval()
    parts = []
    for chunk in torch.from_numpy(pixels).split(512):
        x = normalise(chunk.float().unsqueeze(1)).to(memory_format=torch.channels_last)
        parts.append(model(x).float().softmax(1))
    return torch.cat(parts).numpy()


def evaluate(model, test):
    probability = probabilities(model, test.pixels)
    figures = metrics.report(probability, test.label)
    agreed, label = data.majority(test)
    if agreed.any():
        figures["ferplus_majority_accuracy"] = float((probability.argmax(1) == label)[agreed].mean())
    return figures


def average(averaged, model, keep):
    with torch.no_grad():
        for mean, value in zip(averaged.state_dict().values(), model.state_dict().values()):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--config", type=Path, required=True)
    arguments.add_argument("--data", type=Path, required=True, help="fer2013.csv, or a folder with load.py")
    arguments.add_argument("--ferplus", type=Path, help="fer2013new.csv, when --data is a csv")
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--epochs", type=int, help="instead of the config's, for a trial")
    args = arguments.parse_args()
    config = tomllib.loads(args.config.read_text())
    epochs = args.epochs or config["epochs"]
    args.out.mkdir(parents=True, exist_ok=True)

    torch.manual_seed(config["seed"])
    generator = torch.Generator().manual_seed(config["seed"])
    train, test = data.load(args.data, args.ferplus)
    pixels = torch.from_numpy(train.pixels)
    target = torch.from_numpy(data.targets(train, config["vote_share"], config["label_smoothing"]))
    model = MiniXception(config["stem"], config["blocks"], dropout=config["dropout"])
    model = model.to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config["lr"], weight_decay=config["weight_decay"])
    batch = config["batch"]
    steps = len(pixels) // batch
    total, warmup = steps * epochs, steps * config["warmup_epochs"]
    print(f"{parameters(model)} parameters, {len(train)} training faces, {len(test)} test faces", flush=True)

    first, step, saved = 0, 0, args.out / "last.pt"
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        model.load_state_dict(state["model"])
        averaged.load_state_dict(state["averaged"])
        optimizer.load_state_dict(state["optimizer"])
        generator.set_state(state["generator"])
        first, step = state["epoch"], state["step"]
        print(f"resumed after epoch {first}", flush=True)

    for epoch in range(first, epochs):
        model.train()
        begun, loss_sum = time.time(), 0.0
        order = torch.randperm(len(pixels), generator=generator)
        for index in range(steps):
            rows = order[index * batch : (index + 1) * batch]
            x = augment(pixels[rows].float().unsqueeze(1), config["augmentation"], generator)
            x = normalise(x).to(memory_format=torch.channels_last)
            rate = min(1.0, (step + 1) / max(warmup, 1)) * 0.5 * (1 + math.cos(math.pi * step / total))
            for group in optimizer.param_groups:
                group["lr"] = config["lr"] * max(rate, 1e-3)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(x)
            loss = F.cross_entropy(logits.float(), target[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            step += 1
            average(averaged, model, min(config["ema"], step / (step + 10)))
            loss_sum += loss.item()
        line = {"epoch": epoch + 1, "loss": loss_sum / steps, "seconds": round(time.time() - begun, 1)}
        if (epoch + 1) % 5 == 0 or epoch + 1 == epochs:
            line |= evaluate(averaged, test)
            line.pop("confusion")
        print(json.dumps(line), flush=True)
        with open(args.out / "log.jsonl", "a") as log:
            log.write(json.dumps(line) + "\n")
        state = {"model": model.state_dict(), "averaged": averaged.state_dict(), "optimizer": optimizer.state_dict()}
        state |= {"generator": generator.get_state(), "epoch": epoch + 1, "step": step}
        torch.save(state, saved.with_suffix(".part"))
        saved.with_suffix(".part").replace(saved)

    figures = evaluate(averaged, test)
    torch.save({"weights": averaged.state_dict(), "config": config, "figures": figures}, args.out / "model.pt")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
