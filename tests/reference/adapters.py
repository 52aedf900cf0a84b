"""Adapters on the tiny models: real PEFT files and the additive form, with what the adapted models must give.

Weight-decomposed and low-rank adapters are made, saved and applied by PEFT itself. PEFT cannot wrap a packed BitLinear and takes norms
over unscaled values, so each linear is given to it as an `nn.Linear` whose weight is ternary × scale and whose forward is that of the
published module. The additive form and mixes have no other implementation: they are computed from their definitions, and the same page
computes the PEFT adapters once more; the two must agree.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

import expectations
import published
import tokens
import weights
from cases import CASES, Case
from expectations import Expected, Prompt
from weights import Weights, ternarise

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@dataclass(frozen=True)
class AdapterCase:
    """One adapter; `config` holds PEFT's fields, or those of the additive form."""

    name: str
    about: str
    base: str  # the name of a model case
    seed: int
    config: dict
    dtype: torch.dtype = torch.float32
    additive: bool = False


@dataclass(frozen=True)
class MixCase:
    name: str
    base: str
    adapters: list[tuple[str, float]] = field(default_factory=list)


ADAPTERS = [
    AdapterCase("dora-all", "DoRA of rank 8 on every linear", "bitnet-packed", 501,
                dict(r=8, lora_alpha=16, use_dora=True, target_modules=ALL)),
    AdapterCase("dora-patterns", "DoRA with rank and alpha patterns, rslora, chosen layers", "bitnet-packed", 502,
                dict(r=4, lora_alpha=6, use_dora=True, use_rslora=True, target_modules=["q_proj", "o_proj", "mlp.up_proj", "down_proj"],
                     rank_pattern={"q_proj": 7, r"layers\.2\.mlp\.up_proj": 3}, alpha_pattern={"down_proj": 9},
                     layers_to_transform=[0, 2], layers_pattern="layers")),
    AdapterCase("lora-bf16", "LoRA on two linears, stored in bf16", "bitnet-packed", 503,
                dict(r=5, lora_alpha=5, target_modules=["q_proj", "v_proj"]), dtype=torch.bfloat16),
    AdapterCase("additive", "the additive form of R3MES", "bitnet-packed", 504,
                dict(adapter_type="additive_dora", r=6, alpha=12, target_modules=ALL), additive=True),
    AdapterCase("dora-masters", "DoRA on ternarised masters", "bitnet-masters", 505,
                dict(r=8, lora_alpha=8, use_dora=True, target_modules="all-linear")),
    AdapterCase("dora-inner-norm", "DoRA beside BitLinears with a norm inside: the adapter reads the input before it", "falcon-e", 506,
                dict(r=4, lora_alpha=8, use_dora=True, target_modules=ALL)),
    AdapterCase("dora-some-dense", "DoRA where single linears are dense; a pattern", "llama-some-dense", 507,
                dict(r=4, lora_alpha=8, use_dora=True, target_modules=r".*layers\.\d\.(self_attn|mlp)\..*_proj")),
]

MIXES = [MixCase(adapter.name, adapter.base, [(adapter.name, 1.0)]) for adapter in ADAPTERS] + [
    MixCase("mix-of-two", "bitnet-packed", [("dora-all", 0.7), ("additive", 0.3)]),
    MixCase("mix-of-three", "bitnet-packed", [("dora-patterns", 0.45), ("lora-bf16", 0.35), ("additive", 0.2)]),
    MixCase("mix-of-two-gains", "bitnet-packed", [("dora-all", 0.5), ("dora-patterns", 0.5)]),
]


def case(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def value(linear: weights.Linear) -> torch.Tensor:
    """`W₀ [out, in]` f32: ternary × scale."""
    if linear.kind == "dense":
        return linear.weight.float()
    ternary, scale = ternarise(linear.weight) if linear.kind == "master" else (linear.weight, linear.scale)
    return ternary.float() * scale


class AsLinear(torch.nn.Linear):
    """What PEFT wraps: the weight is `W₀`, the result that of the published module."""

    def __init__(self, weight: torch.Tensor, module: torch.nn.Module):
        super().__init__(weight.shape[1], weight.shape[0], bias=False)
        self.weight = torch.nn.Parameter(weight, requires_grad=False)
        self.holder = [module]  # not a submodule: PEFT must not see it

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.holder[0](x)


def wrappable(base: Case, made: Weights, folder: Path) -> torch.nn.Module:
    model = published.load(base, made, folder)
    for name, linear in made.linears.items():
        model.set_submodule(name, AsLinear(value(linear), model.get_submodule(name)))
    return model


def make_adapter(adapter: AdapterCase, made: Weights, models: Path, out: Path) -> None:
    random = torch.Generator().manual_seed(adapter.seed)
    normal = lambda shape: torch.randn(shape, generator=random)
    if adapter.additive:
        tensors = {}
        for name, linear in made.linears.items():
            rows, columns = linear.weight.shape
            rank = adapter.config["r"]
            tensors[f"{name}.direction_A"] = normal((rank, columns))
            tensors[f"{name}.direction_B"] = normal((rows, rank))
            # About a tenth of the weight's row norms, some of them negative.
            tensors[f"{name}.magnitude"] = normal((rows,)) * value(linear).norm(dim=1) * 0.1
        out.mkdir(parents=True)
        save_file(tensors, out / "adapter_model.safetensors")
        (out / "adapter_config.json").write_text(json.dumps(adapter.config, indent=1) + "\n", encoding="utf-8")
        return
    torch.manual_seed(adapter.seed)
    model = get_peft_model(wrappable(case(adapter.base), made, models / adapter.base / "model"), LoraConfig(**adapter.config))
    for name, parameter in model.named_parameters():
        if ".lora_B." in name or ".lora_A." in name:
            parameter.data = normal(parameter.shape) * parameter.shape[1] ** -0.5
        if ".lora_B." in name:
            module = model.get_submodule(name.split(".lora_B.")[0])
            # The change is about a quarter as long as the weight.
            change = module.scaling["default"] * (parameter.data @ module.lora_A["default"].weight.data)
            parameter.data *= 0.25 * (module.base_layer.weight.norm() / change.norm())
        if ".lora_magnitude_vector." in name:
            parameter.data *= 1 + 0.08 * normal(parameter.shape)
    model.save_pretrained(out)
    (out / "README.md").unlink(missing_ok=True)
    written = json.loads((out / "adapter_config.json").read_text(encoding="utf-8"))
    for key, found in written.items():
        written[key] = sorted(found) if isinstance(found, list) and key == "target_modules" else found
    written["base_model_name_or_path"] = adapter.base
    (out / "adapter_config.json").write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if adapter.dtype != torch.float32:
        file = out / "adapter_model.safetensors"
        save_file({name: tensor.to(adapter.dtype) for name, tensor in load_file(file).items()}, file)


Change = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def changes(adapter: AdapterCase, made: Weights, folder: Path) -> dict[str, Change]:
    """`Δ(x)` of every linear it changes, from the definitions; the second argument is `W₀x`."""
    tensors = {name: tensor.float() for name, tensor in load_file(folder / "adapter_model.safetensors").items()}
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    found = {}
    for name, linear in made.linears.items():
        if adapter.additive:
            a, b, m = (tensors[f"{name}.{part}"] for part in ("direction_A", "direction_B", "magnitude"))
            direction = b.double() @ a.double()
            length = direction.norm(dim=1).clamp(min=1e-8)
            factor = (config["alpha"] / config["r"]) * m.double() / length
            found[name] = _additive(a, b, factor.float())
            continue
        prefix = f"base_model.model.{name}"
        if f"{prefix}.lora_A.weight" not in tensors:
            continue
        a, b = tensors[f"{prefix}.lora_A.weight"], tensors[f"{prefix}.lora_B.weight"]
        s = _scaling(config, name, len(a))
        m = tensors.get(f"{prefix}.lora_magnitude_vector")
        if m is None:
            found[name] = _additive(a, b, torch.full((len(b),), s))
        else:
            whole = value(linear).double() + s * (b.double() @ a.double())
            found[name] = _decomposed(a, b, (m.double() / whole.norm(dim=1)).float(), s)
    return found


def _additive(a: torch.Tensor, b: torch.Tensor, factor: torch.Tensor) -> Change:
    return lambda x, base: factor * (x @ a.T @ b.T)


def _decomposed(a: torch.Tensor, b: torch.Tensor, gain: torch.Tensor, s: float) -> Change:
    return lambda x, base: (gain - 1) * base + gain * s * (x @ a.T @ b.T)


def _scaling(config: dict, name: str, rank: int) -> float:
    ends = lambda key: re.match(rf"(.*\.)?({key})$", name)
    alpha = next((alpha for key, alpha in (config.get("alpha_pattern") or {}).items() if ends(key)), config["lora_alpha"])
    return alpha / rank**0.5 if config["use_rslora"] else alpha / rank


class Changed(torch.nn.Module):
    """`W₀x + Σ wᵢ·Δᵢ(x)`."""

    def __init__(self, module: torch.nn.Module, changed: list[tuple[Change, float]]):
        super().__init__()
        self.module, self.changed = module, changed

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        base = self.module(x)
        return base + sum(weight * change(x, base) for change, weight in self.changed)


def mixed(mix: MixCase, made: Weights, models: Path, folder: Path) -> torch.nn.Module:
    """The definition's model."""
    model = published.load(case(mix.base), made, models / mix.base / "model")
    per_linear: dict[str, list[tuple[Change, float]]] = {}
    for name, weight in mix.adapters:
        adapter = next(adapter for adapter in ADAPTERS if adapter.name == name)
        for linear, change in changes(adapter, made, folder / name).items():
            per_linear.setdefault(linear, []).append((change, weight))
    for name, changed in per_linear.items():
        model.set_submodule(name, Changed(model.get_submodule(name), changed))
    return model.eval()


def reference(mix: MixCase, made: Weights, models: Path, folder: Path) -> torch.nn.Module:
    """PEFT's model where PEFT has the form, the definition's otherwise."""
    adapter = next((adapter for adapter in ADAPTERS if adapter.name == mix.name), None)
    if adapter is None or adapter.additive:
        return mixed(mix, made, models, folder)
    base = wrappable(case(mix.base), made, models / mix.base / "model")
    model = PeftModel.from_pretrained(base, folder / adapter.name).eval()
    for parameter in model.parameters():
        parameter.data = parameter.data.float()
    return model


def compute(mix: MixCase, models: Path, folder: Path, chosen: list[list[int]] | None) -> Expected:
    """12 quiet prompts and five longer ones, for the prompts `chosen` or those that are quiet on this machine."""
    base = case(mix.base)
    made, facts = weights.make(base), tokens.facts(base)
    model, again = reference(mix, made, models, folder), mixed(mix, made, models, folder)
    if chosen is None:
        drawn = expectations.short_prompts(base, facts)
        quiet = (ids for ids in drawn if expectations.is_quiet(model, ids, published.logits(model, ids)))
        chosen = list(islice(quiet, expectations.QUIET_PROMPTS)) + [ids for ids in expectations.other_prompts(base, facts) if len(ids) < 64]
        if len(chosen) < expectations.QUIET_PROMPTS + 5:
            raise SystemExit(f"{mix.name}: too few quiet prompts; choose another seed")
    prompts, last, distances = [], [], []
    for index, ids in enumerate(chosen):
        rows = published.logits(model, ids)
        prompt = Prompt(ids, expectations.is_quiet(model, ids, rows), expectations.gap(rows[-1]))
        distances.append(((published.logits(again, ids) - rows).abs().amax(-1) / rows.std(dim=-1)).max().item())
        if index < 6:
            prompt.greedy, prompt.greedy_gaps = expectations._greedy(model, ids)
        prompts.append(prompt)
        last.append(rows[-1])
    quiet = [distance for prompt, distance in zip(prompts, distances) if prompt.quiet]
    if sum(distance >= 2e-4 for distance in quiet) > expectations.MAY_DIFFER or max(distances) > 0.4:
        raise SystemExit(f"{mix.name}: PEFT and the definition differ; σ per prompt: {distances}")
    moved = (published.logits(published.load(base, made, models / mix.base / "model"), chosen[0])[-1] - last[0]).abs().max() / last[0].std()
    if moved < 0.1:
        raise SystemExit(f"{mix.name}: the adapters hardly move the logits, by {moved:.3f} σ")
    return Expected(prompts, torch.stack(last), torch.empty(0, last[0].shape[0]))


def make(models: Path, out: Path, kept: Path | None) -> None:
    """Writes `out/<adapter>/` and `out/expected/<mix>/`; with `kept`, for the prompts kept there."""
    for adapter in ADAPTERS:
        make_adapter(adapter, weights.make(case(adapter.base)), models, out / adapter.name)
    for mix in MIXES:
        chosen = None
        if kept is not None:
            described = json.loads((kept / "expected" / mix.name / "expected.json").read_text(encoding="utf-8"))
            chosen = [prompt["ids"] for prompt in described["prompts"]]
        expected = compute(mix, models, out, chosen)
        here = out / "expected" / mix.name
        here.mkdir(parents=True)
        lines = ",\n".join(json.dumps(asdict(prompt)) for prompt in expected.prompts)
        head = json.dumps({"base": mix.base, "adapters": mix.adapters})[1:-1]
        (here / "expected.json").write_text(f'{{{head},\n"prompts": [\n{lines}\n]}}\n', encoding="utf-8")
        save_file({"last": expected.last, "inner": expected.inner}, here / "expected.safetensors")
        print(f"made adapters/{mix.name}", flush=True)
