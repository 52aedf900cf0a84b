//! From a plan to weights: through the packed cache when it fits, by packing otherwise.

use std::sync::{Arc, OnceLock};

use r3mes_kernels::ternary::packed_len;
use r3mes_kernels::{AlignedBytes, ScreenedHead};

use super::batches::Ask;
use super::cache::{self, CacheWriter};
use super::pack::{Packed, PackedModel, dense, group_rows, norm, pack, vector};
use super::plan::{Encoding, LayerPlan, LinearPlan, Plan, TablePlan};
use super::{CacheUse, LoadError, LoadOptions, LoadPhase, Progress, head, report};
use crate::weights::{Head, Joined, Layer, Linear, Matrix, Weights};

/// Ternary linears packed as one matrix; the unit of packing and of the cache.
pub(super) struct Group<'a> {
    pub linears: Vec<&'a LinearPlan>,
    /// Bytes of the packed matrix.
    pub bytes: usize,
}

impl Group<'_> {
    pub(super) fn rows(&self) -> usize {
        group_rows(&self.linears)
    }

    pub(super) fn cols(&self) -> usize {
        self.linears[0].in_features
    }
}

/// All packed matrices of a plan, in the order of the computation, and the screened head's size.
pub(super) struct Layout<'a> {
    pub groups: Vec<Group<'a>>,
    pub screen_bytes: usize,
}

impl<'a> Layout<'a> {
    fn of(plan: &'a Plan, options: &LoadOptions<'_>) -> Result<Self, LoadError> {
        let mut groups = Vec::new();
        let layers = plan
            .layers
            .iter()
            .flat_map(inputs)
            .flat_map(|joined| split(&joined));
        for linears in layers.chain(plan.bit_linear_head.iter().map(|head| vec![head])) {
            if linears[0].encoding.is_ternary() {
                let bytes =
                    packed_len(group_rows(&linears), linears[0].in_features).map_err(|source| {
                        LoadError::Layout {
                            place: linears[0].name.clone(),
                            source,
                        }
                    })?;
                groups.push(Group { linears, bytes });
            }
        }
        let table = head_table(plan);
        let screen_bytes = match plan.bit_linear_head.is_none() && head::is_large(table, options) {
            true => ScreenedHead::packed_len(table.rows, table.cols).unwrap_or(0),
            false => 0,
        };
        Ok(Self {
            groups,
            screen_bytes,
        })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.groups
            .iter()
            .map(|group| group.bytes as u64)
            .sum::<u64>()
            + self.screen_bytes as u64
    }
}

/// The head's rows: its own, or the embedding's.
fn head_table(plan: &Plan) -> &TablePlan {
    plan.head.as_ref().unwrap_or(&plan.embedding)
}

/// The linears of a layer by the input they share.
fn inputs(layer: &LayerPlan) -> [Vec<&LinearPlan>; 4] {
    [
        layer.qkv.iter().collect(),
        vec![&layer.o],
        layer.gate_up.iter().collect(),
        vec![&layer.down],
    ]
}

/// Linears that share an input as few products as possible: one if all are ternary and quantise the same values.
fn split<'a>(linears: &[&'a LinearPlan]) -> Vec<Vec<&'a LinearPlan>> {
    let fusible = linears
        .iter()
        .all(|linear| linear.encoding.is_ternary() && linear.inner_norm.is_none());
    match fusible {
        true => vec![linears.to_vec()],
        false => linears.iter().map(|linear| vec![*linear]).collect(),
    }
}

/// Reads or packs everything the plan names.
///
/// # Errors
/// As [`super::load`].
pub(super) fn weights(
    plan: Plan,
    options: &LoadOptions<'_>,
    progress: &mut Progress<'_>,
) -> Result<Weights, LoadError> {
    let PackedModel { matrices, screen } = {
        let layout = Layout::of(&plan, options)?;
        match options.cache {
            CacheUse::BesideModel {
                fallback,
                from_bytes,
            } if layout.bytes() >= from_bytes => {
                cache::remove_abandoned(&plan, fallback);
                match cache::read(&plan, &layout, fallback, options.pool, progress)? {
                    Some(found) => found,
                    None => {
                        let writer = match CacheWriter::create(&plan, &layout, fallback) {
                            Ok(writer) => Some(writer),
                            Err(error) => not_written(&error, progress).map(|()| None)?,
                        };
                        pack_all(&plan, &layout, writer, options, progress)?
                    }
                }
            }
            _ => pack_all(&plan, &layout, None, options, progress)?,
        }
    };
    let ask: &mut Ask<'_> = &mut |_| report(progress, LoadPhase::Reading);
    let embedding = head::table(&plan, &plan.embedding, options, ask)?;
    let head_table = match &plan.head {
        Some(own) => head::table(&plan, own, options, ask)?,
        None => embedding.clone(),
    };
    let mut packed = matrices.into_iter();
    let layers = plan
        .layers
        .iter()
        .map(|layer| build_layer(&plan, layer, &mut packed, ask))
        .collect::<Result<Vec<_>, _>>()?;
    let final_norm = norm(&plan.final_norm, &plan.files)?;
    let bit_linear = match &plan.bit_linear_head {
        Some(linear) => Some(single(join(&plan, &[linear], &mut packed, ask)?)),
        None => None,
    };
    let head = Head {
        table: head_table,
        screen,
        bit_linear,
    };
    Ok(Weights {
        config: plan.config,
        embedding,
        layers,
        final_norm,
        head,
        fingerprint: OnceLock::new(),
    })
}

/// Packs the head and every group while `writer` writes the copy.
fn pack_all(
    plan: &Plan,
    layout: &Layout<'_>,
    writer: Option<CacheWriter>,
    options: &LoadOptions<'_>,
    progress: &mut Progress<'_>,
) -> Result<PackedModel, LoadError> {
    let total = layout.bytes();
    let mut done = 0;
    let mut screen = None;
    // The head is the largest part by far: coded first, it is written while the layers are packed.
    if layout.screen_bytes > 0 {
        let table = head_table(plan);
        let row_bytes = layout.screen_bytes / table.rows;
        let coded = head::screen(plan, table, options.pool, &mut |rows| {
            let done = (rows * row_bytes) as u64;
            report(progress, LoadPhase::Packing { done, total })
        })?;
        done += layout.screen_bytes as u64;
        let coded = Arc::new(coded);
        if let Some(writer) = &writer {
            writer.add_screen(&coded);
        }
        screen = Some(coded);
    }
    let mut matrices = Vec::new();
    for (index, group) in layout.groups.iter().enumerate() {
        let packed = pack(&group.linears, &plan.files, options.pool, &mut |bytes| {
            let done = done + bytes as u64;
            report(progress, LoadPhase::Packing { done, total })
        })?;
        done += group.bytes as u64;
        if let Some(writer) = &writer {
            writer.add_matrix(index, &packed);
        }
        matrices.push(packed);
    }
    if let Some(writer) = writer {
        let mut ask = |done| report(progress, LoadPhase::WritingCache { done, total });
        match writer.finish(&mut ask) {
            Err(LoadError::Cancelled) => return Err(LoadError::Cancelled),
            // A failure costs the copy, not the load.
            Err(error) => not_written(&error, progress)?,
            Ok(()) => {}
        }
    }
    Ok(PackedModel { matrices, screen })
}

fn not_written(error: &LoadError, progress: &mut Progress<'_>) -> Result<(), LoadError> {
    let reason = reason(error);
    report(progress, LoadPhase::CacheNotWritten { reason })
}

fn reason(error: &LoadError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn build_layer(
    plan: &Plan,
    layer: &LayerPlan,
    packed: &mut impl Iterator<Item = Packed>,
    ask: &mut Ask<'_>,
) -> Result<Layer, LoadError> {
    let optional = |norm_plan: &Option<_>| {
        norm_plan
            .as_ref()
            .map(|found| norm(found, &plan.files))
            .transpose()
    };
    let [qkv, o, gate_up, down] = inputs(layer);
    let mut joined = |linears: &[&LinearPlan]| join(plan, linears, packed, ask);
    let qkv = joined(&qkv)?;
    let o = single(joined(&o)?);
    let gate_up = joined(&gate_up)?;
    let down = single(joined(&down)?);
    Ok(Layer {
        input_norm: norm(&layer.input_norm, &plan.files)?,
        qkv,
        attn_sub_norm: optional(&layer.attn_sub_norm)?,
        o,
        post_attention_norm: norm(&layer.post_attention_norm, &plan.files)?,
        gate_up,
        ffn_sub_norm: optional(&layer.ffn_sub_norm)?,
        down,
    })
}

fn single(mut joined: Joined) -> Linear {
    joined.parts.pop().expect("one linear makes one part")
}

fn join(
    plan: &Plan,
    linears: &[&LinearPlan],
    packed: &mut impl Iterator<Item = Packed>,
    ask: &mut Ask<'_>,
) -> Result<Joined, LoadError> {
    let mut parts = Vec::new();
    for group in split(linears) {
        let first = group[0];
        let matrix = match first.encoding {
            Encoding::Dense(element) => {
                let table = TablePlan {
                    name: first.name.clone(),
                    extent: first.extent.clone(),
                    element,
                    rows: first.out_features,
                    cols: first.in_features,
                };
                Matrix::Dense(dense(&table, first.order, &plan.files, ask)?)
            }
            _ => {
                let Packed { matrix, row_scales } =
                    packed.next().expect("a matrix for each ternary group");
                Matrix::Ternary {
                    packed: matrix,
                    row_scales,
                }
            }
        };
        let inner_norm = first
            .inner_norm
            .as_ref()
            .map(|found| norm(found, &plan.files))
            .transpose()?;
        parts.push(Linear {
            inner_norm,
            bias: bias(plan, &group)?,
            matrix,
        });
    }
    Ok(Joined {
        parts,
        out_features: linears.iter().map(|linear| linear.out_features).collect(),
    })
}

/// The biases of a group, zeros where a linear has none; `None` if none has.
fn bias(plan: &Plan, group: &[&LinearPlan]) -> Result<Option<Vec<f32>>, LoadError> {
    if group.iter().all(|linear| linear.bias.is_none()) {
        return Ok(None);
    }
    let mut all = Vec::new();
    for linear in group {
        match &linear.bias {
            Some(found) => all.extend(vector(found, &plan.files)?),
            None => all.resize(all.len() + linear.out_features, 0.0),
        }
    }
    Ok(Some(all))
}

/// A buffer for packed bytes of `place`.
pub(super) fn buffer(bytes: usize, place: &str) -> Result<AlignedBytes, LoadError> {
    AlignedBytes::zeroed(bytes).map_err(|source| LoadError::Memory {
        place: place.to_owned(),
        source,
    })
}

/// The shape of the head.
pub(super) fn head_shape(plan: &Plan) -> (usize, usize) {
    (head_table(plan).rows, head_table(plan).cols)
}
