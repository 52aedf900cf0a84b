//! AVX-512 with VNNI and VBMI: `vpermb` looks weights up by sign and digit in one step, `vpdpbusd` multiplies 64 bytes.
//!
//! The kernel is written over single instructions ([`Instructions`]), so that tests run it in plain Rust on machines without them.

use super::layout::{LANES, LARGEST_DIGIT, WEIGHTS};
use super::simd::Vector;

/// The instructions used, each on 64 bytes.
pub trait Instructions {
    /// A 512-bit vector.
    type Bytes: Copy;

    /// # Safety
    /// 64 bytes are readable; the machine has the instructions (so for all methods).
    unsafe fn load(bytes: *const u8) -> Self::Bytes;
    /// # Safety
    /// 64 bytes are writable.
    unsafe fn store(bytes: Self::Bytes, to: *mut u8);
    /// The value in each four bytes (`vpbroadcastd`).
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn splat(value: i32) -> Self::Bytes;
    /// Each 16-bit word shifted left, by `bits` below 16 (`vpsllw`).
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn shift_left(words: Self::Bytes, bits: u32) -> Self::Bytes;
    /// Each 16-bit word shifted right, by `bits` below 16 (`vpsrlw`).
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn shift_right(words: Self::Bytes, bits: u32) -> Self::Bytes;
    /// Bits of `one` where `mask` is set, of `other` elsewhere (`vpternlogd`).
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn select(mask: Self::Bytes, one: Self::Bytes, other: Self::Bytes) -> Self::Bytes;
    /// Bytes of `table` at the low 6 bits of each index (`vpermb`).
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn permute(indices: Self::Bytes, table: Self::Bytes) -> Self::Bytes;
    /// Four products u8 · i8 added to each i32 (`vpdpbusd`).
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn dot(sum: Self::Bytes, codes: Self::Bytes, weights: Self::Bytes) -> Self::Bytes;
    /// i32 additions (`vpaddd`).
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn add(a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    /// Asks for a cache line.
    fn prefetch(address: *const u8);
}

/// 512-bit vectors: 16 rows × 4 columns, a whole group.
pub struct Avx512<I>(std::marker::PhantomData<I>);

/// The decoder's constants: a table per plane, and the bits of a digit.
#[derive(Clone, Copy)]
pub struct Tables<B> {
    weights: [B; 3],
    low: B,
}

/// `SIGNED[t][i]`: the weight for digit `i mod 16`, negated where bit 4 of `i` is set; bit 5 does not matter.
const SIGNED: [[i8; LANES]; 3] = signed();

const fn signed() -> [[i8; LANES]; 3] {
    let mut tables = [[0i8; LANES]; 3];
    let mut t = 0;
    while t < 3 {
        let mut index = 0;
        while index < LANES {
            let weight = WEIGHTS[t][index % 16];
            tables[t][index] = if index / 16 % 2 == 1 { -weight } else { weight };
            index += 1;
        }
        t += 1;
    }
    tables
}

const _: () = assert!(LARGEST_DIGIT < 16 && SIGNED[2][16 + 13] == -1 && SIGNED[2][32 + 13] == 1);

impl<I: Instructions> Vector for Avx512<I> {
    type Bytes = I::Bytes;
    type Sum = I::Bytes;
    type Tables = Tables<I::Bytes>;
    const WIDTH: usize = LANES;
    /// 3 × 8 sums, 3 vectors of weights and a code fit the 32 registers.
    const LARGEST_STEP: usize = 8;

    #[inline(always)]
    unsafe fn tables() -> Self::Tables {
        // SAFETY: by the contract; each table has 64 bytes.
        unsafe {
            let table = |t: usize| I::load(SIGNED[t].as_ptr().cast());
            Tables {
                weights: [table(0), table(1), table(2)],
                low: I::splat(0x0f0f_0f0f),
            }
        }
    }

    #[inline(always)]
    unsafe fn load(bytes: *const u8) -> I::Bytes {
        // SAFETY: by the contract.
        unsafe { I::load(bytes) }
    }

    #[inline(always)]
    unsafe fn store(bytes: I::Bytes, to: *mut u8) {
        // SAFETY: by the contract.
        unsafe { I::store(bytes, to) }
    }

    #[inline(always)]
    unsafe fn broadcast(codes: *const u8) -> I::Bytes {
        // SAFETY: by the contract.
        unsafe { I::splat(codes.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn decode(
        tables: Self::Tables,
        digits: I::Bytes,
        signs: I::Bytes,
        group: usize,
    ) -> [I::Bytes; 3] {
        // SAFETY: by the contract.
        unsafe {
            let digits = if group.is_multiple_of(2) {
                digits
            } else {
                I::shift_right(digits, 4)
            };
            // The group's sign bit moved to bit 4, above the digit; what else moves along is not looked at.
            let signs = match group {
                0..4 => I::shift_left(signs, 4 - group as u32),
                4 => signs,
                _ => I::shift_right(signs, group as u32 - 4),
            };
            let indices = I::select(tables.low, digits, signs);
            let weights = tables.weights;
            [
                I::permute(indices, weights[0]),
                I::permute(indices, weights[1]),
                I::permute(indices, weights[2]),
            ]
        }
    }

    #[inline(always)]
    unsafe fn zero() -> I::Bytes {
        // SAFETY: by the contract.
        unsafe { I::splat(0) }
    }

    #[inline(always)]
    unsafe fn step(sum: I::Bytes, codes: I::Bytes, weights: I::Bytes) -> I::Bytes {
        // SAFETY: by the contract.
        unsafe { I::dot(sum, codes, weights) }
    }

    #[inline(always)]
    unsafe fn add_to(sum: I::Bytes, rows: *mut i32) {
        // SAFETY: by the contract.
        unsafe { I::store(I::add(I::load(rows.cast()), sum), rows.cast()) }
    }

    #[inline(always)]
    fn prefetch(address: *const u8) {
        I::prefetch(address);
    }
}

#[cfg(target_arch = "x86_64")]
pub use native::tile;

#[cfg(target_arch = "x86_64")]
mod native {
    use std::arch::x86_64::*;

    use super::{Avx512, Instructions};
    use crate::ternary::layout::Block;
    use crate::ternary::simd;

    /// See `scalar::tile`, whose sums these are.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn tile(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]) {
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")]
        fn with_features(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]) {
            // SAFETY: the features of this function are those of `Zmm`.
            unsafe { simd::tile::<Avx512<Zmm>, 1, 3>(blocks, codes, stride, sums) }
        }
        // SAFETY: `kernel` hands this function out only where these features were detected.
        unsafe { with_features(blocks, codes, stride, sums) }
    }

    /// The instructions themselves.
    struct Zmm;

    /// What `vpternlogd` computes from bits (mask, one, other): `mask ? one : other`.
    const MASK_CHOOSES: i32 = 0xca;

    // Every method is one instruction; its contract is that the machine has it and the memory is there.
    impl Instructions for Zmm {
        type Bytes = __m512i;

        #[inline(always)]
        unsafe fn load(bytes: *const u8) -> __m512i {
            // SAFETY: by the contract.
            unsafe { _mm512_loadu_si512(bytes.cast()) }
        }

        #[inline(always)]
        unsafe fn store(bytes: __m512i, to: *mut u8) {
            // SAFETY: by the contract.
            unsafe { _mm512_storeu_si512(to.cast(), bytes) }
        }

        #[inline(always)]
        unsafe fn splat(value: i32) -> __m512i {
            // SAFETY: by the contract.
            unsafe { _mm512_set1_epi32(value) }
        }

        #[inline(always)]
        unsafe fn shift_left(words: __m512i, bits: u32) -> __m512i {
            // SAFETY: by the contract.
            unsafe { _mm512_sll_epi16(words, _mm_cvtsi32_si128(bits as i32)) }
        }

        #[inline(always)]
        unsafe fn shift_right(words: __m512i, bits: u32) -> __m512i {
            // SAFETY: by the contract.
            unsafe { _mm512_srl_epi16(words, _mm_cvtsi32_si128(bits as i32)) }
        }

        #[inline(always)]
        unsafe fn select(mask: __m512i, one: __m512i, other: __m512i) -> __m512i {
            // SAFETY: by the contract.
            unsafe { _mm512_ternarylogic_epi32::<MASK_CHOOSES>(mask, one, other) }
        }

        #[inline(always)]
        unsafe fn permute(indices: __m512i, table: __m512i) -> __m512i {
            // SAFETY: by the contract.
            unsafe { _mm512_permutexvar_epi8(indices, table) }
        }

        #[inline(always)]
        unsafe fn dot(sum: __m512i, codes: __m512i, weights: __m512i) -> __m512i {
            // SAFETY: by the contract.
            unsafe { _mm512_dpbusd_epi32(sum, codes, weights) }
        }

        #[inline(always)]
        unsafe fn add(a: __m512i, b: __m512i) -> __m512i {
            // SAFETY: by the contract.
            unsafe { _mm512_add_epi32(a, b) }
        }

        #[inline(always)]
        fn prefetch(address: *const u8) {
            // SAFETY: a prefetch never faults, wherever it points; SSE is part of the baseline.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ternary::agreement::{Kernel, assert_equals_scalar};
    use crate::ternary::simd;

    /// Each instruction as its manual describes it, on arrays.
    struct Emulated;

    fn words(bytes: [u8; 64], change: impl Fn(u16) -> u16) -> [u8; 64] {
        let mut out = bytes;
        for word in out.chunks_exact_mut(2) {
            let changed = change(u16::from_le_bytes([word[0], word[1]]));
            word.copy_from_slice(&changed.to_le_bytes());
        }
        out
    }

    fn lane(bytes: &[u8; 64], lane: usize) -> i32 {
        i32::from_le_bytes(std::array::from_fn(|byte| bytes[lane * 4 + byte]))
    }

    fn lanes(value: impl Fn(usize) -> i32) -> [u8; 64] {
        std::array::from_fn(|byte| value(byte / 4).to_le_bytes()[byte % 4])
    }

    impl Instructions for Emulated {
        type Bytes = [u8; 64];

        unsafe fn load(bytes: *const u8) -> [u8; 64] {
            // SAFETY: by the contract.
            unsafe { bytes.cast::<[u8; 64]>().read_unaligned() }
        }

        unsafe fn store(bytes: [u8; 64], to: *mut u8) {
            // SAFETY: by the contract.
            unsafe { to.cast::<[u8; 64]>().write_unaligned(bytes) }
        }

        unsafe fn splat(value: i32) -> [u8; 64] {
            lanes(|_| value)
        }

        unsafe fn shift_left(bytes: [u8; 64], bits: u32) -> [u8; 64] {
            words(bytes, |word| word << bits)
        }

        unsafe fn shift_right(bytes: [u8; 64], bits: u32) -> [u8; 64] {
            words(bytes, |word| word >> bits)
        }

        unsafe fn select(mask: [u8; 64], one: [u8; 64], other: [u8; 64]) -> [u8; 64] {
            std::array::from_fn(|byte| mask[byte] & one[byte] | !mask[byte] & other[byte])
        }

        unsafe fn permute(indices: [u8; 64], table: [u8; 64]) -> [u8; 64] {
            indices.map(|index| table[usize::from(index % 64)])
        }

        unsafe fn dot(sum: [u8; 64], codes: [u8; 64], weights: [u8; 64]) -> [u8; 64] {
            lanes(|index| {
                let products = (0..4).map(|byte| {
                    i32::from(codes[index * 4 + byte]) * i32::from(weights[index * 4 + byte] as i8)
                });
                lane(&sum, index) + products.sum::<i32>()
            })
        }

        unsafe fn add(a: [u8; 64], b: [u8; 64]) -> [u8; 64] {
            lanes(|index| lane(&a, index) + lane(&b, index))
        }

        fn prefetch(_address: *const u8) {}
    }

    #[test]
    fn the_kernel_with_emulated_instructions_equals_scalar() {
        let tile = |blocks: &[_], codes: &[u8], stride: usize, sums: &mut [i32]| {
            // SAFETY: the emulated instructions exist everywhere.
            unsafe { simd::tile::<Avx512<Emulated>, 1, 3>(blocks, codes, stride, sums) }
        };
        assert_equals_scalar(&Kernel { tile, zero_code: 0 });
    }
}
