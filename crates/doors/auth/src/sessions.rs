//! Sessions: keys that expire, and the tokens that come with them.
//!
//! Nothing is stored. A token says whose the session is, which key stands behind it and until when, under the installation's key; the secret of its
//! key is made of the key's id, under the same. So sessions survive a restart, work on every node, and cannot be forged.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_env::Env;
use headwater_sealing::{InstallationKey, TokenKind, Tokens};
use headwater_types::{Account, Millis};
use serde::{Deserialize, Serialize};

use crate::{
    Caller, caller::Session, key_id, limits::SESSION_LIFE, sign::Credentials, verify::Key,
};

/// Bytes of a secret: 40 characters of base64, as AWS's have.
const SECRET_BYTES: usize = 30;

/// Makes and finds sessions.
pub struct Sessions {
    env: Env,
    tokens: Tokens,
    secrets: Tokens,
}

/// A key that was made for a session.
#[derive(Debug, Clone)]
pub struct Temporary {
    /// The key, with its token.
    pub credentials: Credentials,
    /// When it expires.
    pub expires: Millis,
}

/// The reason why a token opens no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionError {
    /// It was not given here, or not with this key.
    Unknown,
    /// It has expired.
    Expired,
}

/// A session, as its token has it.
#[derive(Serialize, Deserialize)]
struct Granted {
    #[serde(rename = "k")]
    access_key_id: String,
    #[serde(rename = "a")]
    account: Account,
    #[serde(rename = "n")]
    arn: String,
    #[serde(rename = "b")]
    behind: String,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
    #[serde(rename = "e")]
    expires: Millis,
}

impl TokenKind for Granted {
    const TAG: u8 = 1;
    const LIFE: Duration = SESSION_LIFE;
}

impl Sessions {
    /// Sessions under the key of an installation.
    pub fn new(env: Env, key: &InstallationKey) -> Self {
        Self {
            env,
            tokens: key.tokens(b"tokens of sessions"),
            secrets: key.tokens(b"secrets of sessions"),
        }
    }

    /// A key with which a caller signs who has a session, for `life`: [`SESSION_LIFE`] at most.
    pub fn begin(
        &self,
        account: &Account,
        arn: &str,
        session: Session,
        life: Duration,
    ) -> Temporary {
        let expires = self.env.clock.now().plus(life.min(SESSION_LIFE));
        let access_key_id = key_id::temporary(&self.env, account);
        let Session {
            behind,
            role,
            source_identity,
        } = session;
        let token = self.tokens.seal(
            &self.env,
            &Granted {
                access_key_id: access_key_id.clone(),
                account: account.clone(),
                arn: arn.to_owned(),
                behind,
                role,
                source_identity,
                expires,
            },
        );
        Temporary {
            credentials: self.credentials(access_key_id, token),
            expires,
        }
    }

    /// The caller whose session a token opens, while it lasts.
    pub fn caller(&self, token: &str) -> Option<Caller> {
        self.open(token).ok().map(Granted::caller)
    }

    /// The key of the session that a token opens.
    pub(crate) fn key(&self, access_key_id: &str, token: &str) -> Result<Key, SessionError> {
        let granted = self.open(token)?;
        if granted.access_key_id != access_key_id {
            return Err(SessionError::Unknown);
        }
        Ok(Key {
            credentials: self.credentials(access_key_id.to_owned(), token.to_owned()),
            holder: Arc::new(granted.caller()),
        })
    }

    fn open(&self, token: &str) -> Result<Granted, SessionError> {
        let now = self.env.clock.now();
        let granted = self.tokens.open::<Granted>(token, now);
        let granted = granted.map_err(|error| match error {
            headwater_sealing::TokenError::Invalid => SessionError::Unknown,
            headwater_sealing::TokenError::Expired { .. } => SessionError::Expired,
        })?;
        match granted.expires > now {
            true => Ok(granted),
            false => Err(SessionError::Expired),
        }
    }

    fn credentials(&self, access_key_id: String, token: String) -> Credentials {
        let secret = self.secrets.secret(&access_key_id);
        Credentials {
            secret_access_key: STANDARD.encode(&secret[..SECRET_BYTES]),
            access_key_id,
            session_token: Some(token),
        }
    }
}

impl Granted {
    fn caller(self) -> Caller {
        Caller {
            account: self.account,
            arn: self.arn,
            access_key_id: self.access_key_id,
            session: Some(Session {
                behind: self.behind,
                role: self.role,
                source_identity: self.source_identity,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_catalog::MemoryCatalog;
    use headwater_env::ManualClock;

    use super::*;

    const START: Millis = Millis(1_700_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    async fn sessions(catalog: &Arc<MemoryCatalog>, clock: &Arc<ManualClock>) -> Sessions {
        let env = Env {
            clock: clock.clone(),
            ..Env::real()
        };
        let catalog = catalog.clone() as Arc<dyn headwater_catalog::Catalog>;
        let key = InstallationKey::open(&env, &catalog).await.unwrap();
        Sessions::new(env, &key)
    }

    fn of_role() -> Session {
        Session {
            behind: "AKIDANN".to_owned(),
            role: Some("arn:aws:iam::111111111111:role/r".to_owned()),
            source_identity: Some("ann".to_owned()),
        }
    }

    #[tokio::test]
    async fn a_session_is_found_again_by_another_server_until_it_expires() {
        let (catalog, clock) = (Arc::default(), Arc::new(ManualClock::at(START)));
        let first = sessions(&catalog, &clock).await;
        let account = Account("111111111111".to_owned());
        let arn = "arn:aws:sts::111111111111:assumed-role/r/s";
        let begun = first.begin(&account, arn, of_role(), HOUR);
        assert_eq!(begun.expires, START.plus(HOUR));
        let (id, token) = (
            &begun.credentials.access_key_id,
            begun.credentials.session_token.as_deref().unwrap(),
        );
        let second = sessions(&catalog, &clock).await;
        let key = second.key(id, token).unwrap();
        assert_eq!(
            key.credentials.secret_access_key,
            begun.credentials.secret_access_key
        );
        assert_eq!(key.credentials.secret_access_key.len(), 40);
        assert_eq!(
            (key.holder.arn.as_str(), key.holder.role()),
            (arn, of_role().role.as_deref())
        );
        let other = first.begin(&account, arn, of_role(), HOUR).credentials;
        assert_ne!(other.secret_access_key, begun.credentials.secret_access_key);
        let mixed = second.key(&other.access_key_id, token).err();
        assert_eq!(mixed, Some(SessionError::Unknown));
        clock.advance(HOUR);
        assert_eq!(second.key(id, token).err(), Some(SessionError::Expired));
        assert_eq!(second.caller(token), None);
    }

    #[tokio::test]
    async fn a_token_of_another_installation_opens_nothing() {
        let clock = Arc::new(ManualClock::at(START));
        let (one, other) = (
            sessions(&Arc::default(), &clock).await,
            sessions(&Arc::default(), &clock).await,
        );
        let account = Account("111111111111".to_owned());
        let begun = one.begin(&account, "arn:aws:iam::111111111111:root", of_role(), HOUR);
        let token = begun.credentials.session_token.unwrap();
        let id = &begun.credentials.access_key_id;
        assert_eq!(other.key(id, &token).err(), Some(SessionError::Unknown));
    }
}
