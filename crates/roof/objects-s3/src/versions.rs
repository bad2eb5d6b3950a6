//! Versions of objects.

use headwater_objects::{
    BucketName, Get, NULL_VERSION, ObjectError, ObjectInfo, VersionInfo, VersionListing,
    VersionQuery, Versioning, limits::PAGE_MAX,
};
use headwater_shapes_s3::{
    DeleteMarkerEntry, GetBucketVersioningRequest, ListObjectVersionsRequest, ObjectVersion,
    PutBucketVersioningRequest, VersioningConfiguration, ops,
};

use crate::{S3Store, answers, errors::About};

impl S3Store {
    pub(crate) async fn versioning(
        &self,
        bucket: &BucketName,
    ) -> Result<Option<Versioning>, ObjectError> {
        let input = GetBucketVersioningRequest {
            bucket: bucket.to_string(),
            ..Default::default()
        };
        let output = self.client.call::<ops::GetBucketVersioning>(input).await;
        let output = output.map_err(|error| About::bucket(bucket).error(error))?;
        Ok(match output.status.as_deref() {
            Some("Enabled") => Some(Versioning::Enabled),
            Some("Suspended") => Some(Versioning::Suspended),
            _ => None,
        })
    }

    pub(crate) async fn set_versioning(
        &self,
        bucket: &BucketName,
        versioning: Versioning,
    ) -> Result<(), ObjectError> {
        let status = match versioning {
            Versioning::Enabled => "Enabled",
            Versioning::Suspended => "Suspended",
        };
        let input = PutBucketVersioningRequest {
            bucket: bucket.to_string(),
            versioning_configuration: VersioningConfiguration {
                status: Some(status.to_owned()),
                mfa_delete: None,
            },
            ..Default::default()
        };
        let set = self.client.call::<ops::PutBucketVersioning>(input).await;
        set.map(drop)
            .map_err(|error| About::bucket(bucket).error(error))
    }

    pub(crate) async fn list_versions(
        &self,
        query: &VersionQuery,
    ) -> Result<VersionListing, ObjectError> {
        let (key_marker, version_id_marker) = query.after.clone().unzip();
        let marker = version_id_marker.flatten();
        let input = ListObjectVersionsRequest {
            bucket: query.bucket.to_string(),
            prefix: Some(query.prefix.clone()),
            delimiter: query.delimiter.clone(),
            key_marker,
            version_id_marker: marker.clone(),
            max_keys: i32::try_from(query.limit).ok(),
            encoding_type: Some("url".to_owned()),
            ..Default::default()
        };
        let output = self.client.call::<ops::ListObjectVersions>(input).await;
        let about = About {
            version: marker.as_deref(),
            ..About::bucket(&query.bucket)
        };
        let output = output.map_err(|error| about.error(error))?;
        let objects = output.versions.unwrap_or_default().into_iter().map(object);
        let markers = output.delete_markers.unwrap_or_default();
        let versions = merged(
            objects.collect::<Result<_, _>>()?,
            markers
                .into_iter()
                .map(delete_marker)
                .collect::<Result<_, _>>()?,
        );
        let prefixes = output.common_prefixes.unwrap_or_default().into_iter();
        let prefixes = prefixes
            .filter_map(|found| found.prefix)
            .map(|prefix| answers::unescaped(&prefix))
            .collect::<Result<_, _>>()?;
        let next = output
            .next_key_marker
            .filter(|_| output.is_truncated == Some(true));
        let next_version = output.next_version_id_marker.filter(|id| !id.is_empty());
        let next = next.map(|key| Ok::<_, ObjectError>((answers::unescaped(&key)?, next_version)));
        Ok(VersionListing {
            versions,
            prefixes,
            next: next.transpose()?,
        })
    }

    /// Why an object or a version of it is not there that is no delete marker which was named.
    pub(crate) async fn gone(&self, get: &Get) -> ObjectError {
        match &get.version {
            None => self.missing(get).await,
            Some(version) if version == NULL_VERSION => {
                ObjectError::NoSuchKey(get.name.key().to_owned())
            }
            Some(version) => ObjectError::NoSuchVersion {
                key: get.name.key().to_owned(),
                version: version.clone(),
            },
        }
    }

    /// Why an object or a version of it cannot be read that is not there: S3 tells of delete markers in headers that get
    /// lost on the way, so the key's versions are looked through.
    pub(crate) async fn missing(&self, get: &Get) -> ObjectError {
        let key = get.name.key();
        let mut query = VersionQuery {
            bucket: get.name.bucket().clone(),
            prefix: key.to_owned(),
            delimiter: None,
            after: None,
            limit: if get.version.is_some() { PAGE_MAX } else { 1 },
        };
        loop {
            // Who may read an object may be not allowed to list versions.
            let page = self.list_versions(&query).await.unwrap_or_default();
            let is_last = page.versions.last().is_none_or(|last| last.key != key);
            let mut markers = page.versions.into_iter();
            let is_wanted = |version: &VersionInfo| match &get.version {
                Some(id) => version.id == *id,
                None => version.is_latest,
            };
            let found = markers.find(|v| v.key == key && v.object.is_none() && is_wanted(v));
            match (found, &get.version) {
                (Some(marker), Some(version)) => {
                    return ObjectError::DeleteMarker {
                        version: version.clone(),
                        modified: marker.modified,
                    };
                }
                (Some(marker), None) => {
                    return ObjectError::Deleted {
                        key: key.to_owned(),
                        version: marker.id,
                    };
                }
                (None, Some(_)) if !is_last && page.next.is_some() => query.after = page.next,
                (None, Some(version)) if version != NULL_VERSION => {
                    return ObjectError::NoSuchVersion {
                        key: key.to_owned(),
                        version: version.clone(),
                    };
                }
                (None, _) => return ObjectError::NoSuchKey(key.to_owned()),
            }
        }
    }
}

/// Objects and delete markers, each by key and the newest first, as one list. S3 sends them mixed, which their shape does
/// not keep; the latest version of a key comes first, and the others by their times.
fn merged(objects: Vec<VersionInfo>, markers: Vec<VersionInfo>) -> Vec<VersionInfo> {
    let (mut objects, mut markers) = (
        objects.into_iter().peekable(),
        markers.into_iter().peekable(),
    );
    let mut all = Vec::with_capacity(objects.len() + markers.len());
    loop {
        let marker_is_next = match (objects.peek(), markers.peek()) {
            (Some(object), Some(marker)) => {
                let rank = |v: &VersionInfo| (!v.is_latest, std::cmp::Reverse(v.modified));
                (&marker.key, rank(marker)) < (&object.key, rank(object))
            }
            (None, Some(_)) => true,
            (_, None) => false,
        };
        let next = if marker_is_next {
            markers.next()
        } else {
            objects.next()
        };
        match next {
            Some(version) => all.push(version),
            None => return all,
        }
    }
}

fn object(version: ObjectVersion) -> Result<VersionInfo, ObjectError> {
    let key = answers::unescaped(version.key.as_deref().unwrap_or_default())?;
    let id = version.version_id.unwrap_or_default();
    let etag = answers::etag(&version.e_tag);
    let object = ObjectInfo {
        key: key.clone(),
        size: answers::size(version.size),
        parts: answers::parts(&etag),
        etag,
        modified: answers::millis(version.last_modified),
        version: Some(id.clone()),
        ..Default::default()
    };
    Ok(VersionInfo {
        key,
        id,
        modified: object.modified,
        is_latest: version.is_latest == Some(true),
        object: Some(object),
    })
}

fn delete_marker(marker: DeleteMarkerEntry) -> Result<VersionInfo, ObjectError> {
    Ok(VersionInfo {
        key: answers::unescaped(marker.key.as_deref().unwrap_or_default())?,
        id: marker.version_id.unwrap_or_default(),
        modified: answers::millis(marker.last_modified),
        is_latest: marker.is_latest == Some(true),
        object: None,
    })
}
