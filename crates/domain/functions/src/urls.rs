//! Addresses of functions: an id that leads to a function or one of its aliases, and how it is called there.

use std::{fmt, str::FromStr};

use headwater_catalog::{CatalogError, Change, Expect, Versioned};
use headwater_types::{Invalid, Millis};
use serde::{Deserialize, Serialize};

use crate::{
    AliasName, Error, FunctionName, Functions, functions::Inner, limits, version::start_of,
};

/// The id of an address: 32 of `[a-z0-9]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UrlId(String);

/// A function or an alias of it, which may have one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlTarget {
    /// The function.
    pub function: FunctionName,
    /// The alias; without one it is the latest version.
    pub alias: Option<AliasName>,
}

/// An address as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionUrl {
    /// The id that it has in its host.
    pub id: UrlId,
    /// Where it leads.
    pub target: UrlTarget,
    /// How it is called.
    pub settings: UrlSettings,
    /// When it was made.
    pub created: Millis,
    /// When it was changed.
    pub changed: Millis,
}

/// How a function is called at its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlSettings {
    /// Whether callers must sign what they send.
    pub signed: bool,
    /// The pages of other origins that may call it.
    pub cors: Option<Cors>,
    /// Whether answers stream; none where nobody said.
    pub streams: Option<bool>,
}

/// Rules for pages of other origins; what was not given is told apart from what is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cors {
    /// Whether credentials may be sent.
    pub credentials: Option<bool>,
    /// The headers that may be sent.
    pub headers: Option<Vec<String>>,
    /// The methods that may be used.
    pub methods: Option<Vec<String>>,
    /// The origins.
    pub origins: Option<Vec<String>>,
    /// The headers that may be read.
    pub exposed: Option<Vec<String>>,
    /// How long a browser may remember all this, in seconds.
    pub max_age: Option<u32>,
}

/// What is given of an address to change; the rest stays.
#[derive(Debug, Clone, Default)]
pub struct UrlChange {
    /// Whether callers must sign.
    pub signed: Option<bool>,
    /// The rules for pages of other origins.
    pub cors: Option<Cors>,
    /// Whether answers stream.
    pub streams: Option<bool>,
}

impl Functions {
    /// Gives a function or an alias an address.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoAlias`], [`Error::UrlExists`], or what failed below.
    pub async fn create_url(
        &self,
        target: &UrlTarget,
        settings: UrlSettings,
    ) -> Result<FunctionUrl, Error> {
        let target = target.clone();
        self.change(|inner| async move { inner.create_url(target, settings).await })
            .await
    }

    /// Changes an address.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoAlias`], [`Error::NoUrl`], or what failed below.
    pub async fn update_url(
        &self,
        target: &UrlTarget,
        change: UrlChange,
    ) -> Result<FunctionUrl, Error> {
        let target = target.clone();
        self.change(|inner| async move { inner.update_url(&target, change).await })
            .await
    }

    /// Takes an address away.
    ///
    /// # Errors
    /// [`Error::NoUrl`], or what failed below.
    pub async fn delete_url(&self, target: &UrlTarget) -> Result<(), Error> {
        let target = target.clone();
        self.change(|inner| async move { inner.delete_url(&target).await })
            .await
    }

    /// The address of a function or an alias.
    ///
    /// # Errors
    /// [`Error::NoUrl`], or what failed below.
    pub async fn url(&self, target: &UrlTarget) -> Result<FunctionUrl, Error> {
        Ok(self.inner().url(target).await?.value)
    }

    /// The addresses of a function and its aliases.
    ///
    /// # Errors
    /// [`Error::NotFound`], or what failed below.
    pub async fn urls(&self, name: &FunctionName) -> Result<Vec<FunctionUrl>, Error> {
        self.inner().find(name).await?;
        let (table, start) = (&self.inner().urls, start_of(name));
        let found = table.scan(&start, None, usize::MAX).await?.into_iter();
        Ok(found.map(|(_, kept)| kept.value).collect())
    }

    /// The address that has this id.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn url_of(&self, id: &UrlId) -> Result<Option<FunctionUrl>, Error> {
        let Some(target) = self.inner().url_ids.get(&id.0).await? else {
            return Ok(None);
        };
        let found = self.inner().urls.get(&target.value.key()).await?;
        Ok(found.map(|kept| kept.value).filter(|url| url.id == *id))
    }
}

impl Inner {
    async fn create_url(
        &self,
        target: UrlTarget,
        settings: UrlSettings,
    ) -> Result<FunctionUrl, Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            let mut changes = self.hold_target(&target).await?;
            let key = target.key();
            if self.urls.get(&key).await?.is_some() {
                return Err(Error::UrlExists);
            }
            let now = self.env.clock.now();
            let url = FunctionUrl {
                id: UrlId::random(&*self.env.random),
                target: target.clone(),
                settings: settings.clone(),
                created: now,
                changed: now,
            };
            changes.push(self.urls.put(&key, &url, Expect::Absent));
            changes.push(self.url_ids.put(&url.id.0, &target, Expect::Absent));
            match self.catalog.commit(changes).await {
                Err(CatalogError::Conflict { .. }) => {}
                written => return Ok(written.map(|_| url)?),
            }
        }
        Err(Error::Revision)
    }

    async fn update_url(
        &self,
        target: &UrlTarget,
        change: UrlChange,
    ) -> Result<FunctionUrl, Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            self.hold_target(target).await?;
            let Versioned {
                value: mut url,
                version,
            } = self.url(target).await?;
            let UrlChange {
                signed,
                cors,
                streams,
            } = change.clone();
            url.settings.signed = signed.unwrap_or(url.settings.signed);
            url.settings.cors = cors.or(url.settings.cors);
            url.settings.streams = streams.or(url.settings.streams);
            url.changed = self.env.clock.now();
            let expect = Expect::At(version);
            match self.urls.write(&target.key(), &url, expect).await {
                Err(CatalogError::Conflict { .. }) => {}
                written => return Ok(written.map(|_| url)?),
            }
        }
        Err(Error::Revision)
    }

    async fn delete_url(&self, target: &UrlTarget) -> Result<(), Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            let found = self.url(target).await?;
            match self.catalog.commit(self.url_gone(found)).await {
                Err(CatalogError::Conflict { .. }) => {}
                removed => return Ok(removed.map(drop)?),
            }
        }
        Err(Error::Revision)
    }

    async fn url(&self, target: &UrlTarget) -> Result<Versioned<FunctionUrl>, Error> {
        self.urls.get(&target.key()).await?.ok_or(Error::NoUrl)
    }

    /// The changes that write a target anew, as it is: whoever deletes it meanwhile finds it changed.
    async fn hold_target(&self, target: &UrlTarget) -> Result<Vec<Change>, Error> {
        let name = &target.function;
        let function = self.find(name).await?;
        let expect = Expect::At(function.version);
        let mut changes = vec![self.table.put(name.as_str(), &function.value, expect)];
        if let Some(alias) = &target.alias {
            let found = self.alias(name, alias).await?;
            let key = crate::version::alias_key(name, alias);
            let expect = Expect::At(found.version);
            changes.push(self.aliases.put(&key, &found.value, expect));
        }
        Ok(changes)
    }

    /// The changes that take away the address of an alias that is deleted, if it has one.
    pub async fn alias_url_gone(
        &self,
        name: &FunctionName,
        alias: &AliasName,
    ) -> Result<Vec<Change>, Error> {
        let target = UrlTarget {
            function: name.clone(),
            alias: Some(alias.clone()),
        };
        let found = self.urls.get(&target.key()).await?;
        Ok(found.map_or(Vec::new(), |found| self.url_gone(found)))
    }

    /// The changes that take away all addresses of a function that is deleted.
    pub async fn urls_gone(&self, name: &FunctionName) -> Result<Vec<Change>, Error> {
        let found = self.urls.scan(&start_of(name), None, usize::MAX).await?;
        let changes = found.into_iter().flat_map(|(_, url)| self.url_gone(url));
        Ok(changes.collect())
    }

    fn url_gone(&self, found: Versioned<FunctionUrl>) -> Vec<Change> {
        let url = found.value;
        let expect = Expect::At(found.version);
        vec![
            self.urls.delete(&url.target.key(), expect),
            self.url_ids.delete(&url.id.0, Expect::Any),
        ]
    }
}

impl UrlTarget {
    /// The name under which it is kept; no alias is called `$LATEST`.
    fn key(&self) -> String {
        let alias = self
            .alias
            .as_ref()
            .map_or_else(|| "$LATEST".to_owned(), ToString::to_string);
        format!("{}{alias}", start_of(&self.function))
    }
}

impl UrlId {
    fn random(random: &dyn headwater_env::Random) -> Self {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let letter = |_| LETTERS[(random.next_u64() % LETTERS.len() as u64) as usize] as char;
        Self((0..32).map(letter).collect())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UrlId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for UrlId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        match text.len() == 32 && text.bytes().all(allowed) {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new("id of an address", text)),
        }
    }
}

impl TryFrom<String> for UrlId {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<UrlId> for String {
    fn from(id: UrlId) -> String {
        id.0
    }
}
