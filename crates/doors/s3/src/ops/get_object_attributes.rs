//! GetObjectAttributes.

use headwater_objects::{Checksum as Kept, Coverage, Get, ObjectName, ObjectPart as Stored};
use headwater_shapes_s3::{
    Checksum, GetObjectAttributesOutput, GetObjectAttributesParts, GetObjectAttributesRequest,
    ObjectPart, ops::GetObjectAttributes,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3, checksums,
    errors::{api, argument, coverage_name},
    limits::MAX_PARTS,
    listing, settings, storage_class,
    times::timestamp,
};

const READ: [&str; 4] = [
    "versionId",
    "x-amz-object-attributes",
    "x-amz-max-parts",
    "x-amz-part-number-marker",
];
const ATTRIBUTES: [&str; 5] = [
    "ETag",
    "Checksum",
    "ObjectParts",
    "StorageClass",
    "ObjectSize",
];

impl Handle<GetObjectAttributes> for S3 {
    async fn handle(
        &self,
        input: GetObjectAttributesRequest,
        context: &Context,
    ) -> Result<GetObjectAttributesOutput, ApiError> {
        settings::check(&input, &READ, context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        let asked = &input.object_attributes;
        if let Some(other) = asked
            .iter()
            .find(|name| !ATTRIBUTES.contains(&name.as_str()))
        {
            let text = "Invalid attribute name specified.";
            return Err(argument(text, "x-amz-object-attributes", other));
        }
        let asks = |name: &str| asked.iter().any(|asked| asked == name);
        let get = Get {
            version: input.version_id.clone(),
            ..Get::new(name)
        };
        let (object, parts) = self.store.parts(&get).await.map_err(api)?;
        let object_parts = match object.parts.filter(|_| asks("ObjectParts")) {
            Some(count) => Some(page(&input, count, &parts)?),
            None => None,
        };
        Ok(GetObjectAttributesOutput {
            last_modified: Some(timestamp(object.modified)),
            version_id: object.version.clone(),
            e_tag: asks("ETag").then(|| object.etag.clone()),
            checksum: object
                .checksum
                .as_ref()
                .filter(|_| asks("Checksum"))
                .map(shown),
            object_parts,
            storage_class: storage_class::listed(object.attributes.storage_class.as_ref())
                .filter(|_| asks("StorageClass")),
            object_size: i64::try_from(object.size)
                .ok()
                .filter(|_| asks("ObjectSize")),
            ..Default::default()
        })
    }
}

/// The parts that a request asks for. S3 lists them where the object's checksum is made of theirs, and counts them where
/// it is not.
fn page(
    input: &GetObjectAttributesRequest,
    count: u32,
    parts: &[Stored],
) -> Result<GetObjectAttributesParts, ApiError> {
    let max_parts = listing::limit(input.max_parts, MAX_PARTS, "max-parts")?;
    let marker = input.part_number_marker.unwrap_or(0);
    let total_parts_count = i32::try_from(count).ok();
    let is_composite = |part: &Stored| {
        let checksum = part.checksum.as_ref();
        checksum.is_some_and(|checksum| checksum.coverage == Coverage::Composite)
    };
    if !parts.iter().any(is_composite) {
        return Ok(GetObjectAttributesParts {
            total_parts_count,
            ..Default::default()
        });
    }
    let after = parts
        .iter()
        .filter(|part| i64::from(part.number) > i64::from(marker));
    let mut shown: Vec<ObjectPart> = after.map(part).take(max_parts as usize + 1).collect();
    let is_truncated = shown.len() > max_parts as usize;
    shown.truncate(max_parts as usize);
    Ok(GetObjectAttributesParts {
        total_parts_count,
        part_number_marker: Some(marker),
        next_part_number_marker: Some(shown.last().and_then(|last| last.part_number).unwrap_or(0)),
        max_parts: Some(max_parts),
        is_truncated: Some(is_truncated),
        parts: (!shown.is_empty()).then_some(shown),
    })
}

fn part(stored: &Stored) -> ObjectPart {
    let mut part = ObjectPart {
        part_number: i32::try_from(stored.number).ok(),
        size: i64::try_from(stored.size).ok(),
        ..Default::default()
    };
    checksums::answer!(part, &stored.checksum);
    part
}

/// A checksum, without the number of parts behind it.
fn shown(checksum: &Kept) -> Checksum {
    let value = checksum
        .value
        .split_once('-')
        .map_or(&*checksum.value, |(value, _)| value);
    let bare = Some(Kept {
        value: value.to_owned(),
        ..checksum.clone()
    });
    let mut shown = Checksum {
        checksum_type: Some(coverage_name(checksum.coverage).to_owned()),
        ..Default::default()
    };
    checksums::answer!(shown, &bare);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    fn get(attributes: &[&str]) -> GetObjectAttributesRequest {
        GetObjectAttributesRequest {
            bucket: "bucket".into(),
            key: "k".into(),
            object_attributes: attributes.iter().map(|a| (*a).to_owned()).collect(),
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn only_what_is_asked_for_is_told() {
        let world = World::with_object("k", "hello").await;
        let found = call::<GetObjectAttributes>(&world.s3, get(&["ETag", "ObjectSize"])).await;
        let found = found.unwrap();
        assert_eq!(
            found.e_tag.as_deref(),
            Some("5d41402abc4b2a76b9719d911017c592")
        );
        assert_eq!((found.object_size, found.storage_class), (Some(5), None));
        let all = call::<GetObjectAttributes>(&world.s3, get(&ATTRIBUTES))
            .await
            .unwrap();
        assert_eq!(all.storage_class.as_deref(), Some("STANDARD"));
        assert!(all.checksum.unwrap().checksum_crc64nvme.is_some());
        assert_eq!(all.object_parts, None);
        let wrong = call::<GetObjectAttributes>(&world.s3, get(&["Wrong"])).await;
        assert_eq!(wrong.unwrap_err().code(), "InvalidArgument");
    }
}
