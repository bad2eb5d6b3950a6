//! Opaque tokens: what a reader holds between two calls, so that the server need not remember it.
//!
//! A token is base64 of a kind, its content as JSON, and 16 bytes of HMAC-SHA-256 under the installation's key. So it
//! survives a restart, works on every node that shares the catalog, and cannot be forged.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_env::Env;
use headwater_types::Millis;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;

const MAC_BYTES: usize = 16;

/// A kind of token; tokens of one kind are not taken for another.
pub trait TokenKind: Serialize + DeserializeOwned {
    /// The kind's first byte, which no other kind under the same key has.
    const TAG: u8;

    /// How long a token of this kind is good for.
    const LIFE: Duration;
}

/// Why a text is not the token that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// We did not give it, or not for this.
    #[error("not a token of this installation")]
    Invalid,
    /// It is too old.
    #[error("a token of {issued:?} is too old at {now:?}")]
    Expired {
        /// When it was given.
        issued: Millis,
        /// The clock now.
        now: Millis,
        /// How old it may be.
        life: Duration,
    },
}

/// Makes and reads tokens.
pub struct Tokens {
    keyed: Hmac<Sha256>,
}

#[derive(Serialize, Deserialize)]
struct Dated<T> {
    #[serde(rename = "t")]
    issued: Millis,
    /// Chance, so that no two tokens are the same, as on AWS.
    #[serde(rename = "x")]
    salt: u32,
    #[serde(flatten)]
    content: T,
}

impl Tokens {
    /// Tokens under this key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self {
            keyed: Hmac::new_from_slice(key).expect("HMAC takes keys of any length"),
        }
    }

    /// The token of `content`, given now.
    pub fn seal<T: TokenKind>(&self, env: &Env, content: &T) -> String {
        let mut bytes = vec![T::TAG];
        let dated = Dated {
            issued: env.clock.now(),
            salt: env.random.next_u64() as u32,
            content,
        };
        serde_json::to_writer(&mut bytes, &dated).expect("a token's content is always JSON");
        let mac = self
            .keyed
            .clone()
            .chain_update(&bytes)
            .finalize()
            .into_bytes();
        bytes.extend_from_slice(&mac[..MAC_BYTES]);
        STANDARD.encode(bytes)
    }

    /// The content of a token that this installation gave, of this kind, and not too long before `now`.
    pub fn open<T: TokenKind>(&self, token: &str, now: Millis) -> Result<T, TokenError> {
        let dated: Dated<T> = self.verified(token).ok_or(TokenError::Invalid)?;
        if now.since(dated.issued) > T::LIFE {
            return Err(TokenError::Expired {
                issued: dated.issued,
                now,
                life: T::LIFE,
            });
        }
        Ok(dated.content)
    }

    fn verified<T: TokenKind>(&self, token: &str) -> Option<Dated<T>> {
        let bytes = STANDARD.decode(token).ok()?;
        let (signed, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
        self.keyed
            .clone()
            .chain_update(signed)
            .verify_truncated_left(mac)
            .ok()?;
        let content = signed.strip_prefix(&[T::TAG])?;
        serde_json::from_slice(content).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use headwater_env::{ManualClock, SeededRandom};
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Page {
        after: String,
    }

    impl TokenKind for Page {
        const TAG: u8 = 200;
        const LIFE: Duration = LIFE;
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Other {
        after: String,
    }

    impl TokenKind for Other {
        const TAG: u8 = 201;
        const LIFE: Duration = LIFE;
    }

    const LIFE: Duration = Duration::from_secs(300);
    const NOW: Millis = Millis(1_700_000_000_000);

    fn env() -> Env {
        Env {
            clock: Arc::new(ManualClock::at(NOW)),
            random: Arc::new(SeededRandom::new(1)),
            ..Env::real()
        }
    }

    #[test]
    fn a_token_is_good_for_a_while_and_for_its_kind() {
        let tokens = Tokens::new(&[7; 32]);
        let token = tokens.seal(&env(), &Page { after: "x".into() });
        assert_eq!(
            tokens.open::<Page>(&token, NOW.plus(LIFE)),
            Ok(Page { after: "x".into() })
        );
        let late = Millis(NOW.plus(LIFE).0 + 1);
        assert!(matches!(
            tokens.open::<Page>(&token, late),
            Err(TokenError::Expired { issued: NOW, .. })
        ));
        assert_eq!(tokens.open::<Other>(&token, NOW), Err(TokenError::Invalid));
        assert_eq!(
            Tokens::new(&[8; 32]).open::<Page>(&token, NOW),
            Err(TokenError::Invalid)
        );
    }

    proptest! {
        #[test]
        fn what_we_did_not_give_is_refused(text in ".{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let tokens = Tokens::new(&[7; 32]);
            prop_assert_eq!(tokens.open::<Page>(&text, NOW), Err(TokenError::Invalid));
            prop_assert_eq!(tokens.open::<Page>(&STANDARD.encode(bytes), NOW), Err(TokenError::Invalid));
        }

        #[test]
        fn a_changed_bit_is_noticed(after in ".{0,40}", bit in any::<prop::sample::Index>()) {
            let tokens = Tokens::new(&[7; 32]);
            let mut bytes = STANDARD.decode(tokens.seal(&env(), &Page { after })).unwrap();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(tokens.open::<Page>(&STANDARD.encode(bytes), NOW), Err(TokenError::Invalid));
        }
    }
}
