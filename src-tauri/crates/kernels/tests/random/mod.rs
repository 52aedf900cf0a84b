//! Numbers for tests.

/// Numbers in (−1, 1), the same on every run.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((self.0 >> 40) as f32) / (1 << 23) as f32 - 1.0
    }

    pub fn vector(&mut self, len: usize, size: f32) -> Vec<f32> {
        (0..len).map(|_| self.next() * size).collect()
    }
}
