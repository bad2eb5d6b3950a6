//! The cover of a signature over a body that is yet to come.

use sha2::{Digest, Sha256};

use headwater_shapes::ApiError;

use crate::sign::{hex, hmac_matches};

/// `x-amz-content-sha256` of a body in chunks, each with a signature.
pub(super) const CHUNKS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
/// The same, with trailers that have one too.
pub(super) const CHUNKS_AND_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
/// Chunks without signatures.
pub(super) const UNSIGNED_CHUNKS: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Told a body's SHA-256, whether it is what was signed.
pub type Whole = Box<dyn FnOnce([u8; 32]) -> Result<(), ApiError> + Send>;

/// How a body is covered by its request's signature.
#[derive(Default)]
pub enum Seal {
    /// Not at all, or by a hash in a header.
    #[default]
    None,
    /// By its hash, which only its end gives: nothing may be done for the request before that.
    Whole(Sha256, Whole),
    /// Chunk by chunk.
    Chunks(Chain),
}

/// Signatures of chunks, each made of the one before it. The first is made of the head's.
pub struct Chain {
    key: [u8; 32],
    /// The time and the place, as lines.
    scope: String,
    previous: String,
    chunk: Sha256,
    /// Whether the trailers are signed too.
    trailer: bool,
}

impl Chain {
    pub(super) fn new(
        key: [u8; 32],
        time: &str,
        place: String,
        head: String,
        trailer: bool,
    ) -> Self {
        let scope = format!("{time}\n{place}");
        Self {
            key,
            scope,
            previous: head,
            chunk: Sha256::new(),
            trailer,
        }
    }

    /// More bytes of a chunk.
    pub fn update(&mut self, data: &[u8]) {
        self.chunk.update(data);
    }

    /// Whether `signature` is the one of the chunk that ends here.
    pub fn ends_chunk(&mut self, signature: &str) -> bool {
        let hash = hex(&std::mem::take(&mut self.chunk).finalize());
        let rest = format!("{EMPTY_SHA256}\n{hash}");
        self.follows("AWS4-HMAC-SHA256-PAYLOAD", &rest, signature)
    }

    /// Whether trailers are signed as they must be, or need not be.
    pub fn ends_body(&mut self, trailers: &[(String, String)]) -> bool {
        const SIGNATURE: &str = "x-amz-trailer-signature";
        if !self.trailer {
            return true;
        }
        let signed = trailers.iter().filter(|(name, _)| name != SIGNATURE);
        let text: String = signed
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let signature = trailers
            .iter()
            .find(|(name, _)| name == SIGNATURE)
            .map_or("", |(_, value)| value);
        let hash = hex(&Sha256::digest(text.as_bytes()));
        self.follows("AWS4-HMAC-SHA256-TRAILER", &hash, signature)
    }

    fn follows(&mut self, algorithm: &str, rest: &str, signature: &str) -> bool {
        let text = format!("{algorithm}\n{}\n{}\n{rest}", self.scope, self.previous);
        signature.clone_into(&mut self.previous);
        hmac_matches(&self.key, text.as_bytes(), signature)
    }
}
