//! Settings that have one value here: that one is told and may be set, and any other is refused by name.

use headwater_shapes::Nothing;
use headwater_shapes_s3::{
    AccelerateConfiguration, BucketLoggingStatus, GetBucketAccelerateConfigurationOutput,
    GetBucketAccelerateConfigurationRequest, GetBucketLoggingOutput, GetBucketLoggingRequest,
    GetBucketNotificationConfigurationRequest, GetBucketRequestPaymentOutput,
    GetBucketRequestPaymentRequest, NotificationConfiguration,
    PutBucketAccelerateConfigurationRequest, PutBucketLoggingRequest,
    PutBucketNotificationConfigurationRequest, PutBucketRequestPaymentRequest,
    RequestPaymentConfiguration,
    ops::{
        GetBucketAccelerateConfiguration, GetBucketLogging, GetBucketNotificationConfiguration,
        GetBucketRequestPayment, PutBucketAccelerateConfiguration, PutBucketLogging,
        PutBucketNotificationConfiguration, PutBucketRequestPayment,
    },
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    errors::{invalid_request, malformed_xml},
    settings::{self, BODY, unsupported},
};

impl Handle<GetBucketRequestPayment> for S3 {
    async fn handle(
        &self,
        input: GetBucketRequestPaymentRequest,
        context: &Context,
    ) -> Result<GetBucketRequestPaymentOutput, ApiError> {
        settings::check(&input, &[], context)?;
        self.bucket(&input.bucket).await?;
        Ok(GetBucketRequestPaymentOutput {
            payer: Some("BucketOwner".to_owned()),
        })
    }
}

impl Handle<PutBucketRequestPayment> for S3 {
    async fn handle(
        &self,
        input: PutBucketRequestPaymentRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let read = [&BODY[..], &["RequestPaymentConfiguration"]].concat();
        settings::check(&input, &read, context)?;
        self.bucket(&input.bucket).await?;
        let RequestPaymentConfiguration { payer } = input.request_payment_configuration;
        match payer.as_str() {
            "BucketOwner" => Ok(Nothing {}),
            "Requester" => Err(unsupported("Payer Requester")),
            _ => Err(malformed_xml()),
        }
    }
}

/// A bucket that was never accelerated has no status.
impl Handle<GetBucketAccelerateConfiguration> for S3 {
    async fn handle(
        &self,
        input: GetBucketAccelerateConfigurationRequest,
        context: &Context,
    ) -> Result<GetBucketAccelerateConfigurationOutput, ApiError> {
        settings::check(&input, &[], context)?;
        self.bucket(&input.bucket).await?;
        Ok(GetBucketAccelerateConfigurationOutput::default())
    }
}

impl Handle<PutBucketAccelerateConfiguration> for S3 {
    async fn handle(
        &self,
        input: PutBucketAccelerateConfigurationRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let read = [&BODY[..], &["AccelerateConfiguration"]].concat();
        settings::check(&input, &read, context)?;
        let bucket = self.bucket(&input.bucket).await?;
        if bucket.as_str().contains('.') {
            return Err(invalid_request(
                "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names",
            ));
        }
        let AccelerateConfiguration { status } = input.accelerate_configuration;
        match status.as_deref() {
            Some("Suspended") => Ok(Nothing {}),
            Some("Enabled") => Err(unsupported("AccelerateConfiguration Enabled")),
            _ => Err(malformed_xml()),
        }
    }
}

impl Handle<GetBucketLogging> for S3 {
    async fn handle(
        &self,
        input: GetBucketLoggingRequest,
        context: &Context,
    ) -> Result<GetBucketLoggingOutput, ApiError> {
        settings::check(&input, &[], context)?;
        self.bucket(&input.bucket).await?;
        Ok(GetBucketLoggingOutput::default())
    }
}

impl Handle<PutBucketLogging> for S3 {
    async fn handle(
        &self,
        input: PutBucketLoggingRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let read = [&BODY[..], &["BucketLoggingStatus"]].concat();
        settings::check(&input, &read, context)?;
        self.bucket(&input.bucket).await?;
        let BucketLoggingStatus { logging_enabled } = input.bucket_logging_status;
        match logging_enabled {
            None => Ok(Nothing {}),
            Some(_) => Err(unsupported("BucketLoggingStatus with LoggingEnabled")),
        }
    }
}

impl Handle<GetBucketNotificationConfiguration> for S3 {
    async fn handle(
        &self,
        input: GetBucketNotificationConfigurationRequest,
        context: &Context,
    ) -> Result<NotificationConfiguration, ApiError> {
        settings::check(&input, &[], context)?;
        self.bucket(&input.bucket).await?;
        Ok(NotificationConfiguration::default())
    }
}

impl Handle<PutBucketNotificationConfiguration> for S3 {
    async fn handle(
        &self,
        input: PutBucketNotificationConfigurationRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        // Without destinations there is nothing to validate, or not to.
        let read = [
            "NotificationConfiguration",
            "x-amz-skip-destination-validation",
        ];
        settings::check(&input, &read, context)?;
        self.bucket(&input.bucket).await?;
        let NotificationConfiguration {
            topic_configurations,
            queue_configurations,
            lambda_function_configurations,
            event_bridge_configuration,
        } = input.notification_configuration;
        let given = [
            ("TopicConfiguration", topic_configurations.is_some()),
            ("QueueConfiguration", queue_configurations.is_some()),
            (
                "CloudFunctionConfiguration",
                lambda_function_configurations.is_some(),
            ),
            (
                "EventBridgeConfiguration",
                event_bridge_configuration.is_some(),
            ),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            None => Ok(Nothing {}),
            Some((name, _)) => Err(unsupported(&format!(
                "NotificationConfiguration with {name}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    #[tokio::test]
    async fn the_bucket_owner_pays_and_nobody_else() {
        let world = World::new().await;
        let put = |payer: &str| PutBucketRequestPaymentRequest {
            bucket: "bucket".into(),
            request_payment_configuration: RequestPaymentConfiguration {
                payer: payer.into(),
            },
            ..Default::default()
        };
        let set = async |payer| call::<PutBucketRequestPayment>(&world.s3, put(payer)).await;
        set("BucketOwner").await.unwrap();
        assert_eq!(set("Requester").await.unwrap_err().code(), "NotImplemented");
        assert_eq!(set("Nobody").await.unwrap_err().code(), "MalformedXML");
    }

    #[tokio::test]
    async fn no_destination_is_notified() {
        let world = World::new().await;
        let put = |configuration| PutBucketNotificationConfigurationRequest {
            bucket: "bucket".into(),
            notification_configuration: configuration,
            ..Default::default()
        };
        let empty = put(NotificationConfiguration::default());
        let set = async |input| call::<PutBucketNotificationConfiguration>(&world.s3, input).await;
        set(empty).await.unwrap();
        let topics = NotificationConfiguration {
            topic_configurations: Some(Vec::new()),
            ..Default::default()
        };
        let refused = set(put(topics)).await.unwrap_err();
        assert!(refused.message().contains("TopicConfiguration"));
    }
}
