//! Single BitLinear layers: the integers exact, the result within one unit in the last place of the f32 formula.

use r3mes_kernels::{Activations, Isa, Pool, TernaryMatrix, matmul, matmul_i32, quantize};
use safetensors::{SafeTensors, tensor::TensorView};

/// One layer of `bitlinear.py`.
struct Layer<'a> {
    tensors: &'a SafeTensors<'a>,
    index: usize,
}

impl Layer<'_> {
    fn tensor(&self, what: &str) -> TensorView<'_> {
        self.tensors
            .tensor(&format!("{}.{what}", self.index))
            .expect(what)
    }

    fn floats(&self, what: &str) -> Vec<f32> {
        let tensor = self.tensor(what);
        tensor
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&bytes| f32::from_le_bytes(bytes))
            .collect()
    }

    fn integers(&self, what: &str) -> Vec<i32> {
        let tensor = self.tensor(what);
        tensor
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&bytes| i32::from_le_bytes(bytes))
            .collect()
    }

    fn codes(&self, what: &str) -> Vec<i8> {
        self.tensor(what)
            .data()
            .iter()
            .map(|&byte| byte as i8)
            .collect()
    }

    fn matrix(&self) -> TernaryMatrix {
        let shape = self.tensor("w").shape().to_vec();
        let mut packer = TernaryMatrix::packer(shape[0], shape[1]).expect("a shape");
        for (row, values) in self.codes("w").chunks(shape[1]).enumerate() {
            packer.set_row(row, values).expect("ternary values");
        }
        packer.finish()
    }
}

/// Runs `check` on every layer.
fn layers(check: impl Fn(&Layer<'_>)) {
    let bytes = std::fs::read(crate::case::data().join("bitlinear.safetensors"))
        .expect("bitlinear.safetensors");
    let tensors = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    let count = tensors
        .names()
        .iter()
        .filter(|name| name.ends_with(".w"))
        .count();
    assert_eq!(count, 9, "layers in bitlinear.safetensors");
    for index in 0..count {
        check(&Layer {
            tensors: &tensors,
            index,
        });
    }
}

#[test]
fn activation_codes_and_factors_are_the_published_ones() {
    layers(|layer| {
        let cols = layer.tensor("x").shape()[1];
        let mut activations = Activations::default();
        quantize(&layer.floats("x"), cols, &mut activations);
        let tokens = layer.tensor("x").shape()[0];
        let codes: Vec<i8> = (0..tokens * cols)
            .map(|index| activations.code(index / cols, index % cols))
            .collect();
        assert_eq!(codes, layer.codes("codes"), "layer {}", layer.index);
        let factors: Vec<f32> = (0..tokens)
            .map(|token| activations.quant_factor(token))
            .collect();
        assert_eq!(factors, layer.floats("s"), "layer {}", layer.index);
    });
}

#[test]
fn integer_products_are_exact_and_results_within_one_ulp() {
    let pool = Pool::new(2);
    for isa in Isa::available() {
        layers(|layer| {
            let matrix = layer.matrix();
            let shape = layer.tensor("x").shape().to_vec();
            let mut activations = Activations::default();
            quantize(&layer.floats("x"), shape[1], &mut activations);
            let outputs = shape[0] * matrix.rows();

            let mut sums = vec![0; outputs];
            matmul_i32(isa, &pool, &matrix, &activations, &mut sums);
            assert_eq!(sums, layer.integers("sums"), "layer {}, {isa}", layer.index);

            let scale = layer.floats("scale")[0];
            let mut results = vec![0.0; outputs];
            matmul(
                isa,
                &pool,
                &matrix,
                &vec![scale; matrix.rows()],
                &activations,
                &mut results,
            );
            within(
                1,
                &results,
                &layer.floats("multiplied"),
                layer,
                "multiplied",
            );
            matmul(
                isa,
                &pool,
                &matrix,
                &vec![1.0 / scale; matrix.rows()],
                &activations,
                &mut results,
            );
            // The reciprocal is rounded once more than the published `sums / (s · scale)`.
            within(2, &results, &layer.floats("divided"), layer, "divided");
        });
    }
}

fn within(units: u32, ours: &[f32], published: &[f32], layer: &Layer<'_>, what: &str) {
    for (index, (a, b)) in ours.iter().zip(published).enumerate() {
        let apart = ordered(*a).abs_diff(ordered(*b));
        assert!(
            apart <= u64::from(units),
            "layer {} `{what}` [{index}]: {a:e}, published {b:e}",
            layer.index
        );
    }
}

/// Neighbouring floats have neighbouring integers; both zeros have 0.
fn ordered(value: f32) -> i64 {
    let bits = i64::from(value.to_bits() & 0x7fff_ffff);
    if value.is_sign_negative() {
        -bits
    } else {
        bits
    }
}
