//! Texts that are kept and sent, and shown nowhere.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A password, a token or a key.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, to send to the destination that it is for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_kept_and_not_shown() {
        let secret = Secret::new("hush");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
        let kept = serde_json::to_string(&secret).unwrap();
        assert_eq!(
            (
                kept.as_str(),
                serde_json::from_str::<Secret>(&kept).unwrap()
            ),
            ("\"hush\"", secret)
        );
    }
}
