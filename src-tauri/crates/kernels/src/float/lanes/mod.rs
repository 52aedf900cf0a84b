//! Sixteen floats at a time: what an instruction set has to say, and the choice of one at run time.
//!
//! A value of a [`Lanes`] type is the proof that this CPU has the instructions, so the operations are safe to call.
//! Each operation is exact IEEE arithmetic in round-to-nearest (or a pure bit operation), hence the same on every ISA.

use half::{bf16, f16};

use crate::isa::Isa;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

/// Lanes in one virtual vector.
pub(crate) const LANES: usize = 16;

/// Sixteen f32 lanes of one instruction set.
pub(crate) trait Lanes: Copy {
    /// Sixteen floats.
    type V: Copy;

    /// Registers that sixteen floats take: a loop over one vector has as many sums that do not wait for each other.
    const REGISTERS: usize;

    fn splat(self, x: f32) -> Self::V;
    fn load(self, x: &[f32; LANES]) -> Self::V;
    /// Widens sixteen int8 codes; exact.
    fn load_i8(self, x: &[i8; LANES]) -> Self::V;
    /// Widens sixteen IEEE half floats; exact.
    fn load_f16(self, x: &[f16; LANES]) -> Self::V;
    /// Widens sixteen bfloat16 values; exact.
    fn load_bf16(self, x: &[bf16; LANES]) -> Self::V;
    fn store(self, v: Self::V, out: &mut [f32; LANES]);

    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a·b + c` with one rounding.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `a > b ? a : b` per lane, so `b` where either is NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a < b ? a : b` per lane, so `b` where either is NaN.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// `|a|`: clears the sign bit.
    fn abs(self, a: Self::V) -> Self::V;
    /// `x < limit ? 0 : y` per lane.
    fn zero_below(self, x: Self::V, limit: Self::V, y: Self::V) -> Self::V;
    /// Adds `bias` to the bits of each lane and shifts them into the exponent field: `(bits + bias) << 23`.
    fn exponent_from_bits(self, v: Self::V, bias: u32) -> Self::V;

    /// Asks for the cache line at `address`, which may be any address.
    #[inline(always)]
    fn prefetch(self, _address: *const u8) {}

    /// The lanes' sum in the fixed tree: `j` and `j + 8`, then `+4`, `+2`, `+1`.
    fn sum(self, v: Self::V) -> f32;

    /// `load` of fewer than sixteen values, the other lanes 0.
    #[inline(always)]
    fn load_part(self, x: &[f32]) -> Self::V {
        let mut padded = [0.0; LANES];
        padded[..x.len()].copy_from_slice(x);
        self.load(&padded)
    }

    /// Stores the first `out.len()` lanes.
    #[inline(always)]
    fn store_part(self, v: Self::V, out: &mut [f32]) {
        let mut padded = [0.0; LANES];
        self.store(v, &mut padded);
        let len = out.len();
        out.copy_from_slice(&padded[..len]);
    }

    /// The largest lane, by the comparison of [`Lanes::max`]; exact, so its order does not matter.
    #[inline(always)]
    fn max_lane(self, v: Self::V) -> f32 {
        let mut lanes = [0.0; LANES];
        self.store(v, &mut lanes);
        lanes
            .iter()
            .fold(f32::NEG_INFINITY, |m, &x| if x > m { x } else { m })
    }
}

/// A computation written once for every instruction set.
///
/// `run` has to be `#[inline(always)]`, so that it is compiled with the instructions of the caller chosen by [`dispatch`].
pub(crate) trait Kernel {
    type Output;
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Runs `kernel` with the float lanes of `isa`, or with the scalar ones where this CPU lacks them.
#[inline]
pub(crate) fn dispatch<K: Kernel>(isa: Isa, kernel: K) -> K::Output {
    match isa {
        Isa::Scalar => kernel.run(scalar::Scalar),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Vnni => match avx512::Avx512::detect() {
            Some(lanes) => lanes.run(kernel),
            None => kernel.run(scalar::Scalar),
        },
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 | Isa::AvxVnni => match avx2::Avx2::detect() {
            Some(lanes) => lanes.run(kernel),
            None => kernel.run(scalar::Scalar),
        },
        #[cfg(target_arch = "aarch64")]
        Isa::Neon | Isa::NeonDotprod => match neon::Neon::detect() {
            Some(lanes) => lanes.run(kernel),
            None => kernel.run(scalar::Scalar),
        },
        _ => kernel.run(scalar::Scalar),
    }
}
