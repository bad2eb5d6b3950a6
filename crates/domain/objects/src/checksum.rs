//! Checksums of objects and parts: which there are, computing them, and joining those of parts.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::Sha256;

use crate::ObjectError;

/// A checksum algorithm, written as AWS names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// CRC-32 as in gzip.
    Crc32,
    /// CRC-32C, Castagnoli.
    Crc32c,
    /// CRC-64/NVME: what an object gets when its writer names none, as on AWS.
    #[default]
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// Its name: `CRC32`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The algorithm of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|a| a.name().eq_ignore_ascii_case(name))
    }

    /// Bytes of a value.
    pub fn value_len(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The coverage of a checksum of this algorithm over an object in parts, as AWS does it.
    pub fn coverage(self, wanted: Option<Coverage>) -> Result<Coverage, ObjectError> {
        match (self, wanted) {
            (Self::Crc64Nvme, Some(Coverage::Composite)) => Err(ObjectError::NotComposite(self)),
            (Self::Crc64Nvme, _) => Ok(Coverage::FullObject),
            (Self::Sha1 | Self::Sha256, Some(Coverage::FullObject)) => {
                Err(ObjectError::NotComposable(self))
            }
            (_, wanted) => Ok(wanted.unwrap_or(Coverage::Composite)),
        }
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The bytes that a checksum is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Coverage {
    /// All bytes of the object.
    FullObject,
    /// The checksums of the parts, one after the other.
    Composite,
}

/// A checksum of an object or a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// The algorithm that it was made by.
    pub algorithm: Algorithm,
    /// Base64 of its bytes, and for a composite one `-` and the number of parts.
    pub value: String,
    /// The bytes that it was made of.
    pub coverage: Coverage,
}

impl Checksum {
    /// The checksum of `bytes`.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut digests = Digests::new([algorithm]);
        digests.update(bytes);
        digests.finish().checksum(algorithm)
    }
}

/// The digests that a body must have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its MD5.
    pub md5: Option<[u8; 16]>,
    /// The algorithm of its checksum, and the value in base64 where that is known from the start.
    pub checksum: Option<(Algorithm, Option<String>)>,
}

/// Computes MD5 and checksums of a body as it passes.
pub(crate) struct Digests {
    md5: Md5,
    hashers: Vec<(Algorithm, Hasher)>,
}

/// The digests of a body.
pub(crate) struct Digested {
    /// Its MD5.
    pub md5: [u8; 16],
    checksums: Vec<(Algorithm, String)>,
}

impl Digests {
    /// MD5, and a checksum by each of `algorithms`.
    pub fn new(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let mut hashers: Vec<(Algorithm, Hasher)> = Vec::new();
        for algorithm in algorithms {
            if !hashers.iter().any(|(a, _)| *a == algorithm) {
                hashers.push((algorithm, Hasher::new(algorithm)));
            }
        }
        Self {
            md5: Md5::new(),
            hashers,
        }
    }

    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.hashers
            .iter_mut()
            .for_each(|(_, hasher)| hasher.update(bytes));
    }

    /// The results.
    pub fn finish(self) -> Digested {
        let checksums = self
            .hashers
            .into_iter()
            .map(|(a, hasher)| (a, STANDARD.encode(hasher.finish())));
        Digested {
            md5: self.md5.finalize().into(),
            checksums: checksums.collect(),
        }
    }
}

impl Digested {
    /// The checksum by `algorithm`, which was asked for.
    pub fn checksum(&self, algorithm: Algorithm) -> Checksum {
        let (_, value) = self
            .checksums
            .iter()
            .find(|(a, _)| *a == algorithm)
            .expect("it was asked for");
        Checksum {
            algorithm,
            value: value.clone(),
            coverage: Coverage::FullObject,
        }
    }

    /// Whether the body is what it must be.
    pub fn check(&self, expected: &Expected) -> Result<(), ObjectError> {
        if let Some(md5) = expected.md5.filter(|md5| *md5 != self.md5) {
            return Err(ObjectError::Md5Mismatch {
                expected: hex(&md5),
                computed: hex(&self.md5),
            });
        }
        match &expected.checksum {
            Some((algorithm, Some(value))) if *value != self.checksum(*algorithm).value => {
                Err(ObjectError::ChecksumMismatch(*algorithm))
            }
            _ => Ok(()),
        }
    }
}

enum Hasher {
    Crc(Algorithm, crc_fast::Digest),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match (algorithm.crc(), algorithm) {
            (Some(crc), _) => Self::Crc(algorithm, crc_fast::Digest::new(crc)),
            (None, Algorithm::Sha1) => Self::Sha1(Sha1::new()),
            (None, _) => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(_, digest) => digest.update(bytes),
            Self::Sha1(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc(algorithm, digest) => crc_bytes(algorithm, digest.finalize()),
            Self::Sha1(digest) => digest.finalize().to_vec(),
            Self::Sha256(digest) => digest.finalize().to_vec(),
        }
    }
}

/// The checksum of an object out of those of its parts, each a full one with the part's length in bytes. None when
/// a value is not one of the algorithm.
pub(crate) fn join(
    algorithm: Algorithm,
    coverage: Coverage,
    parts: &[(&str, u64)],
) -> Option<Checksum> {
    let values = parts
        .iter()
        .map(|(value, len)| Some((decode(algorithm, value)?, *len)));
    let values = values.collect::<Option<Vec<_>>>()?;
    let value = match coverage {
        Coverage::Composite => {
            let mut hasher = Hasher::new(algorithm);
            values.iter().for_each(|(value, _)| hasher.update(value));
            format!("{}-{}", STANDARD.encode(hasher.finish()), parts.len())
        }
        Coverage::FullObject => {
            let crc = algorithm.crc()?;
            let numbers = values.iter().map(|(value, len)| (crc_number(value), *len));
            let joined = numbers.reduce(|(all, all_len), (next, len)| {
                (
                    crc_fast::checksum_combine(crc, all, next, len),
                    all_len + len,
                )
            });
            STANDARD.encode(crc_bytes(algorithm, joined?.0))
        }
    };
    Some(Checksum {
        algorithm,
        value,
        coverage,
    })
}

/// The ETag of an object in parts, out of the parts' ETags. None when one is not an MD5.
pub(crate) fn join_etags<'a>(etags: impl ExactSizeIterator<Item = &'a str>) -> Option<String> {
    let count = etags.len();
    let mut md5 = Md5::new();
    for etag in etags {
        md5.update(unhex(etag)?);
    }
    Some(format!("{}-{count}", hex(&md5.finalize())))
}

fn decode(algorithm: Algorithm, value: &str) -> Option<Vec<u8>> {
    STANDARD
        .decode(value)
        .ok()
        .filter(|bytes| bytes.len() == algorithm.value_len())
}

fn crc_bytes(algorithm: Algorithm, value: u64) -> Vec<u8> {
    value.to_be_bytes()[8 - algorithm.value_len()..].to_vec()
}

fn crc_number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text
        .bytes()
        .map(|b| char::from(b).to_digit(16).map(|d| d as u8))
        .collect::<Option<Vec<_>>>()?;
    digits.len().is_multiple_of(2).then(|| {
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(algorithm: Algorithm, bytes: &[u8]) -> String {
        let mut digests = Digests::new([algorithm]);
        digests.update(bytes);
        digests.finish().checksum(algorithm).value
    }

    #[test]
    fn the_check_values_of_the_algorithms_come_out() {
        // The catalogue of CRCs lists these for "123456789".
        let hex_of = |a, bytes: &[u8]| hex(&STANDARD.decode(of(a, bytes)).unwrap());
        assert_eq!(hex_of(Algorithm::Crc32, b"123456789"), "cbf43926");
        assert_eq!(hex_of(Algorithm::Crc32c, b"123456789"), "e3069283");
        assert_eq!(
            hex_of(Algorithm::Crc64Nvme, b"123456789"),
            "ae8b14860a799888"
        );
        assert_eq!(
            hex_of(Algorithm::Sha1, b"abc"),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        assert!(hex_of(Algorithm::Sha256, b"abc").starts_with("ba7816bf8f01cfea414140de5dae2223"));
    }

    #[test]
    fn an_etag_of_parts_is_the_md5_of_their_md5s() {
        let etags = [
            "d41d8cd98f00b204e9800998ecf8427e",
            "900150983cd24fb0d6963f7d28e17f72",
        ];
        let joined = join_etags(etags.into_iter()).unwrap();
        let both = [unhex(etags[0]).unwrap(), unhex(etags[1]).unwrap()].concat();
        assert_eq!(joined, format!("{}-2", hex(&Md5::digest(both))));
        assert_eq!(join_etags(["xyz"].into_iter()), None);
        assert_eq!(
            join_etags(["abc"].into_iter()),
            None,
            "an odd number of digits is no MD5"
        );
    }

    #[test]
    fn what_a_checksum_covers_is_as_on_aws() {
        assert_eq!(
            Algorithm::Crc32.coverage(None).unwrap(),
            Coverage::Composite
        );
        assert_eq!(
            Algorithm::Crc64Nvme.coverage(None).unwrap(),
            Coverage::FullObject
        );
        assert!(
            Algorithm::Crc64Nvme
                .coverage(Some(Coverage::Composite))
                .is_err()
        );
        assert!(
            Algorithm::Sha256
                .coverage(Some(Coverage::FullObject))
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn full_checksums_of_parts_join_to_that_of_the_whole(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..6),
        ) {
            for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
                let values: Vec<_> = parts.iter().map(|p| (of(algorithm, p), p.len() as u64)).collect();
                let values: Vec<_> = values.iter().map(|(v, len)| (v.as_str(), *len)).collect();
                let joined = join(algorithm, Coverage::FullObject, &values).unwrap();
                prop_assert_eq!(joined.value, of(algorithm, &parts.concat()));
            }
        }

        #[test]
        fn joining_arbitrary_texts_never_panics(values in prop::collection::vec(".*", 0..4)) {
            let parts: Vec<_> = values.iter().map(|v| (v.as_str(), 7)).collect();
            for algorithm in Algorithm::ALL {
                join(algorithm, Coverage::FullObject, &parts);
                join(algorithm, Coverage::Composite, &parts);
            }
            join_etags(values.iter().map(String::as_str));
        }
    }
}
