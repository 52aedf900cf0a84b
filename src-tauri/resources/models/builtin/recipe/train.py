"""Trains the built-in model on a CPU for a given number of minutes, ternary from the first step.

The learning rate follows the share of the time budget that has passed, so the run always ends
annealed, however fast the machine is. Checkpoints hold everything needed to go on (`--resume`).
"""

import argparse
import dataclasses
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from model import Model, Shape, as_exported
from optimizer import Muon
from packing import Documents, batches

MUON_RATE, EMBEDDING_RATE, NORM_RATE = 0.02, 0.004, 0.004
PART_TOKENS = 512
WARM_UP, DECAY_FROM = 0.02, 0.25


def rate_factor(progress: float) -> float:
    """Linear warm-up, a plateau, then linear to zero; `progress` in 0..1."""
    return min(1.0, (progress + 0.001) / WARM_UP) * min(1.0, max(0.0, (1 - progress) / (1 - DECAY_FROM)))


def gradients(model: Model, part, learned: int):
    """One worker's share of a step; each worker computes on one thread, so none waits inside an operation."""
    loss = model.loss(*part, reduction="sum") / learned
    return loss.item(), torch.autograd.grad(loss, list(model.parameters()))


def evaluate(model: Model, dev: Documents, tokens: int = 5_000) -> float:
    """Mean loss in nats per answer token on dev, with the stored bf16 roundings."""
    exported, total, count = as_exported(model), 0.0, 0
    with torch.no_grad():
        for ids, documents, targets in batches(dev, 256, 8, np.random.default_rng(0), weighted=False):
            total += float(exported.loss(ids, documents, targets, "sum"))
            count += int((targets >= 0).sum())
            tokens -= ids.numel()
            if tokens < 0:
                break
    return total / max(count, 1)


def arguments_given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--minutes", type=float, default=80.0, help="wall-clock budget, all resumed parts together")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tokens-per-step", type=int, default=1024)
    parser.add_argument("--length", type=int, default=128, help="packed row length, doubled for the last part")
    parser.add_argument("--layers", type=int, default=Shape.layers)
    parser.add_argument("--hidden", type=int, default=Shape.hidden)
    parser.add_argument("--intermediate", type=int, default=Shape.intermediate)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--benchmark", type=float, help="stop after this many seconds without writing anything")
    return parser.parse_args()


def main() -> None:
    arguments = arguments_given()
    torch.set_num_threads(1)
    workers = ThreadPoolExecutor(arguments.threads, initializer=lambda: torch.set_num_threads(1))
    torch.manual_seed(arguments.seed)
    chance = np.random.default_rng([arguments.seed, os.getpid()] if arguments.resume else arguments.seed)
    train, dev = (Documents.load(arguments.build / f"{name}.npz") for name in ("train", "dev"))
    vocabulary = len(json.loads((arguments.build / "tokenizer.json").read_text())["model"]["vocab"])
    model = Model(Shape(-(-vocabulary // 32) * 32, arguments.hidden, arguments.layers, intermediate=arguments.intermediate))
    named = dict(model.named_parameters())
    muon = Muon([p for name, p in named.items() if name.endswith("_proj.weight")])
    adam = torch.optim.AdamW(
        [
            {"params": [model.embed_tokens.weight], "rate": EMBEDDING_RATE},
            {"params": [p for name, p in named.items() if "norm" in name], "rate": NORM_RATE},
        ],
        betas=(0.9, 0.95), weight_decay=0.0,
    )
    step, seen, spent = 0, 0, 0.0
    checkpoint = arguments.build / "checkpoint.pt"
    if arguments.resume:
        state = torch.load(checkpoint)
        model.load_state_dict(state["model"]), muon.load_state_dict(state["muon"]), adam.load_state_dict(state["adam"])
        step, seen, spent = state["step"], state["seen"], state["spent"]

    def save() -> None:
        state = {"model": model.state_dict(), "muon": muon.state_dict(), "adam": adam.state_dict(), "step": step,
                 "seen": seen, "spent": elapsed(), "shape": dataclasses.asdict(model.shape)}
        torch.save(state, checkpoint.with_suffix(".new"))
        checkpoint.with_suffix(".new").replace(checkpoint)

    began = time.monotonic()
    elapsed = lambda: spent + time.monotonic() - began
    budget, saved, checked, reported, recent = arguments.minutes * 60, elapsed(), elapsed(), elapsed(), []
    source, long_rows = None, False
    while (progress := elapsed() / budget) < 1.0 and elapsed() - spent < (arguments.benchmark or 1e9):
        if source is None or (progress > 0.7 and not long_rows):
            long_rows = progress > 0.7
            length = arguments.length * (2 if long_rows else 1)
            source = batches(train, length, arguments.tokens_per_step // length, chance, endless=True)
        ids, documents, targets = next(source)
        learned = int((targets >= 0).sum())
        parts = zip(*(part.split(max(1, PART_TOKENS // length)) for part in (ids, documents, targets)))
        results = list(workers.map(lambda part: gradients(model, part, learned), parts))
        total = sum(loss for loss, _ in results)
        for parameter, *pieces in zip(model.parameters(), *(found for _, found in results)):
            parameter.grad = torch.stack(pieces).sum(0)
        torch.nn.utils.clip_grad_norm_([p for g in adam.param_groups for p in g["params"]], 1.0)
        factor = rate_factor(progress)
        for group in adam.param_groups:
            group["lr"] = group["rate"] * factor
        adam.step()
        muon.step(MUON_RATE * factor, workers)
        model.zero_grad(set_to_none=True)
        step, seen = step + 1, seen + ids.numel()
        recent.append(total)
        if step % 20 == 0:
            now = elapsed()
            speed = 20 * ids.numel() / (now - reported)
            print(f"step {step} progress {progress:.3f} tokens {seen} loss {np.mean(recent):.3f} rate {factor:.3f} {speed:.0f} tokens/s", flush=True)
            recent, reported = [], now
        if arguments.benchmark is None and elapsed() - saved > 180:
            save()
            saved = elapsed()
            if saved - checked > 900:
                print(f"step {step} dev {evaluate(model, dev):.3f}", flush=True)
                checked = reported = elapsed()
    if arguments.benchmark is None:
        save()
        print(f"finished: step {step} tokens {seen} dev {evaluate(model, dev, 10**9):.4f}", flush=True)


if __name__ == "__main__":
    main()
