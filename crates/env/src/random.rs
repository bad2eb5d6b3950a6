//! Random bytes.

use std::sync::Mutex;

use rand::{Rng, SeedableRng, rngs::StdRng};

/// The one source of chance.
pub trait Random: Send + Sync {
    /// Fills `bytes` with random ones.
    fn fill(&self, bytes: &mut [u8]);

    /// A random number.
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A random UUID (version 4) as text, as AWS writes request ids and object names.
    fn uuid(&self) -> String {
        let mut b = [0; 16];
        self.fill(&mut b);
        b[6] = b[6] & 0x0f | 0x40;
        b[8] = b[8] & 0x3f | 0x80;
        // Each request has one: without the machinery of `format!`.
        let mut text = String::with_capacity(36);
        for (i, byte) in b.into_iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.extend([byte >> 4, byte & 0xf].map(|digit| char::from(HEX[usize::from(digit)])));
        }
        text
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The machine's generator, fit for secrets.
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine for chance")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

/// The same bytes for the same seed.
pub struct SeededRandom(Mutex<StdRng>);

impl SeededRandom {
    /// A generator that starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().expect("no holder panics").fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_a_uuid_has_its_form() {
        let (a, b) = (SeededRandom::new(7).uuid(), SeededRandom::new(7).uuid());
        assert_eq!(a, b);
        assert_ne!(a, SeededRandom::new(8).uuid());
        assert_eq!((a.len(), &a[14..15]), (36, "4"));
    }
}
