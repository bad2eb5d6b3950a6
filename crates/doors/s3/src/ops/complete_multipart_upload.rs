//! CompleteMultipartUpload.

use headwater_objects::{Algorithm, Complete, CompletePart, ObjectError, ObjectName};
use headwater_shapes_s3::{
    CompleteMultipartUploadOutput, CompleteMultipartUploadRequest, CompletedMultipartUpload,
    CompletedPart, ops::CompleteMultipartUpload,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3, checksums, encryption,
    errors::{api, coverage_name, invalid_request, malformed_xml, quoted},
    lifecycle,
    listing::location,
    select::{part_number, write_condition},
    settings, versions,
};

const READ: [&str; 6] = [
    "CompleteMultipartUpload",
    "uploadId",
    "x-amz-checksum-type",
    "x-amz-mp-object-size",
    "If-Match",
    "If-None-Match",
];

impl Handle<CompleteMultipartUpload> for S3 {
    async fn handle(
        &self,
        input: CompleteMultipartUploadRequest,
        context: &Context,
    ) -> Result<CompleteMultipartUploadOutput, ApiError> {
        settings::check(&input, &[&READ[..], &checksums::MEMBERS].concat(), context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        let checksum = checksums::given!(input).of_parts()?;
        // A list without parts is malformed; a request without a list names no parts.
        let parts = match input.multipart_upload {
            None => Vec::new(),
            Some(CompletedMultipartUpload { parts }) => parts
                .filter(|parts| !parts.is_empty())
                .ok_or_else(malformed_xml)?,
        };
        let complete = Complete {
            condition: write_condition(input.if_match, input.if_none_match)?,
            checksum,
            coverage: input
                .checksum_type
                .as_deref()
                .map(checksums::coverage)
                .transpose()?,
            size: input.mpu_object_size.map(size).transpose()?,
            ..Complete::new(
                name,
                &input.upload_id,
                parts.into_iter().map(part).collect::<Result<_, _>>()?,
            )
        };
        let done = self
            .store
            .complete_upload(complete)
            .await
            .map_err(|e| error(e, &input.upload_id))?;
        let mut output = CompleteMultipartUploadOutput {
            location: Some(location(context, &input.bucket, &input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(quoted(&done.etag)),
            version_id: versions::of_put(&done),
            expiration: lifecycle::expiration(&done),
            checksum_type: done
                .checksum
                .as_ref()
                .map(|c| coverage_name(c.coverage).to_owned()),
            ..Default::default()
        };
        checksums::answer!(output, &done.checksum);
        encryption::answer!(output, &done.attributes.encryption, context);
        Ok(output)
    }
}

fn part(part: CompletedPart) -> Result<CompletePart, ApiError> {
    let CompletedPart {
        e_tag,
        checksum_crc32,
        checksum_crc32c,
        checksum_crc64nvme,
        checksum_sha1,
        checksum_sha256,
        checksum_sha512,
        checksum_md5,
        checksum_xxhash64,
        checksum_xxhash3,
        checksum_xxhash128,
        part_number: number,
    } = &part;
    let given = checksums::RequestChecksums {
        kept: [
            (Algorithm::Crc32, checksum_crc32),
            (Algorithm::Crc32c, checksum_crc32c),
            (Algorithm::Crc64Nvme, checksum_crc64nvme),
            (Algorithm::Sha1, checksum_sha1),
            (Algorithm::Sha256, checksum_sha256),
        ],
        others: [
            checksum_sha512,
            checksum_md5,
            checksum_xxhash64,
            checksum_xxhash3,
            checksum_xxhash128,
        ],
    };
    let checksum = given.of_parts()?;
    Ok(CompletePart {
        number: part_number(number.ok_or_else(malformed_xml)?)?,
        etag: e_tag.clone().ok_or_else(malformed_xml)?,
        checksum,
    })
}

fn size(size: i64) -> Result<u64, ApiError> {
    size.try_into()
        .map_err(|_| invalid_request("Value for x-amz-mp-object-size header is invalid."))
}

fn error(error: ObjectError, upload: &str) -> ApiError {
    let names_upload = matches!(
        error,
        ObjectError::InvalidPart { .. } | ObjectError::PartOrder
    );
    let error = api(error);
    if names_upload {
        error.with("UploadId", upload)
    } else {
        error
    }
}
