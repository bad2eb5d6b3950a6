//! Tokens that say where a search goes on: they hold the search too, so that no other one goes on there.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use headwater_trail::Lookup;
use sha2::{Digest, Sha256};

/// Bytes of a search's hash.
const HASH_BYTES: usize = 16;

/// The token of a search that goes on before this offset.
pub(crate) fn of(lookup: &Lookup, before: u64) -> String {
    let bytes = [&hash(lookup)[..], &before.to_be_bytes()].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The offset that a search goes on before; none where the token is of another one, or none at all.
pub(crate) fn before(lookup: &Lookup, token: &str) -> Option<u64> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (of, offset) = bytes.split_at_checked(HASH_BYTES)?;
    let offset = u64::from_be_bytes(offset.try_into().ok()?);
    (of == hash(lookup)).then_some(offset)
}

/// The hash of what a search looks for, whatever its pages hold.
fn hash(lookup: &Lookup) -> [u8; HASH_BYTES] {
    let what = format!("{:?}", (&lookup.attribute, lookup.start, lookup.end));
    let hash = Sha256::digest(what);
    std::array::from_fn(|at| hash[at])
}

#[cfg(test)]
mod tests {
    use headwater_trail::Attribute;

    use super::*;

    #[test]
    fn a_token_is_of_its_search() {
        let search = |name: &str, limit| Lookup {
            attribute: Some(Attribute::Name(name.to_owned())),
            start: None,
            end: None,
            limit,
            before: None,
        };
        let token = of(&search("a", 5), 77);
        assert_eq!(before(&search("a", 50), &token), Some(77));
        for wrong in [&token[1..], "", "a", "no token"] {
            assert_eq!(before(&search("a", 5), wrong), None, "{wrong}");
        }
        assert_eq!(before(&search("b", 5), &token), None);
    }
}
