//! Data encrypted at rest: the installation's key, and what is encrypted under keys derived from it.
//!
//! Owns the key, which the catalog keeps, the form of an encrypted record ([`Sealer`], docs/format/records.md), and the
//! encryption of segments of files ([`SegmentKey`], docs/format/objects.md). Which records and files are encrypted, and
//! how files are laid out, is the business of the domains that write them.
//!
//! All of it is AES-256-GCM under keys derived by HKDF-SHA-256, with counted nonces.

mod key;
mod records;
mod segments;

pub use key::{InstallationKey, Undecryptable};
pub use records::{Opened, SEALED_KEY, Sealer};
pub use segments::{SegmentKey, TAG_LEN};
