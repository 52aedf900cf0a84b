//! Fresh numbers: seeds and request ids. Nothing here needs to be secret.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Bits that JavaScript and JSON readers keep exact in a number.
const EXACT_BITS: u32 = 53;

/// A seed that a client can give back unchanged.
pub(crate) fn seed() -> u64 {
    bits() >> (u64::BITS - EXACT_BITS)
}

/// A version 4 UUID (RFC 9562, section 5.4).
pub(crate) fn uuid() -> String {
    let [high, low] = [bits(), bits()];
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        ((low >> 48) & 0x3fff) | 0x8000,
        low & 0xffff_ffff_ffff
    )
}

/// The standard library seeds each hasher from the system's randomness and never twice alike.
fn bits() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::uuid;

    #[test]
    fn request_ids_are_version_4_and_differ() {
        let id = uuid();
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4");
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        assert_ne!(id, uuid());
    }
}
