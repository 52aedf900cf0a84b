//! Ternary weights times int8 activations.
//!
//! `out[t, r] = (Σ_c w[r, c] · q[t, c]) · row_scale[r] / s[t]` with `w` in {−1, 0, +1}: the sum is an exact integer, and the two
//! float operations happen in this order, so every instruction set gives the same bits.
//!
//! ```
//! use r3mes_kernels::{Activations, Isa, Pool, TernaryMatrix, matmul, quantize};
//!
//! let mut packer = TernaryMatrix::packer(2, 3).unwrap();
//! packer.set_row(0, &[1, 0, -1]).unwrap();
//! packer.set_row(1, &[1, 1, 1]).unwrap();
//! let matrix = packer.finish();
//!
//! let mut activations = Activations::new();
//! quantize(&[127.0, 2.0, -3.0], 3, &mut activations);
//! let mut out = [0.0; 2];
//! matmul(Isa::select().unwrap(), &Pool::new(1), &matrix, &[1.0, 0.5], &activations, &mut out);
//! assert_eq!(out, [130.0, 63.0]);
//! ```

mod agreement;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(any(target_arch = "x86_64", test))]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx_vnni;
mod layout;
mod matmul;
mod matrix;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;
mod packer;
mod scalar;
mod simd;

pub use layout::{Block, COLS_PER_BLOCK, LayoutError, ROWS_PER_TILE, packed_len};
pub use matmul::{matmul, matmul_i32};
pub use matrix::TernaryMatrix;
pub use packer::{PackError, TernaryPacker, pack_tile};

pub(crate) use matmul::{matmul_beside, passes_self_test};
