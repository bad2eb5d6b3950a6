//! The names of a function's versions: the latest, numbers, and aliases.

use std::{collections::BTreeMap, fmt, str::FromStr};

use headwater_env::Random;
use headwater_types::Invalid;
use serde::{Deserialize, Serialize};

use crate::{FunctionName, limits};

/// A version of a function.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub enum Version {
    /// `$LATEST`, the one that changes.
    #[default]
    Latest,
    /// One that was published and never changes: 1, 2 …
    Published(u64),
}

/// A name that is given to one version, or to two in turn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AliasName(String);

/// The version that a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Qualifier {
    /// By itself.
    Version(Version),
    /// By an alias.
    Alias(AliasName),
}

/// An alias as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alias {
    /// Its name.
    pub name: AliasName,
    /// The version that it leads to.
    pub version: Version,
    /// A text for people.
    pub description: String,
    /// Another version and the share of invocations that it gets, 0 to 1.
    pub weights: BTreeMap<Version, f64>,
    /// A random id, new after every change.
    pub revision: String,
}

/// The reasons for which an alias cannot lead where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoutingFault {
    /// It shares invocations among more than two versions.
    TooMany,
    /// It shares them between a version and itself.
    Twice(Version),
    /// It shares those of the latest version.
    Latest,
}

impl Alias {
    /// Whether it leads somewhere.
    pub(crate) fn check(&self) -> Result<(), RoutingFault> {
        if self.weights.len() > limits::ALIAS_WEIGHTS_MAX {
            return Err(RoutingFault::TooMany);
        }
        if self.weights.contains_key(&self.version) {
            return Err(RoutingFault::Twice(self.version));
        }
        let shares_latest = !self.weights.is_empty() && self.version == Version::Latest;
        if shares_latest || self.weights.contains_key(&Version::Latest) {
            return Err(RoutingFault::Latest);
        }
        Ok(())
    }

    /// All versions that it leads to.
    pub(crate) fn versions(&self) -> impl Iterator<Item = Version> {
        let others = self.weights.keys().copied();
        std::iter::once(self.version).chain(others)
    }

    /// The version that the next invocation gets.
    pub(crate) fn route(&self, random: &dyn Random) -> Version {
        // 53 bits are what a float between 0 and 1 can tell apart.
        let drawn = (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        let other = self.weights.iter().find(|(_, weight)| drawn < **weight);
        other.map_or(self.version, |(version, _)| *version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("$LATEST"),
            Self::Published(number) => number.fmt(f),
        }
    }
}

impl FromStr for Version {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            _ if text == "$LATEST" => Ok(Self::Latest),
            Ok(number) if digits => Ok(Self::Published(number)),
            _ => Err(Invalid::new("version", text)),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AliasName {
    type Err = Invalid;

    /// 1 to 128 of `[a-zA-Z0-9-_]`, not digits alone: those are versions.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if (1..=128).contains(&text.len()) && text.bytes().all(allowed) && !digits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("alias", text))
        }
    }
}

impl TryFrom<String> for AliasName {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<AliasName> for String {
    fn from(name: AliasName) -> String {
        name.0
    }
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Alias(alias) => alias.fmt(f),
        }
    }
}

impl FromStr for Qualifier {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.parse() {
            Ok(version) => Ok(Self::Version(version)),
            Err(_) => Ok(Self::Alias(text.parse()?)),
        }
    }
}

/// The name under which a version is kept: numbers in their order.
pub(crate) fn version_key(function: &FunctionName, number: u64) -> String {
    format!("{function}/{number:020}")
}

/// The name under which an alias is kept.
pub(crate) fn alias_key(function: &FunctionName, alias: &AliasName) -> String {
    format!("{function}/{alias}")
}

/// The start of the names of all that belongs to a function.
pub(crate) fn start_of(function: &FunctionName) -> String {
    format!("{function}/")
}

#[cfg(test)]
mod tests {
    use headwater_env::Env;

    use super::*;

    #[test]
    fn a_qualifier_is_a_version_or_an_alias() {
        for (text, version) in [("$LATEST", Version::Latest), ("7", Version::Published(7))] {
            assert_eq!(text.parse(), Ok(Qualifier::Version(version)));
            assert_eq!(version.to_string(), text);
        }
        for text in ["live", "2024-01-02", "v_1"] {
            assert_eq!(text.parse::<Qualifier>().unwrap().to_string(), text);
            assert!(matches!(text.parse(), Ok(Qualifier::Alias(_))), "{text}");
        }
        for text in ["", "$latest", "+7", "a b", "99999999999999999999"] {
            assert!(text.parse::<Qualifier>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_alias_shares_invocations_as_it_should() {
        let alias = |version, weights: &[(Version, f64)]| Alias {
            name: "a".parse().unwrap(),
            version,
            description: String::new(),
            weights: weights.iter().copied().collect(),
            revision: String::new(),
        };
        let [one, two, three] = [1, 2, 3].map(Version::Published);
        for (alias, fault) in [
            (
                alias(one, &[(two, 0.1), (three, 0.1)]),
                RoutingFault::TooMany,
            ),
            (alias(one, &[(one, 0.1)]), RoutingFault::Twice(one)),
            (alias(Version::Latest, &[(one, 0.1)]), RoutingFault::Latest),
        ] {
            assert_eq!(alias.check(), Err(fault));
        }
        let env = Env::real();
        let random = &*env.random;
        let count = |weight: f64| {
            let alias = alias(one, &[(two, weight)]);
            assert_eq!(alias.check(), Ok(()));
            (0..1000).filter(|_| alias.route(random) == two).count()
        };
        assert_eq!((count(0.0), count(1.0)), (0, 1000));
        assert!((300..700).contains(&count(0.5)));
        assert_eq!(alias(Version::Latest, &[]).route(random), Version::Latest);
    }
}
