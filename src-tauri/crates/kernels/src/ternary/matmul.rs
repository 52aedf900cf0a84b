//! The product of a packed matrix and quantised activations: split over threads, summed per tile, scaled.

use super::agreement::{Kernel, agrees_with_scalar};
use super::layout::{COLS_PER_BLOCK, ROWS_PER_TILE};
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
use super::neon;
use super::{TernaryMatrix, scalar};
#[cfg(target_arch = "x86_64")]
use super::{avx_vnni, avx2, avx512};
use crate::activations::BIAS;
use crate::pool::Slots;
use crate::{Activations, Isa, Pool};

/// `out[t, r] = (Σ w·q as f32) · row_scales[r] / s[t]`, in this order of f32 operations, on every instruction set.
///
/// One token streams the packed weights at the speed of the bus; from two tokens on a tile of weights is unpacked once and used
/// for many tokens.
///
/// # Shapes
/// - `matrix`: `[rows, cols]` · `row_scales`: `[rows]` · `activations`: `[tokens, cols]` · `out`: `[tokens, rows]` f32
///
/// # Panics
/// If a shape disagrees, or `isa` is not available on this machine: both are mistakes of the caller, not of data.
pub fn matmul(
    isa: Isa,
    pool: &Pool,
    matrix: &TernaryMatrix,
    row_scales: &[f32],
    activations: &Activations,
    out: &mut [f32],
) {
    matmul_beside(
        isa,
        pool,
        (matrix, row_scales),
        activations,
        out,
        (0, &|_| {}),
    );
}

/// [`matmul`] with `others.0` more items of work in the same job of the pool: small work that needs the same input costs no job of its
/// own.
///
/// # Panics
/// As [`matmul`].
pub(crate) fn matmul_beside(
    isa: Isa,
    pool: &Pool,
    (matrix, row_scales): (&TernaryMatrix, &[f32]),
    activations: &Activations,
    out: &mut [f32],
    others: (usize, &(dyn Fn(usize) + Sync)),
) {
    let rows = matrix.rows();
    assert_eq!(
        row_scales.len(),
        rows,
        "{} row scales for a matrix of {rows} rows",
        row_scales.len()
    );
    let out = slots(matrix, activations, out);
    sums(
        isa,
        pool,
        matrix,
        activations,
        others,
        &|token, first, sums| {
            // SAFETY: each (token, rows of a tile) is handed out once.
            let out = unsafe { out.range(token * rows + first, sums.len()) };
            let factor = activations.quant_factor(token);
            for ((out, sum), scale) in out.iter_mut().zip(sums).zip(&row_scales[first..]) {
                *out = *sum as f32 * scale / factor;
            }
        },
    );
}

/// The integers of [`matmul`]: `out[t, r] = Σ w·q`, exact.
///
/// # Shapes
/// - `out`: `[tokens, rows]` i32
///
/// # Panics
/// As [`matmul`].
pub fn matmul_i32(
    isa: Isa,
    pool: &Pool,
    matrix: &TernaryMatrix,
    activations: &Activations,
    out: &mut [i32],
) {
    let rows = matrix.rows();
    let out = slots(matrix, activations, out);
    let none: (usize, &(dyn Fn(usize) + Sync)) = (0, &|_| {});
    sums(
        isa,
        pool,
        matrix,
        activations,
        none,
        &|token, first, sums| {
            // SAFETY: each (token, rows of a tile) is handed out once.
            unsafe { out.range(token * rows + first, sums.len()) }.copy_from_slice(sums);
        },
    );
}

/// The place of every sum, `[tokens, rows]`.
fn slots<'a, T>(
    matrix: &TernaryMatrix,
    activations: &Activations,
    out: &'a mut [T],
) -> Slots<'a, T> {
    let (values, tokens) = (out.len(), activations.tokens());
    assert_eq!(
        values,
        tokens * matrix.rows(),
        "output of {values} values for {tokens} tokens"
    );
    Slots::new(out)
}

/// The kernel of an instruction set.
///
/// # Panics
/// If this machine lacks it.
fn kernel(isa: Isa) -> Kernel {
    assert!(
        isa.is_available(),
        "instruction set `{isa}` is not available on this machine"
    );
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => Kernel {
            tile: avx2::tile,
            zero_code: 0,
        },
        #[cfg(target_arch = "x86_64")]
        Isa::AvxVnni => Kernel {
            tile: avx_vnni::tile,
            zero_code: 0,
        },
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Vnni => Kernel {
            tile: avx512::tile,
            zero_code: 0,
        },
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        Isa::Neon => Kernel {
            tile: neon::tile,
            zero_code: neon::ZERO_CODE,
        },
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        Isa::NeonDotprod => Kernel {
            tile: neon::tile_dotprod,
            zero_code: neon::ZERO_CODE,
        },
        _ => Kernel {
            tile: scalar::tile,
            zero_code: 0,
        },
    }
}

/// Whether `isa`, which this machine has, computes rightly here.
pub(crate) fn passes_self_test(isa: Isa) -> bool {
    agrees_with_scalar(&kernel(isa))
}

/// Tokens that one work item covers at most: its sums stay in the first or second cache level.
const LARGEST_CHUNK: usize = 96;
/// Bytes of activations that one work item covers, unless a single microkernel's tokens are more: about half a second-level cache.
const CHUNK_BYTES: usize = 256 << 10;

/// Calls `take(token, first row, sums of the rows from there)` for every token and tile, on the threads of the pool, and `other` for
/// every item of the others.
fn sums(
    isa: Isa,
    pool: &Pool,
    matrix: &TernaryMatrix,
    activations: &Activations,
    (others, other): (usize, &(dyn Fn(usize) + Sync)),
    take: &(dyn Fn(usize, usize, &[i32]) + Sync),
) {
    let tokens = activations.tokens();
    if tokens == 0 {
        return pool.run(others, other);
    }
    let cols = matrix.cols();
    assert_eq!(
        activations.cols(),
        cols,
        "activations of {} columns for a matrix of {cols}",
        activations.cols()
    );
    let kernel = kernel(isa);
    let bias = i32::from(BIAS) - i32::from(kernel.zero_code);
    let stride = activations.stride();
    let chunk = chunk_tokens(tokens, stride);
    let tiles = matrix.tiles();
    pool.run(others + tiles * tokens.div_ceil(chunk), &|item| {
        let Some(item) = item.checked_sub(others) else {
            return other(item);
        };
        // All tiles of one chunk of tokens follow each other, so its activations stay in the cache.
        let (chunk_index, tile) = (item / tiles, item % tiles);
        let first_token = chunk_index * chunk;
        let count = chunk.min(tokens - first_token);
        let codes = &activations.codes()[first_token * stride..][..count * stride];
        let first_row = tile * ROWS_PER_TILE;
        let rows = ROWS_PER_TILE.min(matrix.rows() - first_row);
        let row_sums = &matrix.row_sums()[first_row..][..rows];
        let sum_and_take = |buffer: &mut [i32]| {
            (kernel.tile)(matrix.tile(tile), codes, stride, buffer);
            for (index, sums) in buffer.chunks_exact_mut(ROWS_PER_TILE).enumerate() {
                for (sum, row_sum) in sums.iter_mut().zip(row_sums) {
                    *sum -= bias * row_sum;
                }
                take(first_token + index, first_row, &sums[..rows]);
            }
        };
        // A buffer for many tokens would cost one token more to clear than it saves.
        match count {
            1 => sum_and_take(&mut [0; ROWS_PER_TILE]),
            2..=8 => sum_and_take(&mut [0; 8 * ROWS_PER_TILE][..count * ROWS_PER_TILE]),
            _ => sum_and_take(&mut [0; LARGEST_CHUNK * ROWS_PER_TILE][..count * ROWS_PER_TILE]),
        }
    });
}

/// How many tokens a work item covers.
fn chunk_tokens(tokens: usize, stride: usize) -> usize {
    tokens.min((CHUNK_BYTES / stride).clamp(24, LARGEST_CHUNK))
}

/// The sum of each row's weights: the product with codes that the kernel takes as 1.
pub(super) fn row_sums(matrix: &TernaryMatrix) -> Vec<i32> {
    // A forced instruction set that cannot be had is reported where it is selected, not here.
    let kernel = kernel(Isa::select().unwrap_or(Isa::Scalar));
    let ones = vec![kernel.zero_code + 1; matrix.cols().next_multiple_of(COLS_PER_BLOCK)];
    let mut sums = vec![0; matrix.tiles() * ROWS_PER_TILE];
    for (tile, sums) in sums.chunks_exact_mut(ROWS_PER_TILE).enumerate() {
        (kernel.tile)(matrix.tile(tile), &ones, ones.len(), sums);
    }
    sums.truncate(matrix.rows());
    sums
}

#[cfg(test)]
mod tests {
    use super::super::agreement::assert_equals_scalar;
    use super::*;

    #[test]
    fn the_tiles_of_every_instruction_set_equal_scalar() {
        for isa in Isa::available() {
            assert_equals_scalar(&kernel(isa));
        }
    }
}
