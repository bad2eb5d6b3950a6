//! CreateMultipartUpload.

use headwater_objects::{ObjectName, Upload};
use headwater_shapes_s3::{
    CreateMultipartUploadOutput, CreateMultipartUploadRequest, ops::CreateMultipartUpload,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3, acl, attributes, checksums, encryption,
    errors::{api, coverage_name, invalid_request},
    settings,
};

const READ: [&str; 2] = ["x-amz-checksum-algorithm", "x-amz-checksum-type"];

impl Handle<CreateMultipartUpload> for S3 {
    async fn handle(
        &self,
        input: CreateMultipartUploadRequest,
        context: &Context,
    ) -> Result<CreateMultipartUploadOutput, ApiError> {
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        self.check_acl(name.bucket(), &acl::asked!(input), context)
            .await?;
        settings::check(&input, &[&READ[..], &attributes::MEMBERS].concat(), context)?;
        if input.checksum_type.is_some() && input.checksum_algorithm.is_none() {
            return Err(invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            ));
        }
        let upload = Upload {
            name,
            attributes: attributes::attributes!(input)?,
            algorithm: input
                .checksum_algorithm
                .as_deref()
                .map(checksums::algorithm)
                .transpose()?,
            coverage: input
                .checksum_type
                .as_deref()
                .map(checksums::coverage)
                .transpose()?,
        };
        let begun = self.store.create_upload(upload).await.map_err(api)?;
        let mut output = CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(begun.id.clone()),
            checksum_algorithm: begun.algorithm.map(|algorithm| algorithm.name().to_owned()),
            checksum_type: begun
                .algorithm
                .map(|_| coverage_name(begun.coverage).to_owned()),
            ..Default::default()
        };
        encryption::answer!(output, &begun.encryption, context);
        Ok(output)
    }
}
