//! Rows of the embedding or the LM head, read as f32 one at a time.
//!
//! A small table lives in memory; a large one stays in its file and rows are read by position, so that 128256 rows of
//! 2560 never count as resident. The pages read stay in the system's cache as long as it has room.

use std::sync::Arc;

use r3mes_kernels::DenseMatrix;

use crate::element::Element;
use crate::load::LoadError;
use crate::load::source::Source;

/// `[rows, cols]` of floats, in memory or in a file.
pub struct Table {
    rows: usize,
    cols: usize,
    storage: Storage,
}

enum Storage {
    Memory(DenseMatrix),
    File {
        source: Arc<Source>,
        offset: u64,
        element: Element,
    },
}

impl Table {
    /// A table held in memory.
    pub fn in_memory(matrix: DenseMatrix) -> Self {
        Self {
            rows: matrix.rows(),
            cols: matrix.cols(),
            storage: Storage::Memory(matrix),
        }
    }

    /// A table left in its file; the caller has checked that it lies inside.
    pub(crate) fn in_file(
        source: Arc<Source>,
        offset: u64,
        element: Element,
        rows: usize,
        cols: usize,
    ) -> Self {
        Self {
            rows,
            cols,
            storage: Storage::File {
                source,
                offset,
                element,
            },
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Elements in a row.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The matrix, when the table is in memory.
    pub fn matrix(&self) -> Option<&DenseMatrix> {
        match &self.storage {
            Storage::Memory(matrix) => Some(matrix),
            Storage::File { .. } => None,
        }
    }

    /// Bytes read from memory or disk for one row.
    pub fn row_bytes(&self) -> usize {
        match &self.storage {
            Storage::Memory(matrix) => matrix.bytes() as usize / self.rows.max(1),
            Storage::File { element, .. } => element.row_bytes(self.cols).unwrap_or(0),
        }
    }

    /// Reads row `id` into `out`.
    ///
    /// # Shapes
    /// - `out`: `[cols]`
    ///
    /// # Errors
    /// If the file cannot be read any more.
    ///
    /// # Panics
    /// If `id` is not below [`Table::rows`] or `out` has another length.
    pub fn row(&self, id: u32, out: &mut [f32]) -> Result<(), LoadError> {
        let id = id as usize;
        assert!(
            id < self.rows,
            "row {id} of a table with {} rows",
            self.rows
        );
        assert_eq!(out.len(), self.cols, "elements of a table row");
        match &self.storage {
            Storage::Memory(matrix) => matrix.row(id, out),
            Storage::File {
                source,
                offset,
                element,
            } => {
                let row_bytes = self.row_bytes();
                let mut bytes = vec![0; row_bytes];
                source.read_at(offset + id as u64 * row_bytes as u64, &mut bytes)?;
                element.decode(&bytes, out);
            }
        }
        Ok(())
    }
}
