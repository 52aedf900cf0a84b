"""Q6_K rows: 256 values a block in sixteen groups; written here, read back by the `gguf` package.

Block: 128 bytes of low nibbles, 64 bytes of high bit pairs, 16 int8 group scales, one f16 scale.
"""

import numpy as np
from gguf import GGMLQuantizationType
from gguf.quants import dequantize


def quantise(rows: np.ndarray) -> np.ndarray:
    """f32 `[rows, n]` (n a multiple of 256) to bytes `[rows, n/256·210]`."""
    blocks = rows.astype(np.float32).reshape(-1, 16, 16)
    largest = np.abs(blocks).max(axis=2)
    d = (np.maximum(largest.max(axis=1, keepdims=True), 1e-8) / (31 * 127)).astype(np.float16)
    step = d.astype(np.float32)
    scales = np.clip(np.rint(largest / (31 * step)), 1, 127)
    codes = np.clip(np.rint(blocks / (scales * step)[:, :, None]), -32, 31).astype(np.int16) + 32
    codes = codes.reshape(-1, 2, 4, 32).astype(np.uint8)  # halves of 128 values, four runs of 32
    low, high = codes & 15, codes >> 4
    ql = np.concatenate([low[:, :, 0] | low[:, :, 2] << 4, low[:, :, 1] | low[:, :, 3] << 4], axis=2).reshape(-1, 128)
    qh = (high[:, :, 0] | high[:, :, 1] << 2 | high[:, :, 2] << 4 | high[:, :, 3] << 6).reshape(-1, 64)
    packed = np.concatenate([ql, qh, scales.astype(np.int8).view(np.uint8), d.view(np.uint8)], axis=1)
    return packed.reshape(rows.shape[0], -1)


def stored(rows: np.ndarray) -> np.ndarray:
    """What a reader gets back: the f32 values of the written blocks."""
    return dequantize(quantise(rows), GGMLQuantizationType.Q6_K).astype(np.float32)
