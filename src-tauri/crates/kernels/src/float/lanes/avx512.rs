//! Sixteen lanes as one 512-bit register: AVX-512 Foundation.

use std::arch::x86_64::*;

use half::{bf16, f16};

use super::{Kernel, LANES, Lanes};

/// Proof that this CPU has AVX-512F (and AVX2, which the compiler takes for the rest); only [`Avx512::detect`] makes one.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// `Some` where the CPU has the instructions.
    #[inline]
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma"))
        .then_some(Self(()))
    }

    /// Runs `kernel` compiled for these instructions.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx2,fma")]
        fn compiled<K: Kernel>(lanes: Avx512, kernel: K) -> K::Output {
            kernel.run(lanes)
        }
        // SAFETY: `self` exists only where `detect` found avx512f, avx2 and fma.
        unsafe { compiled(self, kernel) }
    }
}

/// Applies an intrinsic that touches no memory.
macro_rules! lanes {
    ($f:ident, $($arg:expr),+) => {{
        // SAFETY: a value of `Avx512` exists only where `detect` found avx512f.
        unsafe { $f($($arg),+) }
    }};
}

impl Lanes for Avx512 {
    type V = __m512;

    const REGISTERS: usize = 1;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        lanes!(_mm512_set1_ps, x)
    }
    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> __m512 {
        // SAFETY: avx512f was detected; the unaligned load reads the array's sixteen floats.
        unsafe { _mm512_loadu_ps(x.as_ptr()) }
    }
    #[inline(always)]
    fn load_i8(self, x: &[i8; LANES]) -> __m512 {
        // SAFETY: avx512f was detected; the unaligned load reads the array's sixteen bytes.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(x.as_ptr().cast()))) }
    }
    #[inline(always)]
    fn load_f16(self, x: &[f16; LANES]) -> __m512 {
        // SAFETY: avx512f was detected; the unaligned load reads the array's sixteen halves.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(x.as_ptr().cast())) }
    }
    #[inline(always)]
    fn load_bf16(self, x: &[bf16; LANES]) -> __m512 {
        // SAFETY: avx512f was detected; the unaligned load reads the array's sixteen halves.
        unsafe {
            let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(x.as_ptr().cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
        }
    }
    #[inline(always)]
    fn store(self, v: __m512, out: &mut [f32; LANES]) {
        // SAFETY: avx512f was detected; the unaligned store fills the array's sixteen floats.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), v) }
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        lanes!(_mm512_add_ps, a, b)
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        lanes!(_mm512_sub_ps, a, b)
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        lanes!(_mm512_mul_ps, a, b)
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        lanes!(_mm512_div_ps, a, b)
    }
    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        lanes!(_mm512_fmadd_ps, a, b, c)
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        lanes!(_mm512_max_ps, a, b)
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        lanes!(_mm512_min_ps, a, b)
    }
    #[inline(always)]
    fn abs(self, a: __m512) -> __m512 {
        lanes!(_mm512_abs_ps, a)
    }
    #[inline(always)]
    fn zero_below(self, x: __m512, limit: __m512, y: __m512) -> __m512 {
        // SAFETY: a value of `Avx512` exists only where `detect` found avx512f.
        unsafe { _mm512_maskz_mov_ps(!_mm512_cmp_ps_mask::<_CMP_LT_OQ>(x, limit), y) }
    }
    #[inline(always)]
    fn exponent_from_bits(self, v: __m512, bias: u32) -> __m512 {
        // SAFETY: a value of `Avx512` exists only where `detect` found avx512f.
        unsafe {
            let biased = _mm512_add_epi32(
                _mm512_castps_si512(v),
                _mm512_set1_epi32(bias.cast_signed()),
            );
            _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
        }
    }
    #[inline(always)]
    fn prefetch(self, address: *const u8) {
        // SAFETY: a prefetch never faults, wherever it points; SSE is part of the baseline.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
    }
    #[inline(always)]
    fn sum(self, v: __m512) -> f32 {
        // SAFETY: a value of `Avx512` exists only where `detect` found avx512f and avx2.
        unsafe {
            let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(v)));
            let eight = _mm256_add_ps(_mm512_castps512_ps256(v), high);
            let four = _mm_add_ps(
                _mm256_castps256_ps128(eight),
                _mm256_extractf128_ps::<1>(eight),
            );
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }
}
