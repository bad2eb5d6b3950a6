//! UploadPart.

use headwater_objects::{Body, Checksum, Coverage, ObjectName, PutPart};
use headwater_shapes_s3::{UploadPartOutput, UploadPartRequest, ops::UploadPart};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3, checksums, encryption,
    errors::{api, quoted},
    select::part_number,
    settings,
};

const READ: [&str; 4] = ["Content-Length", "Content-MD5", "partNumber", "uploadId"];

impl Handle<UploadPart> for S3 {
    async fn handle(
        &self,
        input: UploadPartRequest,
        context: &Context,
    ) -> Result<UploadPartOutput, ApiError> {
        settings::check(&input, &[&READ[..], &checksums::MEMBERS].concat(), context)?;
        let (md5, named) = (
            input.content_md5.as_deref(),
            input.checksum_algorithm.as_deref(),
        );
        let expected = checksums::given!(input).expected(md5, named)?;
        let given = expected.checksum.clone();
        let part = PutPart {
            name: ObjectName::parse(&input.bucket, &input.key).map_err(api)?,
            upload: input.upload_id,
            number: part_number(input.part_number)?,
            expected,
        };
        let body = Body {
            chunks: input.body.chunks,
            len: input.body.len,
        };
        let written = self.store.put_part(part, body).await.map_err(api)?;
        let mut output = UploadPartOutput {
            e_tag: Some(quoted(&written.etag)),
            ..Default::default()
        };
        // The checksum that came with the part, which has been verified, or the upload's.
        let given = given.and_then(|(algorithm, value)| {
            Some(Checksum {
                algorithm,
                value: value?,
                coverage: Coverage::FullObject,
            })
        });
        checksums::answer!(output, given.or(written.checksum));
        encryption::answer!(output, &written.encryption, context);
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use headwater_shapes::ByteStream;
    use headwater_shapes_s3::{
        CompleteMultipartUploadRequest, CompletedMultipartUpload, CompletedPart,
        CreateMultipartUploadRequest, ListMultipartUploadsRequest, ListPartsRequest,
        ops::{CompleteMultipartUpload, CreateMultipartUpload, ListMultipartUploads, ListParts},
    };

    use super::*;
    use crate::testing::{World, call};

    async fn begin(world: &World, algorithm: Option<&str>) -> String {
        let create = CreateMultipartUploadRequest {
            bucket: "bucket".into(),
            key: "k".into(),
            checksum_algorithm: algorithm.map(str::to_owned),
            ..Default::default()
        };
        call::<CreateMultipartUpload>(&world.s3, create)
            .await
            .unwrap()
            .upload_id
            .unwrap()
    }

    fn upload(id: &str, number: i32, body: &'static str) -> UploadPartRequest {
        UploadPartRequest {
            bucket: "bucket".into(),
            key: "k".into(),
            upload_id: id.into(),
            part_number: number,
            body: ByteStream::from_bytes(Bytes::from_static(body.as_bytes())),
            ..Default::default()
        }
    }

    fn complete(id: &str, parts: Vec<CompletedPart>) -> CompleteMultipartUploadRequest {
        CompleteMultipartUploadRequest {
            bucket: "bucket".into(),
            key: "k".into(),
            upload_id: id.into(),
            multipart_upload: Some(CompletedMultipartUpload { parts: Some(parts) }),
            ..Default::default()
        }
    }

    fn part(number: i32, etag: &Option<String>) -> CompletedPart {
        CompletedPart {
            part_number: Some(number),
            e_tag: etag.clone(),
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn an_object_is_made_of_parts() {
        let world = World::new().await;
        let id = begin(&world, None).await;
        let written = call::<UploadPart>(&world.s3, upload(&id, 1, "hello"))
            .await
            .unwrap();
        let list = ListPartsRequest {
            bucket: "bucket".into(),
            key: "k".into(),
            upload_id: id.clone(),
            ..Default::default()
        };
        let listed = call::<ListParts>(&world.s3, list).await.unwrap();
        assert_eq!(
            (
                listed.next_part_number_marker,
                listed.parts.unwrap()[0].size
            ),
            (Some(1), Some(5))
        );
        let list = ListMultipartUploadsRequest {
            bucket: "bucket".into(),
            ..Default::default()
        };
        let uploads = call::<ListMultipartUploads>(&world.s3, list).await.unwrap();
        assert_eq!(uploads.uploads.unwrap()[0].upload_id.as_ref(), Some(&id));

        let done = call::<CompleteMultipartUpload>(
            &world.s3,
            complete(&id, vec![part(1, &written.e_tag)]),
        )
        .await;
        let done = done.unwrap();
        assert!(done.e_tag.unwrap().ends_with("-1\""));
        assert_eq!(
            done.location.as_deref(),
            Some("http://localhost:4566/bucket/k")
        );
        assert_eq!(world.read("k").await, "hello");
    }

    #[tokio::test]
    async fn wrong_parts_are_refused_in_the_words_of_aws() {
        let world = World::new().await;
        let id = begin(&world, None).await;
        let one = call::<UploadPart>(&world.s3, upload(&id, 1, "a"))
            .await
            .unwrap()
            .e_tag;
        let two = call::<UploadPart>(&world.s3, upload(&id, 2, "b"))
            .await
            .unwrap()
            .e_tag;
        for (parts, code) in [
            (vec![], "MalformedXML"),
            (vec![part(2, &two), part(1, &one)], "InvalidPartOrder"),
            (vec![part(1, &two)], "InvalidPart"),
            (vec![part(1, &one), part(2, &two)], "EntityTooSmall"),
            (vec![part(0, &one)], "InvalidArgument"),
        ] {
            let refused = call::<CompleteMultipartUpload>(&world.s3, complete(&id, parts))
                .await
                .unwrap_err();
            assert_eq!((refused.status(), refused.code()), (400, code));
        }
        let number = call::<UploadPart>(&world.s3, upload(&id, 10_001, "a"))
            .await
            .unwrap_err();
        assert_eq!(
            number.message(),
            "Part number must be an integer between 1 and 10000, inclusive"
        );
        let gone = call::<UploadPart>(&world.s3, upload("nothing", 1, "a"))
            .await
            .unwrap_err();
        assert_eq!((gone.status(), gone.code()), (404, "NoSuchUpload"));
    }

    #[tokio::test]
    async fn an_upload_keeps_to_its_checksum() {
        let world = World::new().await;
        let id = begin(&world, Some("SHA256")).await;
        let other = UploadPartRequest {
            checksum_algorithm: Some("CRC32".into()),
            ..upload(&id, 1, "a")
        };
        let other = call::<UploadPart>(&world.s3, other).await.unwrap_err();
        assert!(
            other
                .message()
                .ends_with("expected checksum Type: sha256, actual checksum Type: crc32")
        );
        let written = call::<UploadPart>(&world.s3, upload(&id, 1, "hello"))
            .await
            .unwrap();
        let bare = complete(&id, vec![part(1, &written.e_tag)]);
        let bare = call::<CompleteMultipartUpload>(&world.s3, bare)
            .await
            .unwrap_err();
        assert!(bare.message().contains("It was missing for part 1"));
        let whole = CompletedPart {
            checksum_sha256: written.checksum_sha256,
            ..part(1, &written.e_tag)
        };
        let done = call::<CompleteMultipartUpload>(&world.s3, complete(&id, vec![whole]))
            .await
            .unwrap();
        assert_eq!(done.checksum_type.as_deref(), Some("COMPOSITE"));
        assert!(done.checksum_sha256.unwrap().ends_with("-1"));
    }
}
