//! Integer products equal the plain sum on every instruction set, over tails and corners.

use r3mes_kernels::ternary::{PackError, pack_tile, packed_len};
use r3mes_kernels::{
    Activations, AlignedBytes, Isa, LayoutError, Pool, TernaryMatrix, matmul, matmul_i32, quantize,
};

/// Lengths around every vector width, block and chunk.
const TAILS: [usize; 14] = [1, 2, 3, 15, 16, 31, 33, 47, 49, 63, 65, 95, 97, 127];

/// A small, seeded generator (SplitMix64), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn ternary(&mut self, len: usize) -> Vec<i8> {
        (0..len).map(|_| (self.next() % 3) as i8 - 1).collect()
    }

    fn codes(&mut self, len: usize) -> Vec<i8> {
        (0..len).map(|_| self.next() as i8).collect()
    }
}

fn pack(weights: &[i8], rows: usize, cols: usize) -> TernaryMatrix {
    let mut packer = TernaryMatrix::packer(rows, cols).unwrap();
    for (tile, weights) in weights.chunks(48 * cols).enumerate() {
        packer.set_tile(tile, weights).unwrap();
    }
    packer.finish()
}

/// The sum as a reader would write it.
fn plain(weights: &[i8], cols: usize, codes: &[i8]) -> Vec<i32> {
    codes
        .chunks(cols)
        .flat_map(|codes| {
            weights.chunks(cols).map(move |row| {
                row.iter()
                    .zip(codes)
                    .map(|(w, q)| i32::from(*w) * i32::from(*q))
                    .sum()
            })
        })
        .collect()
}

fn check(weights: &[i8], rows: usize, cols: usize, codes: &[i8]) {
    let matrix = pack(weights, rows, cols);
    let activations = Activations::from_codes(codes, cols);
    let expected = plain(weights, cols, codes);
    for isa in Isa::available() {
        for threads in [1, 2] {
            let mut found = vec![i32::MIN; expected.len()];
            matmul_i32(isa, &Pool::new(threads), &matrix, &activations, &mut found);
            let tokens = codes.len() / cols;
            assert_eq!(
                found, expected,
                "{isa}, {threads} threads, {rows} rows, {cols} columns, {tokens} tokens"
            );
        }
    }
}

#[test]
fn tails_in_rows_and_columns_are_exact_for_one_token() {
    let mut random = Random(1);
    for rows in TAILS {
        for cols in TAILS.into_iter().chain([257, 511, 640]) {
            check(
                &random.ternary(rows * cols),
                rows,
                cols,
                &random.codes(cols),
            );
        }
    }
}

#[test]
fn tails_in_tokens_are_exact() {
    let mut random = Random(2);
    for tokens in (2..=14).chain([23, 24, 25, 31, 33, 63, 65, 95, 96, 97, 127, 193]) {
        for (rows, cols) in [(1, 1), (5, 33), (49, 300), (96, 64)] {
            check(
                &random.ternary(rows * cols),
                rows,
                cols,
                &random.codes(tokens * cols),
            );
        }
    }
}

#[test]
fn long_rows_are_exact() {
    let mut random = Random(3);
    for (rows, cols, tokens) in [(50, 6912, 1), (3, 2560, 3), (49, 6912, 7), (17, 8191, 2)] {
        check(
            &random.ternary(rows * cols),
            rows,
            cols,
            &random.codes(tokens * cols),
        );
    }
}

/// Random inputs alone do not find sums that overflow: these are the largest of every sign.
#[test]
fn the_extremes_do_not_overflow() {
    let (rows, cols) = (49, 4096 + 31);
    for weight in [-1, 0, 1] {
        for code in [-128, -127, -1, 0, 1, 127] {
            for tokens in [1, 2, 7] {
                check(
                    &vec![weight; rows * cols],
                    rows,
                    cols,
                    &vec![code; tokens * cols],
                );
            }
        }
    }
    // Signs that agree everywhere, so that every partial sum grows.
    let alternating: Vec<i8> = (0..rows * cols)
        .map(|i| if i % cols % 2 == 0 { 1 } else { -1 })
        .collect();
    let codes: Vec<i8> = (0..5 * cols)
        .map(|i| if i % cols % 2 == 0 { 127 } else { -128 })
        .collect();
    check(&alternating, rows, cols, &codes[..cols]);
    check(&alternating, rows, cols, &codes);
}

#[test]
fn the_float_result_is_the_formula_in_this_order() {
    let mut random = Random(4);
    let (rows, cols, tokens) = (131, 190, 5);
    let weights = random.ternary(rows * cols);
    let matrix = pack(&weights, rows, cols);
    let scales: Vec<f32> = (0..rows).map(|row| 0.3 + row as f32 * 0.017).collect();
    let x: Vec<f32> = (0..tokens * cols)
        .map(|_| (random.next() % 2001) as f32 * 0.013 - 13.0)
        .collect();
    let mut activations = Activations::new();
    quantize(&x, cols, &mut activations);
    let codes: Vec<i8> = (0..tokens * cols)
        .map(|i| activations.code(i / cols, i % cols))
        .collect();
    let sums = plain(&weights, cols, &codes);
    let expected: Vec<f32> = (0..tokens * rows)
        .map(|i| sums[i] as f32 * scales[i % rows] / activations.quant_factor(i / rows))
        .collect();
    for isa in Isa::available() {
        let mut found = vec![f32::NAN; tokens * rows];
        matmul(
            isa,
            &Pool::new(2),
            &matrix,
            &scales,
            &activations,
            &mut found,
        );
        assert_eq!(found, expected, "{isa}");
    }
}

#[test]
fn rows_and_tiles_pack_alike_and_come_back() {
    let mut random = Random(5);
    for (rows, cols) in [(1, 1), (48, 32), (50, 70), (100, 33)] {
        let weights = random.ternary(rows * cols);
        let by_tile = pack(&weights, rows, cols);
        let mut packer = TernaryMatrix::packer(rows, cols).unwrap();
        for row in (0..rows).rev() {
            packer.set_row(row, &vec![1; cols]).unwrap();
            packer.set_row(row, &weights[row * cols..][..cols]).unwrap();
        }
        let by_row = packer.finish();
        assert_eq!(by_tile.packed_bytes(), by_row.packed_bytes());
        assert_eq!(
            by_tile.packed_bytes().len(),
            packed_len(rows, cols).unwrap()
        );
        let read = TernaryMatrix::from_packed(
            rows,
            cols,
            AlignedBytes::copied(by_row.packed_bytes()).unwrap(),
        )
        .unwrap();
        let mut line = vec![9; cols];
        for row in 0..rows {
            read.unpack_row(row, &mut line);
            let expected = &weights[row * cols..][..cols];
            assert_eq!(line, expected);
            assert_eq!(
                read.row_sums()[row],
                expected.iter().map(|w| i32::from(*w)).sum::<i32>()
            );
        }
    }
}

#[test]
fn bytes_of_another_layout_are_refused() {
    let bytes = |len: usize, fill: u8| {
        let mut bytes = AlignedBytes::zeroed(len).unwrap();
        bytes.fill(fill);
        bytes
    };
    let refused = |rows, cols, bytes| {
        TernaryMatrix::from_packed(rows, cols, bytes)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(48, 32, bytes(319, 0)),
        "packed ternary matrix of 48 rows, 32 columns: holds 319 bytes, expected 320"
    );
    assert_eq!(
        refused(48, 32, bytes(320, 0xe0)),
        "packed ternary matrix: block 0 holds digit 14, expected at most 13"
    );
    assert!(matches!(
        TernaryMatrix::from_packed(0, 32, bytes(0, 0)),
        Err(LayoutError::Empty { rows: 0, cols: 32 })
    ));
    assert!(matches!(
        TernaryMatrix::packer(usize::MAX, 3),
        Err(LayoutError::TooLarge { .. })
    ));
    assert!(matches!(
        TernaryMatrix::packer(usize::MAX >> 8, 32),
        Err(LayoutError::Alloc(_) | LayoutError::TooLarge { .. })
    ));
}

#[test]
fn values_and_shapes_that_cannot_be_packed_are_named() {
    let mut packer = TernaryMatrix::packer(50, 4).unwrap();
    assert_eq!(
        packer.set_row(3, &[0, 1, 2, 0]).unwrap_err().to_string(),
        "row 3, column 2: weight is 2, expected -1, 0 or 1"
    );
    assert_eq!(
        packer.set_row(50, &[0; 4]).unwrap_err(),
        PackError::NoSuchRow { row: 50, rows: 50 }
    );
    assert_eq!(
        packer.set_row(0, &[0; 3]).unwrap_err().to_string(),
        "row holds 3 values, expected 4"
    );
    assert_eq!(
        packer.set_tile(1, &[0; 12]).unwrap_err().to_string(),
        "tile holds 12 values, expected 8"
    );
    assert_eq!(
        packer.set_tile(2, &[0; 4]).unwrap_err(),
        PackError::NoSuchRow { row: 96, rows: 50 }
    );
    let mut weights = [0i8; 8];
    weights[5] = -128;
    assert_eq!(
        packer.set_tile(1, &weights).unwrap_err().to_string(),
        "row 49, column 1: weight is -128, expected -1, 0 or 1"
    );
    assert!(pack_tile(&[0; 4], 4, &mut [0; 100]).is_err());
    assert!(pack_tile(&[0; 49 * 4], 4, &mut [0; 320]).is_err());
}

#[test]
#[should_panic(expected = "activations of 5 columns for a matrix of 4")]
fn activations_of_another_width_are_a_mistake_of_the_caller() {
    let matrix = TernaryMatrix::packer(2, 4).unwrap().finish();
    let activations = Activations::from_codes(&[1; 5], 5);
    matmul_i32(
        Isa::Scalar,
        &Pool::new(1),
        &matrix,
        &activations,
        &mut [0; 2],
    );
}
