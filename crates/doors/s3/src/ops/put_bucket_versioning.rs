//! PutBucketVersioning.

use headwater_objects::{BucketName, Versioning};
use headwater_shapes::Nothing;
use headwater_shapes_s3::{
    PutBucketVersioningRequest, VersioningConfiguration, ops::PutBucketVersioning,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    errors::{api, malformed_xml},
    settings,
};

const READ: [&str; 3] = [
    "Content-MD5",
    "VersioningConfiguration",
    "x-amz-sdk-checksum-algorithm",
];

impl Handle<PutBucketVersioning> for S3 {
    async fn handle(
        &self,
        input: PutBucketVersioningRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        settings::check(&input, &READ, context)?;
        let bucket = BucketName::parse(&input.bucket).map_err(api)?;
        self.store.bucket(&bucket).await.map_err(api)?;
        let versioning = versioning(&input.versioning_configuration)?;
        self.store
            .set_versioning(&bucket, versioning)
            .await
            .map_err(api)?;
        Ok(Nothing {})
    }
}

fn versioning(configuration: &VersioningConfiguration) -> Result<Versioning, ApiError> {
    let VersioningConfiguration { status, mfa_delete } = configuration;
    match mfa_delete.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled") => return Err(settings::unsupported("MfaDelete")),
        Some(_) => return Err(malformed_xml()),
    }
    match status.as_deref() {
        Some("Enabled") => Ok(Versioning::Enabled),
        Some("Suspended") => Ok(Versioning::Suspended),
        Some(_) => Err(malformed_xml()),
        None => Err(ApiError::new(
            400,
            "IllegalVersioningConfigurationException",
            "The Versioning element must be specified",
        )),
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_s3::{GetBucketVersioningRequest, ops::GetBucketVersioning};

    use super::*;
    use crate::testing::{World, call};

    fn put(status: Option<&str>, mfa_delete: Option<&str>) -> PutBucketVersioningRequest {
        PutBucketVersioningRequest {
            bucket: "bucket".into(),
            versioning_configuration: VersioningConfiguration {
                status: status.map(str::to_owned),
                mfa_delete: mfa_delete.map(str::to_owned),
            },
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn a_status_is_taken_and_told() {
        let world = World::new().await;
        let get = GetBucketVersioningRequest {
            bucket: "bucket".into(),
            ..Default::default()
        };
        let status = async || {
            let got = call::<GetBucketVersioning>(&world.s3, get.clone()).await;
            got.unwrap().status
        };
        assert_eq!(status().await, None);
        for set in ["Suspended", "Enabled"] {
            let input = put(Some(set), Some("Disabled"));
            call::<PutBucketVersioning>(&world.s3, input).await.unwrap();
            assert_eq!(status().await.as_deref(), Some(set));
        }
        for (input, code) in [
            (put(Some("enabled"), None), "MalformedXML"),
            (put(None, None), "IllegalVersioningConfigurationException"),
            (put(Some("Enabled"), Some("Enabled")), "NotImplemented"),
        ] {
            let refused = call::<PutBucketVersioning>(&world.s3, input).await;
            assert_eq!(refused.unwrap_err().code(), code);
        }
    }
}
