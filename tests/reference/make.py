"""Makes the comparison set below `data/`, or checks that making it again gives the same.

    python make.py                writes data/
    python make.py --check        makes it in a temporary folder and compares with data/
    python make.py --only NAME    one case; `adapters` for the adapters alone
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import adapters
import bitlinear
import conversations
import expectations
import gguf_file
import hub
import published
import tokens
import weights
from cases import CASES, Case

DATA = Path(__file__).parent / "data"


def make(case: Case, folder: Path, prompts: list[list[int]] | None = None) -> None:
    """`folder/<case>/`: `model/` or `model.gguf`, `expected.json`, `expected.safetensors`, for some `text.json`.

    Which prompts are quiet depends on the order in which a CPU adds, so a check is given the kept `prompts`.
    """
    here = folder / case.name
    here.mkdir(parents=True)
    made, facts = weights.make(case), tokens.facts(case)
    if case.stored == "gguf":
        gguf_file.write(case, made, facts, here / "model.gguf")
    else:
        hub.write(case, made, facts, here / "model")
        tokens.write(case, here / "model")
    model = published.load(case, made, here / "model")
    if prompts and not expectations.are_drawn(case, facts, prompts):
        raise SystemExit(f"{case.name}: the kept prompts are not those of the seed")
    expected = expectations.compute(case, made, model, facts, prompts)
    lines = ",\n".join(json.dumps(prompt) for prompt in expected.described())
    about = json.dumps(case.about, ensure_ascii=False)
    (here / "expected.json").write_text(f'{{"about": {about},\n"prompts": [\n{lines}\n]}}\n', encoding="utf-8")
    save_file({"last": expected.last, "inner": expected.inner}, here / "expected.safetensors")
    if case.text:
        with tempfile.TemporaryDirectory() as scratch:
            tokens.write(case, Path(scratch))
            conversations.write(case, Path(scratch), here / "text.json")


def compare(made: Path, kept: Path) -> list[str]:
    """Differences between two sets. Files are compared by bytes, logits by σ: another CPU may round a last bit elsewhere."""
    found = []
    if made.is_file():
        return [] if kept.exists() and made.read_bytes() == kept.read_bytes() else [f"{kept}: bytes differ"]
    names = {path.relative_to(base) for base in (made, kept) for path in base.rglob("*") if path.is_file()}
    for name in sorted(names):
        if not (made / name).exists() or not (kept / name).exists():
            found.append(f"{kept / name}: only in one of the two")
        elif name.name == "expected.safetensors":
            found += _compare_logits(made / name, kept / name)
        elif name.name == "expected.json":
            found += _compare_prompts(made / name, kept / name)
        elif (made / name).read_bytes() != (kept / name).read_bytes():
            found.append(f"{kept / name}: bytes differ")
    return found


def described(folder: Path) -> list[dict]:
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))["prompts"]


def _compare_logits(made: Path, kept: Path) -> list[str]:
    """The last and the inner positions."""
    ours, theirs = load_file(made), load_file(kept)
    quiet = [a["quiet"] and b["quiet"] for a, b in zip(described(made.parent), described(kept.parent))]
    rows = {"last": quiet, "inner": [q for q, prompt in zip(quiet, described(kept.parent)) if prompt["inner"] is not None]}
    found = []
    for name, quiet_rows in rows.items():
        if ours[name].shape != theirs[name].shape:
            return [f"{kept}: `{name}` {list(ours[name].shape)}, kept {list(theirs[name].shape)}"]
        distances = (ours[name] - theirs[name]).abs().amax(-1) / theirs[name].std(dim=-1)
        for row, (distance, is_quiet) in enumerate(zip(distances.tolist(), quiet_rows)):
            if distance > (1e-4 if is_quiet else 0.4):
                found.append(f"{kept}: `{name}` {row}{' (quiet)' if is_quiet else ''} moved by {distance:.2e} σ")
    return found


def _compare_prompts(made: Path, kept: Path) -> list[str]:
    """How many are quiet, and the greedy tokens."""
    prompts = list(zip(described(made.parent), described(kept.parent)))
    loud = [index for index, (ours, theirs) in enumerate(prompts) if theirs["quiet"] and not ours["quiet"]]
    found = [f"{kept}: the prompts {loud} are not quiet here"] if len(loud) > expectations.MAY_BE_LOUD else []
    for index, (ours, theirs) in enumerate(prompts):
        for step, (a, b) in enumerate(zip(ours["greedy"], theirs["greedy"])):
            if a != b:
                if theirs["greedy_gaps"][step] > 0.35:
                    found.append(f"{kept}: prompt {index} continues otherwise from step {step}")
                break
    return found


def settle(made: Path, kept: Path, check: bool) -> list[str]:
    """Puts one case in its place, or says how it differs from what is there."""
    if check:
        return compare(made, kept)
    shutil.rmtree(kept, ignore_errors=True)
    kept.parent.mkdir(exist_ok=True)
    shutil.move(made, kept)
    return []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # one order of addition
    chosen = [case for case in CASES if arguments.only in (None, case.name)]
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch)
        for case in chosen:
            make(case, made, [prompt["ids"] for prompt in described(DATA / case.name)] if arguments.check else None)
            found += settle(made / case.name, DATA / case.name, arguments.check)
            print(f"made {case.name}", flush=True)
        if arguments.only == "adapters":
            adapters.make(DATA, made / "adapters", DATA / "adapters" if arguments.check else None)
            found += settle(made / "adapters", DATA / "adapters", arguments.check)
        if arguments.only is None:
            save_file(bitlinear.vectors(), made / "bitlinear.safetensors")
            found += settle(made / "bitlinear.safetensors", DATA / "bitlinear.safetensors", arguments.check)
            # Adapters are made for the kept models: those made above are the same, or were reported.
            adapters.make(DATA, made / "adapters", DATA / "adapters" if arguments.check else None)
            found += settle(made / "adapters", DATA / "adapters", arguments.check)
            kept = {path.name for path in DATA.iterdir()}
            known = {case.name for case in CASES} | {"bitlinear.safetensors", "adapters"}
            found += [f"{name}: no case makes it" for name in sorted(kept - known)]
    print("\n".join(found) or "nothing differs")
    size = sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file())
    print(f"{size} bytes in {DATA}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
