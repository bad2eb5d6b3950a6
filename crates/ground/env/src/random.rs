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
        let digits = text
            .iter_mut()
            .enumerate()
            .filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23));
        for (nth, (_, digit)) in digits.enumerate() {
            let byte = b[nth / 2];
            *digit = HEX[usize::from(if nth % 2 == 0 { byte >> 4 } else { byte & 0xf })];
        }
        str::from_utf8(&text).expect("digits are ASCII").to_owned()
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

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
