//! Whether a kernel computes what the scalar definition says: asked at selection, and at length by tests.

use super::layout::{Block, COLS_PER_BLOCK, GROUPS, LANES, LARGEST_DIGIT, ROWS_PER_TILE};
use super::scalar;

/// A kernel of one instruction set.
pub struct Kernel {
    /// Sums one tile, or a range of its columns; see `scalar::tile` for the shapes.
    pub tile: fn(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]),
    /// The stored code that it multiplies as 0.
    pub zero_code: u8,
}

/// Whether the sums of `kernel` equal the scalar ones on a few small tiles that hold every digit: a matter of microseconds.
pub fn agrees_with_scalar(kernel: &Kernel) -> bool {
    let blocks = mixed_blocks(10);
    [1, 2, 7, 13]
        .into_iter()
        .all(|tokens| difference(kernel, &blocks, &mixed_codes(&blocks, tokens), tokens).is_none())
}

/// Blocks in which every digit occurs in every group.
fn mixed_blocks(count: usize) -> Vec<Block> {
    blocks(count, |block, group, lane| {
        ((block * 5 + group * 11 + lane * 7) % 27) as i8 - LARGEST_DIGIT as i8
    })
}

fn blocks(count: usize, value: impl Fn(usize, usize, usize) -> i8) -> Vec<Block> {
    let fill = |index| {
        let mut block = Block {
            digits: [0; 256],
            signs: [0; 64],
        };
        for group in 0..GROUPS {
            for lane in 0..LANES {
                block.set_value(group, lane, value(index, group, lane));
            }
        }
        block
    };
    (0..count).map(fill).collect()
}

/// Codes with both extremes among them.
fn mixed_codes(blocks: &[Block], tokens: usize) -> Vec<u8> {
    let code = |i: usize| match i % 5 {
        0 => 255,
        3 => 0,
        _ => (i * 37 % 251) as u8,
    };
    (0..tokens * blocks.len() * COLS_PER_BLOCK)
        .map(code)
        .collect()
}

/// The first row and token in which kernel and definition differ, with the sums of both.
fn difference(
    kernel: &Kernel,
    blocks: &[Block],
    codes: &[u8],
    tokens: usize,
) -> Option<(usize, i32, i32)> {
    let stride = blocks.len() * COLS_PER_BLOCK;
    // Sums start from something else than 0: kernels add.
    let mut expected: Vec<i32> = (0..(tokens * ROWS_PER_TILE) as i32).collect();
    let mut found = expected.clone();
    let shifted: Vec<i32> = codes
        .iter()
        .map(|code| i32::from(*code) - i32::from(kernel.zero_code))
        .collect();
    scalar::tile_of(blocks, &shifted, stride, &mut expected);
    (kernel.tile)(blocks, codes, stride, &mut found);
    let index = expected.iter().zip(&found).position(|(a, b)| a != b)?;
    Some((index, expected[index], found[index]))
}

/// Tails in blocks and tokens, and the corners in which sums are largest.
#[cfg(test)]
pub fn assert_equals_scalar(kernel: &Kernel) {
    // An interpreter sees every kind of access in two small products.
    let (counts, most): (&[usize], usize) = match cfg!(miri) {
        true => (&[1], 2),
        false => (&[1, 2, 7, 8, 9, 17], usize::MAX),
    };
    for &count in counts {
        let blocks = mixed_blocks(count);
        for tokens in (1..=17)
            .chain([24, 25, 31])
            .filter(|tokens| *tokens <= most)
        {
            let codes = mixed_codes(&blocks, tokens);
            assert_eq!(
                difference(kernel, &blocks, &codes, tokens),
                None,
                "{count} blocks, {tokens} tokens"
            );
        }
    }
    if cfg!(miri) {
        return;
    }
    for value in [-13, -1, 0, 1, 13] {
        let blocks = blocks(33, |_, _, _| value);
        for code in [0, 1, 127, 128, 255] {
            for tokens in [1, 3] {
                let codes = vec![code; tokens * blocks.len() * COLS_PER_BLOCK];
                assert_eq!(
                    difference(kernel, &blocks, &codes, tokens),
                    None,
                    "value {value}, code {code}"
                );
            }
        }
    }
}
