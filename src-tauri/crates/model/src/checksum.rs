//! A checksum that runs at the speed of memory: it finds damage, not malice.

const LANES: usize = 4;
/// Odd 64-bit constant, ⌊2⁶⁴ / golden ratio⌋.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// The checksum of the parts one after the other.
///
/// Four lanes of 64-bit words, each mixed by `h = rotate((h ^ word) · MULTIPLIER)`; every step is a bijection of `h`, so a
/// single damaged word always changes the result.
pub(crate) fn checksum(parts: &[&[u8]]) -> u64 {
    let mut lanes: [u64; LANES] = std::array::from_fn(|lane| mix(MULTIPLIER, lane as u64));
    let mut total = 0u64;
    for part in parts {
        let (chunks, tail) = part.as_chunks::<{ 8 * LANES }>();
        for chunk in chunks {
            let words = chunk.as_chunks::<8>().0;
            for (lane, word) in lanes.iter_mut().zip(words) {
                *lane = mix(*lane, u64::from_le_bytes(*word));
            }
        }
        let mut last = [0u8; 8 * LANES];
        last[..tail.len()].copy_from_slice(tail);
        for (lane, word) in lanes.iter_mut().zip(last.as_chunks::<8>().0) {
            *lane = mix(*lane, u64::from_le_bytes(*word));
        }
        total += part.len() as u64;
    }
    lanes.into_iter().fold(total, mix)
}

fn mix(state: u64, word: u64) -> u64 {
    (state ^ word).wrapping_mul(MULTIPLIER).rotate_left(29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_changes_it() {
        let mut bytes: Vec<u8> = (0..77).collect();
        let before = checksum(&[&bytes, &[1, 2, 3]]);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(checksum(&[&bytes, &[1, 2, 3]]), before, "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert_ne!(checksum(&[&bytes[..76], &[76, 1, 2, 3]]), before);
    }
}
