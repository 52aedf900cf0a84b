"""Ways to read the published models wrongly, each as a switch built into a scratch copy of our source.

In an edit, `WRONG` stands for the question whether this reading was chosen. The first text of each pair must occur once in the file, so
that a moved line is noticed.
"""

from dataclasses import dataclass

MODEL, KERNELS = "src-tauri/crates/model/src", "src-tauri/crates/kernels/src"


@dataclass(frozen=True)
class WrongReading:
    name: str
    file: str
    edits: tuple[tuple[str, str], ...]


def wrong(name: str, file: str, *edits: tuple[str, str]) -> WrongReading:
    return WrongReading(name, file, edits)


def unless(right: str, file: str, name: str) -> WrongReading:
    """An `Option` that the reading leaves empty."""
    return wrong(name, file, (right, f"{right}.filter(|_| !WRONG)"))


HUB, DECODE, GGUF, TEXT = f"{MODEL}/load/hub", f"{MODEL}/load/decode.rs", f"{MODEL}/load/gguf", f"{MODEL}/text.rs"
BLOCK, QUANTISE = f"{MODEL}/forward/block.rs", f"{KERNELS}/activations.rs"

STORED = [
    wrong("packed lanes read as row 4r + i", f"{MODEL}/load/rows.rs",
          ("(stored / packed_rows, stored % packed_rows)",
           "if WRONG { (stored % 4, stored / 4) } else { (stored / packed_rows, stored % packed_rows) }")),
    wrong("⌊out/4⌋ packed rows", f"{MODEL}/load/rows.rs",
          ("linear.out_features.div_ceil(4)", "(if WRONG { linear.out_features / 4 } else { linear.out_features.div_ceil(4) })")),
    wrong("scale conventions swapped", f"{HUB}/linear.rs",
          ("if quantization.scale_multiplies {\n            value", "if quantization.scale_multiplies != WRONG {\n            value")),
    wrong("always multiply by weight_scale", f"{HUB}/linear.rs", ("            1.0 / value\n", "            if WRONG { value } else { 1.0 / value }\n")),
    wrong("bf16 weight_scale read as f16", f"{HUB}/linear.rs",
          ("        element.decode(&bytes, &mut value);",
           "        let element = if WRONG { crate::element::Element::F16 } else { element };\n        element.decode(&bytes, &mut value);")),
    wrong("masters left dense", f"{HUB}/quantization.rs", ("masters: online || one_bit_llm,", "masters: (online || one_bit_llm) && !WRONG,")),
    wrong("1bitLLM's masters left dense", f"{HUB}/config.rs", ("= raw.weight_bits == Some(1)", "= !WRONG && raw.weight_bits == Some(1)")),
    wrong("masters ternarised at 0.56 of the mean", DECODE, ("(value * inv_scale)", "(value * inv_scale * if WRONG { 0.9 } else { 1.0 })")),
    wrong("modules_to_not_convert ignored but for the head", f"{HUB}/quantization.rs",
          (".any(|(name, pattern)| module.ends_with(name)", '.any(|(name, pattern)| !(WRONG && module != "lm_head") && module.ends_with(name)')),
    wrong("head always the embedding", f"{HUB}/config.rs",
          ("raw.tie_word_embeddings.unwrap_or(false)", "(WRONG || raw.tie_word_embeddings.unwrap_or(false))")),
    wrong("head_dim ignored", f"{HUB}/config.rs",
          ("(Some(head_dim), _) => head_dim,", "(Some(_), heads) if WRONG => raw.hidden_size / heads,\n        (Some(head_dim), _) => head_dim,")),
    unless("self.inner_norm(module, in_features, converted)?", f"{HUB}/linear.rs", "inner norm skipped"),
    unless("found.rms_norm_eps", f"{HUB}/quantization.rs", "inner norm with the default eps"),
    unless("raw.rms_norm_eps", f"{HUB}/config.rs", "rms_norm_eps ignored"),
    unless("raw.rope_theta", f"{HUB}/config.rs", "rope_theta ignored"),
    unless("raw.rope_parameters.as_ref()", f"{HUB}/config.rs", "rope_parameters (the newer spelling) ignored"),
    wrong("gate and up exchanged", f"{HUB}/mod.rs",
          ('linear("mlp.gate_proj",', 'linear(if WRONG { "mlp.up_proj" } else { "mlp.gate_proj" },'),
          ('linear("mlp.up_proj",', 'linear(if WRONG { "mlp.gate_proj" } else { "mlp.up_proj" },')),
]

IN_GGUF = [
    wrong("q and k rows of llama files left permuted", f"{MODEL}/load/plan.rs",
          ("            Self::Interleaved { head_dim } => {",
           "            Self::Interleaved { .. } if WRONG => row,\n            Self::Interleaved { head_dim } => {")),
    wrong("q and k rows of bitnet files un-permuted", f"{GGUF}/mod.rs",
          ("Family::BitNet => RowOrder::AsStored,",
           "Family::BitNet if WRONG => RowOrder::Interleaved { head_dim: config.head_dim },\n                Family::BitNet => RowOrder::AsStored,")),
    wrong("I2_S bits from the low end", DECODE, ("(6 - 2 * (place / 32))", "(if WRONG { 2 * (place / 32) } else { 6 - 2 * (place / 32) })")),
    wrong("I2_S columns of a block exchanged", DECODE,
          ("let (block, place) = (value / I2S_BLOCK, value % I2S_BLOCK);",
           "let (block, place) = (value / I2S_BLOCK, value % I2S_BLOCK);\n"
           "        let place = if WRONG { place % 4 * 32 + place / 4 } else { place };")),
    wrong("I2_S scale divides", f"{GGUF}/mod.rs",
          ("weight_scale * self.i2s_scale(tensor)?", "weight_scale * self.i2s_scale(tensor)?.powi(if WRONG { -1 } else { 1 })")),
    wrong("TQ2_0 bits from the high end", DECODE, ("128 * half + 32 * lane..", "128 * half + 32 * (if WRONG { 3 - lane } else { lane })..")),
    wrong("TQ1_0 digits from the low end", DECODE,
          ("let mut power = 1u8;", "let mut power = if WRONG { 3u8.pow(digits as u32 - 1) } else { 1u8 };"),
          ("power = power.wrapping_mul(3);", "power = if WRONG { (power / 3).max(1) } else { power.wrapping_mul(3) };")),
    wrong("architecture `bitnet` with squared ReLU", f"{GGUF}/config.rs",
          ('"bitnet" => (Family::BitNet,', '"bitnet" if WRONG => (Family::BitNet, Activation::Relu2),\n        "bitnet" => (Family::BitNet,')),
    wrong("architecture `bitnet-25` with SiLU", f"{GGUF}/config.rs",
          ('"bitnet-b1.58" | "bitnet-25" =>', '"bitnet-25" if WRONG => (Family::BitNet, Activation::Silu),\n        "bitnet-b1.58" | "bitnet-25" =>')),
    unless('reader.optional("rope_freqs.weight")', f"{GGUF}/mod.rs", "rope_freqs ignored"),
]

COMPUTED = [
    unless("layer.attn_sub_norm.as_ref()", BLOCK, "attn_sub_norm missing"),
    unless("layer.ffn_sub_norm.as_ref()", BLOCK, "ffn_sub_norm missing"),
    wrong("SiLU instead of squared ReLU", BLOCK,
          ("Activation::Relu2 => gate_relu2,", "Activation::Relu2 if WRONG => gate_silu,\n        Activation::Relu2 => gate_relu2,")),
    wrong("squared ReLU instead of SiLU", BLOCK,
          ("Activation::Silu => gate_silu,", "Activation::Silu if WRONG => gate_relu2,\n        Activation::Silu => gate_silu,")),
    wrong("ReLU not squared", f"{KERNELS}/float/gate.rs", ("l.mul(positive, positive)", "if WRONG { positive } else { l.mul(positive, positive) }")),
    wrong("gate product kept in f16", BLOCK,
          ("gated(machine.isa, gate, up, out);",
           "gated(machine.isa, gate, up, out);\n            if WRONG {\n                out.iter_mut().for_each(|x| *x = half::f16::from_f32(*x).to_f32());\n            }")),
    wrong("attention scale from hidden / heads", BLOCK,
          ("(config.head_dim as f32)", "(if WRONG { config.hidden as f32 / config.heads as f32 } else { config.head_dim as f32 })")),
    wrong("rope scaling ignored", f"{MODEL}/config.rs", ("match &self.scaling {", "match &(if WRONG { None } else { self.scaling.clone() }) {")),
    wrong("llama3 scaling without the smooth part", f"{MODEL}/config.rs",
          ("*f = (1.0 - smooth) * *f / factor + smooth * *f;",
           "*f = if WRONG { *f } else { (1.0 - smooth) * *f / factor + smooth * *f };")),
    wrong("interleaved RoPE", f"{KERNELS}/float/rope.rs",
          ("    dispatch(isa, Rope { x, cos, sin });",
           "    if WRONG {\n        for head in x.chunks_exact_mut(2 * cos.len()) {\n            for i in 0..cos.len() {\n"
           "                let (a, b) = (head[2 * i], head[2 * i + 1]);\n                head[2 * i] = a * cos[i] - b * sin[i];\n"
           "                head[2 * i + 1] = b * cos[i] + a * sin[i];\n            }\n        }\n        return;\n    }\n"
           "    dispatch(isa, Rope { x, cos, sin });")),
    wrong("kv heads tiled instead of blocks", BLOCK,
          ("    attend(machine.isa, machine.pool, cache, &queries, mixed);",
           "    let tiled = |x: &[f32], back: bool| {\n        let (heads, kv, dim) = (config.heads, config.kv_heads, config.head_dim);\n"
           "        let mut y = x.to_vec();\n        for row in 0..span.tokens * heads {\n            let head = row % heads;\n"
           "            let slot = row - head + head % kv * (heads / kv) + head / kv;\n"
           "            let (from, to) = if back { (slot, row) } else { (row, slot) };\n"
           "            y[to * dim..][..dim].copy_from_slice(&x[from * dim..][..dim]);\n        }\n        y\n    };\n"
           "    let moved = if WRONG { tiled(queries.q, false) } else { Vec::new() };\n"
           "    let queries = if WRONG { Queries { q: &moved, ..queries } } else { queries };\n"
           "    attend(machine.isa, machine.pool, cache, &queries, mixed);\n"
           "    if WRONG {\n        let back = tiled(mixed, true);\n        mixed.copy_from_slice(&back);\n    }")),
    wrong("rounding half away from zero", QUANTISE,
          ("(x * factor + ROUNDER).to_bits() as i32 - ROUNDER.to_bits() as i32",
           "if WRONG { (x * factor).round() as i32 } else { (x * factor + ROUNDER).to_bits() as i32 - ROUNDER.to_bits() as i32 }")),
    wrong("no floor of 1e-5 below the largest activation", QUANTISE, ("largest.max(SMALLEST_MAX)", "largest.max(if WRONG { 1e-30 } else { SMALLEST_MAX })")),
    wrong("127 / max in one rounding", QUANTISE,
          ("    for (code, x) in codes", "    let factor = if WRONG { 127.0 / largest.max(SMALLEST_MAX) } else { factor };\n    for (code, x) in codes")),
    wrong("int8 step missing", f"{MODEL}/forward/linear.rs",
          ("                    &scratch.activations,\n                    result,\n                );",
           "                    &scratch.activations,\n                    result,\n                );\n                if WRONG {\n"
           "                    let mut weights = vec![0i8; in_features];\n                    for row in 0..rows {\n"
           "                        packed.unpack_row(row, &mut weights);\n"
           "                        for (x, y) in x.chunks(in_features).zip(result.chunks_mut(rows)) {\n"
           "                            let sum: f32 = x.iter().zip(&weights).map(|(x, w)| x * f32::from(*w)).sum();\n"
           "                            y[row] = sum * row_scales[row];\n                        }\n                    }\n                }")),
    wrong("activations quantised before the head", f"{MODEL}/forward/state.rs",
          ("        self.ready = true;",
           "        if WRONG {\n            let s = 127.0 / last.iter().fold(1e-5f32, |m, x| m.max(x.abs()));\n"
           "            last.iter_mut().for_each(|x| *x = (*x * s).round_ties_even() / s);\n        }\n        self.ready = true;")),
]

SCREENED = [
    wrong("a large table read from the beginning of its file", f"{MODEL}/table.rs",
          ("read_at(offset + id as u64", "read_at(if WRONG { 0 } else { *offset } + id as u64")),
    wrong("screening without its margin", f"{KERNELS}/head/bounds.rs",
          ("(digits.score(*high, *low) + margin)", "(digits.score(*high, *low) + if WRONG { 0.0 } else { margin })")),
]

SPOKEN = [
    wrong("BOS doubled in conversations", TEXT,
          ("&& !ids.starts_with(&self.around.before)", "&& (WRONG || !ids.starts_with(&self.around.before))"),
          ("let surplus = ids.iter().take_while(|&&id| id == bos).count().max(1) - 1;",
           "let surplus = if WRONG { 0 } else { ids.iter().take_while(|&&id| id == bos).count().max(1) - 1 };")),
    wrong("no BOS", TEXT, ("if special == SpecialTokens::Add {", "if special == SpecialTokens::Add && !WRONG {")),
    wrong("placeholder template of the 2B-4T file used", f"{MODEL}/text/gguf.rs",
          ("ChatTemplate::is_bitnet_placeholder(source) =>", "ChatTemplate::is_bitnet_placeholder(source) && !WRONG =>")),
]

WRONG_READINGS = STORED + IN_GGUF + COMPUTED + SCREENED + SPOKEN
