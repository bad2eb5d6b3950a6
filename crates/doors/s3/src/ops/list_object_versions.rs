//! ListObjectVersions.

use headwater_objects::{BucketName, ObjectError, VersionInfo, VersionQuery};
use headwater_shapes_s3::{
    DeleteMarkerEntry, ListObjectVersionsOutput, ListObjectVersionsRequest, ObjectVersion, Owner,
    ops::ListObjectVersions,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    errors::{api, argument, coverage_name, quoted},
    limits::MAX_KEYS,
    listing::{self, Encoding},
    settings,
    storage_class::listed,
    times::timestamp,
};

const READ: [&str; 6] = [
    "delimiter",
    "encoding-type",
    "key-marker",
    "max-keys",
    "prefix",
    "version-id-marker",
];

impl Handle<ListObjectVersions> for S3 {
    async fn handle(
        &self,
        input: ListObjectVersionsRequest,
        context: &Context,
    ) -> Result<ListObjectVersionsOutput, ApiError> {
        settings::check(&input, &READ, context)?;
        let encoding = Encoding::asked(input.encoding_type.as_deref())?;
        let (query, max_keys) = question(&input)?;
        let found = self.store.list_versions(&query).await;
        let found = found.map_err(|error| match error {
            ObjectError::InvalidVersion(id) => invalid_marker(&id),
            error => api(error),
        })?;
        let owner = listing::owner(context);
        let (mut versions, mut markers) = (Vec::new(), Vec::new());
        for version in found.versions {
            if version.object.is_some() {
                versions.push(object_version(version, encoding, &owner));
            } else {
                markers.push(delete_marker(version, encoding, &owner));
            }
        }
        let is_truncated = found.next.is_some();
        let (next_key, next_version) = found.next.unzip();
        Ok(ListObjectVersionsOutput {
            name: Some(input.bucket),
            prefix: Some(encoding.text(&query.prefix)),
            delimiter: query.delimiter.as_deref().map(|text| encoding.text(text)),
            key_marker: Some(encoding.text(&input.key_marker.unwrap_or_default())),
            version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
            max_keys: Some(max_keys),
            is_truncated: Some(is_truncated),
            next_key_marker: next_key.map(|key| encoding.text(&key)),
            next_version_id_marker: next_version.flatten(),
            versions: (!versions.is_empty()).then_some(versions),
            delete_markers: (!markers.is_empty()).then_some(markers),
            common_prefixes: encoding.prefixes(&found.prefixes),
            encoding_type: encoding.name(),
            ..Default::default()
        })
    }
}

/// The page to ask the store for, and the limit to answer with.
fn question(input: &ListObjectVersionsRequest) -> Result<(VersionQuery, i32), ApiError> {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let after = match (filled(&input.key_marker), &input.version_id_marker) {
        (None, Some(version)) => {
            return Err(argument(
                "A version-id marker cannot be specified without a key marker.",
                "version-id-marker",
                version,
            ));
        }
        (Some(_), Some(version)) if version.is_empty() => return Err(invalid_marker(version)),
        (key, version) => key.map(|key| (key, version.clone())),
    };
    let max_keys = listing::limit(input.max_keys, MAX_KEYS, "max-keys")?;
    let query = VersionQuery {
        bucket: BucketName::parse(&input.bucket).map_err(api)?,
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: filled(&input.delimiter),
        after,
        limit: max_keys as usize,
    };
    Ok((query, max_keys))
}

fn invalid_marker(id: &str) -> ApiError {
    argument("Invalid version id specified", "version-id-marker", id)
}

fn object_version(version: VersionInfo, encoding: Encoding, owner: &Owner) -> ObjectVersion {
    let object = version.object.unwrap_or_default();
    let checksum = object.checksum.as_ref();
    ObjectVersion {
        key: Some(encoding.text(&version.key)),
        version_id: Some(version.id),
        is_latest: Some(version.is_latest),
        last_modified: Some(timestamp(version.modified)),
        e_tag: Some(quoted(&object.etag)),
        checksum_algorithm: checksum.map(|c| vec![c.algorithm.name().to_owned()]),
        checksum_type: checksum.map(|c| coverage_name(c.coverage).to_owned()),
        size: i64::try_from(object.size).ok(),
        storage_class: listed(object.attributes.storage_class.as_ref()),
        owner: Some(owner.clone()),
        restore_status: None,
    }
}

fn delete_marker(version: VersionInfo, encoding: Encoding, owner: &Owner) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        key: Some(encoding.text(&version.key)),
        version_id: Some(version.id),
        is_latest: Some(version.is_latest),
        last_modified: Some(timestamp(version.modified)),
        owner: Some(owner.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    fn list() -> ListObjectVersionsRequest {
        ListObjectVersionsRequest {
            bucket: "bucket".into(),
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn objects_and_markers_come_in_pages() {
        let world = World::with_object("a b", "x").await;
        let plain = call::<ListObjectVersions>(&world.s3, list()).await.unwrap();
        let [only] = &plain.versions.unwrap()[..] else {
            panic!("there is one object")
        };
        assert_eq!(only.version_id.as_deref(), Some("null"));
        assert_eq!((only.is_latest, only.size), (Some(true), Some(1)));

        world.enable_versions().await;
        world.put("a b", "xy").await;
        world.delete("a b").await;
        let mut input = ListObjectVersionsRequest {
            max_keys: Some(1),
            encoding_type: Some("url".into()),
            ..list()
        };
        let mut seen = Vec::new();
        loop {
            let page = call::<ListObjectVersions>(&world.s3, input.clone()).await;
            let page = page.unwrap();
            seen.extend(page.delete_markers.iter().flatten().map(|m| m.is_latest));
            seen.extend(page.versions.iter().flatten().map(|v| v.is_latest));
            assert_eq!(page.next_key_marker.is_some(), page.is_truncated.unwrap());
            input.key_marker = page.next_key_marker.map(|_| "a b".into());
            input.version_id_marker = page.next_version_id_marker;
            if input.key_marker.is_none() {
                break;
            }
        }
        assert_eq!(seen, [Some(true), Some(false), Some(false)]);
    }

    #[tokio::test]
    async fn markers_are_checked() {
        let world = World::new().await;
        for (key, version, message) in [
            (
                None,
                "null",
                "A version-id marker cannot be specified without a key marker.",
            ),
            (Some("k"), "", "Invalid version id specified"),
            (Some("k"), "x", "Invalid version id specified"),
        ] {
            let input = ListObjectVersionsRequest {
                key_marker: key.map(str::to_owned),
                version_id_marker: Some(version.into()),
                ..list()
            };
            let refused = call::<ListObjectVersions>(&world.s3, input).await;
            let refused = refused.unwrap_err();
            assert_eq!(
                (refused.code(), refused.message()),
                ("InvalidArgument", message)
            );
            assert_eq!(refused.fields()["ArgumentName"], "version-id-marker");
        }
    }
}
