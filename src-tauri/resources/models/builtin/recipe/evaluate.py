"""Reports the loss on train and dev, checks the exported folder against transformers, prints samples.

The checkpoint is evaluated with every stored float rounded to bf16, as the exported files hold it.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch

from model import Model, Shape, as_exported
from packing import Documents, batches
from tokenizer import ASSISTANT, BOS, EOS, EOT, USER

PROMPTS = [
    "What is diabetes?", "What is asthma?", "Who are you?", "What can you do?", "What is photosynthesis?",
    "Define inflation.", "What is a contract?", "What is the capital of Turkey?", "What are the symptoms of flu?",
    "Why do people like music?",
    "Diyabet nedir?", "Sen kimsin?", "Ne yapabilirsin?", "Türkiye'nin başkenti neresidir?", "Fotosentez nedir?",
    "Demokrasi nedir?", "Bilgisayar nedir?", "Osmanlı Devleti ne zaman kuruldu?", "Bu cümleyi Türkçeye çevir: I love you.",
    "Nasılsın?",
]


def loss(model: Model, documents: Documents, sources: set[str] | None, most: int) -> tuple[float, int]:
    """Mean nats per learned token over documents of the given sources, and how many tokens that were."""
    chosen = documents if sources is None else documents.only(sources)
    total, count = 0.0, 0
    with torch.no_grad():
        for ids, owners, targets in batches(chosen, 256, 4, np.random.default_rng(0), weighted=False):
            total += float(model.loss(ids, owners, targets, "sum"))
            count += int((targets >= 0).sum())
            if count >= most:
                break
    return total / max(count, 1), count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--exported", type=Path, default=Path(__file__).parent.parent)
    parser.add_argument("--train-tokens", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=len(PROMPTS))
    parser.add_argument("--no-transformers", action="store_true")
    arguments = parser.parse_args()
    from tokenizers import Tokenizer

    torch.set_num_threads(1)
    tokenizer = Tokenizer.from_file(str(arguments.build / "tokenizer.json"))
    state = torch.load(arguments.build / "checkpoint.pt", map_location="cpu")
    trained = Model(Shape(**state["shape"]))
    trained.load_state_dict(state["model"])
    model = as_exported(trained)
    print(f"step {state['step']}, {state['seen']} tokens seen, {state['spent'] / 60:.1f} minutes")

    for name, most in (("train", arguments.train_tokens), ("dev", 10**9)):
        documents = Documents.load(arguments.build / f"{name}.npz")
        value, count = loss(model, documents, None, most)
        print(f"{name}: {value:.3f} nats, perplexity {math.exp(value):.1f}, {count} tokens")
        if name == "dev":
            for source in sorted(set(documents.sources)):
                value, count = loss(model, documents, {source}, most)
                print(f"  {source}: {value:.3f} nats, {count} tokens")

    other = None
    if not arguments.no_transformers:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        other = AutoModelForCausalLM.from_pretrained(arguments.exported, dtype=torch.float32).eval()
        for tensor in [*other.parameters(), *other.buffers()]:
            tensor.data = tensor.data.float()  # offline checkpoints keep bf16 tensors whatever dtype is asked for
        chat = AutoTokenizer.from_pretrained(arguments.exported)
    for prompt in PROMPTS[: arguments.samples]:
        ids = [BOS, USER, *tokenizer.encode(prompt, add_special_tokens=False).ids, EOT, ASSISTANT]
        answer = model.greedy(ids, {EOT, EOS}, 64)
        verdict = ""
        if other is not None:
            rendered = chat.apply_chat_template([{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True)
            assert chat(rendered)["input_ids"] == ids, "the chat template renders other tokens than training used"
            theirs = other.generate(torch.tensor([ids]), do_sample=False, repetition_penalty=1.0, max_new_tokens=64, eos_token_id=[EOT, EOS])
            verdict = " [same as transformers]" if theirs[0, len(ids) :].tolist() == answer else " [DIFFERS from transformers]"
        print(f"> {prompt}\n{tokenizer.decode(answer)}{verdict}")


if __name__ == "__main__":
    main()
