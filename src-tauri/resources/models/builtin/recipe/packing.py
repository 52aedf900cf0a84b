"""Packs short documents into rows of equal length; rows remember which token belongs to which document."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

OPEN_ROWS = 64


@dataclass
class Documents:
    ids: np.ndarray
    learned: np.ndarray
    offsets: np.ndarray
    weights: np.ndarray
    sources: np.ndarray

    @staticmethod
    def load(path: Path) -> "Documents":
        file = np.load(path)
        return Documents(*(file[name] for name in ("ids", "learned", "offsets", "weights", "sources")))

    def only(self, sources: set[str]) -> "Documents":
        """The documents of some sources alone."""
        keep = np.flatnonzero([source in sources for source in self.sources])
        pieces = [slice(self.offsets[i], self.offsets[i + 1]) for i in keep]
        offsets = np.cumsum([0] + [piece.stop - piece.start for piece in pieces])
        return Documents(
            np.concatenate([self.ids[piece] for piece in pieces]), np.concatenate([self.learned[piece] for piece in pieces]),
            offsets, self.weights[keep], self.sources[keep],
        )


def one_pass(documents: Documents, chance, weighted: bool) -> np.ndarray:
    """Document numbers of one pass in random order, each as often as its weight says on average."""
    weights = documents.weights if weighted else np.ones_like(documents.weights)
    times = np.floor(weights + chance.random(len(weights))).astype(int)
    order = np.repeat(np.arange(len(weights)), times)
    chance.shuffle(order)
    return order


def rows(documents: Documents, order, length: int):
    """Best fit over a few open rows; longer documents are cut."""
    space = [[] for _ in range(OPEN_ROWS)]
    used = [0] * OPEN_ROWS
    for number in order:
        size = min(int(documents.offsets[number + 1] - documents.offsets[number]), length + 1) - 1
        best = max((i for i in range(OPEN_ROWS) if used[i] + size <= length), key=lambda i: used[i], default=None)
        if best is None:
            best = max(range(OPEN_ROWS), key=lambda i: used[i])
            yield space[best]
            space[best], used[best] = [], 0
        space[best].append(number)
        used[best] += size
    yield from (row for row in space if row)


def batches(documents: Documents, length: int, batch: int, chance, weighted: bool = True, endless: bool = False):
    """Yields `ids`, `documents`, `targets`, each `[batch, length]` int64; a target of -1 is not learned."""
    while True:
        pending = []
        for row in rows(documents, one_pass(documents, chance, weighted), length):
            pending.append(row)
            if len(pending) == batch:
                yield tensors(documents, pending, length)
                pending = []
        if not endless:
            if pending:
                yield tensors(documents, pending, length)
            return


def tensors(documents: Documents, packed, length: int):
    ids = np.zeros((len(packed), length), np.int64)
    owners = np.full((len(packed), length), -1, np.int64)
    targets = np.full((len(packed), length), -1, np.int64)
    for line, row in enumerate(packed):
        at = 0
        for owner, number in enumerate(row):
            start, end = documents.offsets[number], documents.offsets[number + 1]
            piece = documents.ids[start:end][: length + 1].astype(np.int64)
            learned = documents.learned[start:end][: length + 1]
            size = len(piece) - 1
            ids[line, at : at + size], owners[line, at : at + size] = piece[:-1], owner
            targets[line, at : at + size] = np.where(learned[1:] == 1, piece[1:], -1)
            at += size
    return torch.from_numpy(ids), torch.from_numpy(owners), torch.from_numpy(targets)
