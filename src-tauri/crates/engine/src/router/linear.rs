//! Softmax regression over named features: few parameters, convex, the same result every time.
//!
//! `p = softmax(bias + scale · Σ_f value_f · weight_f)`. The keyword stage fits it over the entries of its lexicon, the
//! semantic stage over the numbers of an embedding.

/// Classes of the router: the seven experts every installation knows.
pub const CLASSES: usize = 7;
/// One number for each class.
pub type Scores = [f32; CLASSES];

/// Logits into probabilities.
pub(super) fn softmax(mut logits: Scores, temperature: f32) -> Scores {
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for logit in &mut logits {
        *logit = ((*logit - most) / temperature).exp();
        sum += *logit;
    }
    logits.map(|p| p / sum)
}

/// Generator of the fits' orders (xorshift): seeded, so that a fit can be repeated.
pub(super) struct Order(u64);

impl Order {
    pub fn new() -> Order {
        Order(0x39b_a4d5_11c6_0e25)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number from −1 to 1.
    pub fn between(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            let other = (self.next() % (last as u64 + 1)) as usize;
            values.swap(last, other);
        }
    }
}
