//! The screened head: the same answer as the exact head, whatever the rows and the hidden vector look like.

use std::convert::Infallible;

use r3mes_kernels::{AlignedBytes, Isa, Pool, ScreenedHead, TopK, dot, exact_logits};

/// Uniform and normal numbers, the same on every run.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((self.0 >> 40) as f32 + 0.5) / (1 << 24) as f32
    }

    fn normal(&mut self) -> f32 {
        let (a, b) = (self.uniform(), self.uniform());
        (-2.0 * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos()
    }

    fn normals(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.normal()).collect()
    }
}

struct Head {
    rows: usize,
    cols: usize,
    values: Vec<f32>,
    screen: ScreenedHead,
}

impl Head {
    fn new(rows: usize, cols: usize, mut value: impl FnMut(usize, usize) -> f32) -> Self {
        let values: Vec<f32> = (0..rows * cols)
            .map(|i| value(i / cols, i % cols))
            .collect();
        let mut packer = ScreenedHead::packer(rows, cols).unwrap();
        for mut panel in packer.panels_mut() {
            for row in panel.rows() {
                panel.set_row(row, &values[row * cols..][..cols]);
            }
        }
        let screen = packer.finish();
        Self {
            rows,
            cols,
            values,
            screen,
        }
    }

    fn fetch(&self, id: u32, out: &mut [f32]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.values[id as usize * self.cols..][..self.cols]);
        Ok(())
    }

    fn top_k(&self, isa: Isa, pool: &Pool, h: &[f32], k: usize, always: &[u32]) -> TopK {
        let fetch = |id: u32, out: &mut [f32]| self.fetch(id, out);
        let Ok(top) = self.screen.top_k(isa, pool, h, k, always, &fetch);
        top
    }

    /// All logits, sorted: better first, equal ones by id.
    fn exact(&self, h: &[f32]) -> Vec<(u32, f32)> {
        let rows = self.values.chunks(self.cols);
        let mut logits: Vec<(u32, f32)> = (0..)
            .zip(rows.map(|row| dot(Isa::available()[0], h, row)))
            .collect();
        // A NaN (∞ − ∞ in a sum) is worse than any number.
        let key = |logit: f32| {
            if logit.is_nan() {
                f32::NEG_INFINITY
            } else {
                logit
            }
        };
        logits.sort_by(|a, b| key(b.1).partial_cmp(&key(a.1)).unwrap().then(a.0.cmp(&b.0)));
        logits
    }

    /// Asserts that the screened answers are the exact ones; returns the rows computed for k = 1.
    fn check(&self, name: &str, h: &[f32]) -> usize {
        let exact = self.exact(h);
        let pools = [Pool::new(1), Pool::new(2)];
        let mut rescored = 0;
        for k in [1, 2, 5, 40] {
            let expected = &exact[..k.min(self.rows)];
            for isa in Isa::available() {
                let top = self.top_k(isa, &pools[k % 2], h, k, &[]);
                assert!(same(&top.best, expected), "{name}, k = {k}, {isa}");
                assert!(top.rescored >= expected.len() && top.rescored <= self.rows);
                if k == 1 {
                    rescored = top.rescored;
                }
            }
        }
        rescored
    }
}

fn same(a: &[(u32, f32)], b: &[(u32, f32)]) -> bool {
    let equal = |a: f32, b: f32| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && equal(a.1, b.1))
}

#[test]
fn screening_finds_what_the_exact_head_finds() {
    let mut random = Random(7);
    for (rows, cols) in [(1, 1), (15, 7), (17, 33), (300, 64), (999, 250)] {
        let heads = [
            ("normal", Head::new(rows, cols, |_, _| random.normal())),
            ("heavy tails", {
                let mut random = Random(8);
                Head::new(rows, cols, move |_, _| {
                    random.normal() / random.uniform().max(1e-4)
                })
            }),
            ("rows of all sizes", {
                let mut random = Random(9);
                Head::new(rows, cols, move |row, _| {
                    random.normal() * 10f32.powi(row as i32 % 60 - 30)
                })
            }),
            ("near ties", {
                let mut random = Random(10);
                let base = random.normals(cols);
                Head::new(rows, cols, move |_, col| base[col] + 1e-6 * random.normal())
            }),
            ("all rows equal", {
                let base = Random(11).normals(cols);
                Head::new(rows, cols, move |_, col| base[col])
            }),
            ("outlier columns", {
                let mut random = Random(12);
                Head::new(rows, cols, move |row, col| {
                    random.normal() * if col == row % 3 { 100.0 } else { 1.0 }
                })
            }),
            ("few values", {
                let mut random = Random(13);
                Head::new(rows, cols, move |_, _| (random.normal() * 0.7).round())
            }),
            ("some rows zero", {
                let mut random = Random(14);
                Head::new(
                    rows,
                    cols,
                    move |row, _| {
                        if row % 2 == 0 { 0.0 } else { random.normal() }
                    },
                )
            }),
        ];
        for (name, head) in &heads {
            let mut hidden = Random(15).normals(cols);
            head.check(name, &hidden);
            hidden[cols / 2] = 1e4;
            head.check(&format!("{name}, one huge hidden coordinate"), &hidden);
            head.check(&format!("{name}, tiny hidden"), &vec![1e-30; cols]);
            head.check(&format!("{name}, huge hidden"), &vec![1e30; cols]);
            let aligned: Vec<f32> = head.values[rows / 2 * cols..][..cols].to_vec();
            head.check(&format!("{name}, hidden along a row"), &aligned);
            head.check(&format!("{name}, zero hidden"), &vec![0.0; cols]);
        }
    }
}

#[test]
fn few_rows_of_a_large_vocabulary_are_computed_exactly() {
    let mut random = Random(16);
    let head = Head::new(8192, 640, |_, _| random.normal());
    for seed in 0..6 {
        let rescored = head.check("normal", &Random(100 + seed).normals(640));
        // Measured: 16 to some 300; the bound rules out all but the rows near the best.
        assert!(rescored < 900, "{rescored} of 8192 rows");
    }
}

#[test]
fn rows_and_vectors_that_are_not_finite_do_not_hide_the_others() {
    let mut random = Random(17);
    let head = Head::new(100, 40, |row, _| match row {
        3 => f32::NAN,
        5 => f32::NEG_INFINITY,
        _ => random.normal(),
    });
    let pool = Pool::new(2);
    let hidden: Vec<f32> = random.normals(40).iter().map(|x| x.abs()).collect();
    let top = head.top_k(Isa::Scalar, &pool, &hidden, 98, &[]);
    let logits: Vec<f32> = top.best.iter().map(|best| best.1).collect();
    assert!(logits.is_sorted_by(|a, b| a >= b), "{logits:?}");
    assert!(top.best.iter().all(|best| ![3, 5].contains(&best.0)));
    let top = head.top_k(Isa::Scalar, &pool, &[f32::NAN; 40], 2, &[]);
    assert_eq!(top.best.len(), 2);
}

#[test]
fn rows_always_wanted_are_given_and_kept_out_of_the_best() {
    let mut random = Random(18);
    let head = Head::new(500, 64, |_, _| random.normal());
    let hidden = random.normals(64);
    let exact = head.exact(&hidden);
    let always = [exact[0].0, exact[2].0, exact[400].0];
    let top = head.top_k(Isa::Scalar, &Pool::new(2), &hidden, 2, &always);
    assert_eq!(top.always, [exact[0], exact[2], exact[400]]);
    assert_eq!(top.best, [exact[1], exact[3]]);
}

#[test]
fn all_logits_are_the_dot_products() {
    let mut random = Random(19);
    let head = Head::new(50, 33, |_, _| random.normal());
    let hidden = random.normals(33);
    let mut logits = vec![0.0; 50];
    let fetch = |id: u32, out: &mut [f32]| head.fetch(id, out);
    let Ok(()) = exact_logits(
        Isa::available()[0],
        &Pool::new(2),
        &hidden,
        &fetch,
        &mut logits,
    );
    for (id, logit) in head.exact(&hidden) {
        assert_eq!(logits[id as usize].to_bits(), logit.to_bits());
    }
}

#[test]
fn a_row_that_cannot_be_fetched_is_an_error() {
    let head = Head::new(50, 33, |row, col| (row * col) as f32);
    let fetch = |id: u32, _: &mut [f32]| Err(format!("no row {id}"));
    let pool = Pool::new(2);
    let result = head
        .screen
        .top_k(Isa::Scalar, &pool, &[1.0; 33], 1, &[7], &fetch);
    assert_eq!(result, Err("no row 7".to_owned()));
}

#[test]
fn packed_bytes_give_the_same_head_and_wrong_ones_are_refused() {
    let mut random = Random(20);
    let head = Head::new(30, 40, |_, _| random.normal());
    let hidden = random.normals(40);
    let pool = Pool::new(1);
    let packed = head.screen.packed_bytes();
    let copy = ScreenedHead::from_packed(30, 40, AlignedBytes::copied(packed).unwrap()).unwrap();
    let fetch = |id: u32, out: &mut [f32]| head.fetch(id, out);
    assert_eq!(
        copy.top_k(Isa::Scalar, &pool, &hidden, 3, &[], &fetch),
        Ok(head.top_k(Isa::Scalar, &pool, &hidden, 3, &[]))
    );
    let refused = |rows, cols, bytes: &[u8]| {
        let bytes = AlignedBytes::copied(bytes).unwrap();
        ScreenedHead::from_packed(rows, cols, bytes)
            .err()
            .unwrap()
            .to_string()
    };
    assert_eq!(
        refused(30, 40, &packed[1..]),
        "screened head of 30 rows of 40: 1151 bytes, expected 1152"
    );
    assert_eq!(
        refused(usize::MAX, 40, packed),
        "screened head: 18446744073709551615 rows of 40, each must be 1 to 1048576"
    );
    let mut wrong = packed.to_vec();
    let step = wrong.len() - 4 * 32;
    wrong[step..step + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    assert_eq!(
        refused(30, 40, &wrong),
        "screened head, row 0: step NaN, expected 0 or more"
    );
}
