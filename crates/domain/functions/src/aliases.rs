//! Aliases made, changed and deleted, and the versions that they lead to.

use std::collections::BTreeMap;

use headwater_catalog::{CatalogError, Change, Expect, Versioned};

use crate::{
    Alias, AliasName, Claims, Error, Function, FunctionName, Qualifier, Version,
    functions::Inner,
    limits,
    version::{alias_key, start_of, version_key},
};

/// A change of an alias; what is none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct AliasChange {
    /// The version that it leads to.
    pub version: Option<Version>,
    /// A text for people.
    pub description: Option<String>,
    /// Another version and its share of invocations.
    pub weights: Option<BTreeMap<Version, f64>>,
    /// The revision that it must be at, if any.
    pub revision: Option<String>,
}

impl Inner {
    /// Makes an alias; its revision is given here.
    pub async fn create_alias(&self, name: &FunctionName, alias: Alias) -> Result<Alias, Error> {
        let alias = Alias {
            revision: self.env.random.uuid(),
            ..alias
        };
        alias.check().map_err(Error::Routing)?;
        let _beside = self.beside.lock().await;
        for _ in 0..limits::CONFLICTS_MAX {
            let mut changes = self.hold_targets(name, &alias).await?;
            let key = alias_key(name, &alias.name);
            if self.aliases.get(&key).await?.is_some() {
                return Err(Error::AliasExists(alias.name));
            }
            changes.push(self.aliases.put(&key, &alias, Expect::Absent));
            match self.catalog.commit(changes).await {
                Err(CatalogError::Conflict { .. }) => {}
                written => return Ok(written.map(|_| alias)?),
            }
        }
        Err(Error::Revision)
    }

    /// Changes an alias.
    pub async fn update_alias(
        &self,
        name: &FunctionName,
        alias: &AliasName,
        change: AliasChange,
    ) -> Result<Alias, Error> {
        let _beside = self.beside.lock().await;
        for _ in 0..limits::CONFLICTS_MAX {
            let Versioned {
                value: mut changed,
                version,
            } = self.alias(name, alias).await?;
            let AliasChange {
                version: target,
                description,
                weights,
                revision,
            } = change.clone();
            if revision.is_some_and(|revision| revision != changed.revision) {
                return Err(Error::Revision);
            }
            changed.version = target.unwrap_or(changed.version);
            changed.description = description.unwrap_or(changed.description);
            changed.weights = weights.unwrap_or(changed.weights);
            changed.revision = self.env.random.uuid();
            changed.check().map_err(Error::Routing)?;
            self.check_alias_move(name, &changed)?;
            let mut changes = self.hold_targets(name, &changed).await?;
            let key = alias_key(name, alias);
            changes.push(self.aliases.put(&key, &changed, Expect::At(version)));
            match self.catalog.commit(changes).await {
                Err(CatalogError::Conflict { .. }) => {}
                written => {
                    written?;
                    // Processes that are kept for the alias move with it.
                    self.adopt_claims(name, self.claims_of(name)).await?;
                    return Ok(changed);
                }
            }
        }
        Err(Error::Revision)
    }

    /// Deletes an alias, if it is there, with what stands beside it.
    pub async fn delete_alias(&self, name: &FunctionName, alias: &AliasName) -> Result<(), Error> {
        let _beside = self.beside.lock().await;
        self.find(name).await?;
        for _ in 0..limits::CONFLICTS_MAX {
            let (claims, mut changes) = self.without_beside(name, &alias.to_string());
            changes.extend(self.alias_url_gone(name, alias).await?);
            let key = alias_key(name, alias);
            let found = self.aliases.get(&key).await?;
            let expect = found.map_or(Expect::Any, |found| Expect::At(found.version));
            changes.push(self.aliases.delete(&key, expect));
            match self.catalog.commit(changes).await {
                Err(CatalogError::Conflict { .. }) => {}
                removed => {
                    removed?;
                    return self.adopt_claims(name, claims).await;
                }
            }
        }
        Err(Error::Revision)
    }

    /// The changes that take away what stands beside a version or alias, and the function's claims then.
    pub fn without_beside(&self, name: &FunctionName, qualifier: &str) -> (Claims, Vec<Change>) {
        let (claims, change) = self.claims_without(name, qualifier);
        let key = format!("{name}/{qualifier}");
        (
            claims,
            vec![
                change,
                self.policies.delete(&key, Expect::Any),
                self.event_settings.delete(&key, Expect::Any),
            ],
        )
    }

    /// One alias.
    pub async fn alias(
        &self,
        name: &FunctionName,
        alias: &AliasName,
    ) -> Result<Versioned<Alias>, Error> {
        let found = self.aliases.get(&alias_key(name, alias)).await?;
        found.ok_or_else(|| Error::NoAlias(alias.clone()))
    }

    /// All aliases of a function, and the names they are kept under.
    pub async fn aliases_of(
        &self,
        name: &FunctionName,
    ) -> Result<Vec<(String, Versioned<Alias>)>, Error> {
        Ok(self.aliases.scan(&start_of(name), None, usize::MAX).await?)
    }

    /// The version that an alias leads to, or that is asked for by itself; `drawn` where an alias shares invocations
    /// among two.
    pub async fn resolve(
        &self,
        name: &FunctionName,
        qualifier: Option<&Qualifier>,
        drawn: bool,
    ) -> Result<Function, Error> {
        let version = match qualifier {
            None => Version::Latest,
            Some(Qualifier::Version(version)) => *version,
            Some(Qualifier::Alias(alias)) => {
                let alias = self.alias(name, alias).await?.value;
                match drawn {
                    true => alias.route(&*self.env.random),
                    false => alias.version,
                }
            }
        };
        Ok(self.find_version(name, version).await?.value)
    }

    async fn find_version(
        &self,
        name: &FunctionName,
        version: Version,
    ) -> Result<Versioned<Function>, Error> {
        match version {
            Version::Latest => self.find(name).await,
            Version::Published(number) => {
                let found = self.versions.get(&version_key(name, number)).await?;
                found.ok_or(Error::NoVersion(version))
            }
        }
    }

    /// The changes that write anew what an alias leads to, as it is: whoever deletes it meanwhile finds it changed.
    async fn hold_targets(&self, name: &FunctionName, alias: &Alias) -> Result<Vec<Change>, Error> {
        self.find(name).await?;
        let mut changes = Vec::new();
        for version in alias.versions() {
            let target = self.find_version(name, version).await?;
            let expect = Expect::At(target.version);
            changes.push(match version {
                Version::Latest => self.table.put(name.as_str(), &target.value, expect),
                Version::Published(number) => {
                    let key = version_key(name, number);
                    self.versions.put(&key, &target.value, expect)
                }
            });
        }
        Ok(changes)
    }
}
