//! UploadPartCopy.

use headwater_objects::{Expected, Get, ObjectName, PutPart};
use headwater_shapes_s3::{
    CopyPartResult, UploadPartCopyOutput, UploadPartCopyRequest, ops::UploadPartCopy,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3, checksums, copy, encryption,
    errors::{api, quoted},
    select::part_number,
    settings,
    times::timestamp,
    versions,
};

const READ: [&str; 3] = ["partNumber", "uploadId", "x-amz-copy-source-range"];

impl Handle<UploadPartCopy> for S3 {
    async fn handle(
        &self,
        input: UploadPartCopyRequest,
        context: &Context,
    ) -> Result<UploadPartCopyOutput, ApiError> {
        settings::check(&input, &[&READ[..], &copy::MEMBERS].concat(), context)?;
        let part = PutPart {
            name: ObjectName::parse(&input.bucket, &input.key).map_err(api)?,
            upload: input.upload_id.clone(),
            number: part_number(input.part_number)?,
            expected: Expected::default(),
        };
        let mut get = copy::source!(input)?;
        if let Some(range) = &input.copy_source_range {
            // A range must lie within the source, so its size is asked first; the ETag holds it to that source.
            let source = self
                .store
                .head(&get)
                .await
                .map_err(|error| copy::error(error, &get.conditions))?;
            get = Get {
                range: Some(copy::range(range, source.object.size)?),
                ..get
            };
            get.conditions.if_match.get_or_insert(source.object.etag);
        }
        let (source, body) = self
            .store
            .get(&get)
            .await
            .map_err(|error| copy::error(error, &get.conditions))?;
        let written = self.store.put_part(part, body).await.map_err(api)?;
        let mut result = CopyPartResult {
            e_tag: Some(quoted(&written.etag)),
            last_modified: Some(timestamp(written.modified)),
            ..Default::default()
        };
        checksums::answer!(result, written.checksum);
        let mut output = UploadPartCopyOutput {
            copy_part_result: Some(result),
            copy_source_version_id: versions::of_source(&source.object),
            ..Default::default()
        };
        encryption::answer!(output, &written.encryption, context);
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_s3::{CreateMultipartUploadRequest, ops::CreateMultipartUpload};

    use super::*;
    use crate::testing::{World, call};

    #[tokio::test]
    async fn a_part_is_copied_from_a_range_of_an_object() {
        let world = World::with_object("from", "hello world").await;
        let create = CreateMultipartUploadRequest {
            bucket: "bucket".into(),
            key: "to".into(),
            ..Default::default()
        };
        let id = call::<CreateMultipartUpload>(&world.s3, create)
            .await
            .unwrap()
            .upload_id
            .unwrap();
        let input = |range: &str| UploadPartCopyRequest {
            bucket: "bucket".into(),
            key: "to".into(),
            upload_id: id.clone(),
            part_number: 1,
            copy_source: "bucket/from".into(),
            copy_source_range: Some(range.to_owned()),
            ..Default::default()
        };
        let copied = call::<UploadPartCopy>(&world.s3, input("bytes=6-10"))
            .await
            .unwrap();
        let etag = copied.copy_part_result.unwrap().e_tag;
        // The MD5 of "world".
        assert_eq!(
            etag.as_deref(),
            Some("\"7d793037a0760186574b0282f2f435e7\"")
        );
        let beyond = call::<UploadPartCopy>(&world.s3, input("bytes=0-11"))
            .await
            .unwrap_err();
        assert_eq!(
            beyond.message(),
            "Range specified is not valid for source object of size: 11"
        );
    }
}
