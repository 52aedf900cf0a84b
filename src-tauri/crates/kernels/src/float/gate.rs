//! Element-wise pieces: the two gated activations and the residual sum.

use super::exp::exp_lanes;
use super::lanes::{Kernel, LANES, Lanes, dispatch};
use crate::isa::Isa;

/// `out = max(gate, 0)² · up`, the squared-ReLU gate; values beyond 65504 are ordinary here.
///
/// # Panics
/// If the lengths differ.
pub fn gate_relu2(isa: Isa, gate: &[f32], up: &[f32], out: &mut [f32]) {
    gated::<Relu2>(isa, gate, up, out);
}

/// `out = gate / (1 + exp(−gate)) · up`, the SiLU gate.
///
/// # Panics
/// If the lengths differ.
pub fn gate_silu(isa: Isa, gate: &[f32], up: &[f32], out: &mut [f32]) {
    gated::<Silu>(isa, gate, up, out);
}

/// `x += y`, the residual sum.
///
/// # Panics
/// If the lengths differ.
pub fn add_assign(isa: Isa, x: &mut [f32], y: &[f32]) {
    struct AddAssign<'a>(&'a mut [f32], &'a [f32]);
    impl Kernel for AddAssign<'_> {
        type Output = ();
        #[inline(always)]
        fn run<L: Lanes>(self, l: L) {
            let (x, x_tail) = self.0.as_chunks_mut::<LANES>();
            let (y, y_tail) = self.1.as_chunks::<LANES>();
            for (x, y) in x.iter_mut().zip(y) {
                l.store(l.add(l.load(x), l.load(y)), x);
            }
            l.store_part(l.add(l.load_part(x_tail), l.load_part(y_tail)), x_tail);
        }
    }
    assert_eq!(x.len(), y.len(), "add_assign: lengths differ");
    dispatch(isa, AddAssign(x, y));
}

trait Activation {
    fn apply<L: Lanes>(l: L, gate: L::V) -> L::V;
}

struct Relu2;

impl Activation for Relu2 {
    #[inline(always)]
    fn apply<L: Lanes>(l: L, gate: L::V) -> L::V {
        let positive = l.max(l.splat(0.0), gate);
        l.mul(positive, positive)
    }
}

struct Silu;

impl Activation for Silu {
    #[inline(always)]
    fn apply<L: Lanes>(l: L, gate: L::V) -> L::V {
        let decay = exp_lanes(l, l.sub(l.splat(-0.0), gate));
        l.div(gate, l.add(l.splat(1.0), decay))
    }
}

struct Gate<'a, A> {
    gate: &'a [f32],
    up: &'a [f32],
    out: &'a mut [f32],
    activation: std::marker::PhantomData<A>,
}

impl<A: Activation> Kernel for Gate<'_, A> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let (gate, gate_tail) = self.gate.as_chunks::<LANES>();
        let (up, up_tail) = self.up.as_chunks::<LANES>();
        let (out, out_tail) = self.out.as_chunks_mut::<LANES>();
        for ((gate, up), out) in gate.iter().zip(up).zip(out) {
            l.store(l.mul(A::apply(l, l.load(gate)), l.load(up)), out);
        }
        if !gate_tail.is_empty() {
            let y = l.mul(A::apply(l, l.load_part(gate_tail)), l.load_part(up_tail));
            l.store_part(y, out_tail);
        }
    }
}

fn gated<A: Activation>(isa: Isa, gate: &[f32], up: &[f32], out: &mut [f32]) {
    assert_eq!(gate.len(), up.len(), "gate: gate and up differ in length");
    assert_eq!(
        gate.len(),
        out.len(),
        "gate: gate and output differ in length"
    );
    let activation = std::marker::PhantomData::<A>;
    dispatch(
        isa,
        Gate {
            gate,
            up,
            out,
            activation,
        },
    );
}
