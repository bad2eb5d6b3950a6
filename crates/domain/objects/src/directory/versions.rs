//! Versions of keys: their ids, which is the latest, and what becomes of the others.
//!
//! The latest version of a key has its row where an object without versions has it, or, where it is a delete marker,
//! among the markers; all others have theirs among the earlier ones. Every change that adds a version, or removes the
//! latest, is made for the rows of the latest as it found them, so that of two at once the second is tried again.

use base64::{
    Engine,
    alphabet::Alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD},
};
use headwater_catalog::{CatalogError, Change, Expect, Versioned};
use headwater_env::Random;
use headwater_types::Millis;

use super::{
    Store,
    records::{
        BucketRecord, Data, EarlierRecord, MarkerRecord, ObjectRecord, Place, Version, object_row,
        version_row, version_rows,
    },
};
use crate::{
    Deleted, NULL_VERSION, ObjectError, ObjectName, Versioning, WriteCondition, blob::BlobId,
    limits::COMMIT_ATTEMPTS,
};

/// The characters that AWS's ids have, in 32 of which 24 bytes fit.
const ID_CHARACTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";

fn id_text() -> GeneralPurpose {
    let alphabet = Alphabet::new(ID_CHARACTERS).expect("these are 64 characters");
    GeneralPurpose::new(&alphabet, NO_PAD)
}

/// The id of the version at `order`: the order (8 bytes), chance (12) and the CRC-32C of both, so that an id that was
/// made up is told from one whose version is gone.
fn new_id(order: u64, random: &dyn Random) -> String {
    let mut id = [0; 24];
    id[..8].copy_from_slice(&order.to_be_bytes());
    random.fill(&mut id[8..20]);
    let check = check(&id[..20]);
    id[20..].copy_from_slice(&check);
    id_text().encode(id)
}

/// The order in the id of a version.
pub fn order_of(id: &str) -> Result<u64, ObjectError> {
    let bytes = id_text().decode(id).ok();
    bytes
        .filter(|bytes| bytes.len() == 24 && check(&bytes[..20]) == bytes[20..])
        .and_then(|bytes| Some(u64::from_be_bytes(bytes[..8].try_into().ok()?)))
        .ok_or_else(|| ObjectError::InvalidVersion(id.to_owned()))
}

fn check(bytes: &[u8]) -> [u8; 4] {
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes);
    (crc as u32).to_be_bytes()
}

/// The order of a version that is written at `time`, where no earlier one has a higher: there is room for 4,096 versions
/// of a key within a millisecond before they run ahead of the clock.
pub fn order_at(time: Millis) -> u64 {
    time.0 << 12
}

/// The latest version of a key, as the catalog has it: at most one of the two.
pub struct Latest {
    object: Option<Versioned<ObjectRecord>>,
    marker: Option<Versioned<MarkerRecord>>,
}

impl Latest {
    pub fn of_object(found: Versioned<ObjectRecord>) -> Self {
        Self {
            object: Some(found),
            marker: None,
        }
    }

    pub fn of_marker(found: Versioned<MarkerRecord>) -> Self {
        Self {
            object: None,
            marker: Some(found),
        }
    }

    pub fn version(&self) -> Option<Version> {
        let object = self.object.as_ref();
        let marker = self.marker.as_ref();
        object
            .map(|found| Version::Object(Box::new(found.value.clone())))
            .or(marker.map(|found| Version::Marker(found.value.clone())))
    }

    /// The revisions of the two.
    fn at(
        &self,
    ) -> (
        Option<headwater_catalog::Version>,
        Option<headwater_catalog::Version>,
    ) {
        let object = self.object.as_ref().map(|found| found.version);
        (object, self.marker.as_ref().map(|found| found.version))
    }

    fn etag(&self) -> Option<&str> {
        self.object.as_ref().map(|found| found.value.etag.as_str())
    }
}

/// An object that was found, and where it stands in the catalog.
pub struct Found {
    pub record: ObjectRecord,
    at: headwater_catalog::Version,
    /// Its row and since when it is not the latest, where it is not.
    earlier: Option<(String, Millis)>,
}

/// A commit that is being put together.
#[derive(Default)]
pub struct Edit {
    pub changes: Vec<Change>,
    /// Data that nothing names after it, and the blobs of the data.
    freed: Vec<(String, Vec<BlobId>)>,
}

impl Store {
    /// The latest version of a key of a bucket with this `versioning`.
    pub(super) async fn latest(
        &self,
        name: &ObjectName,
        versioning: Option<Versioning>,
    ) -> Result<Latest, ObjectError> {
        let row = object_row(name);
        let object = self.tables.objects.get(&row).await?;
        let marker = match versioning {
            Some(_) if object.is_none() => self.tables.markers.get(&row).await?,
            _ => None,
        };
        Ok(Latest { object, marker })
    }

    /// The object `name`, or the version of it with the id `version`, which must be there.
    pub(super) async fn find(
        &self,
        name: &ObjectName,
        version: Option<&str>,
        versioning: Option<Versioning>,
    ) -> Result<Found, ObjectError> {
        match (version, versioning) {
            (Some(id), Some(_)) => return self.find_version(name, id, versioning).await,
            (Some(id), None) if id != NULL_VERSION => {
                return Err(ObjectError::InvalidVersion(id.to_owned()));
            }
            _ => {}
        }
        let key = || name.key().to_owned();
        match self.latest(name, versioning).await? {
            // Versions were enabled since the bucket was looked at, and the one that is asked for is not the latest.
            Latest {
                object: Some(found),
                ..
            } if let Some(id) = version.filter(|_| found.value.id().is_some()) => {
                self.find_version(name, id, Some(Versioning::Enabled)).await
            }
            Latest {
                object: Some(found),
                ..
            } => Ok(Found::latest(found)),
            Latest {
                marker: Some(found),
                ..
            } => Err(ObjectError::Deleted {
                key: key(),
                version: found.value.name().to_owned(),
            }),
            Latest { .. } => Err(ObjectError::NoSuchKey(key())),
        }
    }

    /// The version of a key with the id `id`.
    async fn find_version(
        &self,
        name: &ObjectName,
        id: &str,
        versioning: Option<Versioning>,
    ) -> Result<Found, ObjectError> {
        let mut seen = None;
        for _ in 0..COMMIT_ATTEMPTS {
            let latest = self.latest(name, versioning).await?;
            let at = latest.at();
            match latest {
                Latest {
                    object: Some(found),
                    ..
                } if found.value.id().unwrap_or(NULL_VERSION) == id => {
                    return Ok(Found::latest(found));
                }
                Latest {
                    marker: Some(found),
                    ..
                } if found.value.name() == id => return Err(found.value.refusal()),
                Latest { .. } => {}
            }
            if let Some((row, found)) = self.earlier(name, id).await? {
                return Found::earlier(row, found);
            }
            // A version that became the latest, or is it no more, between the two reads is found by the next ones.
            if seen == Some(at) {
                return Err(ObjectError::NoSuchVersion {
                    key: name.key().to_owned(),
                    version: id.to_owned(),
                });
            }
            seen = Some(at);
        }
        Err(ObjectError::Busy)
    }

    /// The version of a key with the id `id`, where it is not the latest, with its row.
    async fn earlier(
        &self,
        name: &ObjectName,
        id: &str,
    ) -> Result<Option<(String, Versioned<EarlierRecord>)>, ObjectError> {
        let order = if id == NULL_VERSION {
            let found = self.tables.nulls.get(&object_row(name)).await?;
            match found {
                Some(found) => found.value,
                None => return Ok(None),
            }
        } else {
            order_of(id)?
        };
        let row = version_row(name, order);
        let found = self.tables.versions.get(&row).await?;
        let found = found.filter(|found| found.value.version.name() == id);
        Ok(found.map(|found| (row, found)))
    }

    /// The order of the version with the id `id`; none where it cannot be told, because it is the null version and gone.
    pub(super) async fn order(
        &self,
        name: &ObjectName,
        id: &str,
        versioning: Option<Versioning>,
    ) -> Result<Option<u64>, ObjectError> {
        if id != NULL_VERSION {
            return order_of(id).map(Some);
        }
        let latest = self.latest(name, versioning).await?.version();
        if let Some(latest) = latest.filter(|latest| latest.id().is_none()) {
            return Ok(Some(latest.order()));
        }
        let found = self.tables.nulls.get(&object_row(name)).await?;
        Ok(found.map(|found| found.value))
    }

    /// In one commit with the changes `with`: puts `new`, or a delete marker, before all versions of `name`. What it
    /// takes the place of, because neither has an id, is removed. The id of the new version, where the bucket ever kept
    /// versions, and the bucket. The caller holds `membership`.
    pub(super) async fn push(
        &self,
        name: &ObjectName,
        new: Option<&ObjectRecord>,
        with: &[Change],
        condition: &WriteCondition,
    ) -> Result<(Option<String>, BucketRecord), ObjectError> {
        let bucket = self.bucket_record(name.bucket()).await?.value;
        let versioning = bucket.versioning;
        let _moving = self.moving(versioning).await;
        for _ in 0..COMMIT_ATTEMPTS {
            let latest = self.latest(name, versioning).await?;
            condition.check(name.key(), latest.etag())?;
            let edit = Edit {
                changes: with.to_vec(),
                freed: Vec::new(),
            };
            let put = self.put_before(name, &latest, new, edit, versioning);
            if let Some(new) = put.await? {
                return Ok((versioning.map(|_| new.name()), bucket));
            }
        }
        Err(ObjectError::Busy)
    }

    /// The same before `latest`; none where that is the latest version no more. The caller holds `membership` and
    /// `moving`.
    pub(super) async fn put_before(
        &self,
        name: &ObjectName,
        latest: &Latest,
        new: Option<&ObjectRecord>,
        mut edit: Edit,
        versioning: Option<Versioning>,
    ) -> Result<Option<Version>, ObjectError> {
        let old = latest.version();
        let new = self.placed(new, old.as_ref(), versioning);
        if let Some(old) = old {
            self.make_way(name, old, &new, &mut edit).await?;
        }
        self.set_latest(name, latest, Some(&new), versioning, &mut edit);
        Ok(self.commit(edit).await?.then_some(new))
    }

    /// `new`, or a delete marker, with its place after `old`.
    fn placed(
        &self,
        new: Option<&ObjectRecord>,
        old: Option<&Version>,
        versioning: Option<Versioning>,
    ) -> Version {
        let now = self.env.clock.now();
        let next = old.map_or(0, |old| old.order().saturating_add(1));
        let order = order_at(now).max(next);
        let id =
            (versioning == Some(Versioning::Enabled)).then(|| new_id(order, &*self.env.random));
        let place = Place { order, id };
        match new {
            Some(object) => Version::Object(Box::new(ObjectRecord {
                place: versioning.map(|_| place),
                ..object.clone()
            })),
            None => Version::Marker(MarkerRecord {
                modified: now,
                place,
            }),
        }
    }

    /// Adds the changes by which `old`, the latest version until now, stands behind `new` or is replaced by it.
    async fn make_way(
        &self,
        name: &ObjectName,
        old: Version,
        new: &Version,
        edit: &mut Edit,
    ) -> Result<(), ObjectError> {
        let row = object_row(name);
        match (old.id().is_none(), new.id().is_none()) {
            (true, true) => return self.forget(old.object().map(|old| &old.data), edit).await,
            (true, false) => {
                let noted = self.tables.nulls.put(&row, &old.order(), Expect::Absent);
                edit.changes.push(noted);
            }
            (false, true) => {
                if let Some((row, found)) = self.earlier(name, NULL_VERSION).await? {
                    self.remove_earlier(name, &row, &found, edit).await?;
                }
            }
            (false, false) => {}
        }
        let row = version_row(name, old.order());
        let old = EarlierRecord {
            since: self.env.clock.now(),
            version: old,
        };
        edit.changes
            .push(self.tables.versions.put(&row, &old, Expect::Absent));
        Ok(())
    }

    /// Adds the changes that make `new` the latest version where `latest` was it; without `new` there is none.
    fn set_latest(
        &self,
        name: &ObjectName,
        latest: &Latest,
        new: Option<&Version>,
        versioning: Option<Versioning>,
        edit: &mut Edit,
    ) {
        let row = object_row(name);
        let (object, marker) = latest.at();
        let expect = |at: Option<_>| at.map_or(Expect::Absent, Expect::At);
        let (objects, markers) = (&self.tables.objects, &self.tables.markers);
        edit.changes.push(match (new, object) {
            (Some(Version::Object(new)), at) => objects.put(&row, new, expect(at)),
            (_, Some(at)) => objects.delete(&row, Expect::At(at)),
            (_, None) => objects.check(&row, Expect::Absent),
        });
        if versioning.is_some() {
            edit.changes.push(match (new, marker) {
                (Some(Version::Marker(new)), at) => markers.put(&row, new, expect(at)),
                (_, Some(at)) => markers.delete(&row, Expect::At(at)),
                (_, None) => markers.check(&row, Expect::Absent),
            });
        }
    }

    /// Adds changes that write nothing and fail where `latest` is the latest version no more.
    fn hold_latest(
        &self,
        name: &ObjectName,
        latest: &Latest,
        versioning: Option<Versioning>,
        edit: &mut Edit,
    ) {
        if versioning.is_some() {
            let row = object_row(name);
            let expect = |at: Option<_>| at.map_or(Expect::Absent, Expect::At);
            let (object, marker) = latest.at();
            edit.changes.extend([
                self.tables.objects.check(&row, expect(object)),
                self.tables.markers.check(&row, expect(marker)),
            ]);
        }
    }

    /// Removes the version `id` of `name` and makes the one before it the latest, where it was that; nothing where it is
    /// not there. The caller holds `membership`.
    pub(super) async fn remove_version(
        &self,
        name: &ObjectName,
        id: &str,
        versioning: Option<Versioning>,
        condition: &WriteCondition,
    ) -> Result<Deleted, ObjectError> {
        let _moving = self.moving(versioning).await;
        for _ in 0..COMMIT_ATTEMPTS {
            let mut edit = Edit::default();
            let removed = self
                .removal(name, id, versioning, condition, &mut edit)
                .await?;
            if edit.changes.is_empty() || self.commit(edit).await? {
                return Ok(Deleted {
                    version: versioning.map(|_| id.to_owned()),
                    is_marker: matches!(removed, Some(Version::Marker(_))),
                });
            }
        }
        Err(ObjectError::Busy)
    }

    /// Adds the changes that remove a version; the version, where it is there.
    async fn removal(
        &self,
        name: &ObjectName,
        id: &str,
        versioning: Option<Versioning>,
        condition: &WriteCondition,
        edit: &mut Edit,
    ) -> Result<Option<Version>, ObjectError> {
        let etag = |version: Option<&Version>| {
            let object = version.and_then(Version::object);
            object.map(|object| object.etag.clone())
        };
        let latest = self.latest(name, versioning).await?;
        let version = latest.version().filter(|latest| latest.name() == id);
        if let Some(version) = version {
            condition.check(name.key(), etag(Some(&version)).as_deref())?;
            self.remove_latest(name, &latest, versioning, edit).await?;
            return Ok(Some(version));
        }
        let found = match versioning {
            Some(_) => self.earlier(name, id).await?,
            None => None,
        };
        let version = found.as_ref().map(|(_, found)| &found.value.version);
        condition.check(name.key(), etag(version).as_deref())?;
        let Some((row, found)) = found else {
            // It may have become the latest since that was looked at.
            self.hold_latest(name, &latest, versioning, edit);
            return Ok(None);
        };
        self.remove_earlier(name, &row, &found, edit).await?;
        Ok(Some(found.value.version))
    }

    /// Adds the changes that remove the latest version and make the one behind it the latest.
    pub(super) async fn remove_latest(
        &self,
        name: &ObjectName,
        latest: &Latest,
        versioning: Option<Versioning>,
        edit: &mut Edit,
    ) -> Result<(), ObjectError> {
        let next = self.take_next(name, versioning, edit).await?;
        self.set_latest(name, latest, next.as_ref(), versioning, edit);
        let data = latest.object.as_ref().map(|found| &found.value.data);
        self.forget(data, edit).await
    }

    /// Whether a key has versions besides the latest.
    pub(super) async fn has_earlier(&self, name: &ObjectName) -> Result<bool, ObjectError> {
        let rows = version_rows(name);
        let found = self.tables.versions.scan(&rows, None, 1).await?;
        Ok(!found.is_empty())
    }

    /// Takes the version behind the latest out of the earlier ones.
    async fn take_next(
        &self,
        name: &ObjectName,
        versioning: Option<Versioning>,
        edit: &mut Edit,
    ) -> Result<Option<Version>, ObjectError> {
        if versioning.is_none() {
            return Ok(None);
        }
        let rows = version_rows(name);
        let Some((row, next)) = self.tables.versions.scan(&rows, None, 1).await?.pop() else {
            return Ok(None);
        };
        let taken = self.tables.versions.delete(&row, Expect::At(next.version));
        edit.changes.push(taken);
        let next = next.value.version;
        if next.id().is_none() {
            let unnoted = self.tables.nulls.delete(&object_row(name), Expect::Present);
            edit.changes.push(unnoted);
        }
        Ok(Some(next))
    }

    /// Adds the changes that remove a version that is not the latest, in `row`.
    pub(super) async fn remove_earlier(
        &self,
        name: &ObjectName,
        row: &str,
        found: &Versioned<EarlierRecord>,
        edit: &mut Edit,
    ) -> Result<(), ObjectError> {
        let version = &found.value.version;
        let removed = self.tables.versions.delete(row, Expect::At(found.version));
        edit.changes.push(removed);
        if version.id().is_none() {
            let unnoted = self.tables.nulls.delete(&object_row(name), Expect::Present);
            edit.changes.push(unnoted);
        }
        self.forget(version.object().map(|object| &object.data), edit)
            .await
    }

    /// Writes the record of an object that was found; whether it was still as it was found.
    pub(super) async fn rewrite(
        &self,
        name: &ObjectName,
        found: Found,
    ) -> Result<bool, ObjectError> {
        let Found {
            record,
            at,
            earlier,
        } = found;
        let change = match earlier {
            None => {
                let objects = &self.tables.objects;
                objects.put(&object_row(name), &record, Expect::At(at))
            }
            Some((row, since)) => {
                let version = Version::Object(Box::new(record));
                let record = EarlierRecord { since, version };
                self.tables.versions.put(&row, &record, Expect::At(at))
            }
        };
        let edit = Edit {
            changes: vec![change],
            freed: Vec::new(),
        };
        self.commit(edit).await
    }

    /// Adds the changes that take `data` out of the catalog.
    async fn forget(&self, data: Option<&Data>, edit: &mut Edit) -> Result<(), ObjectError> {
        let Some(data) = data else { return Ok(()) };
        let blobs = match data {
            Data::Blob(blob) => vec![*blob],
            Data::Parts { upload, .. } => {
                let manifest = self.tables.manifests.delete(upload, Expect::Any);
                edit.changes.push(manifest);
                let extents = self.extents(data, 0).await?;
                extents.into_iter().map(|extent| extent.blob).collect()
            }
        };
        let forgotten = blobs.iter().map(|blob| self.tables.forget_blob(*blob));
        edit.changes.extend(forgotten);
        edit.freed.push((data.name(), blobs));
        Ok(())
    }

    /// Makes the changes and removes the data that nothing names any more; `false` where something was not as expected.
    pub(super) async fn commit(&self, edit: Edit) -> Result<bool, ObjectError> {
        match self.tables.catalog.commit(edit.changes).await {
            Err(CatalogError::Conflict { .. }) => return Ok(false),
            committed => committed?,
        };
        for (data, blobs) in edit.freed {
            self.pins.retire(&data, blobs).await;
        }
        Ok(true)
    }
}

impl Found {
    fn latest(found: Versioned<ObjectRecord>) -> Self {
        Self {
            record: found.value,
            at: found.version,
            earlier: None,
        }
    }

    fn earlier(row: String, found: Versioned<EarlierRecord>) -> Result<Self, ObjectError> {
        let EarlierRecord { since, version } = found.value;
        match version {
            Version::Marker(marker) => Err(marker.refusal()),
            Version::Object(record) => Ok(Self {
                record: *record,
                at: found.version,
                earlier: Some((row, since)),
            }),
        }
    }
}

impl MarkerRecord {
    /// Its version's id, as others see it.
    fn name(&self) -> &str {
        self.place.id.as_deref().unwrap_or(NULL_VERSION)
    }

    /// The error of a request for what it does not have.
    fn refusal(&self) -> ObjectError {
        ObjectError::DeleteMarker {
            version: self.name().to_owned(),
            modified: self.modified,
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_env::SeededRandom;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_keeps_its_order_and_one_that_was_changed_is_none(order: u64, at in 0..32usize) {
            let id = new_id(order, &SeededRandom::new(1));
            prop_assert_eq!(id.len(), 32);
            prop_assert!(id.bytes().all(|b| ID_CHARACTERS.as_bytes().contains(&b)));
            prop_assert_eq!(order_of(&id).unwrap(), order);
            let mut other = id.into_bytes();
            other[at] = if other[at] == b'x' { b'y' } else { b'x' };
            prop_assert!(order_of(std::str::from_utf8(&other).unwrap()).is_err());
        }

        #[test]
        fn arbitrary_ids_never_panic(text in ".*") {
            let _ = order_of(&text);
        }
    }
}
