//! GetBucketEncryption, PutBucketEncryption and DeleteBucketEncryption.

use headwater_objects::{Encryption, EncryptionMethod, Setting};
use headwater_shapes::Nothing;
use headwater_shapes_s3::{
    DeleteBucketEncryptionRequest, GetBucketEncryptionOutput, GetBucketEncryptionRequest,
    PutBucketEncryptionRequest, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
    ops::{DeleteBucketEncryption, GetBucketEncryption, PutBucketEncryption},
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    errors::{api, malformed_xml},
    settings::{self, BODY},
};

impl Handle<GetBucketEncryption> for S3 {
    async fn handle(
        &self,
        input: GetBucketEncryptionRequest,
        context: &Context,
    ) -> Result<GetBucketEncryptionOutput, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let settings = self.store.settings(&bucket).await.map_err(api)?;
        let encryption = settings.encryption.unwrap_or(Encryption::DEFAULT);
        let rule = ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
                sse_algorithm: encryption.method.name().to_owned(),
                kms_master_key_id: encryption.key,
            }),
            bucket_key_enabled: Some(encryption.bucket_key == Some(true)),
            blocked_encryption_types: None,
        };
        Ok(GetBucketEncryptionOutput {
            server_side_encryption_configuration: Some(ServerSideEncryptionConfiguration {
                rules: vec![rule],
            }),
        })
    }
}

impl Handle<PutBucketEncryption> for S3 {
    async fn handle(
        &self,
        input: PutBucketEncryptionRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let read = [&BODY[..], &["ServerSideEncryptionConfiguration"]].concat();
        settings::check(&input, &read, context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let encryption = encryption(input.server_side_encryption_configuration)?;
        let set = self
            .store
            .set(&bucket, Setting::Encryption(Some(encryption)));
        set.await.map(|()| Nothing {}).map_err(api)
    }
}

impl Handle<DeleteBucketEncryption> for S3 {
    async fn handle(
        &self,
        input: DeleteBucketEncryptionRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let set = self.store.set(&bucket, Setting::Encryption(None)).await;
        set.map(|()| Nothing {}).map_err(api)
    }
}

/// The encryption of the one rule that a configuration has.
fn encryption(configuration: ServerSideEncryptionConfiguration) -> Result<Encryption, ApiError> {
    let ServerSideEncryptionConfiguration { rules } = configuration;
    let [rule] = <[_; 1]>::try_from(rules).map_err(|_| malformed_xml())?;
    let ServerSideEncryptionRule {
        apply_server_side_encryption_by_default,
        bucket_key_enabled,
        blocked_encryption_types,
    } = rule;
    if blocked_encryption_types.is_some() {
        return Err(settings::unsupported("BlockedEncryptionTypes"));
    }
    let ServerSideEncryptionByDefault {
        sse_algorithm,
        kms_master_key_id,
    } = apply_server_side_encryption_by_default.ok_or_else(malformed_xml)?;
    let method = EncryptionMethod::named(&sse_algorithm).ok_or_else(malformed_xml)?;
    if method == EncryptionMethod::StoreKeys && kms_master_key_id.is_some() {
        let text = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
        return Err(ApiError::new(400, "InvalidArgument", text)
            .with("ArgumentName", "ApplyServerSideEncryptionByDefault"));
    }
    Ok(Encryption {
        method,
        key: kms_master_key_id,
        bucket_key: Some(bucket_key_enabled == Some(true)),
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use headwater_shapes::ByteStream;
    use headwater_shapes_s3::{PutObjectOutput, PutObjectRequest, ops::PutObject};

    use super::*;
    use crate::testing::{World, call};

    fn rule(algorithm: &str, key: Option<&str>) -> ServerSideEncryptionRule {
        ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
                sse_algorithm: algorithm.into(),
                kms_master_key_id: key.map(str::to_owned),
            }),
            bucket_key_enabled: Some(true),
            ..Default::default()
        }
    }

    async fn set(world: &World, rules: Vec<ServerSideEncryptionRule>) -> Result<Nothing, ApiError> {
        let input = PutBucketEncryptionRequest {
            bucket: "bucket".into(),
            server_side_encryption_configuration: ServerSideEncryptionConfiguration { rules },
            ..Default::default()
        };
        call::<PutBucketEncryption>(&world.s3, input).await
    }

    async fn put(world: &World, asked: Option<&str>) -> PutObjectOutput {
        let input = PutObjectRequest {
            bucket: "bucket".into(),
            key: "k".into(),
            body: ByteStream::from_bytes(Bytes::from_static(b"x")),
            server_side_encryption: asked.map(str::to_owned),
            ..Default::default()
        };
        call::<PutObject>(&world.s3, input).await.unwrap()
    }

    #[tokio::test]
    async fn objects_that_ask_for_nothing_get_what_the_bucket_says() {
        let world = World::new().await;
        set(&world, vec![rule("aws:kms", Some("alias/a"))])
            .await
            .unwrap();
        let written = put(&world, None).await;
        assert_eq!(written.server_side_encryption.as_deref(), Some("aws:kms"));
        assert_eq!(written.bucket_key_enabled, Some(true));
        assert!(written.ssekms_key_id.unwrap().ends_with("alias/a"));
        // One that asks for the method alone gets the key of S3, and what the bucket says of keys of buckets.
        let written = put(&world, Some("aws:kms")).await;
        assert_eq!(written.bucket_key_enabled, Some(true));
        assert!(written.ssekms_key_id.unwrap().ends_with("alias/aws/s3"));
        let refusing = PutObjectRequest {
            bucket: "bucket".into(),
            key: "k".into(),
            server_side_encryption: Some("aws:kms".into()),
            bucket_key_enabled: Some(false),
            ..Default::default()
        };
        let written = call::<PutObject>(&world.s3, refusing).await.unwrap();
        assert_eq!(written.bucket_key_enabled, None);
        let written = put(&world, Some("AES256")).await;
        assert_eq!(written.server_side_encryption.as_deref(), Some("AES256"));
        set(&world, vec![rule("AES256", None)]).await.unwrap();
        assert_eq!(put(&world, None).await.bucket_key_enabled, None);
    }

    #[tokio::test]
    async fn a_configuration_is_one_rule_of_a_method_that_is_done() {
        let world = World::new().await;
        let aes = || rule("AES256", None);
        let blocked = ServerSideEncryptionRule {
            blocked_encryption_types: Some(Default::default()),
            ..aes()
        };
        for (rules, code) in [
            (vec![], "MalformedXML"),
            (vec![aes(), aes()], "MalformedXML"),
            (vec![rule("ROT13", None)], "MalformedXML"),
            (vec![rule("AES256", Some("alias/a"))], "InvalidArgument"),
            (vec![rule("aws:kms:dsse", None)], "NotImplemented"),
            (vec![blocked], "NotImplemented"),
        ] {
            assert_eq!(set(&world, rules).await.unwrap_err().code(), code);
        }
    }
}
