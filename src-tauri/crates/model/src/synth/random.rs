//! Cheap random numbers, the same on every platform.

/// SplitMix64: one addition and a mix per 64 bits. Source: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
/// generators".
pub(super) struct Random(u64);

impl Random {
    /// A stream of its own for every pair of seed and stream number.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut mixer = Self(seed);
        let seed = mixer.next();
        Self(seed ^ stream.wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Nearly normal with mean 0 and deviation 1: twelve uniform numbers, exact integers until the last step.
    pub(super) fn normal(&mut self) -> f32 {
        let sum: u32 = (0..3)
            .map(|_| self.next())
            .flat_map(|word| (0..4).map(move |part| (word >> (16 * part)) as u32 & 0xFFFF))
            .sum();
        (sum as i32 - 6 * 65536) as f32 / 65536.0
    }
}
