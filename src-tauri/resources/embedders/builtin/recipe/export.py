"""The files that ship: vectors as 8-bit codes with one scale for each token, the tokenizer, what they are."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

import vocabulary

MOST_TOKENS = 512


def quantise(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes `[tokens, dimension]` i8 and scales `[tokens]` f32: `vector = scale · code`."""
    scales = np.abs(vectors).max(1) / 127
    codes = np.rint(vectors / np.maximum(scales, 1e-12)[:, None]).astype(np.int8)
    return codes, scales.astype(np.float32)


def write(folder: Path, tokenizer, vectors: np.ndarray, version: str):
    vectors = vectors.copy()
    # A character outside the vocabulary says nothing.
    vectors[tokenizer.token_to_id(vocabulary.UNKNOWN)] = 0
    codes, scales = quantise(vectors)
    save_file({"scales": scales, "vectors": codes}, folder / "model.safetensors")
    vocabulary.save(tokenizer, folder / "tokenizer.json")
    config = {
        "model_type": "r3mes_static",
        "name": "r3mes-static",
        "version": version,
        "dimension": int(vectors.shape[1]),
        "max_tokens": MOST_TOKENS,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
