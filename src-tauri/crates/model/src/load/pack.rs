//! Packs linears that read the same input into one ternary matrix, tile by tile on all threads.
//!
//! Memory stays bounded: of the source only the tensors of one group are held, and only where rows share bytes.

use std::sync::{Arc, Mutex};

use r3mes_kernels::ternary::{ROWS_PER_TILE, pack_tile};
use r3mes_kernels::{AllocError, DenseMatrix, DenseRows, Pool, ScreenedHead, TernaryMatrix};

use super::LoadError;
use super::batches::{Ask, at_once, in_batches};
use super::plan::{LinearPlan, NormPlan, RowOrder, TablePlan, VectorPlan};
use super::rows::{Rows, Scratch};
use super::source::Source;
use crate::element::Element;
use crate::weights::Norm;

/// A ternary matrix with the multiplier of each row.
pub(super) struct Packed {
    pub matrix: Arc<TernaryMatrix>,
    /// `[rows]`
    pub row_scales: Vec<f32>,
}

/// Everything of a model that is packed.
pub(super) struct PackedModel {
    /// One matrix for each group of linears, in the order of the computation.
    pub matrices: Vec<Packed>,
    pub screen: Option<Arc<ScreenedHead>>,
}

/// Output rows of a group of linears.
pub(super) fn group_rows(group: &[&LinearPlan]) -> usize {
    group.iter().map(|linear| linear.out_features).sum()
}

/// Packs `group`, whose members are ternary and share their input, rows concatenated in order. `ask` is told packed bytes.
///
/// # Errors
/// If a file cannot be read, a weight is not ternary, there is no memory, or `ask` says stop.
pub(super) fn pack(
    group: &[&LinearPlan],
    files: &[Arc<Source>],
    pool: &Pool,
    ask: &mut Ask<'_>,
) -> Result<Packed, LoadError> {
    let cols = group[0].in_features;
    let total = group_rows(group);
    let rows = group
        .iter()
        .map(|linear| Rows::open(linear, &files[linear.extent.file], pool, &mut |_| ask(0)))
        .collect::<Result<Vec<_>, _>>()?;
    // Which linear and which of its rows an output row is.
    let origin: Vec<(usize, usize)> = group
        .iter()
        .enumerate()
        .flat_map(|(part, linear)| (0..linear.out_features).map(move |row| (part, row)))
        .collect();
    let mut packer = TernaryMatrix::packer(total, cols).map_err(|source| LoadError::Layout {
        place: group[0].name.clone(),
        source,
    })?;
    let mut row_scales = vec![0.0; total];
    let tiles: Vec<_> = packer
        .tiles_mut()
        .zip(row_scales.chunks_mut(ROWS_PER_TILE))
        .map(Mutex::new)
        .collect();
    let tile_bytes = tiles.first().map_or(0, |tile| {
        tile.lock().expect("no panic while locked").0.len()
    });
    let mut ask = |tiles: usize| ask(tiles * tile_bytes);
    in_batches(pool, tiles.len(), ROWS_PER_TILE * cols, &mut ask, &|tile| {
        let mut target = tiles[tile].lock().expect("each tile is packed once");
        let (packed, scales) = &mut *target;
        let mut codes = vec![0i8; scales.len() * cols];
        let mut scratch = Scratch::default();
        let origins = &origin[tile * ROWS_PER_TILE..];
        for ((codes, scale), &(part, row)) in codes
            .chunks_exact_mut(cols)
            .zip(scales.iter_mut())
            .zip(origins)
        {
            *scale = rows[part].read(row, codes, &mut scratch)?;
        }
        pack_tile(&codes, cols, packed).expect("rows were decoded to ternary codes of this shape");
        Ok(())
    })?;
    drop(tiles);
    Ok(Packed {
        matrix: Arc::new(packer.finish()),
        row_scales,
    })
}

/// Reads a float vector; every value must be finite.
///
/// # Errors
/// If the file cannot be read or a value is not finite.
pub(super) fn vector(plan: &VectorPlan, files: &[Arc<Source>]) -> Result<Vec<f32>, LoadError> {
    let source = &files[plan.extent.file];
    let bytes = source.read_vec(plan.extent.offset, plan.extent.bytes)?;
    let mut values = vec![0.0; plan.length];
    plan.element.decode(&bytes, &mut values);
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(index) => {
            let place = format!("tensor `{}`, value {index}", plan.name);
            Err(LoadError::malformed(
                source.path(),
                place,
                values[index].to_string(),
                "a finite number",
            ))
        }
    }
}

/// Reads a norm.
///
/// # Errors
/// As [`vector`].
pub(super) fn norm(plan: &NormPlan, files: &[Arc<Source>]) -> Result<Norm, LoadError> {
    Ok(Norm {
        weight: vector(&plan.weight, files)?,
        eps: plan.eps,
    })
}

/// Reads a float matrix into memory in its own precision; block formats become f32. `ask` is told rows.
///
/// # Errors
/// If the file cannot be read, a value is not finite, or `ask` says stop.
pub(super) fn dense(
    table: &TablePlan,
    order: RowOrder,
    files: &[Arc<Source>],
    ask: &mut Ask<'_>,
) -> Result<DenseMatrix, LoadError> {
    let source = &files[table.extent.file];
    let row_bytes = table
        .element
        .row_bytes(table.cols)
        .expect("the plan has whole rows");
    let mut bytes = vec![0; row_bytes];
    let mut values = vec![0.0f32; table.cols];
    let mut rows = match table.element {
        Element::F32 | Element::Block(_) => DenseRows::F32(reserve(table)?),
        Element::F16 => DenseRows::F16(reserve(table)?),
        Element::Bf16 => DenseRows::Bf16(reserve(table)?),
    };
    for row in 0..table.rows {
        if row.is_multiple_of(at_once(table.cols)) {
            ask(row)?;
        }
        let stored = order.stored(row);
        source.read_at(
            table.extent.offset + (stored * row_bytes) as u64,
            &mut bytes,
        )?;
        table.element.decode(&bytes, &mut values);
        check_row(source, table, row, &values)?;
        // The way to f32 and back is exact for both half formats.
        match &mut rows {
            DenseRows::F32(all) => all.extend_from_slice(&values),
            DenseRows::F16(all) => {
                all.extend(values.iter().map(|&value| half::f16::from_f32(value)))
            }
            DenseRows::Bf16(all) => {
                all.extend(values.iter().map(|&value| half::bf16::from_f32(value)))
            }
        }
    }
    Ok(DenseMatrix::new(table.rows, table.cols, rows).expect("rows · cols values were read"))
}

/// Room for the whole matrix; blocks of a few bits grow eightfold, so even a file's own size does not bound it.
fn reserve<T>(table: &TablePlan) -> Result<Vec<T>, LoadError> {
    let elements = table.rows * table.cols;
    let mut all = Vec::new();
    match all.try_reserve_exact(elements) {
        Ok(()) => Ok(all),
        Err(_) => Err(LoadError::Memory {
            place: table.name.clone(),
            source: AllocError {
                bytes: elements.saturating_mul(size_of::<T>()),
            },
        }),
    }
}

/// Refuses a row that holds NaN or an infinity.
pub(super) fn check_row(
    source: &Source,
    table: &TablePlan,
    row: usize,
    values: &[f32],
) -> Result<(), LoadError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(column) => {
            let place = format!("tensor `{}`, row {row}, column {column}", table.name);
            Err(LoadError::malformed(
                source.path(),
                place,
                values[column].to_string(),
                "a finite number",
            ))
        }
    }
}
