//! Where the next page of a statement begins, as its caller keeps it.
//!
//! A token says no more than what a caller of Query could say in `ExclusiveStartKey`, and is held to as much, so it is not
//! sealed.

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_items::Item;
use headwater_wire::ApiError;
use serde_json::{Value, json};

use crate::{
    errors::validation,
    items::{
        start,
        values::{Attributes, shown},
    },
};

/// Where a page begins.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Place {
    /// The number of the place that is read.
    pub number: usize,
    /// The key behind which it goes on there.
    pub after: Option<Item>,
}

impl Place {
    /// The token that a statement with this digest goes on with.
    pub fn token(&self, digest: &[u8; 32]) -> String {
        let token = json!({
            "statement": STANDARD.encode(digest),
            "place": self.number,
            "after": self.after.clone().map(shown),
        });
        STANDARD.encode(token.to_string())
    }

    /// The place that a token of a statement with this digest says.
    ///
    /// # Errors
    /// It is none, or one of another statement.
    pub fn of_token(token: &str, digest: &[u8; 32]) -> Result<Self, ApiError> {
        let bytes = STANDARD.decode(token).map_err(|_| not_one())?;
        let token: Value = serde_json::from_slice(&bytes).map_err(|_| not_one())?;
        let member = |name: &str| token.get(name).cloned().ok_or_else(not_one);
        if member("statement")? != STANDARD.encode(digest).as_str() {
            return Err(validation("NextToken does not match request"));
        }
        let number = member("place")?.as_u64();
        let number = number.and_then(|number| usize::try_from(number).ok());
        let after: Option<Attributes> =
            serde_json::from_value(member("after")?).map_err(|_| not_one())?;
        Ok(Self {
            number: number.ok_or_else(not_one)?,
            after: start::read(after).map_err(|_| not_one())?,
        })
    }
}

/// A token that is none.
pub(crate) fn not_one() -> ApiError {
    validation("Invalid NextToken")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use super::*;

    #[test]
    fn a_token_is_good_for_its_statement() {
        let key = Item::from([("p".to_owned(), headwater_items::Value::String("x".into()))]);
        for after in [None, Some(key)] {
            let place = Place { number: 3, after };
            let token = place.token(&[7; 32]);
            assert_eq!(Place::of_token(&token, &[7; 32]), Ok(place));
            let other = Place::of_token(&token, &[8; 32]).unwrap_err();
            assert_eq!(other.message(), "NextToken does not match request");
            let cut = Place::of_token(&token[..token.len() - 4], &[7; 32]).unwrap_err();
            assert_eq!(cut.message(), "Invalid NextToken");
        }
        for token in ["", "garbage", "e30="] {
            assert_eq!(Place::of_token(token, &[7; 32]), Err(not_one()));
        }
    }
}
