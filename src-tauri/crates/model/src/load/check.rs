//! Decodes every tensor of a plan and keeps nothing: what `model verify` runs.

use std::ops::ControlFlow;

use r3mes_kernels::Pool;

use super::LoadError;
use super::batches::in_batches;
use super::pack::{check_row, vector};
use super::plan::{Encoding, LinearPlan, Plan, TablePlan};
use super::rows::{Rows, Scratch};

/// Rows that one work item covers.
const ROWS_PER_ITEM: usize = 64;

/// Reads every row of every tensor; `progress` is told the fraction done.
///
/// # Errors
/// If a file cannot be read, a weight is not ternary or not finite, or `progress` breaks off.
pub(crate) fn check_tensors(
    plan: &Plan,
    pool: &Pool,
    progress: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<(), LoadError> {
    for norm in plan.norms() {
        vector(&norm.weight, &plan.files)?;
    }
    let total: u64 = plan
        .linears()
        .map(|linear| linear.extent.bytes)
        .sum::<u64>()
        + plan.embedding.extent.bytes
        + plan.head.as_ref().map_or(0, |head| head.extent.bytes);
    let mut done = 0;
    let mut told = |done: u64, bytes: u64, fraction: f64| {
        progress((done as f64 + bytes as f64 * fraction) / total as f64)
    };
    for table in std::iter::once(&plan.embedding).chain(&plan.head) {
        let bytes = table.extent.bytes;
        check_table(plan, table, pool, &mut |fraction| {
            told(done, bytes, fraction)
        })?;
        done += bytes;
    }
    for linear in plan.linears() {
        let bytes = linear.extent.bytes;
        check_linear(plan, linear, pool, &mut |fraction| {
            told(done, bytes, fraction)
        })?;
        done += bytes;
    }
    Ok(())
}

fn check_linear(
    plan: &Plan,
    linear: &LinearPlan,
    pool: &Pool,
    progress: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<(), LoadError> {
    for found in linear
        .inner_norm
        .iter()
        .map(|norm| &norm.weight)
        .chain(&linear.bias)
    {
        vector(found, &plan.files)?;
    }
    let source = &plan.files[linear.extent.file];
    if let Encoding::Dense(element) = linear.encoding {
        let table = TablePlan {
            name: linear.name.clone(),
            extent: linear.extent.clone(),
            element,
            rows: linear.out_features,
            cols: linear.in_features,
        };
        return check_table(plan, &table, pool, progress);
    }
    let rows = Rows::open(linear, source, pool, &mut |_| go_on(progress(0.0)))?;
    each_row(
        linear.out_features,
        linear.in_features,
        pool,
        progress,
        &|range| {
            let mut codes = vec![0; linear.in_features];
            let mut scratch = Scratch::default();
            range
                .into_iter()
                .try_for_each(|row| rows.read(row, &mut codes, &mut scratch).map(drop))
        },
    )
}

fn check_table(
    plan: &Plan,
    table: &TablePlan,
    pool: &Pool,
    progress: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<(), LoadError> {
    let source = &plan.files[table.extent.file];
    let row_bytes = table
        .element
        .row_bytes(table.cols)
        .expect("the plan has whole rows");
    each_row(table.rows, table.cols, pool, progress, &|range| {
        let mut bytes = vec![0; row_bytes];
        let mut values = vec![0.0; table.cols];
        range.into_iter().try_for_each(|row| {
            source.read_at(table.extent.offset + (row * row_bytes) as u64, &mut bytes)?;
            table.element.decode(&bytes, &mut values);
            check_row(source, table, row, &values)
        })
    })
}

/// Runs `check` on ranges that cover `rows`, on all threads; the first bad row is told.
fn each_row(
    rows: usize,
    cols: usize,
    pool: &Pool,
    progress: &mut dyn FnMut(f64) -> ControlFlow<()>,
    check: &(dyn Fn(std::ops::Range<usize>) -> Result<(), LoadError> + Sync),
) -> Result<(), LoadError> {
    let items = rows.div_ceil(ROWS_PER_ITEM);
    let mut ask = |item: usize| go_on(progress(item as f64 / items as f64));
    in_batches(pool, items, ROWS_PER_ITEM * cols, &mut ask, &|item| {
        let start = item * ROWS_PER_ITEM;
        check(start..rows.min(start + ROWS_PER_ITEM))
    })
}

fn go_on(wish: ControlFlow<()>) -> Result<(), LoadError> {
    match wish {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(LoadError::Cancelled),
    }
}
