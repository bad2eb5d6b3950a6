//! Segments of files: what lies in the file for each, and how it is read back.

use ring::aead::{Aad, LessSafeKey};

use crate::key::{InstallationKey, Undecryptable, nonce};

/// Bytes that a sealed segment is longer than its data.
pub const TAG_LEN: usize = 16;
/// Names what the derived keys are for.
const PURPOSE: &[u8] = b"headwater blob 2";

/// The key of one file, which is written once, and each of its segments once.
pub struct SegmentKey {
    file: [u8; 16],
    key: LessSafeKey,
}

impl SegmentKey {
    /// The key of the file with the id `file`; no two files of an installation have the same id.
    pub fn new(key: &InstallationKey, file: [u8; 16]) -> Self {
        Self {
            file,
            key: key.derive(file, PURPOSE),
        }
    }

    /// Encrypts a segment in place, and appends its tag of [`TAG_LEN`] bytes. `number` counts from 0.
    pub fn seal(&self, number: u64, is_last: bool, segment: &mut Vec<u8>) {
        self.key
            .seal_in_place_append_tag(nonce(number), self.aad(number, is_last), segment)
            .expect("a segment is far below the bound of GCM");
    }

    /// Decrypts in place what [`SegmentKey::seal`] made, and takes the tag off. The bytes in `segment` when this
    /// fails means nothing.
    pub fn open(
        &self,
        number: u64,
        is_last: bool,
        segment: &mut Vec<u8>,
    ) -> Result<(), Undecryptable> {
        let opened = self
            .key
            .open_in_place(nonce(number), self.aad(number, is_last), segment);
        let len = opened.map_err(|_| Undecryptable)?.len();
        segment.truncate(len);
        Ok(())
    }

    /// Binds a segment to its file and its place, and the last one to being the last.
    fn aad(&self, number: u64, is_last: bool) -> Aad<[u8; 25]> {
        let mut aad = [0; 25];
        aad[..16].copy_from_slice(&self.file);
        aad[16..24].copy_from_slice(&number.to_le_bytes());
        aad[24] = u8::from(is_last);
        Aad::from(aad)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use headwater_env::{Env, SeededRandom};
    use proptest::prelude::*;
    use ring::aead::AES_256_GCM;

    use super::*;

    fn key(seed: u64, file: u8) -> SegmentKey {
        let env = Env {
            random: Arc::new(SeededRandom::new(seed)),
            ..Env::real()
        };
        SegmentKey::new(&InstallationKey::new(&env), [file; 16])
    }

    fn sealed(number: u64, is_last: bool) -> Vec<u8> {
        let mut segment = b"data".to_vec();
        key(1, 7).seal(number, is_last, &mut segment);
        segment
    }

    #[test]
    fn a_tag_is_as_long_as_the_document_says() {
        assert_eq!(TAG_LEN, AES_256_GCM.tag_len());
        assert_eq!(sealed(0, true).len(), 4 + TAG_LEN);
    }

    #[test]
    fn a_segment_is_of_its_installation_its_file_and_its_place() {
        let open = |key: SegmentKey, number, is_last| {
            let mut segment = sealed(3, false);
            key.open(number, is_last, &mut segment).map(|()| segment)
        };
        assert_eq!(open(key(1, 7), 3, false).unwrap(), b"data");
        for (key, number, is_last) in [
            (key(2, 7), 3, false),
            (key(1, 8), 3, false),
            (key(1, 7), 2, false),
            (key(1, 7), 3, true),
        ] {
            assert_eq!(open(key, number, is_last), Err(Undecryptable));
        }
        assert_ne!(sealed(3, false)[..4], sealed(4, false)[..4]);
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened_and_damage_is_noticed(
            data in proptest::collection::vec(any::<u8>(), 0..99), number: u64, is_last: bool,
            at in any::<prop::sample::Index>(), bit in 0..8u8,
        ) {
            let key = key(1, 7);
            let mut segment = data.clone();
            key.seal(number, is_last, &mut segment);
            let mut damaged = segment.clone();
            *at.get_mut(&mut damaged[..]) ^= 1 << bit;
            prop_assert_eq!(key.open(number, is_last, &mut damaged), Err(Undecryptable));
            prop_assert_eq!(key.open(number, is_last, &mut segment), Ok(()));
            prop_assert_eq!(segment, data);
        }

        #[test]
        fn any_bytes_are_survived(mut segment in proptest::collection::vec(any::<u8>(), 0..99)) {
            prop_assert_eq!(key(1, 7).open(0, true, &mut segment), Err(Undecryptable));
        }
    }
}
