//! The tokens of transactions, so that a request that is made again is not done again.

use std::collections::{HashMap, VecDeque};

use headwater_types::Millis;
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    Cancellation,
    limits::{TOKEN_KEPT, TOKENS},
};

/// The tokens that are known, by their hashes.
#[derive(Default)]
pub(crate) struct Tokens {
    known: HashMap<u128, Known>,
    /// Those that were done, by when.
    by_time: VecDeque<(Millis, u128)>,
}

struct Known {
    digest: [u8; 32],
    /// When it was done; none while it is under way.
    done: Option<Millis>,
}

impl Tokens {
    /// Whether the request with this token was done. Where it was not, it is under way from now on.
    pub fn claim(
        &mut self,
        token: &str,
        digest: [u8; 32],
        now: Millis,
    ) -> Result<bool, Cancellation> {
        self.forget(now);
        let key = xxh3_128(token.as_bytes());
        match self.known.get(&key) {
            Some(known) if known.digest != digest => Err(Cancellation::OtherRequest),
            Some(Known { done: None, .. }) => Err(Cancellation::UnderWay),
            Some(_) => Ok(true),
            None => {
                self.known.insert(key, Known { digest, done: None });
                Ok(false)
            }
        }
    }

    /// The request with this token is under way no more; unless it was done all the same, it may be made again.
    pub fn release(&mut self, token: &str) {
        let key = xxh3_128(token.as_bytes());
        if self
            .known
            .get(&key)
            .is_some_and(|known| known.done.is_none())
        {
            self.known.remove(&key);
        }
    }

    /// The request with this token was done.
    pub fn done(&mut self, token: &str, digest: [u8; 32], now: Millis) {
        let key = xxh3_128(token.as_bytes());
        let done = Some(now);
        self.known.insert(key, Known { digest, done });
        self.by_time.push_back((now, key));
    }

    fn forget(&mut self, now: Millis) {
        while let Some(&(done, key)) = self.by_time.front()
            && (done.plus(TOKEN_KEPT) <= now || self.by_time.len() > TOKENS)
        {
            self.by_time.pop_front();
            // A token may have been done again since.
            if self
                .known
                .get(&key)
                .is_some_and(|known| known.done == Some(done))
            {
                self.known.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_for_ten_minutes() {
        let (mut tokens, start) = (Tokens::default(), Millis(1_000_000));
        assert_eq!(tokens.claim("t", [1; 32], start), Ok(false));
        let again = tokens.claim("t", [1; 32], start);
        assert_eq!(again, Err(Cancellation::UnderWay));
        tokens.release("t");
        assert_eq!(tokens.claim("t", [1; 32], start), Ok(false));
        tokens.done("t", [1; 32], start);
        assert_eq!(tokens.claim("t", [1; 32], start), Ok(true));
        tokens.release("t");
        let other = tokens.claim("t", [2; 32], start);
        assert_eq!(other, Err(Cancellation::OtherRequest));
        let later = start.plus(TOKEN_KEPT);
        assert_eq!(tokens.claim("t", [2; 32], later), Ok(false));
    }
}
