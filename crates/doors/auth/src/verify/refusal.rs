//! Why a signature is not believed.

use std::time::Duration;

use headwater_types::Millis;

/// The reason why a request's signature is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is none.
    Missing,
    /// There are two: in a header and in the address.
    Both,
    /// The header is of another kind; its text.
    Scheme(String),
    /// The header lacks parts, or there is no time beside it.
    Header {
        /// Which are missing.
        parts: Vec<&'static str>,
        /// Whether the time is.
        date: bool,
        /// The header.
        whole: String,
    },
    /// The presigned address lacks these parameters.
    Query(Vec<&'static str>),
    /// A presigned address's lifetime cannot be; in S3's words.
    Lifetime(&'static str),
    /// The time is none.
    Date(String),
    /// Not the algorithm that we know.
    Algorithm(String),
    /// The credential has not five parts.
    Credential(String),
    /// It is for something else.
    Scope(Vec<ScopeError>),
    /// These headers had to be signed.
    Unsigned(Vec<String>),
    /// An S3 request does not say what its body is.
    NoHash,
    /// An S3 request says it in words that mean nothing.
    Hash(String),
    /// No such key.
    UnknownKey(String),
    /// The token does not belong to the key.
    Token(String),
    /// It was made with another secret or for another request.
    Mismatch {
        /// The key.
        access_key_id: String,
        /// As given.
        signature: String,
        /// The text that should have been hashed and signed, for the client's author to compare.
        canonical_request: String,
        /// The text made of it.
        text_to_sign: String,
    },
    /// Its time is too far from ours.
    Skewed {
        /// When it was made, as `20150830T123600Z`.
        signed: String,
        /// The same.
        at: Millis,
        /// Our time.
        now: Millis,
        /// How far it may be.
        max: Duration,
    },
    /// A presigned address of S3 from the future.
    NotYet,
    /// A presigned address of S3 is no longer valid.
    Expired {
        /// How long it was, where it says that rather than until when.
        valid_for: Option<Duration>,
        /// When it expired.
        at: Millis,
        /// Our time.
        now: Millis,
    },
}

/// The part of a signature's scope that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeError {
    /// Another region.
    Region {
        /// The region that it names.
        given: String,
        /// The region that it should name.
        expected: String,
    },
    /// Another service.
    Service {
        /// The service that it names.
        given: String,
        /// The service that it should name.
        expected: String,
    },
    /// Not requests.
    Terminator {
        /// The last part of its scope.
        given: String,
    },
    /// Another day than the time's.
    Day {
        /// The day that it names.
        given: String,
        /// Its time.
        time: String,
    },
}
