//! The random numbers of sampling: SplitMix64, a counter put through a mixer.
//!
//! `state ← state + 0x9E3779B97F4A7C15`, then two xor-shift-multiply rounds (Steele, Lea, Flood 2014, "Fast splittable
//! pseudorandom number generators"; constants of Stafford's mix 13). The n-th number depends on the seed and n only, and on integer
//! arithmetic only, so it is the same on every platform.

/// A sequence of random numbers from a seed. Not for secrets.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The next number in `[0, 1)`, a multiple of 2⁻⁵³.
    pub fn next_unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1u64 << 53) as f64;
        (self.next_u64() >> 11) as f64 * STEP
    }
}
