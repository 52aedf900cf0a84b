//! AVX2: 16-entry byte tables decode, `vpsignb` negates, `vpmaddubsw` multiplies, i16 sums are widened in time.
//!
//! A product of two biased codes and two weights is at most 2·255 in magnitude, so 64 of them (one per group of 4 columns) fit
//! an i16 sum: 64 · 510 = 32640.

use std::arch::x86_64::*;

use super::layout::{Block, COLS_PER_BLOCK, GROUPS, LANES, ROW_STEP, ROWS_PER_TILE, WEIGHTS};

/// Blocks whose products one i16 sum takes: 8 · 8 groups.
const BLOCKS_PER_SUM: usize = 8;
/// Lanes of one 256-bit vector: 8 rows × 4 columns.
const VECTOR: usize = 32;
/// Rows of one vector.
const VECTOR_ROWS: usize = VECTOR / 4;
/// How far ahead of its use memory is asked for, in bytes: across the end of a tile into the next.
const PREFETCH_BYTES: usize = 4096;
/// Tokens of the largest microkernel: 2 × 6 sums, 2 weights, a code and a product fill the 16 registers.
const LARGEST_STEP: usize = 6;

/// See `scalar::tile`, whose sums these are. Reachable only on machines with AVX2.
pub fn tile(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]) {
    let tokens = sums.len() / ROWS_PER_TILE;
    let width = blocks.len() * COLS_PER_BLOCK;
    assert!(
        sums.len() == tokens * ROWS_PER_TILE && tokens > 0,
        "sums of whole tokens"
    );
    assert!(
        stride >= width && codes.len() >= (tokens - 1) * stride + width,
        "codes of {tokens} tokens"
    );
    // SAFETY: `kernel` hands this function out only where AVX2 was detected; the lengths were just checked.
    unsafe {
        if tokens == 1 {
            one_token(blocks, codes.as_ptr(), sums)
        } else {
            many_tokens(blocks, codes.as_ptr(), stride, sums)
        }
    }
}

/// The decoder's constants and its one step.
#[derive(Clone, Copy)]
struct Decoder {
    tables: [__m256i; 3],
    low: __m256i,
    one: __m256i,
}

impl Decoder {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new() -> Decoder {
        let table = |weights: &[i8; 16]| {
            // SAFETY: 16 readable bytes.
            _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(weights.as_ptr().cast()) })
        };
        Decoder {
            tables: [table(&WEIGHTS[0]), table(&WEIGHTS[1]), table(&WEIGHTS[2])],
            low: _mm256_set1_epi8(15),
            one: _mm256_set1_epi8(1),
        }
    }

    /// Calls `take(group, weights of t = 0, 1, 2)` for the 8 groups of one half (32 lanes) of a block.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn decode(&self, block: &Block, half: usize, mut take: impl FnMut(usize, [__m256i; 3])) {
        // SAFETY: the offsets are below the sizes of the arrays: half is 0 or 1, pair below 4.
        let (signs, load) = unsafe {
            let load = |pair: usize| {
                _mm256_loadu_si256(
                    block
                        .digits
                        .as_ptr()
                        .add(pair * LANES + half * VECTOR)
                        .cast(),
                )
            };
            (
                _mm256_loadu_si256(block.signs.as_ptr().add(half * VECTOR).cast()),
                load,
            )
        };
        // Bit g of each byte moved to its top bit, and a bit below it set: negative or positive, never zero. What the 16-bit
        // shift carries over from the neighbouring byte lands below the top bit.
        macro_rules! pair {
            ($pair:literal) => {{
                let digits = load($pair);
                let even = _mm256_and_si256(digits, self.low);
                let odd = _mm256_and_si256(_mm256_srli_epi16::<4>(digits), self.low);
                let sign = _mm256_or_si256(_mm256_slli_epi16::<{ 7 - 2 * $pair }>(signs), self.one);
                take(
                    2 * $pair,
                    self.tables
                        .map(|table| _mm256_sign_epi8(_mm256_shuffle_epi8(table, even), sign)),
                );
                let sign = _mm256_or_si256(_mm256_slli_epi16::<{ 6 - 2 * $pair }>(signs), self.one);
                take(
                    2 * $pair + 1,
                    self.tables
                        .map(|table| _mm256_sign_epi8(_mm256_shuffle_epi8(table, odd), sign)),
                );
            }};
        }
        pair!(0);
        pair!(1);
        pair!(2);
        pair!(3);
    }
}

/// Asks for the block that lies [`PREFETCH_BYTES`] ahead.
#[inline]
#[target_feature(enable = "avx2")]
fn prefetch(block: &Block) {
    let ahead = std::ptr::from_ref(block)
        .cast::<i8>()
        .wrapping_add(PREFETCH_BYTES);
    for line in 0..size_of::<Block>() / 64 {
        // A prefetch never faults, wherever it points.
        _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(line * 64));
    }
}

/// Four codes of one token, in every group of 4 lanes.
///
/// # Safety
/// 4 bytes are readable at `codes`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn broadcast(codes: *const u8) -> __m256i {
    // SAFETY: by the contract of this function.
    _mm256_set1_epi32(unsafe { codes.cast::<i32>().read_unaligned() })
}

/// Adds i16 pair sums to 8 rows of i32.
#[inline]
#[target_feature(enable = "avx2")]
fn widen(sum: __m256i, rows: &mut [i32]) {
    let rows: &mut [i32; VECTOR_ROWS] = rows.try_into().expect("the rows of one vector");
    let wide = _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
    // SAFETY: 8 i32 are readable and writable.
    unsafe {
        let start = rows.as_mut_ptr().cast();
        _mm256_storeu_si256(start, _mm256_add_epi32(_mm256_loadu_si256(start), wide));
    }
}

/// Decode (GEMV): weights go from memory through registers, once.
///
/// # Safety
/// `blocks.len() · 32` bytes are readable at `codes`.
#[target_feature(enable = "avx2")]
unsafe fn one_token(blocks: &[Block], codes: *const u8, sums: &mut [i32]) {
    let decoder = Decoder::new();
    for (index, blocks) in blocks.chunks(BLOCKS_PER_SUM).enumerate() {
        let mut partial = [[_mm256_setzero_si256(); 3]; 2];
        for (block_index, block) in blocks.iter().enumerate() {
            prefetch(block);
            // SAFETY: inside the readable codes, as this block is one of the blocks.
            let codes =
                unsafe { codes.add((index * BLOCKS_PER_SUM + block_index) * COLS_PER_BLOCK) };
            for (half, partial) in partial.iter_mut().enumerate() {
                decoder.decode(
                    block,
                    half,
                    #[inline(always)]
                    |group, weights| {
                        // SAFETY: group is below 8, so this is inside the 32 codes of the block.
                        let code = unsafe { broadcast(codes.add(group * 4)) };
                        for (sum, weights) in partial.iter_mut().zip(weights) {
                            *sum = _mm256_add_epi16(*sum, _mm256_maddubs_epi16(code, weights));
                        }
                    },
                );
            }
        }
        for (half, partial) in partial.into_iter().enumerate() {
            for (t, sum) in partial.into_iter().enumerate() {
                widen(
                    sum,
                    &mut sums[t * ROW_STEP + half * VECTOR_ROWS..][..VECTOR_ROWS],
                );
            }
        }
    }
}

/// Unpacked weights of 48 rows × 256 columns, `[t][group][64 lanes]`: a third of the first-level cache.
#[repr(align(64))]
struct Panel([[[i8; LANES]; BLOCKS_PER_SUM * GROUPS]; 3]);

/// Prefill (GEMM): unpacks a panel of weights and multiplies it with all tokens, six at a time.
///
/// # Safety
/// At `codes` a row of `stride` bytes per token is readable, of the last at least `blocks.len() · 32`.
#[target_feature(enable = "avx2")]
unsafe fn many_tokens(blocks: &[Block], codes: *const u8, stride: usize, sums: &mut [i32]) {
    let decoder = Decoder::new();
    let mut panel = Panel([[[0; LANES]; BLOCKS_PER_SUM * GROUPS]; 3]);
    let tokens = sums.len() / ROWS_PER_TILE;
    for (index, blocks) in blocks.chunks(BLOCKS_PER_SUM).enumerate() {
        for (block_index, block) in blocks.iter().enumerate() {
            prefetch(block);
            for half in 0..2 {
                decoder.decode(
                    block,
                    half,
                    #[inline(always)]
                    |group, weights| {
                        for (plane, weights) in panel.0.iter_mut().zip(weights) {
                            let lanes = &mut plane[block_index * GROUPS + group];
                            // SAFETY: half is 0 or 1, so the 32 bytes are inside the 64 lanes.
                            unsafe {
                                _mm256_storeu_si256(
                                    lanes.as_mut_ptr().add(half * VECTOR).cast(),
                                    weights,
                                )
                            };
                        }
                    },
                );
            }
        }
        let groups = blocks.len() * GROUPS;
        // Steps of nearly equal size: 8 tokens are 4 + 4, not 6 + 2.
        let steps = tokens.div_ceil(LARGEST_STEP);
        let mut first = 0;
        for step in 0..steps {
            let count = (tokens - first).div_ceil(steps - step);
            let sums = &mut sums[first * ROWS_PER_TILE..][..count * ROWS_PER_TILE];
            // SAFETY: tokens `first..first + count` have rows at `codes`, and the panel's groups lie inside their width.
            unsafe {
                let codes = codes.add(first * stride + index * BLOCKS_PER_SUM * COLS_PER_BLOCK);
                match count {
                    1 => step_of::<1>(&panel, groups, codes, stride, sums),
                    2 => step_of::<2>(&panel, groups, codes, stride, sums),
                    3 => step_of::<3>(&panel, groups, codes, stride, sums),
                    4 => step_of::<4>(&panel, groups, codes, stride, sums),
                    5 => step_of::<5>(&panel, groups, codes, stride, sums),
                    _ => step_of::<LARGEST_STEP>(&panel, groups, codes, stride, sums),
                }
            }
            first += count;
        }
    }
}

/// The microkernel: 16 rows × `TOKENS` tokens at a time, sums in registers.
///
/// # Safety
/// At `codes` rows of `stride` bytes for `TOKENS` tokens are readable, of the last at least `groups · 4`; `groups` is at most
/// that of a panel.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn step_of<const TOKENS: usize>(
    panel: &Panel,
    groups: usize,
    codes: *const u8,
    stride: usize,
    sums: &mut [i32],
) {
    for (t, plane) in panel.0.iter().enumerate() {
        let mut partial = [[_mm256_setzero_si256(); 2]; TOKENS];
        for (group, lanes) in plane[..groups].iter().enumerate() {
            // SAFETY: 64 readable bytes; the codes by the contract of this function.
            unsafe {
                let weights = lanes.as_ptr().cast::<__m256i>();
                let weights = [
                    _mm256_load_si256(weights),
                    _mm256_load_si256(weights.add(1)),
                ];
                for (token, partial) in partial.iter_mut().enumerate() {
                    let code = broadcast(codes.add(token * stride + group * 4));
                    partial[0] =
                        _mm256_add_epi16(partial[0], _mm256_maddubs_epi16(code, weights[0]));
                    partial[1] =
                        _mm256_add_epi16(partial[1], _mm256_maddubs_epi16(code, weights[1]));
                }
            }
        }
        for (token, partial) in partial.into_iter().enumerate() {
            for (half, sum) in partial.into_iter().enumerate() {
                let first = token * ROWS_PER_TILE + t * ROW_STEP + half * VECTOR_ROWS;
                widen(sum, &mut sums[first..][..VECTOR_ROWS]);
            }
        }
    }
}
