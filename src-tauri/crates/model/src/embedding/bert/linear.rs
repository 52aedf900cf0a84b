//! `x·Wᵀ` as an operation of candle, computed by our own product.
//!
//! candle's takes the weights apart again for every product, which for the dozen tokens of a question costs more than the product
//! itself (figures in this crate's README). Here a weight is read once for four tokens, in the order in which it lies, and every
//! result is the same sixteen-lane sum whatever is beside it: a text's row has the same bits alone and in a batch.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use r3mes_kernels::{DenseMatrix, Isa, Pool, dense_matmul};

use super::operations::numbers;

/// A linear: matrix `[out, in]` and bias `[out]`.
pub(super) struct Linear {
    pub(super) matrix: DenseMatrix,
    pub(super) bias: Vec<f32>,
}

/// Who computes products, and with which instructions.
#[derive(Debug)]
pub(super) struct Workers {
    pub(super) isa: Isa,
    pub(super) pool: Pool,
}

impl Linear {
    /// `x·Wᵀ`, without the bias.
    ///
    /// # Shapes
    /// - `x`: `[tokens, in]` · returns `[tokens, out]`
    pub(super) fn product(&self, x: &Tensor, workers: &Workers) -> Result<Tensor> {
        let product = Product {
            matrix: &self.matrix,
            workers,
        };
        x.apply_op1_no_bwd(&product)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.matrix.bytes() + (self.bias.len() * size_of::<f32>()) as u64
    }
}

struct Product<'a> {
    matrix: &'a DenseMatrix,
    workers: &'a Workers,
}

impl CustomOp1 for Product<'_> {
    fn name(&self) -> &'static str {
        "dense-product"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = numbers(storage, layout)?;
        let (tokens, width) = layout.shape().dims2()?;
        if width != self.matrix.cols() {
            bail!("rows of {width} numbers, expected {}", self.matrix.cols());
        }
        let mut out = vec![0.0; tokens * self.matrix.rows()];
        let Workers { isa, pool } = self.workers;
        dense_matmul(*isa, pool, self.matrix, x, &mut out);
        Ok((
            CpuStorage::F32(out),
            Shape::from((tokens, self.matrix.rows())),
        ))
    }
}
