//! The embedding and the LM head: in memory when small, in the file and screened when large.

use std::sync::{Arc, Mutex};

use r3mes_kernels::{Pool, ScreenedHead};

use super::batches::{Ask, in_batches};
use super::pack::{check_row, dense};
use super::plan::{Plan, RowOrder, TablePlan};
use super::{LoadError, LoadOptions};
use crate::table::Table;

/// Whether a table of this shape stays in its file, and a head of this shape is screened.
pub(super) fn is_large(table: &TablePlan, options: &LoadOptions<'_>) -> bool {
    table.rows as u64 * table.cols as u64 >= options.large_table
}

/// The rows of `table`.
///
/// # Errors
/// If a small table cannot be read or is not finite, or `ask` says stop.
pub(super) fn table(
    plan: &Plan,
    table: &TablePlan,
    options: &LoadOptions<'_>,
    ask: &mut Ask<'_>,
) -> Result<Arc<Table>, LoadError> {
    Ok(Arc::new(match is_large(table, options) {
        false => Table::in_memory(dense(table, RowOrder::AsStored, &plan.files, ask)?),
        true => {
            let source = plan.files[table.extent.file].clone();
            Table::in_file(
                source,
                table.extent.offset,
                table.element,
                table.rows,
                table.cols,
            )
        }
    }))
}

/// Codes every row of a large head; what is not finite is refused on the way. `ask` is told the rows coded.
///
/// # Errors
/// If the file cannot be read, a weight is not finite, memory is short, or `ask` says stop.
pub(super) fn screen(
    plan: &Plan,
    table: &TablePlan,
    pool: &Pool,
    ask: &mut Ask<'_>,
) -> Result<ScreenedHead, LoadError> {
    let source = &plan.files[table.extent.file];
    let cols = table.cols;
    let mut packer =
        ScreenedHead::packer(table.rows, cols).map_err(|source| LoadError::Screen {
            place: table.name.clone(),
            source,
        })?;
    let row_bytes = table
        .element
        .row_bytes(cols)
        .expect("the plan has whole rows");
    let panels: Vec<_> = packer.panels_mut().map(Mutex::new).collect();
    let rows_per_panel = table.rows.div_ceil(panels.len());
    let mut ask = |panels: usize| ask(panels * rows_per_panel);
    in_batches(
        pool,
        panels.len(),
        rows_per_panel * cols,
        &mut ask,
        &|panel| {
            let mut panel = panels[panel].lock().expect("each panel is coded once");
            let rows = panel.rows();
            let mut bytes = vec![0; rows.len() * row_bytes];
            let mut values = vec![0.0; cols];
            let offset = table.extent.offset + (rows.start * row_bytes) as u64;
            source.read_at(offset, &mut bytes)?;
            for (row, bytes) in rows.zip(bytes.chunks_exact(row_bytes)) {
                table.element.decode(bytes, &mut values);
                check_row(source, table, row, &values)?;
                panel.set_row(row, &values);
            }
            Ok(())
        },
    )?;
    drop(panels);
    Ok(packer.finish())
}
