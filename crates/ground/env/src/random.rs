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
        let mut text = [b'-'; 36];
        for (byte, at) in b.into_iter().zip(PLACES) {
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 0xf)];
        }
        str::from_utf8(&text).expect("digits are ASCII").to_owned()
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Where the two digits of each byte of a UUID are in its text.
const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// The machine's generator, fit for secrets.
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the machine for chance"
    )]
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
        let groups: Vec<usize> = a.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
        assert!(a.bytes().all(|byte| byte == b'-' || HEX.contains(&byte)));
    }
}
