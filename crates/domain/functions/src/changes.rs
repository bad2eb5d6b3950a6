//! Functions made, changed and deleted: the package first, then the record that names it, then what runs of the former one.
//!
//! On AWS a new function is pending at first and a changed one in progress, at a revision of its own, and at the next
//! when it is active. Here it is active as soon as it is kept; the answer shows it as it was begun, so that clients see
//! the revisions that AWS would show them.

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_catalog::{CatalogError, Change, Expect, Versioned};

use crate::{
    Claims, Code, Configuration, Error, Function, FunctionName, Version, functions::Inner,
    layers::check_size, limits, packages::sha256, unpack, version::start_of,
};

impl Inner {
    pub async fn create(
        &self,
        name: FunctionName,
        configuration: Configuration,
        tags: BTreeMap<String, String>,
        package: Bytes,
        publish: bool,
    ) -> Result<Function, Error> {
        configuration.check()?;
        check_tags(&tags)?;
        if self.table.get(name.as_str()).await?.is_some() {
            return Err(Error::Exists(name));
        }
        let code = self.store(package).await?;
        let written = self
            .write_new(name, configuration, tags, &code, publish)
            .await;
        let function = self.settle(written, &code).await?;
        Ok(self.begun(function))
    }

    async fn write_new(
        &self,
        name: FunctionName,
        configuration: Configuration,
        tags: BTreeMap<String, String>,
        code: &Code,
        publish: bool,
    ) -> Result<Function, Error> {
        check_size(&configuration, code)?;
        let mut function = Function {
            name,
            version: Version::Latest,
            configuration,
            code: code.clone(),
            last_modified: self.env.clock.now(),
            revision: self.env.random.uuid(),
            build: self.env.random.uuid(),
            published: None,
            tags,
        };
        let version = publish.then(|| self.next_version(&mut function));
        for _ in 0..limits::CONFLICTS_MAX {
            if self.table.get(function.name.as_str()).await?.is_some() {
                return Err(Error::Exists(function.name));
            }
            let held = self
                .hold_layers(&[], &function.configuration.layers)
                .await?;
            let written = self.write(&function, version.as_ref(), Expect::Absent, held);
            match written.await {
                Err(CatalogError::Conflict { .. }) => {}
                written => return Ok(written.map(|()| version.unwrap_or(function))?),
            }
        }
        Err(Error::Revision)
    }

    /// A function that was changed, as its change began.
    fn begun(&self, function: Function) -> Function {
        let revision = self.env.random.uuid();
        Function {
            revision,
            ..function
        }
    }

    pub async fn update_code(
        &self,
        name: &FunctionName,
        package: Bytes,
        expected: Option<String>,
        publish: bool,
    ) -> Result<Function, Error> {
        let found = self.expect(name, expected.as_deref()).await?;
        let code = self.store(package).await?;
        let former = found.value.code.clone();
        let changed = Function {
            code: code.clone(),
            ..found.value.clone()
        };
        let written = match check_size(&changed.configuration, &code) {
            Ok(()) => self.replace(found, changed, publish).await,
            Err(error) => Err(error),
        };
        let function = self.settle(written, &code).await?;
        self.forget_unused(name, &former).await;
        Ok(function)
    }

    pub async fn update_configuration(
        &self,
        name: &FunctionName,
        expected: Option<String>,
        change: impl FnOnce(&mut Configuration) + Send,
    ) -> Result<Function, Error> {
        let found = self.expect(name, expected.as_deref()).await?;
        let mut changed = found.value.clone();
        change(&mut changed.configuration);
        changed.configuration.check()?;
        check_size(&changed.configuration, &changed.code)?;
        let mut gone = found.value.configuration.layers.clone();
        gone.retain(|layer| !changed.configuration.layers.contains(layer));
        let function = self.replace(found, changed, false).await?;
        self.forget_unnamed(gone.into_iter().map(|layer| layer.code).collect())
            .await;
        Ok(function)
    }

    /// Changes tags, again from what another change left where that came first. The function is at another revision
    /// then, and its processes stay.
    pub async fn update_tags(
        &self,
        name: &FunctionName,
        change: impl Fn(&mut BTreeMap<String, String>) + Send,
    ) -> Result<(), Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            let Versioned {
                value: mut function,
                version,
            } = self.find(name).await?;
            change(&mut function.tags);
            check_tags(&function.tags)?;
            function.revision = self.env.random.uuid();
            let expect = Expect::At(version);
            match self.table.write(name.as_str(), &function, expect).await {
                Err(CatalogError::Conflict { .. }) => {}
                written => return Ok(written.map(drop)?),
            }
        }
        Err(Error::Revision)
    }

    /// Deletes a function with its versions and aliases.
    pub async fn delete(&self, name: &FunctionName) -> Result<(), Error> {
        let _beside = self.beside.lock().await;
        for _ in 0..limits::CONFLICTS_MAX {
            let found = self.find(name).await?;
            let expect = Expect::At(found.version);
            let mut changes = vec![self.table.delete(name.as_str(), expect)];
            changes.extend(self.urls_gone(name).await?);
            let mut shared = layers_of(&found.value);
            let mut packages =
                BTreeMap::from([(found.value.code.package.clone(), found.value.code)]);
            let all = usize::MAX;
            for (key, version) in self.versions.scan(&start_of(name), None, all).await? {
                let expect = Expect::At(version.version);
                changes.push(self.versions.delete(&key, expect));
                shared.extend(layers_of(&version.value));
                let code = version.value.code;
                packages.insert(code.package.clone(), code);
            }
            for (key, alias) in self.aliases_of(name).await? {
                let expect = Expect::At(alias.version);
                changes.push(self.aliases.delete(&key, expect));
            }
            changes.extend(self.without_all_beside(name).await?);
            match self.catalog.commit(changes).await {
                Err(CatalogError::Conflict { .. }) => {}
                removed => {
                    removed?;
                    self.adopt_claims(name, Claims::default()).await?;
                    self.pool.retire(name, None);
                    self.counts.forget(name);
                    for code in packages.values() {
                        self.forget_code(code).await;
                    }
                    self.forget_unnamed(shared).await;
                    return Ok(());
                }
            }
        }
        Err(Error::Revision)
    }

    /// The changes that take away all that stands beside a function.
    async fn without_all_beside(&self, name: &FunctionName) -> Result<Vec<Change>, Error> {
        let (start, all) = (start_of(name), usize::MAX);
        let policies = self.policies.scan(&start, None, all).await?;
        let settings = self.event_settings.scan(&start, None, all).await?;
        let policies = policies.iter().map(|(key, _)| key);
        let policies = policies.map(|key| self.policies.delete(key, Expect::Any));
        let settings = settings.iter().map(|(key, _)| key);
        let settings = settings.map(|key| self.event_settings.delete(key, Expect::Any));
        let mut changes: Vec<Change> = policies.chain(settings).collect();
        changes.push(self.claims.delete(name.as_str(), Expect::Any));
        Ok(changes)
    }

    /// A function, which must be at a revision if one is given.
    pub async fn expect(
        &self,
        name: &FunctionName,
        revision: Option<&str>,
    ) -> Result<Versioned<Function>, Error> {
        let found = self.find(name).await?;
        match revision {
            Some(revision) if revision != found.value.revision => Err(Error::Revision),
            _ => Ok(found),
        }
    }

    /// Writes `changed` over `found` as a new revision, and as a new version where it is to be published.
    async fn replace(
        &self,
        found: Versioned<Function>,
        mut changed: Function,
        publish: bool,
    ) -> Result<Function, Error> {
        changed.revision = self.env.random.uuid();
        changed.build = self.env.random.uuid();
        changed.last_modified = self.env.clock.now();
        let version = publish.then(|| self.next_version(&mut changed));
        let mut found = found;
        for _ in 0..limits::CONFLICTS_MAX {
            let expect = Expect::At(found.version);
            let layers = &changed.configuration.layers;
            let held = self
                .hold_layers(&found.value.configuration.layers, layers)
                .await?;
            match self.write(&changed, version.as_ref(), expect, held).await {
                Err(CatalogError::Conflict { .. }) => {
                    // Another change came between our read and our write: of this function, or of what it holds.
                    let now = self.find(&changed.name).await?;
                    if now.value.revision != found.value.revision {
                        return Err(Error::Revision);
                    }
                    found = now;
                }
                written => {
                    written?;
                    self.pool.retire(&changed.name, Some(Version::Latest));
                    return Ok(self.begun(version.unwrap_or(changed)));
                }
            }
        }
        Err(Error::Revision)
    }

    /// Keeps a package, once it is found to be one.
    pub async fn store(&self, package: Bytes) -> Result<Code, Error> {
        if self.usage().await?.code_bytes + package.len() as u64 > limits::CODE_BYTES_MAX {
            return Err(Error::StorageFull);
        }
        let code = Code {
            package: self.env.random.uuid(),
            sha256: String::new(),
            size: package.len() as u64,
            unpacked: 0,
        };
        let packages = self.packages.clone();
        let store = move || {
            let unpacked = unpack::check(&package)?;
            packages.put(&code.package, &package)?;
            Ok(Code {
                sha256: sha256(&package),
                unpacked,
                ..code
            })
        };
        self.env.blocking(store).await
    }

    /// Forgets a package whose function was not written. After a failure of the catalog it is not known whether it was:
    /// the next start finds out.
    pub async fn settle<T>(&self, written: Result<T, Error>, code: &Code) -> Result<T, Error> {
        if matches!(&written, Err(error) if !matches!(error, Error::Catalog(_))) {
            self.forget_code(code).await;
        }
        written
    }

    /// Forgets code that no function has any more; its folder goes with the last process that runs it.
    pub async fn forget_code(&self, code: &Code) {
        self.code.lock().remove(&code.package);
        let (packages, package) = (self.packages.clone(), code.package.clone());
        self.env.blocking(move || packages.remove(&package)).await;
    }
}

/// The layers' packages.
pub(crate) fn layers_of(function: &Function) -> Vec<Code> {
    let layers = function.configuration.layers.iter();
    layers.map(|layer| layer.code.clone()).collect()
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Error> {
    if tags.len() > limits::TAGS_MAX {
        let why = format!(
            "{} are more than the {} that a function may have",
            tags.len(),
            limits::TAGS_MAX
        );
        return Err(Error::Invalid { what: "tags", why });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
