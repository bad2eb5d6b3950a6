//! Digests of a body as it passes, and the values that they must have.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use crc_fast::CrcAlgorithm;
use http::HeaderMap;
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use headwater_auth::sign::hex;

use crate::chunked::{BodyError, CONTENT_SHA256, Depth, TRAILER, text};

/// How a body's digest is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Algorithm {
    /// CRC-32 as in gzip.
    Crc32,
    /// CRC-32C, Castagnoli.
    Crc32c,
    /// CRC-64/NVME.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// MD5, of `Content-MD5`.
    Md5,
    /// The SHA-256 in hexadecimal that the signature covers.
    Payload,
}

impl Algorithm {
    const CHECKSUMS: [Self; 6] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
    ];

    /// The algorithm whose value stands in a header or trailer such as `x-amz-checksum-crc32`.
    pub(crate) fn of_header(name: &str) -> Option<Self> {
        let wanted = name.trim().to_ascii_lowercase();
        Self::CHECKSUMS
            .into_iter()
            .find(|algorithm| algorithm.header() == wanted)
    }

    /// Its header or trailer: `x-amz-checksum-crc32`.
    pub(crate) fn header(self) -> String {
        match self {
            Self::Md5 => "content-md5".to_owned(),
            Self::Payload => CONTENT_SHA256.to_owned(),
            checksum => format!(
                "x-amz-checksum-{}",
                checksum.to_string().to_ascii_lowercase()
            ),
        }
    }

    fn value_len(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Payload => 32,
            Self::Sha512 => 64,
        }
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            _ => None,
        }
    }

    /// Whether `value` could be one of this algorithm.
    fn accepts(self, value: &str) -> bool {
        match self {
            Self::Payload => {
                value.len() == 64 && value.bytes().all(|digit| digit.is_ascii_hexdigit())
            }
            _ => STANDARD
                .decode(value)
                .is_ok_and(|bytes| bytes.len() == self.value_len()),
        }
    }

    fn encode(self, digest: &[u8]) -> String {
        if self == Self::Payload {
            hex(digest)
        } else {
            STANDARD.encode(digest)
        }
    }
}

impl fmt::Display for Algorithm {
    /// `CRC32`, as S3 names it in its errors.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 | Self::Payload => "SHA256",
            Self::Sha512 => "SHA512",
            Self::Md5 => "MD5",
        })
    }
}

/// The checksums and hashes that a body must have.
pub(super) struct Checks(Vec<Check>);

struct Check {
    algorithm: Algorithm,
    /// The value, unless it comes in the trailer.
    given: Option<String>,
    hasher: Hasher,
}

impl Checks {
    /// The checks that the headers name.
    pub(super) fn new(headers: &HeaderMap, depth: Depth) -> Result<Self, BodyError> {
        let mut checks = Vec::new();
        let mut header = |algorithm: Algorithm| match text(headers, &algorithm.header()) {
            Some(value) if !algorithm.accepts(value.trim()) => {
                Err(BodyError::Malformed(algorithm.header()))
            }
            Some(value) => {
                checks.push(Check::new(algorithm, Some(value.trim())));
                Ok(())
            }
            None => Ok(()),
        };
        // `UNSIGNED-PAYLOAD` and the `STREAMING-` values are no hashes.
        if text(headers, CONTENT_SHA256).is_some_and(|hash| Algorithm::Payload.accepts(hash)) {
            header(Algorithm::Payload)?;
        }
        if depth != Depth::Transport {
            header(Algorithm::Md5)?;
        }
        if depth == Depth::Everything {
            Algorithm::CHECKSUMS.into_iter().try_for_each(header)?;
        }
        match text(headers, TRAILER).map(Algorithm::of_header) {
            // Trailers other than checksums are none of our business.
            None | Some(None) => {}
            Some(Some(algorithm)) => checks.push(Check::new(algorithm, None)),
        }
        Ok(Self(checks))
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        self.0
            .iter_mut()
            .for_each(|check| check.hasher.update(data));
    }

    /// Compares, once all has passed.
    pub(super) fn finish(&mut self, trailers: &[(String, String)]) -> Result<(), BodyError> {
        std::mem::take(&mut self.0)
            .into_iter()
            .try_for_each(|check| check.finish(trailers))
    }
}

impl Check {
    fn new(algorithm: Algorithm, given: Option<&str>) -> Self {
        Self {
            algorithm,
            given: given.map(str::to_owned),
            hasher: Hasher::new(algorithm),
        }
    }

    fn finish(self, trailers: &[(String, String)]) -> Result<(), BodyError> {
        let algorithm = self.algorithm;
        let trailer = || {
            trailers
                .iter()
                .find(|(name, _)| *name == algorithm.header())
                .map(|(_, v)| v.clone())
        };
        let given = self.given.or_else(trailer).ok_or(BodyError::Trailer)?;
        if !algorithm.accepts(&given) {
            return Err(BodyError::Malformed(algorithm.header()));
        }
        let computed = algorithm.encode(&self.hasher.finish());
        if given.eq_ignore_ascii_case(&computed)
            && (given == computed || algorithm == Algorithm::Payload)
        {
            return Ok(());
        }
        Err(BodyError::Checksum {
            algorithm,
            given,
            computed,
        })
    }
}

enum Hasher {
    Crc(crc_fast::Digest, usize),
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match (algorithm, algorithm.crc()) {
            (_, Some(crc)) => Self::Crc(crc_fast::Digest::new(crc), algorithm.value_len()),
            (Algorithm::Md5, _) => Self::Md5(Md5::new()),
            (Algorithm::Sha1, _) => Self::Sha1(Sha1::new()),
            (Algorithm::Sha512, _) => Self::Sha512(Sha512::new()),
            _ => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, data: &[u8]) {
        match self {
            Self::Crc(digest, _) => digest.update(data),
            Self::Md5(digest) => digest.update(data),
            Self::Sha1(digest) => digest.update(data),
            Self::Sha256(digest) => digest.update(data),
            Self::Sha512(digest) => digest.update(data),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc(digest, len) => digest.finalize().to_be_bytes()[8 - len..].to_vec(),
            Self::Md5(digest) => digest.finalize().to_vec(),
            Self::Sha1(digest) => digest.finalize().to_vec(),
            Self::Sha256(digest) => digest.finalize().to_vec(),
            Self::Sha512(digest) => digest.finalize().to_vec(),
        }
    }
}
