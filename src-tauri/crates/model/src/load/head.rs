//! The embedding and the LM head: in memory when small, in the file and screened when large.

use std::sync::Arc;

use r3mes_kernels::ScreenedHead;

use super::pack::{check_row, dense};
use super::plan::{Plan, RowOrder, TablePlan};
use super::{LoadError, LoadOptions, LoadPhase, Progress, report};
use crate::table::Table;

/// Rows screened between two looks at the caller's wish to stop.
const ROWS_PER_REPORT: usize = 4096;

/// Whether a table of this shape stays in its file, and a head of this shape is screened.
pub(super) fn is_large(table: &TablePlan, options: &LoadOptions<'_>) -> bool {
    table.rows as u64 * table.cols as u64 >= options.large_table
}

/// The rows of `table`.
///
/// # Errors
/// If a small table cannot be read or is not finite.
pub(super) fn table(
    plan: &Plan,
    table: &TablePlan,
    options: &LoadOptions<'_>,
) -> Result<Arc<Table>, LoadError> {
    Ok(Arc::new(match is_large(table, options) {
        false => Table::in_memory(dense(table, RowOrder::AsStored, &plan.files)?),
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

/// Codes every row of a large head; what is not finite is refused on the way.
///
/// # Errors
/// If the file cannot be read, a weight is not finite, memory is short, or the caller stops.
pub(super) fn screen(
    plan: &Plan,
    table: &TablePlan,
    done: u64,
    total: u64,
    progress: &mut Progress<'_>,
) -> Result<ScreenedHead, LoadError> {
    let source = &plan.files[table.extent.file];
    let mut packer =
        ScreenedHead::packer(table.rows, table.cols).map_err(|source| LoadError::Screen {
            place: table.name.clone(),
            source,
        })?;
    let row_bytes = table
        .element
        .row_bytes(table.cols)
        .expect("the plan has whole rows");
    let mut bytes = vec![0; row_bytes];
    let mut values = vec![0.0; table.cols];
    for row in 0..table.rows {
        if row.is_multiple_of(ROWS_PER_REPORT) {
            let coded = (total - done) * row as u64 / table.rows as u64;
            report(
                progress,
                LoadPhase::Packing {
                    done: done + coded,
                    total,
                },
            )?;
        }
        source.read_at(table.extent.offset + (row * row_bytes) as u64, &mut bytes)?;
        table.element.decode(&bytes, &mut values);
        check_row(source, table, row, &values)?;
        packer.set_row(row, &values);
    }
    Ok(packer.finish())
}
