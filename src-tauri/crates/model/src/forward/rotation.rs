//! Rotary angles: `angle = position · inv_freq`, in f32 as transformers computes it, then cosine and sine.
//!
//! Sine and cosine are evaluated in f64 by a portable implementation and rounded to f32, so the tables are the same on every platform.

/// Cosines and sines for a run of positions.
#[derive(Debug, Default)]
pub(super) struct Rotation {
    half: usize,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Rotation {
    /// Fills the tables for `count` positions from `first` on.
    pub(super) fn fill(&mut self, inv_freq: &[f32], first: usize, count: usize) {
        self.half = inv_freq.len();
        self.cos.clear();
        self.sin.clear();
        for position in first..first + count {
            for &frequency in inv_freq {
                let (sin, cos) = libm::sincos(f64::from(position as f32 * frequency));
                self.cos.push(cos as f32);
                self.sin.push(sin as f32);
            }
        }
    }

    /// Cosines of the `index`-th position filled in: `[head_dim / 2]`.
    pub(super) fn cos(&self, index: usize) -> &[f32] {
        &self.cos[index * self.half..][..self.half]
    }

    /// Sines of the `index`-th position filled in: `[head_dim / 2]`.
    pub(super) fn sin(&self, index: usize) -> &[f32] {
        &self.sin[index * self.half..][..self.half]
    }
}
