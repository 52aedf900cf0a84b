"""What a case must give: prompts (quiet and not), logits at last and inner positions, greedy continuations with their gaps.

A prompt is *quiet* when disturbing its embeddings by 5e-7 moves no logit by 1e-4 σ: no activation lies on a rounding boundary,
so that two right f32 engines agree to about 1e-6 σ. On the others one int8 step may differ, which moves logits by 0.01–0.15 σ.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice

import numpy as np
import torch

import forward
import published
from cases import Case
from weights import Weights

QUIET_PROMPTS = 12
DISTURBANCE, QUIET_LIMIT = 5e-7, 1e-4  # relative, σ
DISTURBANCE_SEEDS = range(6)
MAY_DIFFER = 1  # of the quiet prompts, by 2e-4 σ or more: a disturbance can miss a boundary that another order of addition crosses
MAY_BE_LOUD = 2  # of the kept quiet prompts on another CPU, for the same reason
GREEDY_TOKENS = 16


@dataclass
class Prompt:
    ids: list[int]
    quiet: bool
    gap: float  # between the two largest logits of the last position, in σ
    inner: int | None = None  # a position whose logits are stored too
    greedy: list[int] = field(default_factory=list)
    greedy_gaps: list[float] = field(default_factory=list)


@dataclass
class Expected:
    prompts: list[Prompt]
    last: torch.Tensor  # [prompts, rows]
    inner: torch.Tensor  # [prompts with `inner`, rows]

    def described(self) -> list[dict]:
        return [asdict(prompt) for prompt in self.prompts]


def compute(case: Case, weights: Weights, model: torch.nn.Module, tokens: dict, chosen: list[list[int]] | None = None) -> Expected:
    """For the prompts `chosen`, or for those that are quiet on this machine and the longer ones."""
    chosen = chosen or _quiet_prompts(case, model, tokens) + other_prompts(case, tokens)
    prompts, last, inner, distances = [], [], [], []
    for index, ids in enumerate(chosen):
        rows = published.logits(model, ids)
        prompt = Prompt(ids, is_quiet(model, ids, rows), gap(rows[-1]))
        distances.append(_distance(case, weights, prompt, rows))
        last.append(rows[-1])
        if index % 3 == 2 and len(ids) < 64:
            prompt.inner = len(ids) // 2
            inner.append(rows[prompt.inner])
        if index < 6 or index >= QUIET_PROMPTS:
            prompt.greedy, prompt.greedy_gaps = _greedy(model, ids)
        prompts.append(prompt)
    _judge(case, prompts, distances)
    return Expected(prompts, torch.stack(last), torch.stack(inner))


def are_drawn(case: Case, tokens: dict, chosen: list[list[int]]) -> bool:
    """Whether `chosen` are some of the short prompts, in their order, and then all of the longer ones."""
    drawn = short_prompts(case, tokens)
    return all(ids in drawn for ids in chosen[:QUIET_PROMPTS]) and chosen[QUIET_PROMPTS:] == other_prompts(case, tokens)


def gap(logits: torch.Tensor) -> float:
    first, second = logits.topk(2).values
    return round(((first - second) / logits.std()).item(), 4)


def is_quiet(model: torch.nn.Module, ids: list[int], rows: torch.Tensor) -> bool:
    """All positions are judged, since greedy continuations and inner positions build on them."""
    sigma = rows.std(dim=-1, keepdim=True)
    for seed in DISTURBANCE_SEEDS:
        moved = published.logits_disturbed(model, ids, DISTURBANCE, seed)
        if ((moved - rows).abs() / sigma).max() >= QUIET_LIMIT:
            return False
    return True


def short_prompts(case: Case, tokens: dict) -> Iterator[list[int]]:
    """Those among which the quiet ones are searched."""
    random = np.random.Generator(np.random.PCG64(1000 + case.seed))
    for attempt in range(400):
        # The row of the BOS itself may lie on a boundary; every other prompt does without it.
        yield [tokens["bos"]] * (attempt % 2) + random.integers(0, len(tokens["list"]), random.integers(2, 8)).tolist()


def _quiet_prompts(case: Case, model: torch.nn.Module, tokens: dict) -> list[list[int]]:
    quiet = (ids for ids in short_prompts(case, tokens) if is_quiet(model, ids, published.logits(model, ids)))
    found = list(islice(quiet, QUIET_PROMPTS))
    if len(found) < QUIET_PROMPTS:
        raise SystemExit(f"{case.name}: only {len(found)} quiet prompts; choose another seed")
    return found


def other_prompts(case: Case, tokens: dict) -> list[list[int]]:
    random = np.random.Generator(np.random.PCG64(2000 + case.seed))
    lengths = [1, 9, 17, 33, 48] + ([300] if case.long_prompt else [])
    return [[tokens["bos"]] + random.integers(0, len(tokens["list"]), length - 1).tolist() for length in lengths]


def _greedy(model: torch.nn.Module, ids: list[int]) -> tuple[list[int], list[float]]:
    """`GREEDY_TOKENS` steps, stop tokens ignored; for long prompts fewer, to keep this quick."""
    written, gaps = [], []
    for _ in range(GREEDY_TOKENS if len(ids) < 64 else 4):
        row = published.logits(model, ids + written)[-1]
        gaps.append(gap(row))
        written.append(int(row.argmax()))
    return written, gaps


def _distance(case: Case, weights: Weights, prompt: Prompt, rows: torch.Tensor) -> float:
    """Largest difference of the independent forward at any position, in σ."""
    return ((forward.logits(case, weights, prompt.ids) - rows).abs().amax(-1) / rows.std(dim=-1)).max().item()


def _judge(case: Case, prompts: list[Prompt], distances: list[float]) -> None:
    """Both implementations must say the same, by stricter bars than the Rust test's."""
    quiet = [distance for prompt, distance in zip(prompts[:QUIET_PROMPTS], distances) if prompt.quiet]
    apart = sum(distance >= 2e-4 for distance in quiet)
    if apart > MAY_DIFFER or max(distances) > 0.4:
        raise SystemExit(f"{case.name}: transformers and forward.py differ; σ per prompt: {distances}")
