//! The vector kernels, written once over the few operations in which instruction sets differ.
//!
//! A group of a block is 64 lanes (16 rows × 4 columns) and decodes to three planes of 64 weights. One token streams: weights go
//! from memory through registers, once. Several tokens unpack a panel of 48 rows × 256 columns into the first-level cache and
//! multiply it with all tokens, some at a time, sums in registers.
//!
//! The functions here have no target features of their own: they are inlined into the entry of each instruction set, which has.

use std::mem::MaybeUninit;

use super::layout::{Block, COLS_PER_BLOCK, GROUPS, LANES, ROW_STEP, ROWS_PER_TILE};

/// Blocks whose products one partial sum takes: 8 · 8 groups of 4 columns.
pub const BLOCKS_PER_SUM: usize = 8;
/// Groups of 4 columns whose products one partial sum takes.
pub const GROUPS_PER_SUM: usize = BLOCKS_PER_SUM * GROUPS;
/// How far ahead of its use memory is asked for, in bytes: across the end of a tile into the next.
const PREFETCH_BYTES: usize = 4096;

/// One instruction set. All methods are unsafe for the same reason: the machine must have it.
pub trait Vector {
    /// A vector of [`Vector::WIDTH`] bytes.
    type Bytes: Copy;
    /// Partial sums of `WIDTH / 4` rows.
    type Sum: Copy;
    /// What decoding needs at hand.
    type Tables: Copy;
    /// Bytes of a vector: 16, 32 or 64.
    const WIDTH: usize;
    /// Tokens of the largest microkernel, at most 8.
    const LARGEST_STEP: usize;

    /// # Safety
    /// The machine has the instruction set.
    unsafe fn tables() -> Self::Tables;
    /// # Safety
    /// The machine has the instruction set; `WIDTH` bytes are readable.
    unsafe fn load(bytes: *const u8) -> Self::Bytes;
    /// # Safety
    /// The machine has the instruction set; `WIDTH` bytes are writable.
    unsafe fn store(bytes: Self::Bytes, to: *mut u8);
    /// Four codes, in every four lanes: as u8, or taken back to i8 where the kernel's `zero_code` says so.
    ///
    /// # Safety
    /// The machine has the instruction set; 4 bytes are readable.
    unsafe fn broadcast(codes: *const u8) -> Self::Bytes;
    /// The weights of the three planes in group `group` of a block, from the bytes that hold its digits and its signs.
    ///
    /// # Safety
    /// The machine has the instruction set.
    unsafe fn decode(
        tables: Self::Tables,
        digits: Self::Bytes,
        signs: Self::Bytes,
        group: usize,
    ) -> [Self::Bytes; 3];
    /// # Safety
    /// The machine has the instruction set.
    unsafe fn zero() -> Self::Sum;
    /// `sum + codes · weights`, exact for [`GROUPS_PER_SUM`] steps from zero.
    ///
    /// # Safety
    /// The machine has the instruction set.
    unsafe fn step(sum: Self::Sum, codes: Self::Bytes, weights: Self::Bytes) -> Self::Sum;
    /// Adds the sums to `WIDTH / 4` rows.
    ///
    /// # Safety
    /// The machine has the instruction set; `WIDTH / 4` values are readable and writable.
    unsafe fn add_to(sum: Self::Sum, rows: *mut i32);
    /// Asks for the cache line at an address, which need not be valid.
    fn prefetch(address: *const u8);
}

/// Adds the products of one tile to `sums`, as `scalar::tile` does, with codes as `V::broadcast` takes them.
/// `PARTS` is 64 / WIDTH, `VECTORS` the vectors of a microkernel: a plane's, or those of all three planes.
///
/// # Safety
/// The machine has the instruction set.
///
/// # Panics
/// If the lengths do not fit.
#[inline(always)]
pub unsafe fn tile<V: Vector, const PARTS: usize, const VECTORS: usize>(
    blocks: &[Block],
    codes: &[u8],
    stride: usize,
    sums: &mut [i32],
) {
    const { assert!(PARTS * V::WIDTH == LANES && (VECTORS == PARTS || VECTORS == 3 * PARTS)) };
    let tokens = sums.len() / ROWS_PER_TILE;
    let width = blocks.len() * COLS_PER_BLOCK;
    assert!(
        sums.len() == tokens * ROWS_PER_TILE && tokens > 0,
        "sums of {} values",
        sums.len()
    );
    assert!(
        stride >= width && codes.len() >= (tokens - 1) * stride + width,
        "{} codes for {tokens} tokens of {width} columns, {stride} apart",
        codes.len()
    );
    // SAFETY: the machine has the instruction set by the contract, the lengths were just checked.
    unsafe {
        if tokens == 1 {
            one_token::<V, PARTS>(blocks, codes.as_ptr(), sums);
        } else {
            many_tokens::<V, PARTS, VECTORS>(blocks, codes.as_ptr(), stride, sums);
        }
    }
}

/// Runs the body with `$group` and its `$weights` for the 8 groups of part `$part` of a block.
/// A macro, as a closure would not be sure to share the instruction set of the function around it.
macro_rules! for_each_group {
    ($v:ty, $tables:expr, $block:expr, $part:expr, |$group:ident, $weights:ident| $body:block) => {{
        let digits = $block.digits.as_ptr().add($part * <$v>::WIDTH);
        let signs = <$v>::load($block.signs.as_ptr().add($part * <$v>::WIDTH));
        for_each_group!(@one $v, $tables, digits, signs, 0, $group, $weights, $body);
        for_each_group!(@one $v, $tables, digits, signs, 1, $group, $weights, $body);
        for_each_group!(@one $v, $tables, digits, signs, 2, $group, $weights, $body);
        for_each_group!(@one $v, $tables, digits, signs, 3, $group, $weights, $body);
        for_each_group!(@one $v, $tables, digits, signs, 4, $group, $weights, $body);
        for_each_group!(@one $v, $tables, digits, signs, 5, $group, $weights, $body);
        for_each_group!(@one $v, $tables, digits, signs, 6, $group, $weights, $body);
        for_each_group!(@one $v, $tables, digits, signs, 7, $group, $weights, $body);
    }};
    (@one $v:ty, $tables:expr, $digits:expr, $signs:expr, $index:literal, $group:ident, $weights:ident, $body:block) => {{
        let $group = $index;
        let $weights = <$v>::decode($tables, <$v>::load($digits.add($index / 2 * LANES)), $signs, $index);
        $body
    }};
}

/// Asks for the block that lies [`PREFETCH_BYTES`] ahead.
#[inline(always)]
fn prefetch<V: Vector>(block: &Block) {
    let ahead = std::ptr::from_ref(block)
        .cast::<u8>()
        .wrapping_add(PREFETCH_BYTES);
    for line in 0..size_of::<Block>() / 64 {
        V::prefetch(ahead.wrapping_add(line * 64));
    }
}

/// Decode (GEMV).
///
/// # Safety
/// The machine has the instruction set; `blocks.len() · 32` bytes are readable at `codes`; `sums` are 48.
#[inline(always)]
unsafe fn one_token<V: Vector, const PARTS: usize>(
    blocks: &[Block],
    codes: *const u8,
    sums: &mut [i32],
) {
    // SAFETY: parts of a block and groups of a block's 32 codes are inside their arrays; rows of a part are inside the 48 sums.
    unsafe {
        let tables = V::tables();
        for (index, blocks) in blocks.chunks(BLOCKS_PER_SUM).enumerate() {
            let codes = codes.add(index * BLOCKS_PER_SUM * COLS_PER_BLOCK);
            // One part after the other, so that sums and constants fit the registers; the blocks stay in the first-level cache.
            for part in 0..PARTS {
                let mut partial = [V::zero(); 3];
                for (index, block) in blocks.iter().enumerate() {
                    if part == 0 {
                        prefetch::<V>(block);
                    }
                    let codes = codes.add(index * COLS_PER_BLOCK);
                    for_each_group!(V, tables, block, part, |group, weights| {
                        let code = V::broadcast(codes.add(group * 4));
                        partial[0] = V::step(partial[0], code, weights[0]);
                        partial[1] = V::step(partial[1], code, weights[1]);
                        partial[2] = V::step(partial[2], code, weights[2]);
                    });
                }
                for (t, sum) in partial.into_iter().enumerate() {
                    V::add_to(
                        sum,
                        sums.as_mut_ptr().add(t * ROW_STEP + part * (V::WIDTH / 4)),
                    );
                }
            }
        }
    }
}

/// Unpacked weights of 48 rows × 256 columns: 12 KiB of the first-level cache.
/// `[strip][group][vectors of the microkernel]`, where a strip is one plane or all three.
/// Only what [`unpack`] wrote is read, so it is not cleared.
#[repr(align(64))]
struct Panel(MaybeUninit<[i8; 3 * GROUPS_PER_SUM * LANES]>);

/// Prefill (GEMM).
///
/// # Safety
/// The machine has the instruction set; at `codes` a row of `stride` bytes per token is readable, of the last at least
/// `blocks.len() · 32`; `sums` are 48 per token.
#[inline(always)]
unsafe fn many_tokens<V: Vector, const PARTS: usize, const VECTORS: usize>(
    blocks: &[Block],
    codes: *const u8,
    stride: usize,
    sums: &mut [i32],
) {
    let mut panel = Panel(MaybeUninit::uninit());
    let tokens = sums.len() / ROWS_PER_TILE;
    for (index, blocks) in blocks.chunks(BLOCKS_PER_SUM).enumerate() {
        // SAFETY: the machine has the instruction set, and there are at most BLOCKS_PER_SUM blocks.
        unsafe { unpack::<V, PARTS, VECTORS>(blocks, &mut panel) };
        let groups = blocks.len() * GROUPS;
        // Steps of nearly equal size: 8 tokens are 4 + 4, not 6 + 2.
        let steps = tokens.div_ceil(V::LARGEST_STEP);
        let mut first = 0;
        for step in 0..steps {
            let count = (tokens - first).div_ceil(steps - step);
            let sums = &mut sums[first * ROWS_PER_TILE..][..count * ROWS_PER_TILE];
            // SAFETY: tokens `first..first + count` have rows at `codes`, and the panel's groups lie inside their width.
            unsafe {
                let codes = codes.add(first * stride + index * BLOCKS_PER_SUM * COLS_PER_BLOCK);
                match count {
                    1 => multiply::<V, VECTORS, 1>(&panel, groups, codes, stride, sums),
                    2 => multiply::<V, VECTORS, 2>(&panel, groups, codes, stride, sums),
                    3 => multiply::<V, VECTORS, 3>(&panel, groups, codes, stride, sums),
                    4 => multiply::<V, VECTORS, 4>(&panel, groups, codes, stride, sums),
                    5 if V::LARGEST_STEP >= 5 => {
                        multiply::<V, VECTORS, 5>(&panel, groups, codes, stride, sums)
                    }
                    6 if V::LARGEST_STEP >= 6 => {
                        multiply::<V, VECTORS, 6>(&panel, groups, codes, stride, sums)
                    }
                    7 if V::LARGEST_STEP >= 7 => {
                        multiply::<V, VECTORS, 7>(&panel, groups, codes, stride, sums)
                    }
                    8 if V::LARGEST_STEP >= 8 => {
                        multiply::<V, VECTORS, 8>(&panel, groups, codes, stride, sums)
                    }
                    _ => unreachable!("a step of {count} tokens"),
                }
            }
            first += count;
        }
    }
}

/// Fills the panel with the weights of up to [`BLOCKS_PER_SUM`] blocks.
///
/// # Safety
/// The machine has the instruction set; there are no more blocks than that.
#[inline(always)]
unsafe fn unpack<V: Vector, const PARTS: usize, const VECTORS: usize>(
    blocks: &[Block],
    panel: &mut Panel,
) {
    let panel = panel.0.as_mut_ptr().cast::<u8>();
    // SAFETY: `strip < 3·PARTS / VECTORS`, `group < GROUPS_PER_SUM`, `vector < VECTORS`: the offset is inside the panel.
    unsafe {
        let tables = V::tables();
        for (index, block) in blocks.iter().enumerate() {
            prefetch::<V>(block);
            for part in 0..PARTS {
                for_each_group!(V, tables, block, part, |group, weights| {
                    let group = index * GROUPS + group;
                    for (t, weights) in weights.into_iter().enumerate() {
                        let (strip, vector) =
                            ((t * PARTS + part) / VECTORS, (t * PARTS + part) % VECTORS);
                        V::store(
                            weights,
                            panel.add(
                                ((strip * GROUPS_PER_SUM + group) * VECTORS + vector) * V::WIDTH,
                            ),
                        );
                    }
                });
            }
        }
    }
}

/// The microkernel: the rows of `VECTORS` vectors × `TOKENS` tokens at a time, sums in registers.
///
/// # Safety
/// The machine has the instruction set; at `codes` rows of `stride` bytes for `TOKENS` tokens are readable, of the last at least
/// `groups · 4`; `groups` is at most [`GROUPS_PER_SUM`]; `sums` are 48 per token.
#[inline(always)]
#[expect(
    clippy::needless_range_loop,
    reason = "iterators that are not inlined would lose the instruction set"
)]
unsafe fn multiply<V: Vector, const VECTORS: usize, const TOKENS: usize>(
    panel: &Panel,
    groups: usize,
    codes: *const u8,
    stride: usize,
    sums: &mut [i32],
) {
    let strip_rows = VECTORS * V::WIDTH / 4;
    // SAFETY: strips and groups are inside the panel, codes by the contract, and the strips' rows are the 48 of each token.
    unsafe {
        for strip in 0..ROWS_PER_TILE / strip_rows {
            let weights = panel
                .0
                .as_ptr()
                .cast::<u8>()
                .add(strip * GROUPS_PER_SUM * VECTORS * V::WIDTH);
            let mut partial = [[V::zero(); VECTORS]; TOKENS];
            for group in 0..groups {
                let weights = weights.add(group * VECTORS * V::WIDTH);
                let mut vectors = [V::load(weights); VECTORS];
                for index in 1..VECTORS {
                    vectors[index] = V::load(weights.add(index * V::WIDTH));
                }
                for token in 0..TOKENS {
                    let code = V::broadcast(codes.add(token * stride + group * 4));
                    for index in 0..VECTORS {
                        partial[token][index] =
                            V::step(partial[token][index], code, vectors[index]);
                    }
                }
            }
            for (token, partial) in partial.into_iter().enumerate() {
                for (index, sum) in partial.into_iter().enumerate() {
                    let row = strip * strip_rows + index * (V::WIDTH / 4);
                    V::add_to(sum, sums.as_mut_ptr().add(token * ROWS_PER_TILE + row));
                }
            }
        }
    }
}
