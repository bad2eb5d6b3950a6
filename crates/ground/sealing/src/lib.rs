//! The installation's key: what is encrypted at rest under keys derived from it, and the tokens that it protects.
//!
//! Owns the key, which the catalog keeps, the form of an encrypted record ([`Sealer`], docs/format/records.md), the
//! encryption of segments of files ([`SegmentKey`], docs/format/objects.md), and tokens that readers hold between two calls
//! ([`Tokens`]). Which records and files are encrypted, and
//! how files are laid out, is the business of the domains that write them.
//!
//! What is encrypted is so by AES-256-GCM under keys derived by HKDF-SHA-256, with counted nonces.

mod key;
mod records;
mod segments;
mod tokens;

pub use key::{InstallationKey, Undecryptable};
pub use records::{Opened, SEALED_KEY, Sealer};
pub use segments::{SegmentKey, TAG_LEN};
pub use tokens::{TokenError, TokenKind, Tokens};
