"""Single BitLinear layers: activation codes and scales by transformers' `BitLinear`, integer sums, results.

Inputs hold what random numbers do not: exact halves (rounded to even), an all-zero token, maxima below 1e-5, values of 1e30.
"""

import os

os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")

import numpy as np
import torch
from transformers.integrations.bitnet import BitLinear

SHAPES = [(1, 1), (3, 7), (47, 31), (48, 32), (49, 33), (50, 90), (64, 127), (97, 256), (130, 300)]


def vectors() -> dict[str, torch.Tensor]:
    """Tensors named `<layer>.<what>`; shapes `x [tokens, in]`, `w [out, in]` int8, `y [tokens, out]`."""
    random = np.random.Generator(np.random.PCG64(77))
    named = {}
    for index, (rows, columns) in enumerate(SHAPES):
        layer = BitLinear(columns, rows, bias=False, dtype=torch.float32)
        x = inputs(random, columns)
        values = torch.from_numpy(random.integers(-1, 2, (rows, columns)).astype(np.int8))
        codes, s = layer.activation_quant(x)
        sums = codes.int() @ values.int().T
        scale = torch.tensor([random.uniform(0.01, 3.0)], dtype=torch.float32).to(torch.bfloat16).float()
        named |= {
            f"{index}.x": x, f"{index}.w": values, f"{index}.scale": scale, f"{index}.codes": codes, f"{index}.s": s[:, 0].contiguous(),
            f"{index}.sums": sums, f"{index}.multiplied": sums.float() * scale / s, f"{index}.divided": layer.post_quant_process(sums.float(), scale, s),
        }
    return named


def inputs(random: np.random.Generator, columns: int) -> torch.Tensor:
    normal = random.standard_normal((8, columns)).astype(np.float32)
    halves = (random.integers(-127, 127, columns) + 0.5).astype(np.float32)
    halves[0] = 127.0  # s is exactly 1
    normal[1] = halves
    normal[2] = halves / 4
    normal[2, 0] = -127.0 / 4
    normal[3] = 0.0
    normal[4] *= 1e-7
    normal[5] *= 1e30
    normal[6] = 1.0
    normal[7, 1:] *= 1e-3
    return torch.from_numpy(normal)
