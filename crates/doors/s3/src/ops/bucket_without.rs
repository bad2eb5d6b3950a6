//! What no bucket here has: reading it and deleting it, as AWS answers for a bucket without. Setting it is not built, and
//! refused by its operation's name. (Codes and texts: answers of AWS recorded by LocalStack.)

use headwater_objects::BucketName;
use headwater_shapes::Nothing;
use headwater_shapes_s3::{ops::*, *};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    errors::{api, invalid_request},
    listing, settings,
};

/// Operations on a bucket, each with its answer.
macro_rules! without {
    ($($operation:ident($input:ident) -> $output:ty = $answer:expr;)*) => {$(
        impl Handle<$operation> for S3 {
            async fn handle(
                &self,
                input: $input,
                context: &Context,
            ) -> Result<$output, ApiError> {
                settings::check(&input, &["id", "versionId"], context)?;
                let bucket = self.bucket(&input.bucket).await?;
                let answer: fn(&BucketName) -> Result<$output, ApiError> = $answer;
                answer(&bucket)
            }
        }
    )*};
}

without! {
    GetBucketPolicy(GetBucketPolicyRequest) -> GetBucketPolicyOutput = no_policy;
    GetBucketPolicyStatus(GetBucketPolicyStatusRequest) -> GetBucketPolicyStatusOutput = no_policy;
    DeleteBucketPolicy(DeleteBucketPolicyRequest) -> Nothing = |_| Ok(Nothing {});
    GetBucketWebsite(GetBucketWebsiteRequest) -> GetBucketWebsiteOutput = |bucket| none(
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
        bucket,
    );
    DeleteBucketWebsite(DeleteBucketWebsiteRequest) -> Nothing = |_| Ok(Nothing {});
    GetBucketReplication(GetBucketReplicationRequest) -> GetBucketReplicationOutput = |bucket| none(
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
        bucket,
    );
    DeleteBucketReplication(DeleteBucketReplicationRequest) -> Nothing = |_| Ok(Nothing {});
    GetObjectLockConfiguration(GetObjectLockConfigurationRequest) -> GetObjectLockConfigurationOutput =
        |bucket| none(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
            bucket,
        );
    GetObjectRetention(GetObjectRetentionRequest) -> GetObjectRetentionOutput = no_lock;
    GetObjectLegalHold(GetObjectLegalHoldRequest) -> GetObjectLegalHoldOutput = no_lock;
    GetBucketAnalyticsConfiguration(GetBucketAnalyticsConfigurationRequest)
        -> GetBucketAnalyticsConfigurationOutput = no_configuration;
    DeleteBucketAnalyticsConfiguration(DeleteBucketAnalyticsConfigurationRequest) -> Nothing =
        no_configuration;
    GetBucketIntelligentTieringConfiguration(GetBucketIntelligentTieringConfigurationRequest)
        -> GetBucketIntelligentTieringConfigurationOutput = no_configuration;
    DeleteBucketIntelligentTieringConfiguration(DeleteBucketIntelligentTieringConfigurationRequest)
        -> Nothing = no_configuration;
    GetBucketInventoryConfiguration(GetBucketInventoryConfigurationRequest)
        -> GetBucketInventoryConfigurationOutput = no_configuration;
    DeleteBucketInventoryConfiguration(DeleteBucketInventoryConfigurationRequest) -> Nothing =
        no_configuration;
    GetBucketMetricsConfiguration(GetBucketMetricsConfigurationRequest)
        -> GetBucketMetricsConfigurationOutput = no_configuration;
    DeleteBucketMetricsConfiguration(DeleteBucketMetricsConfigurationRequest) -> Nothing =
        no_configuration;
}

/// Lists of configurations, of which none is on any page.
macro_rules! lists {
    ($($operation:ident($input:ident) -> $output:ident;)*) => {$(
        impl Handle<$operation> for S3 {
            async fn handle(
                &self,
                input: $input,
                context: &Context,
            ) -> Result<$output, ApiError> {
                settings::check(&input, &["continuation-token"], context)?;
                self.bucket(&input.bucket).await?;
                match input.continuation_token {
                    None => Ok($output {
                        is_truncated: Some(false),
                        ..Default::default()
                    }),
                    Some(_) => Err(listing::incorrect_token()),
                }
            }
        }
    )*};
}

lists! {
    ListBucketAnalyticsConfigurations(ListBucketAnalyticsConfigurationsRequest)
        -> ListBucketAnalyticsConfigurationsOutput;
    ListBucketIntelligentTieringConfigurations(ListBucketIntelligentTieringConfigurationsRequest)
        -> ListBucketIntelligentTieringConfigurationsOutput;
    ListBucketInventoryConfigurations(ListBucketInventoryConfigurationsRequest)
        -> ListBucketInventoryConfigurationsOutput;
    ListBucketMetricsConfigurations(ListBucketMetricsConfigurationsRequest)
        -> ListBucketMetricsConfigurationsOutput;
}

impl S3 {
    /// The bucket of that name, which must be there.
    pub async fn bucket(&self, name: &str) -> Result<BucketName, ApiError> {
        let bucket = BucketName::parse(name).map_err(api)?;
        self.store.bucket(&bucket).await.map_err(api)?;
        Ok(bucket)
    }
}

/// The bucket does not have it.
pub fn none<T>(code: &str, text: &str, bucket: &BucketName) -> Result<T, ApiError> {
    Err(ApiError::new(404, code, text).with("BucketName", bucket.as_str()))
}

fn no_policy<T>(bucket: &BucketName) -> Result<T, ApiError> {
    none(
        "NoSuchBucketPolicy",
        "The bucket policy does not exist",
        bucket,
    )
}

fn no_configuration<T>(_: &BucketName) -> Result<T, ApiError> {
    let text = "The specified configuration does not exist.";
    Err(ApiError::new(404, "NoSuchConfiguration", text))
}

fn no_lock<T>(_: &BucketName) -> Result<T, ApiError> {
    Err(invalid_request(
        "Bucket is missing Object Lock Configuration",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    #[tokio::test]
    async fn what_a_bucket_does_not_have_is_told_in_the_words_of_aws() {
        let world = World::new().await;
        let policy = |bucket: &str| GetBucketPolicyRequest {
            bucket: bucket.into(),
            ..Default::default()
        };
        let refused = call::<GetBucketPolicy>(&world.s3, policy("bucket")).await;
        let refused = refused.unwrap_err();
        assert_eq!(
            (refused.status(), refused.code(), refused.message()),
            (
                404,
                "NoSuchBucketPolicy",
                "The bucket policy does not exist"
            )
        );
        assert_eq!(refused.fields()["BucketName"], "bucket");
        let missing = call::<GetBucketPolicy>(&world.s3, policy("missing")).await;
        assert_eq!(missing.unwrap_err().code(), "NoSuchBucket");
    }

    #[tokio::test]
    async fn a_list_without_configurations_has_no_second_page() {
        let world = World::new().await;
        let list = |token: Option<&str>| ListBucketMetricsConfigurationsRequest {
            bucket: "bucket".into(),
            continuation_token: token.map(str::to_owned),
            ..Default::default()
        };
        let first = call::<ListBucketMetricsConfigurations>(&world.s3, list(None)).await;
        assert_eq!(first.unwrap().is_truncated, Some(false));
        let second = call::<ListBucketMetricsConfigurations>(&world.s3, list(Some("x"))).await;
        assert_eq!(second.unwrap_err().code(), "InvalidArgument");
    }
}
