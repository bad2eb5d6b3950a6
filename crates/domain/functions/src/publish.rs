//! Versions published and deleted: what is published is kept as it was, with the package that it shares.

use headwater_catalog::{CatalogError, Change, Expect};

use crate::{
    AliasName, Code, Error, Function, FunctionName, Published, Version,
    changes::layers_of,
    functions::Inner,
    limits,
    version::{start_of, version_key},
};

/// The wishes of one who publishes.
#[derive(Debug, Clone, Default)]
pub struct Publish {
    /// The SHA-256 that the code must have, if any.
    pub code_sha256: Option<String>,
    /// A description in place of the function's.
    pub description: Option<String>,
    /// The revision that the function must be at, if any.
    pub revision: Option<String>,
}

impl Inner {
    /// Publishes the latest version; one that was published as it is already is not published again.
    pub async fn publish(&self, name: &FunctionName, wishes: Publish) -> Result<Function, Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            let found = self.expect(name, wishes.revision.as_deref()).await?;
            let mut latest = found.value;
            check_code(&latest.code, &wishes)?;
            if let Some(version) = self.published_as(&latest).await? {
                return Ok(version);
            }
            let mut version = self.next_version(&mut latest);
            latest.revision = self.env.random.uuid();
            if let Some(description) = &wishes.description {
                version.configuration.description.clone_from(description);
            }
            match self
                .write(&latest, Some(&version), Expect::At(found.version), vec![])
                .await
            {
                Err(CatalogError::Conflict { .. }) => {}
                written => {
                    written?;
                    return Ok(version);
                }
            }
        }
        Err(Error::Revision)
    }

    /// The version that was made of the function as it is.
    async fn published_as(&self, latest: &Function) -> Result<Option<Function>, Error> {
        match &latest.published {
            Some(Published { number, build }) if *build == latest.build => {
                let version = self
                    .versions
                    .get(&version_key(&latest.name, *number))
                    .await?;
                Ok(version.map(|found| found.value))
            }
            _ => Ok(None),
        }
    }

    /// The next version of a function, which is told of it.
    pub fn next_version(&self, latest: &mut Function) -> Function {
        let last = latest.published.as_ref();
        let number = last.map_or(0, |published| published.number) + 1;
        latest.published = Some(Published {
            number,
            build: latest.build.clone(),
        });
        Function {
            version: Version::Published(number),
            revision: self.env.random.uuid(),
            build: self.env.random.uuid(),
            published: None,
            tags: Default::default(),
            ..latest.clone()
        }
    }

    /// Writes a function, and with it a version of it that is new, if any, and what must be written `beside` them.
    pub async fn write(
        &self,
        latest: &Function,
        version: Option<&Function>,
        expect: Expect,
        beside: Vec<Change>,
    ) -> Result<(), CatalogError> {
        let mut changes = beside;
        changes.push(self.table.put(latest.name.as_str(), latest, expect));
        if let Some((version, Version::Published(number))) = version.map(|v| (v, v.version)) {
            let key = version_key(&version.name, number);
            changes.push(self.versions.put(&key, version, Expect::Absent));
        }
        self.catalog.commit(changes).await.map(drop)
    }

    /// All published versions of a function.
    pub async fn versions_of(&self, name: &FunctionName) -> Result<Vec<Function>, Error> {
        let found = self
            .versions
            .scan(&start_of(name), None, usize::MAX)
            .await?;
        Ok(found.into_iter().map(|(_, kept)| kept.value).collect())
    }

    /// Deletes a version, if it is there and no alias leads to it.
    pub async fn delete_version(&self, name: &FunctionName, number: u64) -> Result<(), Error> {
        let key = version_key(name, number);
        let _beside = self.beside.lock().await;
        for _ in 0..limits::CONFLICTS_MAX {
            self.find(name).await?;
            let Some(found) = self.versions.get(&key).await? else {
                return Ok(());
            };
            let version = Version::Published(number);
            let leading = self.leading_to(name, version).await?;
            if !leading.is_empty() {
                return Err(Error::Referenced(leading));
            }
            // An alias that comes to lead to it meanwhile has written it anew.
            let (claims, mut changes) = self.without_beside(name, &version.to_string());
            changes.push(self.versions.delete(&key, Expect::At(found.version)));
            match self.catalog.commit(changes).await {
                Err(CatalogError::Conflict { .. }) => {}
                removed => {
                    removed?;
                    self.adopt_claims(name, claims).await?;
                    self.pool.retire(name, Some(version));
                    self.forget_unused(name, &found.value.code).await;
                    self.forget_unnamed(layers_of(&found.value)).await;
                    return Ok(());
                }
            }
        }
        Err(Error::Revision)
    }

    async fn leading_to(
        &self,
        name: &FunctionName,
        version: Version,
    ) -> Result<Vec<AliasName>, Error> {
        let aliases = self.aliases_of(name).await?;
        let leads = aliases.into_iter().map(|(_, kept)| kept.value);
        let leads = leads.filter(|alias| alias.versions().any(|other| other == version));
        Ok(leads.map(|alias| alias.name).collect())
    }

    /// Forgets code that no version of the function has any more. What cannot be looked up stays until the next start.
    pub async fn forget_unused(&self, name: &FunctionName, code: &Code) {
        let has = |function: &Function| function.code.package == code.package;
        let latest = self.find(name).await;
        let versions = self.versions_of(name).await;
        if let (Ok(latest), Ok(versions)) = (latest, versions)
            && !has(&latest.value)
            && !versions.iter().any(has)
        {
            self.forget_code(code).await;
        }
    }
}

fn check_code(code: &Code, wishes: &Publish) -> Result<(), Error> {
    match &wishes.code_sha256 {
        Some(given) if *given != code.sha256 => Err(Error::OtherCode {
            given: given.clone(),
            current: code.sha256.clone(),
        }),
        _ => Ok(()),
    }
}
