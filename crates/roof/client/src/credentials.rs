//! Credentials that come from somewhere and may expire.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_env::Clock;
use headwater_types::Millis;
use serde::Deserialize;
use tokio::sync::Mutex;

use headwater_auth::sign::Credentials;

/// Temporary credentials are renewed this long before they expire.
const RENEW_BEFORE_MS: u64 = 5 * 60 * 1000;

/// Gives credentials for the next request.
#[async_trait]
pub trait ProvideCredentials: Send + Sync {
    /// Credentials that are valid now.
    async fn credentials(&self) -> Result<Credentials, CredentialsError>;
}

/// Why there are no credentials, and what would help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CredentialsError(pub String);

#[async_trait]
impl ProvideCredentials for Credentials {
    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        Ok(self.clone())
    }
}

/// Credentials as they are handed out, with the time they end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) credentials: Credentials,
    pub(crate) expires: Option<Millis>,
}

/// Where [`Cached`] gets new ones.
#[async_trait]
pub(crate) trait Issue: Send + Sync {
    async fn issue(&self) -> Result<Issued, CredentialsError>;
}

/// Keeps what was issued until shortly before it expires; one request at a time goes for new ones.
pub(crate) struct Cached<I> {
    pub(crate) issuer: I,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) held: Mutex<Option<Issued>>,
}

#[async_trait]
impl<I: Issue> ProvideCredentials for Cached<I> {
    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let mut held = self.held.lock().await;
        let now = self.clock.now().0;
        let fresh = |issued: &Issued| {
            issued
                .expires
                .is_none_or(|end| now + RENEW_BEFORE_MS < end.0)
        };
        if let Some(issued) = held.as_ref().filter(|issued| fresh(issued)) {
            return Ok(issued.credentials.clone());
        }
        match self.issuer.issue().await {
            Ok(issued) => Ok(held.insert(issued).credentials.clone()),
            // The issuer is away for a while: what is held is good until it ends.
            Err(error) => match held
                .as_ref()
                .filter(|issued| issued.expires.is_none_or(|end| now < end.0))
            {
                Some(issued) => Ok(issued.credentials.clone()),
                None => Err(error),
            },
        }
    }
}

/// The document that processes, containers and instances answer with.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    access_key_id: String,
    secret_access_key: String,
    #[serde(alias = "SessionToken")]
    token: Option<String>,
    expiration: Option<String>,
}

/// Reads that document.
pub(crate) fn parse_issued(json: &[u8]) -> Result<Issued, CredentialsError> {
    // The parser's own words could quote the secret.
    let bad = |what: &str| CredentialsError(format!("the answer with credentials {what}"));
    let document: Document =
        serde_json::from_slice(json).map_err(|_| bad("is not of the documented form"))?;
    let expires = document
        .expiration
        .map(|text| text.parse::<jiff::Timestamp>())
        .transpose();
    let expires = expires.map_err(|_| bad("has an Expiration that is no time"))?;
    Ok(Issued {
        credentials: Credentials {
            access_key_id: document.access_key_id,
            secret_access_key: document.secret_access_key,
            session_token: document.token,
        },
        expires: expires.map(|at| Millis(at.as_millisecond().max(0) as u64)),
    })
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        time::Duration,
    };

    use headwater_env::ManualClock;

    use super::*;

    /// Issues credentials named after their number, each for ten minutes; refuses from the third on.
    struct TwoTickets(AtomicU64);

    #[async_trait]
    impl Issue for TwoTickets {
        async fn issue(&self) -> Result<Issued, CredentialsError> {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            if number >= 2 {
                return Err(CredentialsError("closed".into()));
            }
            let credentials = Credentials {
                access_key_id: number.to_string(),
                secret_access_key: String::new(),
                session_token: None,
            };
            Ok(Issued {
                credentials,
                expires: Some(Millis((number + 1) * 600_000)),
            })
        }
    }

    #[tokio::test]
    async fn credentials_are_kept_renewed_early_and_used_to_their_end() {
        let clock = Arc::new(ManualClock::at(Millis(0)));
        let cached = Cached {
            issuer: TwoTickets(AtomicU64::new(0)),
            clock: clock.clone(),
            held: Mutex::default(),
        };
        let id = async || cached.credentials().await.map(|c| c.access_key_id);
        assert_eq!(id().await.unwrap(), "0");
        clock.advance(Duration::from_secs(299));
        assert_eq!(id().await.unwrap(), "0");
        clock.advance(Duration::from_secs(2));
        assert_eq!(id().await.unwrap(), "1");
        clock.advance(Duration::from_secs(700));
        assert_eq!(
            id().await.unwrap(),
            "1",
            "no renewal to be had, but it is still valid"
        );
        clock.advance(Duration::from_secs(300));
        assert_eq!(id().await, Err(CredentialsError("closed".into())));
    }

    #[test]
    fn both_spellings_of_the_token_are_read_and_errors_keep_secrets() {
        let process = br#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":"2026-01-01T00:00:00Z"}"#;
        let issued = parse_issued(process).unwrap();
        assert_eq!(issued.credentials.session_token.as_deref(), Some("T"));
        assert_eq!(issued.expires, Some(Millis(1_767_225_600_000)));
        let instance = br#"{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"S","Token":"T"}"#;
        assert_eq!(
            parse_issued(instance).unwrap().credentials,
            issued.credentials
        );
        let error = parse_issued(br#"{"SecretAccessKey":"hidden"}"#).unwrap_err();
        assert!(!error.to_string().contains("hidden"));
    }
}
