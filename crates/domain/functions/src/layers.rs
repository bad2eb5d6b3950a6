//! Layers: packages that functions have under `/opt` beside their own, published in versions that never change.
//!
//! A function keeps what it needs of a layer version in its own record, so that it goes on when the version is deleted,
//! as on AWS. A package is removed when neither a layer version nor a function names it any more.

use std::{collections::HashSet, fmt, str::FromStr};

use bytes::Bytes;
use headwater_catalog::{CatalogError, Change, Expect, Versioned};
use headwater_types::{Arn, Invalid, Millis};
use serde::{Deserialize, Serialize};

use crate::{Code, Configuration, Error, Functions, Options, functions::Inner, limits};

/// A layer's name: 1 to 140 of `[a-zA-Z0-9-_]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LayerName(String);

/// A version of a layer by its name and number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerId {
    /// The layer.
    pub name: LayerName,
    /// The version's number, from 1.
    pub number: u64,
}

/// A version of a layer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerVersion {
    /// The layer.
    pub name: LayerName,
    /// Its number, from 1.
    pub number: u64,
    /// A text for people.
    pub description: String,
    /// Its licence, as its owner put it.
    pub license: Option<String>,
    /// The runtimes that it is for: kept for clients, and what lists can be asked by.
    pub runtimes: Option<Vec<String>>,
    /// The same of architectures.
    pub architectures: Option<Vec<String>>,
    /// The files.
    pub code: Code,
    /// When it was published.
    pub created: Millis,
    /// The permissions of others to use it.
    #[serde(default)]
    pub policy: Option<LayerPolicy>,
}

/// The permissions of a layer version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerPolicy {
    /// A random id, new after every change.
    pub revision: String,
    /// In the order in which they were given.
    pub permissions: Vec<LayerPermission>,
}

/// A permission to use a layer version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerPermission {
    /// Its name within the policy.
    pub id: String,
    /// An account, a root's ARN or `*`.
    pub principal: String,
    /// The organization that the principal must be in.
    pub organization: Option<String>,
}

/// The facts about a new version besides its files.
#[derive(Debug, Clone, Default)]
pub struct LayerWishes {
    /// A text for people.
    pub description: String,
    /// A licence.
    pub license: Option<String>,
    /// The runtimes that it is for.
    pub runtimes: Option<Vec<String>>,
    /// The architectures that it is for.
    pub architectures: Option<Vec<String>>,
}

/// A layer version as a function keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The version.
    pub id: LayerId,
    /// Its files.
    pub code: Code,
}

/// The part of a layer that is left when its versions are gone.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct LayerCounter {
    /// The number of the last version that was published.
    last: u64,
}

impl Functions {
    /// Publishes a layer's next version.
    ///
    /// # Errors
    /// [`Error::Package`], [`Error::StorageFull`], or what failed below.
    pub async fn publish_layer(
        &self,
        name: &LayerName,
        wishes: LayerWishes,
        package: Bytes,
    ) -> Result<LayerVersion, Error> {
        let name = name.clone();
        self.change(|inner| async move { inner.publish_layer(name, wishes, package).await })
            .await
    }

    /// One version of a layer.
    ///
    /// # Errors
    /// [`Error::NoLayer`], or what failed below.
    pub async fn layer(&self, id: &LayerId) -> Result<LayerVersion, Error> {
        Ok(self.inner().layer(id).await?.value)
    }

    /// All versions of a layer, the newest first; none where there is no such layer.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn layer_versions(&self, name: &LayerName) -> Result<Vec<LayerVersion>, Error> {
        let (table, start) = (&self.inner().layer_versions, format!("{name}/"));
        let found = table.scan(&start, None, usize::MAX).await?.into_iter();
        let mut found: Vec<_> = found.map(|(_, kept)| kept.value).collect();
        found.reverse();
        Ok(found)
    }

    /// The newest version of each layer of which one `matches`, by the layers' names.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn layers(
        &self,
        matches: impl Fn(&LayerVersion) -> bool,
    ) -> Result<Vec<LayerVersion>, Error> {
        let all = self.inner().layer_versions.all().await?.into_iter();
        let mut newest: Vec<LayerVersion> = Vec::new();
        for version in all.map(|(_, kept)| kept.value).filter(|v| matches(v)) {
            match newest.last_mut().filter(|last| last.name == version.name) {
                Some(last) => *last = version,
                None => newest.push(version),
            }
        }
        // The keys of versions are in another order, in which "a-b/" is before "a/".
        newest.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(newest)
    }

    /// Deletes a version of a layer, if it is there. Functions that have it keep it.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn delete_layer(&self, id: &LayerId) -> Result<(), Error> {
        let id = id.clone();
        self.change(|inner| async move { inner.delete_layer(&id).await })
            .await
    }

    /// Changes the permissions of a layer version; `expected` is the revision that they must be at, if any.
    ///
    /// # Errors
    /// [`Error::NoLayer`], [`Error::Revision`], those of `change`, or what failed below.
    pub async fn change_layer_policy(
        &self,
        id: &LayerId,
        expected: Option<&str>,
        change: impl Fn(&mut Vec<LayerPermission>) -> Result<(), Error> + Send + 'static,
    ) -> Result<LayerPolicy, Error> {
        let (id, expected) = (id.clone(), expected.map(str::to_owned));
        self.change(|inner| async move { inner.change_layer_policy(&id, expected, change).await })
            .await
    }
}

impl Inner {
    async fn publish_layer(
        &self,
        name: LayerName,
        wishes: LayerWishes,
        package: Bytes,
    ) -> Result<LayerVersion, Error> {
        let code = self.store(package).await?;
        let written = self.write_layer(name, wishes, &code).await;
        self.settle(written, &code).await
    }

    async fn write_layer(
        &self,
        name: LayerName,
        wishes: LayerWishes,
        code: &Code,
    ) -> Result<LayerVersion, Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            let counter = self.layers.get(&name.0).await?;
            let (last, expect) = match &counter {
                Some(found) => (found.value.last, Expect::At(found.version)),
                None => (0, Expect::Absent),
            };
            let wishes = wishes.clone();
            let made = LayerVersion {
                name: name.clone(),
                number: last + 1,
                description: wishes.description,
                license: wishes.license,
                runtimes: wishes.runtimes,
                architectures: wishes.architectures,
                code: code.clone(),
                created: self.env.clock.now(),
                policy: None,
            };
            let counter = LayerCounter { last: made.number };
            let changes = vec![
                self.layers.put(&name.0, &counter, expect),
                self.layer_versions
                    .put(&made.id().key(), &made, Expect::Absent),
            ];
            match self.catalog.commit(changes).await {
                Err(CatalogError::Conflict { .. }) => {}
                written => return Ok(written.map(|_| made)?),
            }
        }
        Err(Error::Revision)
    }

    async fn layer(&self, id: &LayerId) -> Result<Versioned<LayerVersion>, Error> {
        let found = self.layer_versions.get(&id.key()).await?;
        found.ok_or_else(|| Error::NoLayer(id.clone()))
    }

    async fn delete_layer(&self, id: &LayerId) -> Result<(), Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            let Some(found) = self.layer_versions.get(&id.key()).await? else {
                return Ok(());
            };
            // A function that comes to have it meanwhile has written it anew.
            let expect = Expect::At(found.version);
            match self.layer_versions.remove(&id.key(), expect).await {
                Err(CatalogError::Conflict { .. }) => {}
                removed => {
                    removed?;
                    self.forget_unnamed(vec![found.value.code]).await;
                    return Ok(());
                }
            }
        }
        Err(Error::Revision)
    }

    async fn change_layer_policy(
        &self,
        id: &LayerId,
        expected: Option<String>,
        change: impl Fn(&mut Vec<LayerPermission>) -> Result<(), Error>,
    ) -> Result<LayerPolicy, Error> {
        for _ in 0..limits::CONFLICTS_MAX {
            let Versioned { value, version } = self.layer(id).await?;
            let former = value.policy.as_ref();
            let revision = former.map(|policy| policy.revision.as_str());
            if expected.is_some() && expected.as_deref() != revision {
                return Err(Error::Revision);
            }
            let mut permissions = former.map_or(Vec::new(), |policy| policy.permissions.clone());
            change(&mut permissions)?;
            let policy = LayerPolicy {
                revision: self.env.random.uuid(),
                permissions,
            };
            let has_any = !policy.permissions.is_empty();
            let changed = LayerVersion {
                policy: has_any.then(|| policy.clone()),
                ..value
            };
            let expect = Expect::At(version);
            match self.layer_versions.write(&id.key(), &changed, expect).await {
                Err(CatalogError::Conflict { .. }) => {}
                written => return Ok(written.map(|_| policy)?),
            }
        }
        Err(Error::Revision)
    }

    /// The changes that write anew the layer versions that a function comes to have: whoever deletes one meanwhile finds it
    /// changed.
    pub async fn hold_layers(&self, former: &[Layer], now: &[Layer]) -> Result<Vec<Change>, Error> {
        let mut changes = Vec::new();
        for layer in now.iter().filter(|layer| !former.contains(layer)) {
            let found = self.layer(&layer.id).await?;
            if found.value.code != layer.code {
                return Err(Error::NoLayer(layer.id.clone()));
            }
            let (key, expect) = (layer.id.key(), Expect::At(found.version));
            changes.push(self.layer_versions.put(&key, &found.value, expect));
        }
        Ok(changes)
    }

    /// Forgets those of the packages that no record names any more. What cannot be looked up stays until the next start.
    pub async fn forget_unnamed(&self, packages: Vec<Code>) {
        if packages.is_empty() {
            return;
        }
        let named = match self.named_packages().await {
            Ok(named) => named,
            Err(error) => {
                tracing::warn!(%error, "packages that may be of no more use stay until the next start");
                return;
            }
        };
        for code in packages
            .iter()
            .filter(|code| !named.contains(&code.package))
        {
            self.forget_code(code).await;
        }
    }

    /// The packages that records name.
    pub async fn named_packages(&self) -> Result<HashSet<String>, Error> {
        let mut named = HashSet::new();
        for table in [&self.table, &self.versions] {
            for (_, function) in table.all().await? {
                let function = function.value;
                named.extend(
                    function
                        .configuration
                        .layers
                        .into_iter()
                        .map(|l| l.code.package),
                );
                named.insert(function.code.package);
            }
        }
        let layers = self.layer_versions.all().await?.into_iter();
        named.extend(layers.map(|(_, layer)| layer.value.code.package));
        Ok(named)
    }
}

/// Whether a function's code and its layers fit into what AWS has for them.
pub(crate) fn check_size(configuration: &Configuration, code: &Code) -> Result<(), Error> {
    let layers = configuration.layers.iter();
    let size: u64 = layers.map(|layer| layer.code.unpacked).sum::<u64>() + code.unpacked;
    match size > limits::UNPACKED_BYTES_MAX && !configuration.layers.is_empty() {
        true => Err(Error::TooLargeTogether { size }),
        false => Ok(()),
    }
}

impl LayerVersion {
    /// Its name and number.
    pub fn id(&self) -> LayerId {
        LayerId {
            name: self.name.clone(),
            number: self.number,
        }
    }

    /// The version as a function keeps it.
    pub fn used(&self) -> Layer {
        Layer {
            id: self.id(),
            code: self.code.clone(),
        }
    }
}

impl LayerPermission {
    /// About how long it is as AWS writes it.
    fn len(&self) -> usize {
        160 + self.id.len()
            + self.principal.len()
            + self.organization.as_ref().map_or(0, String::len)
    }
}

/// Adds a permission to a policy.
///
/// # Errors
/// [`Error::PermissionExists`] for a name that it has, [`Error::PolicyTooLarge`].
pub fn add_permission(
    permissions: &mut Vec<LayerPermission>,
    permission: LayerPermission,
) -> Result<(), Error> {
    if permissions.iter().any(|known| known.id == permission.id) {
        return Err(Error::PermissionExists(permission.id));
    }
    permissions.push(permission);
    match permissions.iter().map(LayerPermission::len).sum::<usize>() {
        size if size > limits::POLICY_BYTES_MAX => Err(Error::PolicyTooLarge { size }),
        _ => Ok(()),
    }
}

/// Removes a permission from a policy.
///
/// # Errors
/// [`Error::NoPermission`].
pub fn remove_permission(permissions: &mut Vec<LayerPermission>, id: &str) -> Result<(), Error> {
    let before = permissions.len();
    permissions.retain(|known| known.id != id);
    match permissions.len() < before {
        true => Ok(()),
        false => Err(Error::NoPermission(id.to_owned())),
    }
}

impl LayerId {
    /// The name under which it is kept: numbers in their order.
    fn key(&self) -> String {
        format!("{}/{:020}", self.name, self.number)
    }
}

impl Options {
    /// The ARN of a layer.
    pub fn layer_arn(&self, name: &LayerName) -> Arn {
        let resource = format!("layer:{name}");
        Arn::new("lambda", &self.region, &self.account, resource)
    }
}

impl fmt::Display for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.number)
    }
}

impl Serialize for LayerId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LayerId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for LayerId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let parsed = text.rsplit_once(':').and_then(|(name, number)| {
            let name = name.parse().ok()?;
            let number = number.parse().ok()?;
            Some(Self { name, number })
        });
        parsed.ok_or_else(|| Invalid::new("layer version", text))
    }
}

impl fmt::Display for LayerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for LayerName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        match (1..=140).contains(&text.len()) && text.bytes().all(allowed) {
            true => Ok(Self(text.to_owned())),
            false => Err(Invalid::new("layer name", text)),
        }
    }
}

impl TryFrom<String> for LayerName {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<LayerName> for String {
    fn from(name: LayerName) -> String {
        name.0
    }
}
