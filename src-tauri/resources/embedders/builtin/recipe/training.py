"""Token vectors: from the teacher's view of each token, through its sentence embeddings, to pairs that belong together.

`embedding = normalise(sum over tokens t of vectors[t])`. The weight of a token is the length of its vector, so the training
finds it: it begins at the smooth inverse frequency `a / (a + share)` (Arora et al. 2017).
"""

import numpy as np
import torch
from torch.nn import functional as F

DIMENSION = 256
MOST_TOKENS = 128
SMOOTHING = 1e-3
TEMPERATURE = 0.05
SEED = 4


class TokenBags:
    """Texts as runs of token ids."""

    def __init__(self, tokenizer, texts):
        ids = [encoding.ids[:MOST_TOKENS] for encoding in tokenizer.encode_batch(list(texts))]
        self.lengths = np.array([len(row) for row in ids], dtype=np.int64)
        self.starts = np.concatenate([[0], np.cumsum(self.lengths)[:-1]])
        self.tokens = np.array([token for row in ids for token in row], dtype=np.int64)

    def batch(self, which):
        """Ids of the chosen texts in one row, and where each begins."""
        lengths = self.lengths[which]
        offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        index = np.repeat(self.starts[which] - offsets, lengths) + np.arange(lengths.sum())
        return torch.from_numpy(self.tokens[index]), torch.from_numpy(offsets)


def project(matrix: np.ndarray, dimension: int) -> np.ndarray:
    """Rotation `[384, dimension]` onto the first principal directions, about the origin: angles are kept."""
    sample = matrix.astype(np.float64)
    values, vectors = np.linalg.eigh(sample.T @ sample / len(sample))
    return vectors[:, ::-1][:, :dimension].astype(np.float32).copy()


def first_vectors(token_embeddings: np.ndarray, shares: np.ndarray, rotation: np.ndarray) -> torch.Tensor:
    """The teacher's embedding of each token alone, with its weight."""
    rotated = token_embeddings.astype(np.float32) @ rotation
    rotated -= rotated.mean(0)
    rotated /= np.linalg.norm(rotated, axis=1, keepdims=True) + 1e-9
    return torch.from_numpy(rotated * (SMOOTHING / (SMOOTHING + shares))[:, None].astype(np.float32))


def embed(vectors, bags, which):
    tokens, offsets = bags.batch(which)
    return F.normalize(F.embedding_bag(tokens, vectors, offsets, mode="sum"), dim=-1)


def rounds(count, batch, epochs, generator):
    for _ in range(epochs):
        order = generator.permutation(count)
        for start in range(0, count - count % batch or count, batch):
            yield order[start : start + batch]


def train(vectors, texts, targets, pairs, log=print, *, batch=1024, distilled_epochs=4, steps=1500, pair_batch=1024, rate=2e-3):
    """Fits the vectors. `targets` are the teacher's embeddings of `texts`, rotated and normalised; `pairs` are two `TokenBags`.

    First the teacher alone, then both: InfoNCE with the other pairs of the batch as negatives, and the teacher.
    """
    torch.manual_seed(SEED)
    generator = np.random.default_rng(SEED)
    vectors = vectors.clone().requires_grad_(True)
    targets = torch.from_numpy(targets)
    optimizer = torch.optim.Adam([vectors], lr=rate)
    lefts, rights = pairs
    distilled = list(rounds(len(targets), batch, distilled_epochs, generator))
    for step, which in enumerate(distilled):
        loss = (1 - (embed(vectors, texts, which) * targets[which]).sum(-1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            log(f"teacher {step}/{len(distilled)}: {loss.item():.4f}")
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
        which = generator.integers(0, len(lefts.lengths), pair_batch)
        left, right = embed(vectors, lefts, which), embed(vectors, rights, which)
        scores = left @ right.T / TEMPERATURE
        truth = torch.arange(len(which))
        together = (F.cross_entropy(scores, truth) + F.cross_entropy(scores.T, truth)) / 2
        which = generator.integers(0, len(targets), batch)
        taught = (1 - (embed(vectors, texts, which) * targets[which]).sum(-1)).mean()
        # The part of the teacher keeps what the pairs do not speak of: the meaning of everyday words.
        loss = 0.15 * together + taught
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            log(f"pairs {step}/{steps}: {together.item():.4f}, teacher {taught.item():.4f}")
    return vectors.detach()
