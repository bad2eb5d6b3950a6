//! PutObject.

use headwater_objects::{Body, ObjectName, Put, limits::PUT_BYTES_MAX};
use headwater_shapes_s3::{PutObjectOutput, PutObjectRequest, ops::PutObject};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3, acl, attributes, checksums, encryption,
    errors::{api, coverage_name, quoted},
    lifecycle,
    select::write_condition,
    settings, versions,
};

const READ: [&str; 4] = ["Content-Length", "Content-MD5", "If-Match", "If-None-Match"];

impl Handle<PutObject> for S3 {
    async fn handle(
        &self,
        input: PutObjectRequest,
        context: &Context,
    ) -> Result<PutObjectOutput, ApiError> {
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        self.check_acl(name.bucket(), &acl::asked!(input), context)
            .await?;
        settings::check(
            &input,
            &[&READ[..], &attributes::MEMBERS, &checksums::MEMBERS].concat(),
            context,
        )?;
        let md5 = input.content_md5.as_deref();
        let put = Put {
            attributes: attributes::attributes!(input)?,
            expected: checksums::given!(input)
                .expected(md5, input.checksum_algorithm.as_deref())?,
            condition: write_condition(input.if_match, input.if_none_match)?,
            ..Put::new(name)
        };
        let size = input.body.len;
        let body = Body {
            chunks: input.body.chunks,
            len: size,
        };
        let written = self
            .store
            .put(put, body)
            .await
            .map_err(|error| match (&error, size) {
                (headwater_objects::ObjectError::TooLarge { .. }, Some(size))
                    if size > PUT_BYTES_MAX =>
                {
                    api(error).with("ProposedSize", size.to_string())
                }
                // AWS shows the one that came in hexadecimal here, and in base64 for a part.
                (headwater_objects::ObjectError::Md5Mismatch { expected, .. }, _) => {
                    let expected = expected.clone();
                    api(error).with("ExpectedDigest", expected)
                }
                _ => api(error),
            })?;
        let mut output = PutObjectOutput {
            e_tag: Some(quoted(&written.etag)),
            version_id: versions::of_put(&written),
            expiration: lifecycle::expiration(&written),
            checksum_type: written
                .checksum
                .as_ref()
                .map(|c| coverage_name(c.coverage).to_owned()),
            ..Default::default()
        };
        checksums::answer!(output, &written.checksum);
        encryption::answer!(output, &written.attributes.encryption, context);
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use headwater_shapes::ByteStream;

    use super::*;
    use crate::testing::{World, call};

    fn put(key: &str, body: &'static str) -> PutObjectRequest {
        PutObjectRequest {
            bucket: "bucket".into(),
            key: key.into(),
            body: ByteStream::from_bytes(Bytes::from_static(body.as_bytes())),
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn a_put_answers_with_etag_and_checksum() {
        let world = World::new().await;
        let output = call::<PutObject>(&world.s3, put("k", "hello"))
            .await
            .unwrap();
        assert_eq!(
            output.e_tag.as_deref(),
            Some("\"5d41402abc4b2a76b9719d911017c592\"")
        );
        assert!(output.checksum_crc64nvme.is_some());
        let asked = PutObjectRequest {
            checksum_algorithm: Some("SHA256".into()),
            ..put("k", "hello")
        };
        let output = call::<PutObject>(&world.s3, asked).await.unwrap();
        assert_eq!(
            output.checksum_sha256.as_deref(),
            Some("LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=")
        );
        assert_eq!(output.checksum_crc64nvme, None);
    }

    #[tokio::test]
    async fn what_does_not_match_is_not_written() {
        let world = World::new().await;
        let md5 = PutObjectRequest {
            content_md5: Some("Q3uTDbhLgHnC3YBKcZNrXw==".into()),
            ..put("k", "hello")
        };
        let crc = PutObjectRequest {
            checksum_crc32: Some("AAAAAA==".into()),
            ..put("k", "hello")
        };
        for (input, message) in [
            (
                md5,
                "The Content-MD5 you specified did not match what we received.",
            ),
            (
                crc,
                "The CRC32 you specified did not match the calculated checksum.",
            ),
        ] {
            let refused = call::<PutObject>(&world.s3, input).await.unwrap_err();
            assert_eq!((refused.code(), refused.message()), ("BadDigest", message));
        }
        assert!(world.keys().await.is_empty());
        let absent = |key| PutObjectRequest {
            if_none_match: Some("*".into()),
            ..put(key, "x")
        };
        call::<PutObject>(&world.s3, absent("k")).await.unwrap();
        let there = call::<PutObject>(&world.s3, absent("k")).await.unwrap_err();
        assert_eq!(
            (there.status(), &there.fields()["Condition"]),
            (412, &"If-None-Match".into())
        );
    }

    #[tokio::test]
    async fn a_body_beyond_five_gibibytes_is_refused_before_it_is_read() {
        let world = World::new().await;
        let body = ByteStream {
            len: Some(PUT_BYTES_MAX + 1),
            ..ByteStream::empty()
        };
        let refused = call::<PutObject>(
            &world.s3,
            PutObjectRequest {
                body,
                ..put("k", "")
            },
        )
        .await
        .unwrap_err();
        assert_eq!((refused.status(), refused.code()), (400, "EntityTooLarge"));
        assert_eq!(refused.fields()["ProposedSize"], "5368709121");
    }
}
