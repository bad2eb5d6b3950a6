//! A consumer's name at the endpoint, which enhanced fan-out pushes for: registered, found, given up.

use std::time::Duration;

use headwater_client::CallError;
use headwater_shapes_kinesis::{
    ConsumerDescription, DeregisterStreamConsumerInput, DescribeStreamConsumerInput,
    DescribeStreamSummaryInput, RegisterStreamConsumerInput, ops,
};

use crate::{
    KinesisSource,
    limits::{REGISTRATION_MAX, REGISTRATION_PAUSE},
};

impl KinesisSource {
    /// Registers an application for enhanced fan-out under this name, or finds it registered, and waits until shards can
    /// be subscribed to. The ARN is for [`Reading::FanOut`](crate::Reading::FanOut).
    ///
    /// # Errors
    /// The endpoint's error; of the kind [`CallError::TIMEOUT`] when the registration is not active in time.
    pub async fn register(&self, consumer_name: &str) -> Result<String, CallError> {
        let stream_arn = self.stream_arn().await?;
        let begun = self.env.clock.elapsed();
        loop {
            match self.describe(&stream_arn, consumer_name).await? {
                Some(consumer) if consumer.consumer_status == "ACTIVE" => {
                    return Ok(consumer.consumer_arn);
                }
                Some(consumer) => {
                    let waited = self.env.clock.elapsed().saturating_sub(begun);
                    if waited >= REGISTRATION_MAX {
                        return Err(late(consumer_name, &consumer.consumer_status, waited));
                    }
                    self.env.clock.sleep(REGISTRATION_PAUSE).await;
                }
                None => self.register_anew(&stream_arn, consumer_name).await?,
            }
        }
    }

    /// Takes the registration back: what was subscribed under it ends.
    ///
    /// # Errors
    /// The endpoint's error.
    pub async fn deregister(&self, consumer_arn: &str) -> Result<(), CallError> {
        let consumer_arn = Some(consumer_arn.to_owned());
        let input = DeregisterStreamConsumerInput {
            consumer_arn,
            ..Default::default()
        };
        self.retrying
            .call::<ops::DeregisterStreamConsumer>(input)
            .await
            .map(drop)
    }

    async fn stream_arn(&self) -> Result<String, CallError> {
        if let Some(arn) = &self.stream.arn {
            return Ok(arn.clone());
        }
        let stream_name = self.stream.name.clone();
        let input = DescribeStreamSummaryInput {
            stream_name,
            ..Default::default()
        };
        let output = self
            .retrying
            .call::<ops::DescribeStreamSummary>(input)
            .await?;
        Ok(output.stream_description_summary.stream_arn)
    }

    async fn describe(
        &self,
        stream: &str,
        name: &str,
    ) -> Result<Option<ConsumerDescription>, CallError> {
        let input = DescribeStreamConsumerInput {
            stream_arn: Some(stream.to_owned()),
            consumer_name: Some(name.to_owned()),
            ..Default::default()
        };
        match self
            .retrying
            .call::<ops::DescribeStreamConsumer>(input)
            .await
        {
            Ok(output) => Ok(Some(output.consumer_description)),
            Err(error) if error.code == "ResourceNotFoundException" => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn register_anew(&self, stream_arn: &str, name: &str) -> Result<(), CallError> {
        let input = RegisterStreamConsumerInput {
            stream_arn: stream_arn.to_owned(),
            consumer_name: name.to_owned(),
            ..Default::default()
        };
        match self
            .retrying
            .call::<ops::RegisterStreamConsumer>(input)
            .await
        {
            // Another consumer of the application was faster.
            Err(error) if error.code != "ResourceInUseException" => Err(error),
            _ => Ok(()),
        }
    }
}

fn late(name: &str, status: &str, waited: Duration) -> CallError {
    CallError {
        code: CallError::TIMEOUT.to_owned(),
        status: None,
        message: format!("the consumer {name} is {status} and not ACTIVE after {waited:?}"),
        retryable: true,
        unclear: false,
    }
}
