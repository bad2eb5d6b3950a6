//! ListParts.

use headwater_objects::{ObjectName, PartInfo};
use headwater_shapes_s3::{Initiator, ListPartsOutput, ListPartsRequest, Part, ops::ListParts};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3, checksums,
    errors::{api, argument, coverage_name, quoted},
    limits::MAX_PARTS,
    listing, settings, storage_class,
    times::timestamp,
};

const READ: [&str; 3] = ["max-parts", "part-number-marker", "uploadId"];

impl Handle<ListParts> for S3 {
    async fn handle(
        &self,
        input: ListPartsRequest,
        context: &Context,
    ) -> Result<ListPartsOutput, ApiError> {
        settings::check(&input, &READ, context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        let max_parts = listing::limit(input.max_parts, MAX_PARTS, "max-parts")?;
        let marker = input.part_number_marker.unwrap_or(0);
        let after = u32::try_from(marker).map_err(|_| {
            let message = "Argument part-number-marker must be an integer between 0 and 2147483647";
            argument(message, "part-number-marker", &marker.to_string())
        })?;
        let found = self
            .store
            .list_parts(&name, &input.upload_id, after, max_parts as usize)
            .await;
        let found = found.map_err(api)?;
        let owner = listing::owner(context);
        let parts: Vec<_> = found.parts.iter().map(part_of).collect();
        Ok(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            part_number_marker: Some(marker),
            next_part_number_marker: Some(found.parts.last().map_or(0, |last| last.number as i32)),
            max_parts: Some(max_parts),
            is_truncated: Some(found.truncated),
            parts: (!parts.is_empty()).then_some(parts),
            initiator: Some(Initiator {
                id: owner.id.clone(),
                display_name: None,
            }),
            owner: Some(owner),
            storage_class: storage_class::listed(found.upload.storage_class.as_ref()),
            checksum_algorithm: found
                .upload
                .algorithm
                .map(|algorithm| algorithm.name().to_owned()),
            checksum_type: found
                .upload
                .algorithm
                .map(|_| coverage_name(found.upload.coverage).to_owned()),
            ..Default::default()
        })
    }
}

fn part_of(info: &PartInfo) -> Part {
    let mut part = Part {
        part_number: Some(info.number as i32),
        last_modified: Some(timestamp(info.modified)),
        e_tag: Some(quoted(&info.etag)),
        size: i64::try_from(info.size).ok(),
        ..Default::default()
    };
    checksums::answer!(part, &info.checksum);
    part
}
