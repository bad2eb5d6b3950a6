//! Addresses of destinations: `https` anywhere, `http` on this machine only.

use std::{fmt, net::IpAddr};

use http::{Uri, uri::Scheme};
use serde::{Deserialize, Serialize};

/// An address that records may be sent to. It may hold a secret in its query, so only its host is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebAddress(Uri);

/// Why a text is no address that records may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no absolute URL with a host.
    #[error("is not a valid URL")]
    Invalid,
    /// It would be sent in the clear over a network.
    #[error(
        "must begin with https://; http:// is for addresses of this machine only (127.0.0.1, ::1, localhost)"
    )]
    Insecure,
}

impl WebAddress {
    /// The address that `text` names.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let uri: Uri = text.parse().map_err(|_| AddressError::Invalid)?;
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or(AddressError::Invalid)?;
        let named = uri
            .authority()
            .is_some_and(|authority| !authority.as_str().contains('@'));
        match uri.scheme() {
            _ if !named => Err(AddressError::Invalid),
            Some(scheme) if *scheme == Scheme::HTTPS => Ok(Self(uri)),
            Some(scheme) if *scheme == Scheme::HTTP && is_local(host) => Ok(Self(uri)),
            Some(scheme) if *scheme == Scheme::HTTP => Err(AddressError::Insecure),
            _ => Err(AddressError::Invalid),
        }
    }

    /// The address itself.
    pub fn uri(&self) -> &Uri {
        &self.0
    }

    /// The address with `path` (which starts with a slash) behind its own path, and without its query.
    pub fn join(&self, path: &str) -> Uri {
        let mut parts = self.0.clone().into_parts();
        let joined = format!("{}{path}", self.0.path().trim_end_matches('/'));
        parts.path_and_query = joined.parse().ok();
        Uri::from_parts(parts).unwrap_or_else(|_| self.0.clone())
    }
}

/// Whether a URL's host is this machine, by name or address.
pub(super) fn is_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

impl fmt::Debug for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", self.0.host().unwrap_or_default())
    }
}

impl From<WebAddress> for String {
    fn from(address: WebAddress) -> Self {
        address.0.to_string()
    }
}

impl TryFrom<String> for WebAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn https_goes_anywhere_and_http_to_this_machine() {
        for good in [
            "https://example.com/path?key=1",
            "https://example.com:8443",
            "http://127.0.0.1:9/x",
            "http://127.8.8.8",
            "http://[::1]:80/",
            "http://LOCALHOST:1/",
        ] {
            assert!(WebAddress::parse(good).is_ok(), "{good}");
        }
        for insecure in [
            "http://example.com",
            "http://10.0.0.1/",
            "http://localhost.example.com",
        ] {
            assert_eq!(
                WebAddress::parse(insecure),
                Err(AddressError::Insecure),
                "{insecure}"
            );
        }
        for bad in [
            "",
            "/path",
            "example.com",
            "ftp://127.0.0.1/",
            "https://",
            "https://u:p@h/",
            "https://a b/",
        ] {
            assert_eq!(WebAddress::parse(bad), Err(AddressError::Invalid), "{bad}");
        }
    }

    #[test]
    fn paths_are_joined_behind_the_own_one_and_only_hosts_are_shown() {
        let address = WebAddress::parse("https://example.com/base/?token=hush").unwrap();
        assert_eq!(address.join("/_bulk"), "https://example.com/base/_bulk");
        assert_eq!(
            WebAddress::parse("http://[::1]:8").unwrap().join("/a?b=c"),
            "http://[::1]:8/a?b=c"
        );
        assert_eq!(format!("{address:?}"), "example.com…");
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_an_error(text in "\\PC*") {
            if let Ok(address) = WebAddress::parse(&text) {
                let again: String = address.clone().into();
                prop_assert_eq!(WebAddress::parse(&again), Ok(address));
            }
        }
    }
}
