//! JDBC addresses of databases: `jdbc:redshift://host:port/name`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::address::is_local;

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Database {
    /// The host's name or address; an IPv6 address without its brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database's name.
    pub name: String,
    /// Whether it was given as `redshift`, otherwise as `postgresql`.
    redshift: bool,
}

/// Why a text is no address of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be jdbc:redshift://host:port/database or jdbc:postgresql://host:port/database")]
pub struct JdbcError;

impl Database {
    /// The database that `text` names.
    pub fn parse(text: &str) -> Result<Self, JdbcError> {
        let rest = text.strip_prefix("jdbc:").ok_or(JdbcError)?;
        let (kind, rest) = rest.split_once("://").ok_or(JdbcError)?;
        let redshift = match kind {
            "redshift" => true,
            "postgresql" => false,
            _ => return Err(JdbcError),
        };
        let (place, name) = rest.split_once('/').ok_or(JdbcError)?;
        let (host, port) = place.rsplit_once(':').ok_or(JdbcError)?;
        let host = match host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
        {
            Some(address) if address.parse::<std::net::Ipv6Addr>().is_ok() => address,
            Some(_) => return Err(JdbcError),
            None if is_host(host) => host,
            None => return Err(JdbcError),
        };
        let port = Some(port).filter(|port| port.bytes().all(|b| b.is_ascii_digit()));
        let port = port
            .and_then(|port| port.parse().ok())
            .filter(|port| *port > 0)
            .ok_or(JdbcError)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "_$-".contains(c);
        if name.is_empty() || !name.chars().all(plain) {
            return Err(JdbcError);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            name: name.to_owned(),
            redshift,
        })
    }

    /// Whether it is on this machine, where connections need no TLS.
    pub fn is_local(&self) -> bool {
        is_local(&self.host)
    }
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            port,
            name,
            redshift,
        } = self;
        let kind = if *redshift { "redshift" } else { "postgresql" };
        match host.contains(':') {
            true => write!(f, "jdbc:{kind}://[{host}]:{port}/{name}"),
            false => write!(f, "jdbc:{kind}://{host}:{port}/{name}"),
        }
    }
}

impl From<Database> for String {
    fn from(database: Database) -> Self {
        database.to_string()
    }
}

impl TryFrom<String> for Database {
    type Error = JdbcError;

    fn try_from(text: String) -> Result<Self, JdbcError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn aws_addresses_and_local_ones_are_read() {
        let text = "jdbc:redshift://c.abc.us-east-1.redshift.amazonaws.com:5439/dev";
        let database = Database::parse(text).unwrap();
        assert_eq!(
            (database.port, database.name.as_str(), database.is_local()),
            (5439, "dev", false)
        );
        assert_eq!(database.to_string(), text);
        assert!(
            Database::parse("jdbc:postgresql://127.0.0.1:5432/a")
                .unwrap()
                .is_local()
        );
        assert_eq!(
            Database::parse("jdbc:postgresql://[::1]:5432/a")
                .unwrap()
                .host,
            "::1"
        );
        for bad in [
            "",
            "redshift://h:1/d",
            "jdbc:mysql://h:1/d",
            "jdbc:redshift://h/d",
            "jdbc:redshift://h:0/d",
            "jdbc:redshift://h:+1/d",
            "jdbc:redshift://h:1/",
            "jdbc:redshift://h:1/d?ssl=true",
            "jdbc:redshift://u:p@h:1/d",
            "jdbc:redshift://[x]:1/d",
        ] {
            assert_eq!(Database::parse(bad), Err(JdbcError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_database_or_an_error(text in "(jdbc:(redshift|postgresql)://)?\\PC*") {
            if let Ok(database) = Database::parse(&text) {
                prop_assert_eq!(Database::parse(&database.to_string()), Ok(database));
            }
        }
    }
}
